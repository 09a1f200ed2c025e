"""The campaign's funnel (营销漏斗): the vocabulary's rates from the counts of one group.

    response rate      短信响应率     responded / contacted (SMS sent)
    application rate   进件率         applied / responded
    approval rate      批核率         approved / applied
    first-card rate    一卡批核率     approved and first card at this bank / approved
    overall effect     综合营销效果   first-card approvals / contacted: the four above multiplied
    activation rate    促活率         activated / selected

Each with Wilson's interval; None where its denominator is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from bank_party.evaluation import LEVEL, Interval
from bank_party.lift import rate, written
from tandem.errors import InputError


@dataclass(frozen=True)
class Steps:
    """People of one group who got so far. Each step counts people of the step before; `activated` counts people selected."""

    selected: int = 0
    contacted: int = 0
    responded: int = 0
    applied: int = 0
    approved: int = 0
    first_card: int = 0
    activated: int = 0

    def __post_init__(self) -> None:
        """Raise InputError where a step has more people than the one that it counts from."""
        pairs = [("selected", "contacted"), ("contacted", "responded"), ("responded", "applied"), ("applied", "approved"),
                 ("approved", "first_card"), ("selected", "activated")]
        for whole, part in pairs:
            if not 0 <= getattr(self, part) <= getattr(self, whole):
                told = f"{part} counts {getattr(self, part)} people and {whole} {getattr(self, whole)}"
                raise InputError(f"{told}: every step counts people of the step before; check how it was counted")

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Return the steps among these counts by name; a step that is not there is 0, other names are left alone."""
        return cls(**{one.name: int(counts[one.name]) for one in fields(cls) if one.name in counts})


@dataclass(frozen=True)
class Funnel:
    """A group's steps and what the vocabulary makes of them."""

    steps: Steps
    response_rate: Interval | None
    application_rate: Interval | None
    approval_rate: Interval | None
    first_card_rate: Interval | None
    overall_effect: Interval | None
    activation_rate: Interval | None

    def facts(self) -> dict[str, int | dict[str, float] | None]:
        """Return counts and rates by name, fit for JSON: a rate is {"value", "low", "high"} or null."""
        rates = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "steps"}
        counts = {one.name: getattr(self.steps, one.name) for one in fields(Steps)}
        return {**counts, **{name: written(one) for name, one in rates.items()}}


def funnel(counts: Steps | Mapping[str, int], level: float = LEVEL) -> Funnel:
    """Return the funnel of one group's counts. Raises InputError for counts that cannot be (`Steps`)."""
    steps = counts if isinstance(counts, Steps) else Steps.of(counts)
    return Funnel(
        steps,
        response_rate=rate(steps.responded, steps.contacted, level),
        application_rate=rate(steps.applied, steps.responded, level),
        approval_rate=rate(steps.approved, steps.applied, level),
        first_card_rate=rate(steps.first_card, steps.approved, level),
        overall_effect=rate(steps.first_card, steps.contacted, level),
        activation_rate=rate(steps.activated, steps.selected, level),
    )
