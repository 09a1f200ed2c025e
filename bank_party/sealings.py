"""What the bank keeps of the rows that it seals, where the contract names an auditor: enough to seal them again, byte for byte.

    state/sealed/<contract>-<expiry>/           0700, gone with the contract's end
        <job>-<attempt>-<part>.rows             rows and seed, on the disk before the first ciphertext leaves
        <job>-<attempt>.frames                  a line a frame: what its envelope said; of the key, all of it
        answered-<request>                      of how many persons an auditor was given rows

Every attempt of a step has a seed of its own, drawn afresh; and what is drawn from it hangs on contract, job, step, attempt and on the rows
themselves. So whatever happens to seed or file, no two contents are ever sealed with the same randomness.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from tandem.arguments import Chance, Keep, Seeded
from tandem.contract import Contract
from tandem.contract.fields import MOMENT
from tandem.errors import InputError
from tandem.node import disk
from tandem.node.contracts import utc_now
from tandem.node.plain import pack, restore, unpack
from tandem.session.tap import Tap, Tapped
from tandem.sums.terms import Integers
from tandem.wire.codec import Frame
from tandem.wire.messages import Key, Opening, Sealed

SEED_WIDTH = 32


@dataclass(frozen=True)
class KeptRows:
    """Rows that were sealed, and the seed. `part`: 0 or 1, the place among what one session sealed."""

    contract: bytes
    job: bytes
    script: str
    stage: int
    attempt: int
    part: int
    seed: bytes = field(repr=False)
    rows: Integers = field(repr=False)

    @property
    def chance(self) -> Chance:
        """What these rows are sealed with, and nothing else: other rows under the same seed would be sealed with other randomness."""
        content = hashlib.sha256(np.ascontiguousarray(self.rows, "<i8").tobytes()).digest()
        place = (self.contract, self.job, self.script, self.stage, self.attempt, self.part)
        return Seeded(self.seed).fork("sealing", *place, *self.rows.shape, content)


@dataclass(frozen=True)
class KeptFrame:
    """The envelope of a frame that was sent, without contract, speaker and payload. `payload` is kept of the key alone."""

    session: str
    kind: str
    line: int
    number: int
    previous: str
    digest: str
    payload: str = ""

    def whole(self, contract: bytes, payload: bytes) -> bytes | None:
        """Return the frame as it was sent; None if this was not its payload."""
        if hashlib.sha256(payload).hexdigest() != self.digest:
            return None
        place = (contract, bytes.fromhex(self.session), "sealer", self.line, self.number, bytes.fromhex(self.previous))
        return Frame(*place, self.kind, payload).to_bytes()


class Sealings:
    """The folder of one contract. What was kept under contracts that ended is removed when this is made."""

    def __init__(self, folder: Path, contract: Contract, chance: Chance, clock: Callable[[], datetime] = utc_now) -> None:
        """Make the contract's folder under `folder`. `chance` gives the seeds."""
        self._contract, self._chance = contract, chance
        remove_ended(folder, clock())
        disk.make_private_folder(folder)
        self.folder = folder / f"{contract.digest.hex()[:16]}-{_compact(contract.expiry)}"
        disk.make_private_folder(self.folder)

    def keep(self, job: bytes, script: str, stage: int, attempt: int) -> Keep:
        """Return who keeps what one attempt of a step seals; asked once for each piece."""
        parts = count()

        def keep(_: Chance, rows: Integers) -> Chance:
            seed, part = self._chance.draw(SEED_WIDTH), next(parts)
            kept = KeptRows(self._contract.digest, job, script, stage, attempt, part, seed, rows)
            disk.write(self.folder / f"{_attempt(job, attempt)}-{part}.rows", pack(kept), replace=False)
            return kept.chance

        return keep

    def tap(self, opening: Opening) -> Tap:
        """Return what notes the envelopes of the frames that bring key and sealed rows to the telco, before they leave."""
        path = self.folder / f"{_attempt(opening.job, opening.attempt)}.frames"

        def note(seen: Tapped) -> None:
            if not seen.sent or seen.peer != "summer" or seen.kind not in {Key.__name__, Sealed.__name__}:
                return
            frame = Frame.from_bytes(seen.frame)
            kept = KeptFrame(
                frame.session.hex(), frame.kind, frame.line, frame.number, frame.previous.hex(),
                hashlib.sha256(frame.payload).hexdigest(), frame.payload.hex() if frame.kind == Key.__name__ else "",
            )
            disk.append(path, json.dumps(kept.__dict__).encode() + b"\n")

        return note

    def find(self, session: str, part: int) -> tuple[KeptRows, KeptFrame, list[KeptFrame]]:
        """Return rows, key frame and chunk frames of what a session sealed. Raises InputError if nothing of it is kept."""
        for path in sorted(self.folder.glob("*.frames")):
            frames = [one for one in _lines(path) if one.session == session]
            lines = sorted({one.line for one in frames if one.kind == Sealed.__name__})
            keys = [one for one in frames if one.kind == Key.__name__]
            rows = path.with_name(f"{path.stem}-{part}.rows")
            if keys and part < len(lines) and rows.exists():
                return self._rows(rows), keys[0], [one for one in frames if one.line == lines[part]]
        raise InputError(
            f"{self.folder}: nothing is kept of session {session[:8]}; rows can be opened until the contract ends, where its folder was"
        )

    def grant(self, request: str, persons: int, cap: int) -> None:
        """Note that a request (digest, hex) opens so many persons' rows; the same again costs nothing. Raises InputError over `cap`."""
        granted = {path.name: int(disk.read_private(path)) for path in self.folder.glob("answered-*")}
        name = f"answered-{request}"
        if name in granted:
            return
        before = sum(granted.values())
        if before + persons > cap:
            raise InputError(
                f"rows of {persons} persons are asked for, of {before} they were opened, and auditor.rows is {cap}: nothing is opened"
            )
        disk.write(self.folder / name, str(persons).encode(), replace=False)

    def _rows(self, path: Path) -> KeptRows:
        try:
            kept: KeptRows = restore(KeptRows, unpack(disk.read_private(path)))
        except (ValueError, TypeError, KeyError):
            raise InputError(f"{path} is damaged: these rows cannot be opened") from None
        return kept


def remove_ended(folder: Path, now: datetime) -> None:
    """Remove what was kept under contracts that ended: with the seed gone, nobody can show what was sealed."""
    for ended in folder.iterdir() if folder.exists() else ():
        if ended.name.rpartition("-")[2] <= _compact(now.strftime(MOMENT)):
            for path in ended.iterdir():
                path.unlink()
            ended.rmdir()


def _lines(path: Path) -> Iterator[KeptFrame]:
    """Yield what was noted; a last line that was cut off belongs to a frame that never left."""
    for line in disk.read_private(path).splitlines():
        try:
            found: dict[str, Any] = json.loads(line)
            yield KeptFrame(**found)
        except (ValueError, TypeError):
            return


def _attempt(job: bytes, attempt: int) -> str:
    return f"{job.hex()}-{attempt}"


def _compact(moment: str) -> str:
    return moment.replace("-", "").replace(":", "")
