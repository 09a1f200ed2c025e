"""What an auditor is handed: a node's ledger, or an export of one. Both are read entry by entry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tandem.audit.export import Export, Signature
from tandem.contract import Role
from tandem.errors import InputError
from tandem.ledger.chain import Entry
from tandem.ledger.owner import owner
from tandem.node import disk
from tandem.node.ledger_database import Place, place_of
from tandem.node.ledger_store import Ledger

_SQLITE = b"SQLite format 3\0"


class Source(Protocol):
    """A ledger or an export; see `Export` for the meaning of each field."""

    @property
    def place(self) -> str: ...  # noqa: D102 - as in Export
    @property
    def party(self) -> Role | None: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102
    @property
    def head(self) -> tuple[int, str]: ...  # noqa: D102
    @property
    def contract(self) -> str: ...  # noqa: D102
    @property
    def used(self) -> list[tuple[str, str, int]]: ...  # noqa: D102
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def made(self) -> str: ...  # noqa: D102
    @property
    def signature(self) -> Signature: ...  # noqa: D102

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order."""


@dataclass(frozen=True)
class Original:
    """A node's ledger, as it was when it was opened; `party` is None where its entries do not say whose it is."""

    ledger: Ledger
    place: str
    party: Role | None
    rows: int
    head: tuple[int, str]
    used: list[tuple[str, str, int]]
    contract: str = ""
    key: str = ""
    made: str = ""
    signature: Signature = "none"

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order."""
        return self.ledger.entries()


def named(text: str) -> Place:
    """Return the place of a node's ledger, a file or a URL. Raises InputError for a URL that cannot be."""
    try:
        return place_of(text)
    except ValueError as failure:
        raise InputError(str(failure)) from None


@contextmanager
def opened(place: Place) -> Iterator[Source]:
    """Open a ledger or an export. Raises InputError for what is neither, or cannot be read."""
    if isinstance(place, Path) and not _is_ledger(place):
        yield Export.open(place)
        return
    with Ledger(place, read_only=True) as ledger, ledger.snapshot():
        classes = ledger.classes()
        yield Original(ledger, ledger.place, owner(classes), sum(row[-1] for row in classes), ledger.head, ledger.usage())


def _is_ledger(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError as failure:
        raise disk.explain(failure, path, "read") from None
