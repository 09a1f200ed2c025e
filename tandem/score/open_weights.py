"""Scoring where the contract lets the summer hold the weights: all three sides of it. Nothing is sealed, so nothing is opened.

    solver: points a[j][b]                summer: codes C                  sealer
        Points     a[j][b]         ------->
        Signature                  ------->
                                              u_i = sum over j of a[j][C_ij] + noise
                                              OpenScores  u_i  ------->  score of each row, 7 or 9 bits of it
    learns nothing                        learns weights and scores        learns one coarse score a row

Points, scales and noise are those of blind scoring (`score.solver`), so the sealer gets the very same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tandem.arguments import Chance
from tandem.contract import SLOT_BITS
from tandem.crypto.slots import ScoreSlots
from tandem.errors import Malformed, Oversized, TableForged
from tandem.score.statement import Here, Scale, worst_sum
from tandem.session.session import Role
from tandem.sums.terms import Integers, chunk_length
from tandem.tables import CodedTable
from tandem.wire.messages import OpenScores, Points, Signature

SCORE_BYTES = 5
"""Most bytes of a signed 32-bit number on the wire."""


@dataclass(frozen=True)
class OpenTable:
    """Points of every variable and bin in units of their scale, in the clear."""

    points: Integers = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the points: the table's name."""
        return hashlib.sha256(b"tandem-open-table-v1\0" + self.points.astype("<i4").tobytes()).digest()


def say_points(table: OpenTable, here: Here, sign: Callable[[bytes], bytes]) -> Role[None]:
    """Tell the points, and sign them for this session."""
    yield Points(tuple(table.points.tolist()))
    yield Signature(sign(here.statement(table.digest)))


def take_points(bins: tuple[int, ...], scale: Scale, here: Here, verify: Callable[[bytes, bytes], bool]) -> Role[OpenTable]:
    """Hear points and their signature for this session. Raises Malformed, TableForged."""
    said: Points = yield Points
    signed: Signature = yield Signature
    table = open_table(bins, scale, said.points)
    if not verify(signed.signature, here.statement(table.digest)):
        raise TableForged("the point table is not signed by the contract's solver for this session, roster and pass")
    return table


def open_table(bins: tuple[int, ...], scale: Scale, points: tuple[int, ...]) -> OpenTable:
    """Return these points as a table. Raises Malformed if they are not one a bin, or could leave a score's slot."""
    found = np.array(points, dtype=np.int64)
    if len(found) != sum(bins) or not scale.fits(worst_sum(found, bins)):
        raise Malformed(f"{len(found)} points for {sum(bins)} bins, or points beyond what a score can hold")
    return OpenTable(found)


def say_open_scores(table: OpenTable, coded: CodedTable, scale: Scale, key_bits: int, dither: Chance) -> Role[None]:
    """Score the whole roster and send it, noise in the low bits.

    The noise is that of blind scoring under a key of `key_bits`, row by row; `dither` as in `score.summer.say_scores`.
    """
    slots = ScoreSlots(key_bits, scale.noise_bits, SLOT_BITS)
    starts = np.cumsum((0, *coded.bins[:-1]))
    scores = np.zeros(coded.rows, dtype=np.int64)
    for j, start in enumerate(starts):  # a wide column at a time
        scores += table.points[start + coded.codes[:, j].astype(np.int64)]
    for pack, first in enumerate(range(0, coded.rows, slots.slots)):
        part = scores[first : first + slots.slots]
        part += slots.noises(dither.fork("pack", pack), len(part))
    step = chunk_length(SCORE_BYTES)
    for first in range(0, coded.rows, step):
        yield OpenScores(tuple(scores[first : first + step].tolist()))


def hear_scores(count: int) -> Role[Integers]:
    """Return one integer a roster row, noise still in its low bits. Raises Oversized for a wrong number of scores."""
    found: list[int] = []
    while part := (yield OpenScores):
        found += part.scores
        if len(found) > count:
            break
    if len(found) != count:
        raise Oversized(f"{len(found)} scores where the roster has {count} rows")
    return np.array(found, dtype=np.int64)
