"""Seconds of a study from counts of operations and the times of one: what waits for what, and who fills whose pauses.

    align     the table travels; chunk by chunk: answered while the next is blinded, then checked
    prepare   the sealer's own columns are coded and fitted alone
    pass      sealing     rows are sealed while those before are folded; then the cells are multiplied out
              opening     shares leave, are opened and solved; points are sealed, one after the other
              scoring     points are raised, packs filled and opened; the sealer fits once more
    card      as scoring, with its key and points before

Values r^n that blind what leaves the summer are made ahead, whenever its workers have nothing else to do; what is not done in pauses is
waited for before the last packs leave. Parties on one machine share its cores: then work adds up that would run side by side.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tandem.align.script import QUERY_LENGTH
from tandem.contract import SLOT_BITS
from tandem.crypto.slots import Layout
from tandem.plan import traffic, work
from tandem.plan.job import Job
from tandem.plan.sealing import Sealing
from tandem.plan.traffic import Bytes
from tandem.wire.messages import Speed

# What is timed anew for every plan stands in `Speed` and `Sealing`; these are small, and the same on most machines: scripts/plan_constants.

ROOTS = 16 / 3
"""Proving a modulus takes as long as this many openings, checking it as this many values r^n: 16 roots on numbers half as wide."""

HELD_OUT = 4e-6
"""Seconds in which the sealer decides whether a row is held out (in its own process)."""

READ = 3e-7
"""Seconds in which the sealer reads a row's score out of an opened pack."""

LOOKED_UP = 2e-6
"""Seconds an identifier takes outside the workers: blinds drawn, points cut and packed, tags looked up."""

COPIED = 4e-6
"""Seconds in which a number under seal goes to a worker or comes back by itself: pickled here, read there."""

PAIR = 2e-7
"""Seconds that one pair of bins takes on its way: told, encoded, decoded."""

MET = 7e-4
"""Seconds in which the solver completes the counts of one pair of variables."""

SESSION = 0.03
"""Seconds that a session takes to begin and to end: dialled, joined by three, closed, entered in three ledgers."""


@dataclass(frozen=True)
class Machines:
    """How fast everybody is. `transfer`: seconds a byte from sealer to summer; `shared`: all on one machine."""

    sealer: Speed
    sealing: Sealing
    summer: Speed
    solver: Speed
    transfer: float
    shared: bool


@dataclass(frozen=True)
class Stage:
    """One stage: seconds by part, and bytes on each link."""

    name: str
    seconds: dict[str, float]
    traffic: Bytes = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Seconds of all parts."""
        return sum(self.seconds.values())


def stages(job: Job, machines: Machines) -> list[Stage]:
    """Return the stages of a training, in order: align, prepare, pass_1 and so on, score."""
    clock = _Clock(job, machines)
    passes = [Stage(f"pass_{n}", clock.train(n), traffic.train(job, n)) for n in range(1, job.terms.passes + 1)]
    return [
        Stage("align", clock.align(), traffic.align(job)), Stage("start", clock.prepare()), *passes,
        Stage("score", clock.card(), traffic.card(job)),
    ]


def look(job: Job, machines: Machines) -> Stage:
    """Return what the statistics alone take, once aligned: the stage that `describe` adds."""
    return Stage("describe", _Clock(job, machines).describe(), traffic.describe(job))


class _Ahead:
    """Values r^n to be made ahead, in seconds of the summer's workers: how many are left, and how many were made."""

    def __init__(self, due: float) -> None:
        self.left, self.made = due, 0.0

    def fill(self, pause: float) -> None:
        made = min(self.left, pause)
        self.left, self.made = self.left - made, self.made + made


@dataclass(frozen=True)
class _Clock:
    job: Job
    on: Machines

    def align(self) -> dict[str, float]:
        job, on = self.job, self.on
        blind, answer, check = (
            _ids(work.BLINDED, on.sealer), _ids(work.ANSWERED, on.summer), _ids(work.CHECKED, on.sealer),
        )
        first = min(job.asked, QUERY_LENGTH)
        rest = job.asked - first
        tagging = 0.0 if job.ready else job.table * _ids(work.TAGGED, on.summer)
        table = sum(traffic.align(job).values()) * on.transfer + job.table * on.sealing.shelve
        asking = first * (blind + answer) + self._together(rest * blind, rest * answer) + job.asked * (check + LOOKED_UP)
        values, pairs = len(job.bins) * job.matched, len(job.bins) * (len(job.bins) - 1) // 2 * job.matched
        return {
            "tags": tagging + table, "asking": SESSION + on.sealing.start + asking,
            "coding": values * on.summer.cutting + pairs * on.summer.pairing,
        }

    def prepare(self) -> dict[str, float]:
        job, on = self.job, self.on
        coding = job.columns * job.matched * on.sealer.cutting
        return {"start": coding + job.matched * HELD_OUT + self._fit(job.columns + 1)}

    def describe(self) -> dict[str, float]:
        ahead = _Ahead(self.job.total * self.job.statistics.ciphertexts * self.on.summer.power)
        key = self._key()
        return {"sealing": key + self.on.sealing.tables + self._sealing(self.job.statistics, ahead),
                "opening": self._opening(self.job.statistics, ahead)}

    def train(self, number: int) -> dict[str, float]:
        job, on = self.job, self.on
        ahead = _Ahead((job.total * job.layout.ciphertexts + job.packs) * on.summer.power)
        sealing = self._key() + self._sealing(job.layout, ahead) + (on.sealing.tables if number == 1 else 0.0)
        opening = self._opening(job.layout, ahead) + self._drawing(ahead)
        return {"sealing": sealing, "opening": opening, "scoring": self._scoring(ahead) + self._fit(job.columns + 2)}

    def card(self) -> dict[str, float]:
        ahead = _Ahead(self.job.packs * self.on.summer.power)
        key = self._key()
        return {"opening": key + self._drawing(ahead), "scoring": self._scoring(ahead)}

    # -- pieces -------------------------------------------------------------------------------------------------------------------------

    def _key(self) -> float:
        """Return the seconds in which the key is proved, and in which summer and solver, at once, check the proof.

        Nothing is made ahead before: whoever has not checked a key computes nothing under it.
        """
        on = self.on
        prove = ROOTS * on.sealing.open * _lanes(on.sealer)
        check = ROOTS * max(on.summer.power * _lanes(on.summer), on.solver.power)
        return SESSION + prove + check

    def _sealing(self, layout: Layout, ahead: _Ahead) -> float:
        job, on = self.job, self.on
        fold = work.folding(job, layout, on.summer.workers)
        seal = fold.admitted * on.sealing.seal
        folded = fold.admitted * on.summer.admission + fold.products * on.summer.product
        alone = fold.admitted * (on.sealing.remember + job.width * on.transfer)
        wall = self._together(seal, folded, alone)
        ahead.fill(self._pause(wall, seal, folded, alone))
        return wall + fold.halved * on.summer.product * on.summer.workers

    def _opening(self, layout: Layout, ahead: _Ahead) -> float:
        job, on = self.job, self.on
        shares = job.total * layout.ciphertexts
        wait = max(0.0, shares * on.summer.power - ahead.made)
        ahead.fill(wait)
        opened = shares * on.sealing.open
        ahead.fill(self._pause(opened, opened))
        solved = job.total * (job.total + 1) / 2 * PAIR + len(job.bins) * (len(job.bins) - 1) / 2 * MET
        return wait + opened + solved

    def _drawing(self, ahead: _Ahead) -> float:
        """Return the seconds in which the solver seals the points, in one process."""
        sealed = self.job.total * self.on.solver.power
        ahead.fill(self._pause(sealed, serial=sealed))
        return sealed

    def _scoring(self, ahead: _Ahead) -> float:
        job, on = self.job, self.on
        fill = work.filling(job)
        raised = fill.squared * SLOT_BITS * on.summer.squaring
        copied = COPIED * (job.total * job.slots + fill.merged)
        filled = fill.products * on.summer.product
        alone = fill.merged * on.summer.product * _lanes(on.summer) + job.matched * on.summer.noise
        wait = ahead.left
        opened = job.packs * on.sealing.open + job.matched * READ
        return raised + copied + filled + alone + wait + opened

    def _fit(self, columns: int) -> float:
        return self.job.training * self.job.matched * columns * self.on.sealing.fit

    # -- sharing a machine --------------------------------------------------------------------------------------------------------------

    def _together(self, sealer: float, summer: float, alone: float = 0.0) -> float:
        """Return how long work takes that both sides' workers, and one process of each, do side by side; each given as if by itself."""
        longest = max(sealer, summer, alone)
        return max(longest, self._busy(sealer, summer, alone) / self.on.sealer.cores) if self.on.shared else longest

    def _pause(self, wall: float, sealer: float = 0.0, summer: float = 0.0, serial: float = 0.0) -> float:
        """Return how much of `wall` the summer's workers have for themselves, in seconds of them all."""
        idle = wall - summer
        if self.on.shared:
            idle = min(idle, (wall * self.on.sealer.cores - self._busy(sealer, summer, serial)) / _lanes(self.on.summer))
        return max(0.0, idle)

    def _busy(self, sealer: float, summer: float, alone: float) -> float:
        """Return seconds of cores."""
        return sealer * _lanes(self.on.sealer) + summer * _lanes(self.on.summer) + alone


def _lanes(speed: Speed) -> int:
    """Return how many cores a party's workers keep busy."""
    return min(speed.workers, speed.cores)


def _ids(each: work.Identifier, speed: Speed) -> float:
    """Return the seconds of one identifier, all workers at it."""
    return each.hashes * speed.hash + each.points * speed.point + each.sums * speed.sum
