"""Value segments: how active a person is in internet finance, as the telco tells, against the use of the bank's own channels."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from bank_party.campaign.config import LEVELS, Segment, SegmentsConfig
from bank_party.campaign.pool import Mask, People
from tandem.errors import InputError
from tandem.sums.terms import Integers

DECK: dict[Segment, tuple[float | None, float]] = {
    "maintain": (None, 0.20), "lost cause": (0.30, 0.40), "potential": (0.20, 0.30), "key": (0.20, 0.30),
}
"""Shares in the deck, lowest and highest, to be looked at beside ours."""


@dataclass(frozen=True)
class Segmented:
    """own: level of each person's own use, 0 to 2. names: each person's segment, empty where the telco told no level."""

    own_low: float
    own_high: float
    own: Integers = field(repr=False)
    names: tuple[str, ...] = field(repr=False)

    def counts(self, people: People, among: Mask) -> list[list[int]]:
        """Return people by the telco's level (row) and the bank's own (column)."""
        cells = Counter((people.finance[row], int(self.own[row])) for row in np.flatnonzero(among))
        return [[cells[level, own] for own in range(len(LEVELS))] for level in LEVELS]


def segmented(people: People, among: Mask, config: SegmentsConfig) -> Segmented:
    """Return everybody's segment; cut-offs as given, or quantiles of own use `among` the candidates. No use on record is low.

    Raises InputError where both quantiles are the same number: then there is no middle.
    """
    use = np.where(np.isnan(people.own_use), 0.0, people.own_use)
    if config.own_low is not None and config.own_high is not None:
        low, high = config.own_low, config.own_high
    else:
        low, high = (float(value) for value in np.quantile(use[among], config.quantiles))
        if low == high:
            raise InputError(f"own use is {low:g} at both quantiles of the pool: give own_low and own_high in [segments]")
    own = (use > low).astype(np.int64) + (use > high)
    rows = dict(zip(LEVELS, config.map, strict=True))
    return Segmented(low, high, own, tuple(rows[level][own[row]] if level else "" for row, level in enumerate(people.finance)))
