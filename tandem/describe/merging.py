"""Bins of one variable joined until each is large enough, on totals alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pile:
    """Some original bins together: rows and bads among them."""

    bins: tuple[int, ...]
    count: int
    bads: int = 0

    def join(self, other: Pile) -> Pile:
        """Return both as one."""
        return Pile(self.bins + other.bins, self.count + other.count, self.bads + other.bads)


def join_all(piles: Sequence[Pile]) -> Pile:
    """Return all piles as one; none give an empty pile."""
    together = Pile((), 0)
    for pile in piles:
        together = together.join(pile)
    return together


def merge_ordered(piles: Sequence[Pile], enough: Callable[[Pile], bool]) -> list[Pile]:
    """Join the smallest pile that is not enough with its smaller neighbour, until all are or one is left; order is kept."""
    merged = list(piles)
    while len(merged) > 1:
        weak = [i for i, pile in enumerate(merged) if not enough(pile)]
        if not weak:
            break
        at = min(weak, key=lambda i: (merged[i].count, i))
        beside = [i for i in (at - 1, at + 1) if 0 <= i < len(merged)]
        left = min(at, min(beside, key=lambda i: (merged[i].count, i)))
        merged[left : left + 2] = [merged[left].join(merged[left + 1])]
    return merged


def merge_monotone(piles: Sequence[Pile]) -> list[Pile]:
    """Join neighbours until the bad rate only rises or only falls: both by pooling violators (Ayer et al. 1955), the higher IV is kept."""
    rising, falling = _pooled(piles, 1), _pooled(piles, -1)
    return rising if information(rising) >= information(falling) else falling


def information(piles: Sequence[Pile]) -> float:
    """Return IV = sum over piles of (share of bads - share of goods) * WoE; a pile without bads or goods is left out of the sum."""
    rows, bads = sum(p.count for p in piles), sum(p.bads for p in piles)
    both = [p for p in piles if 0 < p.bads < p.count]
    return sum((p.bads / bads - (p.count - p.bads) / (rows - bads)) * weight_of_evidence(p, rows, bads) for p in both)


def weight_of_evidence(pile: Pile, rows: int, bads: int) -> float:
    """Return WoE = ln(share of bads / share of goods) of a pile with both classes, out of `rows` rows with `bads` bads."""
    return math.log(pile.bads / bads) - math.log((pile.count - pile.bads) / (rows - bads))


def _pooled(piles: Sequence[Pile], sign: int) -> list[Pile]:
    stack: list[Pile] = []
    for pile in piles:
        stack.append(pile)
        # Rates compared as integers, so that equal rates are equal.
        while len(stack) > 1 and sign * (stack[-2].bads * stack[-1].count - stack[-1].bads * stack[-2].count) > 0:
            last = stack.pop()
            stack[-1] = stack[-1].join(last)
    return stack
