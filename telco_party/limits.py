"""[budget] of node.toml: what this node lets one bank have in a year, over all its contracts."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

YEAR = timedelta(days=365)
"""The window: what was spent longer ago counts no more."""

Counter = Literal["identifiers", "bits", "trainings", "labels", "tables", "rosters"]
COUNTERS: tuple[Counter, ...] = get_args(Counter)

MEANINGS: dict[Counter, str] = {
    "identifiers": "identifiers asked", "bits": "bits of score a person", "trainings": "trainings", "labels": "label slots",
    "tables": "tables offered", "rosters": "rosters",
}

Least = Annotated[int, Field(ge=1, le=1 << 40)]


class Limits(BaseModel):
    """At most so much of each within a year. docs/budgets.md says how the defaults were chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    identifiers: Least = 10_000_000
    """Identifiers that alignments may ask."""
    bits: Least = 120
    """Bits of scores and told levels, of any one person."""
    trainings: Least = 12
    labels: Least = 600
    """Label slots: sums by bin of one 0/1 number. One a training, one an outcome of each group of a measurement."""
    tables: Least = 52
    """Tables of other people than before that are offered."""
    rosters: Least = 52
    """Different rosters of which anything is told."""
    min_bin: int = Field(default=0, ge=0, le=1_000_000)
    """Persons by which two rosters must differ, if at all; the contract's own min_bin where that is larger."""
    pool: bool = False
    """Whether all banks count as one: they could pool what they were told."""
    same: tuple[tuple[str, ...], ...] = ()
    """Names of banks that count as one, as their contracts call them."""

    def of(self, counter: Counter) -> int:
        """Return the limit of a counter."""
        limit: int = getattr(self, counter)
        return limit
