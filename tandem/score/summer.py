"""Blind scoring, the side that holds the codes. See the picture in `solver`.

Row i = pack * slots + s stands in slot s of its pack. For each slot the sealed points are raised to 2^(V s) by squarings, a few variables
are multiplied into a joint table, and every pack takes one factor for them: no exponentiation a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from gmpy2 import mpz, powmod

from tandem.arguments import Chance, Engine
from tandem.contract import SLOT_BITS
from tandem.crypto.paillier import Checked, Foreign, Products, PublicKey, admit, blind
from tandem.crypto.slots import ScoreSlots
from tandem.errors import Oversized, TableForged
from tandem.score.statement import Here, Scale, table_digest
from tandem.session.session import Role
from tandem.sums.terms import chunk_length
from tandem.tables import CodedTable, Codes
from tandem.wire.messages import Scores, Signature, Table

Verify = Callable[[bytes, bytes], bool]
"""(signature, statement) -> did the contract's solver sign it?"""

SLOTS_A_TASK = 4
"""Slots that a worker fills before it hands its partial packs back: enough to spread 63 or 95 slots evenly."""

JOINT_LIMIT = 512
"""Most cells of a joint table of points; above that, making the table costs more than it saves."""


@dataclass(frozen=True)
class SealedTable:
    """Sealed points of every variable and bin, signed by the contract's solver."""

    points: Checked
    data: bytes = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the table's bytes."""
        return table_digest(self.points.key, self.data)


@dataclass(frozen=True)
class Powers:
    """Worker's task: raise sealed points to 2^(V s) for each slot s, by V squarings from one slot to the next."""

    key: PublicKey
    slots: int

    def __call__(self, point: mpz) -> list[mpz]:
        """Return the `slots` powers of one point."""
        powers, exponent = [point], mpz(1) << SLOT_BITS
        for _ in range(self.slots - 1):
            powers.append(powmod(powers[-1], exponent, self.key.n2))
        return powers


@dataclass(frozen=True)
class FillSlots:
    """Worker's task: multiply the factors of some slots into all packs."""

    key: PublicKey
    bins: tuple[int, ...]
    packs: int

    def __call__(self, item: list[tuple[list[mpz], Codes]]) -> list[mpz]:
        """Return partial packs; item = [(points of all bins at this slot, codes of the rows in it (<= packs, d))]."""
        n2, packs = self.key.n2, [mpz(1)] * self.packs
        for points, codes in item:
            for table, cells in self._joint(points, codes):
                for pack, cell in enumerate(cells):
                    packs[pack] = packs[pack] * table[cell] % n2
        return packs

    def _joint(self, points: list[mpz], codes: Codes) -> Iterator[tuple[list[mpz], list[int]]]:
        """Yield (products of a group of variables by cell, cell of each row): as many variables to a group as pay for their table."""
        starts = np.concatenate(([0], np.cumsum(self.bins))).tolist()
        j = 0
        while j < len(self.bins):
            table, cells = points[starts[j] : starts[j + 1]], codes[:, j].astype(np.int64)
            j += 1
            while j < len(self.bins) and len(table) * self.bins[j] <= min(JOINT_LIMIT, len(codes) // 2):
                more = points[starts[j] : starts[j + 1]]
                table = [a * b % self.key.n2 for a in table for b in more]
                cells = cells * self.bins[j] + codes[:, j]
                j += 1
            yield table, cells.tolist()


def take_table(key: PublicKey, bins: tuple[int, ...], here: Here, verify: Verify) -> Role[SealedTable]:
    """Hear a sealed table and its signature for this session. Raises TableForged, FactorPlanted."""
    parts: list[bytes] = []
    while part := (yield Table):
        parts.append(part.points.data)
        if sum(map(len, parts)) > sum(bins) * key.width:
            raise Oversized(f"more sealed points than the {sum(bins)} bins offered")
    signed: Signature = yield Signature
    table = restore_table(key, bins, b"".join(parts))
    if not verify(signed.signature, here.statement(table.digest)):
        raise TableForged("the sealed point table is not signed by the contract's solver for this session, roster and pass")
    return table


def restore_table(key: PublicKey, bins: tuple[int, ...], data: bytes) -> SealedTable:
    """Return the table in these bytes, each ciphertext checked. Raises Oversized, FactorPlanted."""
    points = admit(key, Foreign(data))
    if len(points) != sum(bins):
        raise Oversized(f"{len(points)} sealed points for {sum(bins)} bins")
    return SealedTable(points, data)


def say_scores(
    key: PublicKey, table: SealedTable, coded: CodedTable, scale: Scale, engine: Engine, ahead: Iterator[mpz], dither: Chance
) -> Role[None]:
    """Score the whole roster and send it, noise in the low bits of every slot and in all that no row fills.

    `dither` must be a function of (contract, pass, table digest) under a secret of this side: the same table always meets the same noise,
    so that asking twice does not average it away.
    """
    slots = ScoreSlots(key.bits, scale.noise_bits, SLOT_BITS)
    count = coded.rows
    due, per = slots.packs(count), slots.slots
    powers = list(engine.map(Powers(key, per), table.points.values))
    step = chunk_length(key.width)
    for first in range(0, due, step):  # filled a message at a time: what lies in memory does not grow with the roster
        last = min(due, first + step)
        packs = _filled(key, powers, coded.bins, coded.codes[first * per : last * per], per, engine)
        noise = [slots.mask(dither.fork("pack", pack), min(per, count - pack * per)) for pack in range(first, last)]
        yield Scores(blind(key, Products(key, packs), noise, [next(ahead) for _ in noise]))


def _filled(key: PublicKey, powers: list[list[mpz]], bins: tuple[int, ...], codes: Codes, per: int, engine: Engine) -> list[mpz]:
    """Return the packs of these rows, `per` rows to a pack: products of the points that their codes select."""
    due = -(-len(codes) // per)
    items = (
        [([point[s] for point in powers], codes[s::per]) for s in range(first, min(per, first + SLOTS_A_TASK))]
        for first in range(0, per, SLOTS_A_TASK)
    )
    packs = [mpz(1)] * due
    for partial in engine.map(FillSlots(key, bins, due), items):
        packs = [a * b % key.n2 for a, b in zip(packs, partial, strict=True)]
    return packs
