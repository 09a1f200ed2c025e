"""K9. Sums that leave their slot, and bits that the layout does not declare.

Edges: rows at the ends of the declared ranges, as many as the layout allows, of all signs; a slot too narrow carries into the next, and the
sum is wrong in silence.
Undeclared bits: bank with coordinator. The bank writes 2^i above the declared slots of row i; the coordinator takes the masks off and
reads, above the slots of each bin, which rows are in it.
Source: protocol-review.md 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attacked.views import View

from attacks.ciphertexts import numbers, written
from tandem.crypto.slots import Layout


def edges(layout: Layout, rng: np.random.Generator) -> list[tuple[int, list[int]]]:
    """Return (how many rows, their values) that add up to `layout.rows` or a few less: each slot at an end of its range, or near it."""
    left = max(1, layout.rows - int(rng.integers(0, 2)))
    split = int(rng.integers(0, left + 1)) if rng.random() < 0.5 else 0
    return [(count, [_edge(slot.low, slot.high, rng) for slot in layout.slots]) for count in (left - split, split) if count]


def _edge(low: int, high: int, rng: np.random.Generator) -> int:
    return [low, high, 0 if low <= 0 <= high else low, max(low, high - 1), min(high, low + 1)][int(rng.integers(0, 5))]


def undeclared(n: int, layout: Layout, rows: int) -> Callable[[Any], Any]:
    """Return the bank's change of `Sealed`: bit i above the declared slots of row i."""
    above = layout.width * len(layout.slots)
    return written(n, {row: 1 << (above + row) for row in range(rows)})


def undeclared_bins(view: View, n: int, layout: Layout, rows: int, bins: Sequence[int]) -> list[list[int | None]]:
    """Return each row's bin by variable: the one bin above whose slots the row's bit stands; None where not just one has it."""
    opened, masks = numbers(view, n, "Opened", sent=False), numbers(view, n, "Masks", sent=False)
    tops = [((value - mask) % n) >> (layout.width * len(layout.slots)) for value, mask in zip(opened, masks, strict=True)]
    found: list[list[int | None]] = []
    for row in range(rows):
        mine: list[int | None] = []
        first = 0
        for count in bins:
            here = [b for b in range(count) if tops[first + b] >> row & 1]
            mine.append(here[0] if len(here) == 1 else None)
            first += count
        found.append(mine)
    return found
