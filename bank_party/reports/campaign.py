"""campaign.json, read and checked: every fact of one activation campaign, from the customers it began with to the lift it ended with.

Rates are `Interval`s and None where their denominator was zero. Sentences in the file (rules, verdicts) are in the file's own language.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bank_party.evaluation import Interval
from tandem.errors import InputError
from tandem.node import disk

STEPS = ("contacted", "responded", "applied", "approved", "first_card")
"""The funnel: each counts people of the one before."""


def _ordered(rate: Interval) -> Interval:
    if not rate.low <= rate.value <= rate.high:
        raise ValueError(f"low {rate.low:g}, value {rate.value:g}, high {rate.high:g} are not in this order")
    return rate


def _share_interval(rate: Interval) -> Interval:
    if not (rate.low >= 0.0 and rate.high <= 1.0):
        raise ValueError(f"limits {rate.low:g} to {rate.high:g} are not within 0 to 1")
    return rate


Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Measured = Annotated[Interval, AfterValidator(_ordered)]
"""A value and its limits."""
Rate = Annotated[Measured, AfterValidator(_share_interval)]
"""A share and its limits."""


class _Facts(BaseModel):
    """What a newer writer adds is passed over; what is there must be of its type, and no number may be NaN."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, strict=True)


class Population(_Facts):
    """Customers, those with a dormant card, those of them who were matched, and the pool of candidates; pool_share of all customers."""

    customers: Count
    dormant: Count
    matched: Count
    pool: Count
    pool_share: Share | None

    @model_validator(mode="after")
    def _nested(self) -> Self:
        if not self.customers >= self.dormant >= self.matched:
            raise ValueError("customers, dormant and matched each hold the next, so they cannot grow")
        return self


class Rule(_Facts):
    """How groups were chosen: the probability that parts low from high, the least probability of the pool, the control's rule."""

    threshold: Share
    pool_floor: Share | None
    control: str


class PowerRow(_Facts):
    """The least difference from control (a share) that a group of this size shows with the stated power."""

    group: str
    size: Count
    detectable: float | None


class Power(_Facts):
    """The calculation of sizes: people needed in a group to see a difference of `detect` from a rate of `baseline`."""

    baseline: Share | None
    detect: float | None
    level: Share
    power: Share
    needed: Count | None
    rows: tuple[PowerRow, ...]


class Group(_Facts):
    """A group as it was drawn. mean_payments, mean_amount: of its people's past card use."""

    name: str
    rule: str
    available: Count
    size: Count
    mean_probability: Share | None
    mean_payments: float | None
    mean_amount: float | None


class Benefit(_Facts):
    """People to whom one benefit was offered."""

    name: str
    people: Count
    share: Share | None


class Segment(_Facts):
    """People of one value segment, and the range that the source deck gives for it; None where the deck has no such end."""

    name: str
    people: Count
    share: Share | None
    deck_low: Share | None
    deck_high: Share | None


class SegmentMap(_Facts):
    """People by the telco's level of finance activity (rows) and by their own use of the bank (columns), and each cell's segment."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    people: tuple[tuple[Count, ...], ...]
    segment: tuple[tuple[str, ...], ...]

    @model_validator(mode="after")
    def _rectangular(self) -> Self:
        for name, cells in (("people", self.people), ("segment", self.segment)):
            if [len(row) for row in cells] != [len(self.columns)] * len(self.rows):
                raise ValueError(f"{name} must have {len(self.rows)} rows of {len(self.columns)}, as rows and columns name them")
        return self


class Cutoffs(_Facts):
    """Ends of low and middle own use."""

    own_low: float | None
    own_high: float | None


class GroupResult(_Facts):
    """What one group did. `selected`: people of the group. The rates are those of the deck, each a step over the one before."""

    name: str
    selected: Count
    contacted: Count
    responded: Count
    applied: Count
    approved: Count
    first_card: Count
    activated: Count
    response_rate: Rate | None
    application_rate: Rate | None
    approval_rate: Rate | None
    first_card_rate: Rate | None
    overall_effect: Rate | None
    activation_rate: Rate | None
    spend_mean: float | None

    @model_validator(mode="after")
    def _nested(self) -> Self:
        counts = [getattr(self, step) for step in ("selected", *STEPS)]
        if counts != sorted(counts, reverse=True):
            raise ValueError("selected, contacted, responded, applied, approved and first_card each hold the next, so they cannot grow")
        if self.activated > self.selected:
            raise ValueError("activated cannot be more than selected")
        return self


class Lift(_Facts):
    """Activation of a group against another: difference of rates, their ratio, p of the difference, and what may be said of it."""

    group: str
    against: str
    difference: Measured | None
    ratio: Measured | None
    p: Share | None
    shown: Literal["higher", "lower", "not shown"]
    verdict: str


class SegmentResult(_Facts):
    """Activation of one group within one value segment."""

    segment: str
    group: str
    selected: Count
    activated: Count
    activation_rate: Rate | None


class BenefitResult(_Facts):
    """Activation of one group among those with one benefit."""

    benefit: str
    group: str
    selected: Count
    activated: Count
    activation_rate: Rate | None


class Results(_Facts):
    """What the bank counted itself."""

    groups: tuple[GroupResult, ...]
    lift: tuple[Lift, ...]
    by_segment: tuple[SegmentResult, ...]
    by_benefit: tuple[BenefitResult, ...]


class LevelGroup(_Facts):
    """One group within one level of a segment that the telco knows; counts come from sealed sums, None where one was withheld."""

    group: str
    contacted: Count | None
    activated: Count | None
    activation_rate: Rate | None


class Level(_Facts):
    """One level of a telco segment."""

    level: str
    people: Count | None
    groups: tuple[LevelGroup, ...]
    lift: tuple[Lift, ...]


class TelcoSegment(_Facts):
    """One segment of the telco's. `merged`: levels that were too small and were added to others."""

    name: str
    levels: tuple[Level, ...]
    merged: tuple[str, ...]


class Sealed(_Facts):
    """What the sealed measurement brought; `contract` is the digest it was made under, hex."""

    contract: str
    segments: tuple[TelcoSegment, ...]


class Deck(_Facts):
    """Figures of the source deck, which stand beside ours and are never ours."""

    auc_train: Share
    auc_test: Share
    pool_share: Share
    low_over_control: float
    """0.2: the low group's rate is a fifth above control's."""
    high_over_control: float
    """2.0: the high group's rate is twice control's."""


class Campaign(_Facts):
    """One campaign. as_of: the day before which everything was known. not_told: people for whom the telco told no benefit."""

    format: Literal[1]
    name: str
    made: str
    synthetic: bool
    lang: Literal["en", "zh"]
    as_of: Annotated[date, Field(strict=False)]
    population: Population
    rule: Rule
    power: Power
    groups: tuple[Group, ...]
    benefits: tuple[Benefit, ...]
    not_told: Count
    segments: tuple[Segment, ...]
    segment_map: SegmentMap
    cutoffs: Cutoffs
    results: Results
    measured: Sealed | None = None
    deck: Deck

    @model_validator(mode="after")
    def _known_groups(self) -> Self:
        known = {one.name for one in self.results.groups}
        named = [(f"results.lift.{at}", name) for at, one in enumerate(self.results.lift) for name in (one.group, one.against)]
        for place, name in named:
            if name not in known:
                raise ValueError(f"{place} names a group that results.groups does not have")
        return self


def load_campaign(path: Path) -> Campaign:
    """Return the facts in `path`. Raises InputError naming the file and each wrong field; values are not repeated."""
    try:
        return Campaign.model_validate_json(disk.read_text(path))
    except ValidationError as failure:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the file'}: {one['msg']}"
            for one in failure.errors(include_input=False, include_url=False)
        )
        raise InputError(f"{path} is no campaign.json of this version: {wrong}: run `tandem bank campaign report` again") from None
