"""What the solver signs so that a summer uses its table and no other (S7), and how points sit in a score's slot.

A score slot has V = 32 bits. In training a unit is grain / 2^25, so the noise in the low 25 bits is one grain wide: an unbiased dither.
On a card a unit is card_step points / 2^23, so points stand above the noise and come back exact.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from tandem.contract import CARD_NOISE_BITS, PASS_NOISE_BITS, SLOT_BITS
from tandem.crypto.paillier import PublicKey
from tandem.errors import CheckFailed
from tandem.sums.terms import Integers, Reals

POINT = math.log(2.0) / 20.0
"""One point in log-odds: a scorecard's point where 20 points double the odds."""


@dataclass(frozen=True)
class Scale:
    """How wide a unit is, and how many low bits of a slot are noise."""

    unit: float
    noise_bits: int

    @classmethod
    def training(cls, grain: float) -> Scale:
        """Return the scale whose noise is one grain (log-odds) wide."""
        return cls(grain / (1 << PASS_NOISE_BITS), PASS_NOISE_BITS)

    @classmethod
    def card(cls, card_step: int) -> Scale:
        """Return the scale whose points stand above the noise."""
        return cls(card_step * POINT / (1 << CARD_NOISE_BITS), CARD_NOISE_BITS)

    def integers(self, log_odds: Reals, bins: tuple[int, ...]) -> Integers:
        """Return a table's points in units: log_odds (bins in line).

        Raises CheckFailed if some row's sum could leave its slot: a larger grain or card_step makes room.
        """
        points = np.rint(log_odds / self.unit)
        worst = worst_sum(points, bins)
        if not self.fits(worst):
            text = f"scores of up to {worst * self.unit:.1f} log-odds do not fit a slot of {self.room:.1f}"
            raise CheckFailed(f"{text}: take a larger grain or card_step")
        return points.astype(np.int64)

    @property
    def room(self) -> float:
        """Log-odds that a slot has room for beside the noise."""
        return ((1 << (SLOT_BITS - 1)) - (1 << self.noise_bits)) * self.unit

    def fits(self, worst: float) -> bool:
        """Tell whether a score of that size, in units, stays in its slot, noise included."""
        return worst + (1 << self.noise_bits) < 1 << (SLOT_BITS - 1)

    def log_odds(self, values: Integers) -> Reals:
        """Return a training pass's scores: the mean of the noise taken off, the rest of it left in as dither."""
        scores: Reals = (values.astype(np.float64) - ((1 << self.noise_bits) - 1) / 2.0) * self.unit
        return scores

    def points(self, values: Integers) -> Integers:
        """Return a card's scores as whole multiples of card_step: the noise dropped, exact."""
        return values >> self.noise_bits


def worst_sum(points: Reals | Integers, bins: tuple[int, ...]) -> float:
    """Return the largest size that a row's sum of points (bins in line) can have."""
    return float(sum(np.abs(part).max(initial=0) for part in np.split(points, np.cumsum(bins)[:-1])))


@dataclass(frozen=True)
class Here:
    """Which session a table is for: contract, session id, roster digest, stage. A signature binds all four."""

    contract: bytes
    session: bytes
    roster: bytes
    stage: int

    def statement(self, table: bytes) -> bytes:
        """Return the bytes that the solver signs for a table of this digest; each part has a fixed width, so no two share an encoding."""
        return b"tandem-table-v1\0" + self.contract + self.session + self.roster + self.stage.to_bytes(4, "big") + table


def table_digest(key: PublicKey, data: bytes) -> bytes:
    """Return the SHA-256 of a sealed table's bytes and of the key they are under: a table under another key has another name."""
    return hashlib.sha256(b"tandem-sealed-table-v1\0" + key.digest + data).digest()


def roster_digest(positions: Integers) -> bytes:
    """Return the digest of a roster: SHA-256 of its positions, 4 bytes little-endian each."""
    return hashlib.sha256(b"tandem-roster-v1\0" + np.asarray(positions, dtype="<u4").tobytes()).digest()
