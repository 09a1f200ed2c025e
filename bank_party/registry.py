"""The bank's model versions: one JSON a version in the folder registry/, written whole; what was once written of a version stays.

    candidate  ->  champion  ->  retired  ->  champion ...        at most one champion; who is promoted retires the one before

A version names its model.json by digest: a file that was trained over or changed since is found out when it is looked at.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tandem.contract.fields import complaint
from tandem.errors import InputError
from tandem.node import disk

Status = Literal["candidate", "champion", "retired"]
MOVES: Mapping[Status, tuple[Status, ...]] = {"candidate": ("champion",), "champion": ("retired",), "retired": ("champion",)}
"""Which status may follow which."""

FOLDER = "registry"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class Fixed(BaseModel):
    """A part of a version's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Event(Fixed):
    """A version came to this status at that time (UTC), and why."""

    at: str
    status: Status
    why: str = ""


class Window(Fixed):
    """What it was trained on: `as_of` as the bank gave it, or empty; customers asked and matched; matched rows trained on and held out."""

    as_of: str = ""
    asked: int
    matched: int
    train_rows: int
    holdout_rows: int


class Told(Fixed):
    """What the bank's ledger says that somebody was told under the contract so far, in how many sessions, and bits a person over them."""

    to: str
    what: str
    sessions: int
    bits: int


class Version(Fixed):
    """One version. `metrics`: as in result.json, intervals too; `words`: who learns what by the contract, by language."""

    format: Literal[1] = 1
    version: str
    study: str
    contract: str
    contract_id: str
    model: str
    """The model.json, as seen from the bank's home."""
    digest: str
    """SHA-256 of that file."""
    parent: str = ""
    data: Window
    metrics: dict[str, Any]
    words: dict[str, list[tuple[str, str]]]
    told: list[Told]
    history: tuple[Event, ...] = Field(min_length=1)

    @property
    def status(self) -> Status:
        """Where it stands now."""
        return self.history[-1].status

    @property
    def bits(self) -> int:
        """Bits a person that the bank learnt."""
        return sum(one.bits for one in self.told if one.to == "bank")


@dataclass(frozen=True)
class Registry:
    """The versions of one bank, under its home folder."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return self.home / FOLDER

    def versions(self) -> list[Version]:
        """Return all versions, the oldest first. Raises InputError for a file that is damaged or changed by hand."""
        if not self.folder.is_dir():
            return []
        found = [self._read(path) for path in self.folder.glob("*.json")]
        return sorted(found, key=lambda one: (one.history[0].at, one.version))

    def version(self, name: str) -> Version:
        """Return one version. Raises InputError if there is none of that name."""
        for one in self.versions():
            if one.version == name:
                return one
        raise InputError(f"{self.folder} has no version {name!r}: `tandem bank models list` shows what is there; --home names the folder")

    def intact(self, version: Version) -> bool:
        """Say whether the version's model file is still the one that was registered."""
        path = self.home / version.model
        return path.exists() and digest_of(path) == version.digest

    def add(self, version: Version) -> None:
        """Write a new version. Raises InputError for a name that is taken or unfit, a model already here, or a parent that is not."""
        if not _NAME.fullmatch(version.version):
            raise InputError(f"version {version.version!r}: take letters, digits, '.', '_' and '-', at most 40")
        if [one.status for one in version.history] != ["candidate"]:
            raise InputError(f"version {version.version}: a version begins as a candidate")
        disk.make_private_folder(self.folder)
        with disk.alone(self.folder / ".lock"):
            known = self.versions()
            if twin := next((one.version for one in known if one.digest == version.digest), ""):
                raise InputError(f"this model.json is version {twin} already")
            if version.parent and version.parent not in {one.version for one in known}:
                raise InputError(f"parent {version.parent!r} is no version here: add it first, or leave --parent out")
            disk.write(self._path(version.version), _text(version), replace=False)

    def promote(self, name: str, at: str, why: str = "") -> str:
        """Make a version the champion; return the version that it retires, or nothing.

        Raises InputError for a version that is champion already, or whose model file is another than was registered. The old champion
        retires first: a crash between the two leaves none, never two.
        """
        self.version(name)
        with disk.alone(self.folder / ".lock"):
            version = self.version(name)
            if "champion" not in MOVES[version.status]:
                raise InputError(f"version {name} is the champion already")
            if not self.intact(version):
                raise InputError(f"version {name}: {changed(version)}")
            old = next((one for one in self.versions() if one.status == "champion"), None)
            if old is not None:
                self._move(old, Event(at=at, status="retired", why=f"{name} was promoted"))
            self._move(version, Event(at=at, status="champion", why=why))
        return "" if old is None else old.version

    def _move(self, version: Version, event: Event) -> None:
        disk.write(self._path(version.version), _text(version.model_copy(update={"history": (*version.history, event)})))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _read(self, path: Path) -> Version:
        try:
            version = Version.model_validate_json(disk.read_private(path))
        except ValidationError as failure:
            raise InputError(f"{path}: {complaint(failure)}; restore it from its backup") from None
        steps = [one.status for one in version.history]
        if version.version != path.stem or steps[0] != "candidate" or any(to not in MOVES[of] for of, to in pairwise(steps)):
            raise InputError(f"{path}: its name or its history was changed by hand; restore it from its backup")
        return version


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a private file, hex."""
    return hashlib.sha256(disk.read_private(path)).hexdigest()


def changed(version: Version) -> str:
    """Return the sentence for a model file that is not the registered one."""
    return (
        f"{version.model} is gone or is NOT the file that was registered: restore it, or add what lies there as a version of its own "
        "(a study of its own `out` a version keeps them apart)"
    )


def _text(version: Version) -> bytes:
    return version.model_dump_json(indent=1).encode()

