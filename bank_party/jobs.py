"""A study as a job: a chain of steps, each one session, kept one by one on the bank's disk so that it can go on after a crash.

A job's id and seed are drawn and kept before anything leaves; the alignment's blinds come from that seed, so asked again they are the same
bytes. A step is played from its start until it ends well, each time under a higher attempt number and with fresh seals. A peer that is gone
is called again after 1, 2, 4 ... 30 s, for `reconnect` seconds; then the study stops, to be gone on with. Once its results are written,
nothing of the job is left.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from tandem.align.identifiers import Identifiers
from tandem.arguments import Chance, Seeded
from tandem.contract import Contract
from tandem.errors import InputError, PeerLost, PeerRefused
from tandem.node.checkpoints import Checkpoints
from tandem.node.ledger_store import Ledger
from tandem.node.plain import pack, restore, unpack
from tandem.session.tap import Tapped
from tandem.tables import Table
from tandem.wire.messages import JOB_WIDTH

T = TypeVar("T")

LONGEST_PAUSE = 30.0
"""Seconds between two calls to a peer that is gone; they begin at one and double."""
SEED_WIDTH = 32


@dataclass(frozen=True)
class Kept:
    """A job on the disk. `steps`: the packed result of each finished step, by name; `inputs`: digest of what the job was begun with.

    `known`: where the bank solves, what its solver knows after the newest of these steps, packed; kept with that step, or neither is.
    """

    purpose: str
    inputs: bytes
    seed: bytes = field(repr=False)
    steps: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    seconds: Mapping[str, float] = field(default_factory=dict)
    known: bytes = field(default=b"", repr=False)


def fingerprint(ids: Identifiers, table: Table, *others: Any) -> bytes:
    """Return the digest of what a job hangs on: identifiers as asked, every column of the file, and plain values such as labels."""
    whole = hashlib.sha256(pack((np.array([len(value) for value in ids.values], dtype=np.int64), b"".join(ids.values))))
    for name, column in table.columns.items():
        whole.update(pack((name, json.dumps(column.tolist()) if column.dtype == np.object_ else column)))
    for one in others:
        whole.update(pack(one))
    return whole.digest()


class Job:
    """The job under way; `resumed` names the steps that were done before this process."""

    def __init__(
        self, store: Checkpoints[Kept], contract: Contract, job: bytes, kept: Kept, reconnect: float, tell: Callable[[str], None]
    ) -> None:
        self.id, self.resumed, self.seconds = job, tuple(kept.steps), dict(kept.seconds)
        self._store, self._contract, self._kept = store, contract, kept
        self._reconnect, self._tell = reconnect, tell
        self._lost: float | None = None
        self._pause = 1.0

    @classmethod
    def open(
        cls, store: Checkpoints[Kept], contract: Contract, purpose: str, inputs: bytes, chance: Chance, reconnect: float,
        tell: Callable[[str], None], *, afresh: bool = False,
    ) -> Job:
        """Return the contract's unfinished job of this purpose, or, with `afresh` or where there is none, a new one.

        Raises InputError if the unfinished job was begun with other inputs: its steps do not fit them.
        """
        job = None if afresh else store.job(contract)
        kept = None if job is None else store.load(contract, job)
        if job is not None and kept is not None and kept.purpose == purpose:
            if kept.inputs == inputs:
                return cls(store, contract, job, kept, reconnect, tell)
            if kept.steps:
                raise InputError(
                    f"file, labels or choice are not those that job {job.hex()[:8]} was begun with: put them back to go on with it,"
                    " or begin a new job with --afresh"
                )
        job, kept = chance.fork("job").draw(JOB_WIDTH), Kept(purpose, inputs, chance.fork("job-seed").draw(SEED_WIDTH))
        store.begin(contract, job, kept)
        return cls(store, contract, job, kept, reconnect, tell)

    @property
    def blinds(self) -> Chance:
        """Where the alignment's blinds come from: the same in every attempt of this job, and in no other."""
        return Seeded(self._kept.seed).fork("blinds")

    @property
    def ledger(self) -> Ledger:
        """Where the job is kept."""
        return self._store.ledger

    @property
    def known(self) -> bytes:
        """What the bank's own solver knows after the newest step; empty before the first."""
        return self._kept.known

    def know(self, known: bytes) -> None:
        """Take what the bank's own solver knows now. It is kept with the result of the step that is being played, which must end next."""
        self._kept = replace(self._kept, known=known)

    async def step(self, name: str, kind: Any, play: Callable[[int], Awaitable[T]]) -> T:
        """Return the step's result, of type `kind`: as it was kept, or played until it ends well, and kept. `play` takes an attempt number.

        Raises PeerLost when a peer stayed away for too long, and what else `play` raises.
        """
        if name in self._kept.steps:
            done: T = restore(kind, unpack(self._kept.steps[name]))
            return done
        while True:
            began = time.monotonic()
            try:
                result = await play(self._store.next_attempt(self._contract, name))
                break
            except PeerRefused:
                raise
            except PeerLost as lost:
                await self._wait(lost)
        self.seconds[name] = time.monotonic() - began
        self._kept = replace(self._kept, steps={**self._kept.steps, name: pack(result)}, seconds=self.seconds)
        self._store.save(self._contract, self.id, self._kept)
        return result

    def heard(self, seen: Tapped) -> None:
        """Take note that a peer spoke: the line is back."""
        if not seen.sent:
            self._lost, self._pause = None, 1.0

    def end(self) -> None:
        """Forget the job: its results are written, or there will be none."""
        self._store.forget(self._contract)

    async def _wait(self, lost: PeerLost) -> None:
        now = time.monotonic()
        if self._lost is None:
            self._lost = now
            if self._reconnect:
                until = datetime.now().astimezone() + timedelta(seconds=self._reconnect)
                self._tell(f"{lost} (calling again until {until:%H:%M:%S})")
        left = self._lost + self._reconnect - now
        if left <= 0:
            raise PeerLost(f"{lost} (what is done is kept: run the same command again to go on from there)") from None
        await asyncio.sleep(min(self._pause, left))
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
