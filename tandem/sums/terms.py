"""What the contract fixes for sealed sums, as plain numbers: the slots of a row, their scales, chunks and minimums.

A row is (m, m*y, w, r, w*x_1 ... w*x_d): is it a training row, its label there, its Newton weight p(1-p), its residual p - y, and the
weight times each of the sealer's own columns. All are 0 on hold-out rows. Reals are fixed-point: 16 bits with the sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from tandem.contract import Contract
from tandem.contract.noise import WIDEST_SCORE, Noise
from tandem.crypto.paillier import PublicKey
from tandem.crypto.slots import Layout, Slot
from tandem.wire.codec import PAYLOAD_LIMIT

COLUMN_BOUND = 8.0
"""Largest |x| of a sealer's column: WoE values and standardised numbers are cut there, so that w*x has a declared range."""

WEIGHT_BOUND = 0.25
"""Largest p(1-p)."""

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """Numbers of the contract that sums need."""

    contract: bytes
    columns: int
    """The sealer's own columns, without intercept."""
    variables: int
    """The summer's variables, all of them always."""
    rows: int
    """Largest roster."""
    key_bits: int = 3072
    value_bits: int = 16
    min_bin: int = 50
    min_class: int = 20
    grain: float = 0.25
    """Width of the noise on a training score, log-odds."""
    card_step: int = 1
    """Points between two card values."""
    passes: int = 3
    open_weights: bool = False
    """The summer holds the points in the clear and scores with them."""
    exact: bool = False
    """Whether standard errors are to be exact: one more session, before the card."""
    noise: Noise | None = None
    """What the summer's noise is to be, if there is any."""
    chooses_ridge: bool = False
    """The solver chooses the ridge, from the totals of the first pass."""
    ridge: float = 0.0
    """The ridge that training begins with; 0: the sealer's own choice, which no contract allows."""

    @classmethod
    def of(cls, contract: Contract) -> Terms:
        """Return the terms of a contract."""
        layout = contract.layout
        return cls(
            contract=contract.digest, columns=layout.bank_columns, variables=contract.telco.variables, rows=contract.rows_cap,
            key_bits=layout.key_bits,
            value_bits=layout.value_bits, min_bin=layout.min_bin, min_class=layout.min_class, grain=float(Fraction(layout.grain)),
            card_step=layout.card_step, passes=layout.passes, exact=layout.se == "exact", open_weights=layout.weights == "open",
            noise=contract.noise, chooses_ridge=layout.chooses_ridge, ridge=float(layout.ridge_weight),
        )

    @property
    def largest(self) -> int:
        """Return the largest fixed-point value of a slot."""
        return (1 << (self.value_bits - 1)) - 1

    @property
    def column_bound(self) -> float:
        """Return the largest |x| of a sealer's column: narrower under noise, which goes by it."""
        return COLUMN_BOUND if self.noise is None else WIDEST_SCORE

    @property
    def spare(self) -> int:
        """Return the rows by which noise may put a total off: 0 without noise."""
        return 0 if self.noise is None else self.noise.spare

    @property
    def scales(self) -> Reals:
        """Return what each slot's real is multiplied with: (4 + columns,)."""
        top = float(self.largest)
        return np.array([1.0, 1.0, top / WEIGHT_BOUND, top] + [top / (WEIGHT_BOUND * self.column_bound)] * self.columns)

    def slots(self) -> tuple[Slot, ...]:
        """Return the slots of a training row with their ranges."""
        top = self.largest
        head = (Slot("m", 0, 1), Slot("my", 0, 1), Slot("w", 0, top), Slot("r", -top, top))
        return head + tuple(Slot(f"wx{j}", -top, top) for j in range(1, self.columns + 1))

    def layout(self, key: PublicKey, *, statistics_only: bool = False) -> Layout:
        """Return how a row is packed under this key."""
        slots = self.slots()[:2] if statistics_only else self.slots()
        return Layout(slots=slots, rows=self.rows, bits=key.bits, spare=self.spare)

    def weight_layout(self, key: PublicKey) -> Layout:
        """Return how a row is packed whose weight alone is sealed."""
        return Layout(slots=self.slots()[2:3], rows=self.rows, bits=key.bits)

    def fixed(self, reals: Reals) -> Integers:
        """Return the fixed-point integers of rows of reals, (N, slots)."""
        return np.rint(reals * self.scales[: reals.shape[1]]).astype(np.int64)

    def real(self, totals: Integers) -> Reals:
        """Return totals in their own units: the reverse of `fixed`, on sums."""
        return totals / self.scales[: totals.shape[1]]


def chunk_length(item_bytes: int) -> int:
    """Return how many items of that size fit a message of at most 1 MiB, leaving room for its other fields."""
    return max(1, (PAYLOAD_LIMIT - 64) // item_bytes)
