"""What a measurement contract adds: how many groups, which outcomes of each, and the segments of the telco by which they are added up."""

from __future__ import annotations

import re
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from tandem.contract.fields import Value
from tandem.contract.levels import Levelled
from tandem.errors import InputError

CONTACTED = "contacted"
"""The first outcome of every measurement: all others are of people who have it."""
OUTCOMES = (CONTACTED, "responded", "applied", "approved", "first_card", "activated")
"""The funnel of a card campaign."""
MOST_OUTCOMES, MOST_BANDS, MOST_SEGMENTS = 10, 5, 8


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _funnel(names: tuple[str, ...]) -> tuple[str, ...]:
    if not 2 <= len(names) <= MOST_OUTCOMES or len(set(names)) != len(names) or names[0] != CONTACTED:
        raise ValueError(f'must hold 2 to {MOST_OUTCOMES} different outcomes, "{CONTACTED}" first')
    if any(re.fullmatch("spend(_[0-9]+)?", name) for name in names):
        raise ValueError("must not name spend: say in spend_bands from which amounts on people are counted")
    return names


def _bands(edges: tuple[int, ...]) -> tuple[int, ...]:
    if len(edges) > MOST_BANDS or list(edges) != sorted(set(edges)) or not all(0 < edge < 10**9 for edge in edges):
        raise ValueError(f"must hold at most {MOST_BANDS} whole amounts above 0, rising")
    return edges


Outcome = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,23}$")]


class Measurement(Value):
    """What is counted, and by what. The names of groups are the bank's own and stand nowhere here."""

    groups: int = Field(ge=1, le=8)
    """Groups of a campaign; nobody is in two."""
    outcomes: Annotated[tuple[Outcome, ...], BeforeValidator(_tuple), AfterValidator(_funnel)] = OUTCOMES
    """In the order of the funnel. The last is told first where not all can be."""
    spend_bands: Annotated[tuple[int, ...], BeforeValidator(_tuple), AfterValidator(_bands)] = ()
    """For each amount, one more outcome: who spent at least so much."""
    segments: Annotated[tuple[Levelled, ...], BeforeValidator(_tuple)]
    """Columns of the telco's table with their levels; each further code is "none of them"."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if not 1 <= len(self.segments) <= MOST_SEGMENTS or len({one.name for one in self.segments}) < len(self.segments):
            raise ValueError(f"segments must hold 1 to {MOST_SEGMENTS} different columns")
        return self

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the 0/1 numbers of one group: outcomes, then bands of spend."""
        return (*self.outcomes, *(f"spend_{edge}" for edge in self.spend_bands))

    @property
    def levels(self) -> tuple[int, ...]:
        """Codes of each segment, "none of them" included."""
        return tuple(len(one.levels) + 1 for one in self.segments)


def segment(text: str) -> dict[str, object]:
    """Return the fields of a segment written as `column=level,level`. Raises InputError."""
    name, equals, levels = text.partition("=")
    if not (name and equals and levels):
        raise InputError(f"--segment {text!r}: write it as column=level,level, with the names of the telco's table")
    return {"name": name.strip(), "levels": [level.strip() for level in levels.split(",")]}
