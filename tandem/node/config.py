"""A party's configuration file: TOML, checked field by field, its paths relative to the file itself."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from tandem.contract.fields import complaint
from tandem.errors import InputError
from tandem.node import disk
from tandem.node.ledger_database import Place, place_of


def _address(text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not (host and colon and port.isdigit() and int(port) < 1 << 16):
        raise ValueError("must be host:port, such as 10.0.0.5:7443")
    return text


Address = Annotated[str, AfterValidator(_address)]


def checked_address(text: str) -> str:
    """Return `text` if it is host:port. Raises InputError."""
    try:
        return _address(text)
    except ValueError as failure:
        raise InputError(f"{text!r} {failure}") from None


class NodeConfig(BaseModel):
    """What every node needs. `folder` is where the file stands; other paths are relative to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path = Path()
    keys: Path = Path("keys")
    peers: Path = Path("peers")
    """Certificates of those we dial, <role>.pem."""
    state: Path = Path("state")
    ledger: str = "ledger.sqlite"
    """A file of SQLite, or a postgresql:// URL without password."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    patience: float = Field(default=900.0, ge=1.0, le=86_400.0)
    """Seconds to wait for a peer that says nothing."""
    log: Literal["text", "json"] = "text"
    """On stderr: sentences, or events."""
    metrics: Address | Literal[""] = ""
    """Where Prometheus asks this node for figures; nowhere if empty."""

    @field_validator("ledger")
    @classmethod
    def _possible(cls, text: str) -> str:
        place_of(text)
        return text

    @property
    def ledger_place(self) -> Place:
        """Where the ledger lies, as seen from where we run."""
        return place_of(self.ledger, self.folder)

    def at(self, path: Path) -> Path:
        """Return a path of this file as seen from where we run."""
        return self.folder / path


Kind = TypeVar("Kind", bound=BaseModel)


def read(path: Path, kind: type[Kind]) -> Kind:
    """Return the configuration in `path`. Raises InputError naming the file and each wrong field."""
    try:
        fields: dict[str, Any] = tomllib.loads(disk.read_text(path))
    except tomllib.TOMLDecodeError as failure:
        raise InputError(f"{path}: not TOML: {failure}: correct that line") from None
    try:
        return kind.model_validate({**fields, "folder": path.parent})
    except ValidationError as failure:
        raise InputError(f"{path}: {complaint(failure)}") from None
