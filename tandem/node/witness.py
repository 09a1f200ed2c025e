"""A counter outside the backup: a small file that knows which step of the ledger was the newest.

    tandem-witness-1 NAME begun NUMBER      before a step is committed, synced
    tandem-witness-1 NAME ended NUMBER      after it, not synced: lost in a power cut, it reads `begun`

A step is a transaction that changes what was used up or what a job stands at; entries of frames are none. NAME is drawn with the ledger,
and ledger and witness count alike. A ledger below what the witness saw is an older one. Only after `begun`, where the step may not have
reached the ledger, one less is right: nothing was told under a step that was not committed. A ledger above it is right as well: the
witness of a second node on the same ledger has not seen the steps of the first.

It protects as far as it is out of reach of what restores the ledger: another volume, no part of the same backup or snapshot.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tandem.errors import RolledBack
from tandem.node import disk

KIND = "tandem-witness-1"
_LINE = re.compile(rf"{KIND} ([0-9a-f]{{32}}) (begun|ended) ([0-9]{{20}})\n")
_AT = len(KIND) + 1 + 32 + 1
"""Where the word stands."""

REMEDY = (
    "put the newest ledger back. If it is lost for good, `tandem telco budget recover` goes on from this one, with all that the contracts "
    "allowed counted as spent (docs/budgets.md)"
)


@dataclass(frozen=True)
class Mark:
    """A ledger's name and the number of its newest step."""

    name: str
    number: int


@dataclass(frozen=True)
class Witness:
    """The file. One writer at a time: the ledger's own transactions."""

    path: Path

    def require(self, mark: Mark | None, place: str) -> None:
        """Pass if the ledger at `place`, which stands at `mark`, is the newest there was. Raises RolledBack, InputError.

        A ledger that was never witnessed passes where there is no file either, or one whose first step was not committed: it begins here.
        """
        if not self.path.exists():
            if mark is None:
                return
            raise RolledBack(f"{self.path} is missing: ledger {place} has a witness. Put that file back; or, if it is lost, {REMEDY}")
        name, begun, number = self._read()
        if mark is None and (begun, number) == (1, 1):
            return
        if mark is None or mark.name != name:
            raise RolledBack(f"ledger {place} is another than {self.path} is the witness of, or older than that: {REMEDY}")
        if mark.number < number - begun:
            raise RolledBack(f"ledger {place} is an older copy: it stands at step {mark.number}, {self.path} saw step {number}: {REMEDY}")

    @property
    def seen(self) -> int:
        """The newest step that it saw, and 0 if there is none. One that may not have been committed was not seen."""
        if not self.path.exists():
            return 0
        _, begun, number = self._read()
        return number - begun

    def begin(self, mark: Mark) -> None:
        """Say, before it is committed, that this step comes; it is on the disk when this returns."""
        disk.write(self.path, f"{KIND} {mark.name} begun {mark.number:020}\n".encode())

    def end(self) -> None:
        """Say that the step begun is committed."""
        try:
            handle = os.open(self.path, os.O_WRONLY)
            try:
                os.pwrite(handle, b"ended", _AT)
            finally:
                os.close(handle)
        except OSError as failure:
            raise disk.explain(failure, self.path, "write") from None

    def _read(self) -> tuple[str, int, int]:
        found = _LINE.fullmatch(disk.read_private(self.path).decode(errors="replace"))
        if found is None:
            raise RolledBack(f"{self.path} is damaged or of another version: {REMEDY}")
        return found[1], int(found[2] == "begun"), int(found[3])
