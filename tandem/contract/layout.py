"""The part of a contract that says what is computed, and how finely."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tandem.contract.fields import AUTO, Delta, Epsilon, Grain, Most, Ridge, Share, Value

FIRST_RIDGE = 1
"""Under which the bank fits itself alone where the solver is to choose the ridge."""
RIDGES = tuple(2.0**power for power in range(-3, 13))
"""What a ridge may be that the solver chooses: 16 numbers, so that the choice says four bits of the totals and no more."""
LATER = ("epsilon", "delta", "max_exposure")
"""Fields of the layout that are in the canonical bytes only where they differ from their default."""


def _labels(count: int) -> int:
    if count != 1:
        raise ValueError("must be 1: this version trains on one label a contract; draft a contract for each label")
    return count


class Layout(Value):
    """What is computed, and how finely."""

    bank_columns: int = Field(ge=1, le=1000)
    """d_b: one slot each, WoE-coded or numeric, without the intercept."""
    labels: Annotated[int, AfterValidator(_labels)] = 1
    value_bits: int = Field(default=16, ge=8, le=24)
    """Bits of a sealed value, sign included."""
    bins: int = Field(default=8, ge=2, le=32)
    """B: most bins of a telco variable."""
    min_bin: int = Field(default=50, ge=10, le=10_000)
    """Rows below which a bin is merged and a pair cell blanked."""
    min_class: int = Field(default=20, ge=5, le=10_000)
    """Bads, and goods, below which a bin is withheld."""
    min_matched: int = Field(default=1000, ge=100, le=100_000_000)
    """Matches below which the study stops after the alignment."""
    passes: int = Field(default=3, ge=1, le=4)
    key_bits: int = Field(default=3072, ge=2048, le=8192)
    """Length of the bank's Paillier modulus."""
    grain: Grain = "1/4"
    """Width of the dither on a training score, log-odds."""
    card_step: int = Field(default=1, ge=1, le=20)
    """Points of the final card are multiples of this; a point is ln 2 / 20 of log-odds."""
    solver: Literal["coordinator", "bank"] = "coordinator"
    """Who sees totals and solves. "bank": two parties only; the bank has the coordinator's column too, unchecked."""
    weights: Literal["blind", "open"] = "blind"
    """Whether the telco may hold the weights of its variables, which come from labels, in the clear."""
    ridge: Ridge = "1"
    """Penalty on coefficients; a decimal number, or "auto": one of RIDGES, chosen by the solver from the totals of the first pass."""
    se: Literal["approximate", "exact"] = "approximate"
    """Standard errors: from counts of pairs of bins, or from sealed totals of pairs, which take one more session."""
    hold_out: Share = "3/10"
    """Share of the roster kept for evaluation."""
    cover: int = Field(default=1, ge=1, le=16)
    """f: people in a cover group, which the bank names whole; 1 names its customers."""
    epsilon: Epsilon = ""
    """Of the telco's noise on what the solver is told, over the contract's life; "" is no noise."""
    delta: Delta = "0.000001"
    """The odds beside it."""
    max_exposure: Most = "1/1"
    """Largest share of rows whose bins the bank may be predicted to find: the telco's node signs no contract beyond it. 1/1 is no limit."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.key_bits % 256:
            raise ValueError("key_bits must be a multiple of 256, 3072 unless speed matters more")
        if self.min_bin < 2 * self.min_class:
            raise ValueError("min_bin must be at least twice min_class: a bin that may be told has that many rows of either class")
        if self.epsilon and (self.passes, self.bank_columns, self.se) != (1, 1, "approximate"):
            raise ValueError(
                'epsilon goes with passes = 1, bank_columns = 1 and se = "approximate" alone: what the bank says after a pass hangs on '
                "scores, which no noise covers, and its own score stands for its columns"
            )
        if self.epsilon and self.chooses_ridge:
            raise ValueError(f'ridge = "{AUTO}" does not go with epsilon: give a number, evidence takes totals without noise')
        return self

    @property
    def grain_width(self) -> Fraction:
        """The grain as an exact number of log-odds."""
        return Fraction(self.grain)

    @property
    def ridge_weight(self) -> Fraction:
        """The ridge as an exact number: the one to begin with where the solver chooses it."""
        return Fraction(FIRST_RIDGE if self.chooses_ridge else self.ridge)

    @property
    def chooses_ridge(self) -> bool:
        """Whether the solver chooses the ridge."""
        return self.ridge == AUTO

    @property
    def exposure_limit(self) -> Fraction:
        """The largest predicted share of rows found as an exact number; 1 where nothing is limited."""
        return Fraction(self.max_exposure)

    @property
    def hold_out_share(self) -> Fraction:
        """The share held out as an exact number."""
        return Fraction(self.hold_out)
