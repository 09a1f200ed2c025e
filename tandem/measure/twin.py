"""Twin of a sealed measurement: both sides' columns in one table, counted in the clear, row by row."""

from __future__ import annotations

import numpy as np

from tandem.measure.terms import Terms
from tandem.measure.withholding import Told, release
from tandem.sums.terms import Integers
from tandem.tables import Codes


def tabulated(outcomes: Integers, codes: Codes, terms: Terms) -> tuple[Told, ...]:
    """Return what a measurement of rows (n, slots) with levels (n, segments) must release: counted plainly, withheld by the same rule."""
    found = np.zeros((terms.codes, terms.width), dtype=np.int64)
    first = np.cumsum([0, *terms.levels[:-1]])
    for row, levels in zip(outcomes, codes, strict=True):
        for at, level in zip(first, levels, strict=True):
            found[at + int(level)] += row
    return release(found, terms)
