"""Time the kernels of a study: the real ones, through the engine of the run, on made-up numbers. The clock is handed in.

Every time is that of one operation while all workers are at it: what a queue of many operations costs on this machine, its workers'
contention and the way to them included. What runs in the node's own process is timed there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from itertools import count

import gmpy2
import numpy as np
from gmpy2 import mpz

from tandem.arguments import Chance, Engine, below
from tandem.contract import PASS_NOISE_BITS, SLOT_BITS
from tandem.crypto import group, voprf
from tandem.crypto.paillier import Foreign, MakeUnits, PublicKey, admit, units
from tandem.crypto.slots import ScoreSlots
from tandem.describe.cuts import cut
from tandem.plan.watch import Clock, Watch
from tandem.score.summer import Powers
from tandem.sums.cells import Cells, Shape, best_groups
from tandem.train.pairs import pair_counts
from tandem.wire.messages import Speed

IDS = 256
"""Identifiers or points of one task: half of what an alignment gives a worker at once."""

ROWS, WIDE = 200, 24
"""Sealed rows of one folding task, and variables of the second of the two shapes that tell a check from a product."""

SAMPLE, BINS = 20_000, 8
"""Rows of the made-up table on which cutting, counting and fitting are timed, and bins of a variable of it."""

FACTOR_BITS = 256
"""Bits of each prime of a stand-in modulus."""


def measure(key: PublicKey, engine: Engine, workers: int, cores: int, chance: Chance, clock: Clock) -> Speed:
    """Return how fast this machine does what a summer and a seeker do; its memory is left 0 for the caller to fill."""
    began = clock()
    rng = np.random.default_rng(int.from_bytes(chance.draw(8), "little"))
    watch = Watch(engine, workers, clock)
    pair = voprf.derive_key_pair(chance.draw(32), b"plan")
    ids = [chance.draw(16) for _ in range(IDS)]
    points = voprf.blind_batch(pair.mode, (ids, group.random_scalars(chance, IDS)))
    point = watch.time(partial(voprf.evaluate_batch, pair), ((0, points) for _ in count())) / IDS
    tagged = watch.time(partial(voprf.tag_batch, pair), (ids for _ in count())) / IDS
    added = watch.time(add_points, (points for _ in count())) / IDS
    power = watch.time(MakeUnits(key, chance.fork("plan")), ((number, 1) for number in count()))
    narrow, wide = (watch.time(FoldSome(key, (BINS,) * d), (_ciphertexts(key, ROWS, chance) for _ in count())) / ROWS for d in (1, WIDE))
    product = max(0.0, wide - narrow) / (len(best_groups(ROWS, (BINS,) * WIDE)) - 1)
    slots = ScoreSlots(key.bits, PASS_NOISE_BITS, SLOT_BITS)
    raised = watch.time(Powers(key, slots.slots), (mpz(below(chance, int(key.n))) for _ in count()))
    column, codes = rng.normal(size=SAMPLE), rng.integers(0, BINS, (SAMPLE, 3), dtype=np.uint8)
    noise = watch.alone(lambda number: slots.mask(chance.fork("noise", number), slots.slots)) / slots.slots
    return Speed(
        cores=cores, workers=workers, took=clock() - began, hash=max(0.0, tagged - point), point=point, sum=added, power=power,
        admission=max(0.0, narrow - product), product=product, squaring=raised / ((slots.slots - 1) * SLOT_BITS), noise=noise,
        cutting=watch.alone(lambda _: cut("t01", column, BINS, 50).code(column)) / SAMPLE,
        pairing=watch.alone(lambda _: pair_counts(codes, (BINS,) * 3)) / (3 * SAMPLE), resident=0, peak=0, worker=0, free=0,
    )


def measure_solver(key: PublicKey, cores: int, chance: Chance, clock: Clock) -> Speed:
    """Return how fast this machine seals a table of points, the one thing of a solver that takes time; it has no workers."""
    began = clock()
    power = Watch(None, 1, clock).alone(lambda _: units(key, chance, 1))
    zeros = dict.fromkeys(("hash", "point", "sum", "admission", "product", "squaring", "noise", "cutting", "pairing"), 0.0)
    return Speed(cores=cores, workers=1, took=clock() - began, power=power, resident=0, peak=0, worker=0, free=0, **zeros)


def stand_in(bits: int, chance: Chance) -> PublicKey:
    """Return a modulus on which arithmetic takes as long as on a key of `bits` bits (a multiple of 256); it guards nothing.

    A product of primes of 256 bits, each within 1/64 of 2^256, so that it has exactly `bits` bits and no small factor.
    """
    first = 63 << (FACTOR_BITS - 6)
    primes = (gmpy2.next_prime(first + below(chance, (1 << FACTOR_BITS) - first - (1 << 20))) for _ in range(bits // FACTOR_BITS))
    return PublicKey(math.prod(primes))


def add_points(points: list[bytes]) -> bytes:
    """Worker's task: the sum of points."""
    return group.add(points)


@dataclass(frozen=True)
class FoldSome:
    """Worker's task: admit ciphertexts, and fold them by variables of these bins."""

    key: PublicKey
    bins: tuple[int, ...]

    def __call__(self, data: Foreign) -> int:
        """Return how many rows there were."""
        rows = admit(self.key, data)
        codes = (np.arange(len(rows))[:, None] * np.arange(1, len(self.bins) + 1) % np.array(self.bins)).astype(np.uint8)
        return Cells(self.key, len(rows), Shape(self.bins)).fold(codes, rows)


def _ciphertexts(key: PublicKey, rows: int, chance: Chance) -> Foreign:
    """Return bytes that are ciphertexts under the key as far as anybody can see: uniform below n^2."""
    width, top = key.width, (1 << (2 * key.bits - 2)) - 1
    values = (int.from_bytes(chance.draw(width), "little") & top for _ in range(rows))
    return Foreign(b"".join(value.to_bytes(width, "little") for value in values))
