"""The bank's configuration of one campaign, campaign.toml."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tandem.align.identifiers import Form
from tandem.node.inputs.source import TableSource

Share = Annotated[float, Field(gt=0.0, lt=1.0)]
Segment = Literal["maintain", "lost cause", "potential", "key"]
LEVELS = ("low", "middle", "high")
SEGMENTS: tuple[Segment, ...] = ("maintain", "lost cause", "potential", "key")
BENEFITS = ("eat", "play", "online shopping", "shopping")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnsConfig(_Section):
    """Columns of the bank's table that the campaign reads; the names are those of `tandem bank derive`."""

    payments: str = "past_payments"
    amount: str = "past_amount"
    balance: str = "debit_balance"
    own_use: str = "own_use_3m"


class SizesConfig(_Section):
    """How large the groups are: by power, or as given."""

    baseline: Share | None = None
    """Activation rate expected of the control group; the share of positives in the study's scores.csv if not given."""
    detect: Share = 0.05
    """Smallest difference from the control group that is to be shown, in the rate itself: 0.05 is five points."""
    level: Share = 0.95
    power: Share = 0.8
    control: int | None = Field(default=None, ge=1)
    low: int | None = Field(default=None, ge=1)
    high: int | None = Field(default=None, ge=1)
    holdback: float = Field(default=0.0, ge=0.0, le=0.5)
    """Share of each model group that is drawn and not contacted, at random: what contact itself brings can be told by it alone."""


class SegmentsConfig(_Section):
    """Value segments: the telco's level of a person (row) against the bank's own (column)."""

    own_low: float | None = None
    """Own use up to here is low; the quantile if not given."""
    own_high: float | None = None
    """Own use above here is high; the quantile if not given."""
    quantiles: tuple[Share, Share] = (1 / 3, 2 / 3)
    low: tuple[Segment, Segment, Segment] = ("potential", "potential", "key")
    """By own use low, middle, high, where the telco's level is low: the need is still small, or lives with us."""
    middle: tuple[Segment, Segment, Segment] = ("lost cause", "key", "key")
    high: tuple[Segment, Segment, Segment] = ("lost cause", "lost cause", "maintain")
    """Needs met elsewhere more than with us; needs of many kinds, met with us as well."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.own_low is None) != (self.own_high is None):
            raise ValueError("own_low and own_high are given together, or neither")
        if self.own_low is not None and self.own_high is not None and not self.own_low < self.own_high:
            raise ValueError("own_low must be below own_high")
        if not self.quantiles[0] < self.quantiles[1]:
            raise ValueError("quantiles must ascend")
        return self

    @property
    def map(self) -> tuple[tuple[Segment, Segment, Segment], ...]:
        """The nine segments, rows and columns in the order of LEVELS."""
        return (self.low, self.middle, self.high)


class BenefitsConfig(_Section):
    """What may be offered."""

    names: tuple[str, ...] = BENEFITS
    default: str = "shopping"
    """For people of whom the telco told nothing, and for the control group."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.default not in self.names:
            raise ValueError("default must be one of names")
        return self


class CampaignConfig(_Section):
    """One campaign. `folder` is where the file stands; other paths are relative to it."""

    folder: Path = Path()
    name: str = "campaign"
    as_of: date
    table: TableSource
    """The table that was scored, as in the scoring study."""
    scored: Path = Path("scored/scored.csv")
    study: Path = Path("out")
    """The folder in which `tandem bank train` left scores.csv: its hold-out says whether the probabilities are calibrated."""
    customers: int | None = Field(default=None, ge=1)
    """Customers of the bank, dormant or not; what `tandem bank derive` wrote beside the table if not given."""
    identifier: Form = "phone"
    seed: int = Field(default=1, ge=0)
    threshold: Share = 0.3
    """Model group high is at or above it, low below."""
    pool_floor: float = Field(default=0.1, ge=0.0, lt=1.0)
    """Least joint probability of a candidate."""
    recalibrate: Literal["auto", "always", "never"] = "auto"
    """auto: where the hold-out shows a need."""
    out: Path = Path("campaign")
    lang: Literal["en", "zh"] = "en"
    synthetic: bool = False
    columns: ColumnsConfig = ColumnsConfig()
    sizes: SizesConfig = SizesConfig()
    segments: SegmentsConfig = SegmentsConfig()
    benefits: BenefitsConfig = BenefitsConfig()

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.pool_floor >= self.threshold:
            raise ValueError("pool_floor must be below threshold, or group low is empty")
        return self

    def at(self, path: Path) -> Path:
        """Return a path of this file as seen from where we run."""
        return self.folder / path
