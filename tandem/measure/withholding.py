"""Which totals of a measurement may be told. Whoever reads them knows every group's totals over all levels, and subtracts.

Levels with too few people contacted are joined into one rest, and that, if it is still too small, with the smallest level told. Then, group
by group, an outcome is withheld at levels where

    fewer than min_bin were contacted, fewer than min_class have it, or its number is within min_class of another outcome's that is told

(failures are the difference to contact). What is withheld can be had by subtraction, so the withheld levels together must hold to the same
three; else the smallest level told joins them, until they do or none is left. Outcomes are taken one after the other: contact, the end of
the funnel, the rest. Each withholds at least where the one before it did, so that any two of them are compared on the same sets of levels.
docs/decisions/0042 says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from tandem.describe.merging import Pile, join_all
from tandem.measure.terms import Terms
from tandem.sums.terms import Integers

WITHHELD = -1
"""Stands for a number that is not told."""


@dataclass(frozen=True)
class Told:
    """What is released of one segment: the told level of each of its codes, and people by told level, group, outcome, or WITHHELD."""

    joined: tuple[int, ...]
    counts: Integers = field(repr=False)

    @property
    def codes(self) -> list[tuple[int, ...]]:
        """Which codes each told level stands for."""
        return [tuple(np.flatnonzero(np.array(self.joined) == at).tolist()) for at in range(len(self.counts))]


def release(found: Integers, terms: Terms) -> tuple[Told, ...]:
    """Return what may be told of checked totals (codes, slots), a segment each."""
    shape = (-1, terms.groups, len(terms.outcomes))
    parts = np.split(found, np.cumsum(terms.levels)[:-1])
    return tuple(_segment(part.reshape(shape), terms) for part in parts)


def join_levels(people: Sequence[int], least: int) -> list[Pile]:
    """Return levels of at least `least` people, and last the rest of those that are smaller (see the module)."""
    levels = [Pile((code,), count) for code, count in enumerate(people)]
    large = [pile for pile in levels if pile.count >= least]
    rest = join_all([pile for pile in levels if pile.count < least])
    if not rest.bins:
        return large
    if rest.count < least and large:
        smallest = min(large, key=lambda pile: (pile.count, pile.bins))
        large.remove(smallest)
        rest = smallest.join(rest)
    return [*large, rest]


def _segment(part: Integers, terms: Terms) -> Told:
    piles = join_levels(part[:, :, 0].sum(axis=1).tolist(), terms.min_bin)
    counts = np.array([part[list(pile.bins)].sum(axis=0) for pile in piles])
    told = np.stack([_group(counts[:, g], terms) for g in range(terms.groups)], axis=1)
    at = {code: number for number, pile in enumerate(piles) for code in pile.bins}
    return Told(tuple(at[code] for code in range(len(part))), told)


def _group(counts: Integers, terms: Terms) -> Integers:
    """Return one group's counts (levels, outcomes) with WITHHELD where they may not be told."""
    told = np.full_like(counts, WITHHELD)
    compared: list[int] = []
    hidden: set[int] = set()
    others = [o for o in range(1, counts.shape[1]) if o != terms.main]
    for outcome in (0, terms.main, *others):

        def enough(levels: Sequence[int], outcome: int = outcome) -> bool:
            sums = counts[list(levels)].sum(axis=0)
            return bool(min(sums[0] - terms.min_bin, sums[outcome] - terms.min_class) >= 0 and _apart(sums, outcome, compared, terms))

        also = _hidden(counts[:, 0], hidden, enough)
        if len(also) < len(counts):
            shown = [level for level in range(len(counts)) if level not in also]
            told[shown, outcome] = counts[shown, outcome]
            compared.append(outcome)
            hidden = also
        elif outcome == 0:
            break
    return told


def _apart(sums: Integers, outcome: int, compared: Sequence[int], terms: Terms) -> bool:
    """Say whether the number of an outcome is far enough from those of the outcomes that are told beside it."""
    return all(abs(int(sums[one] - sums[outcome])) >= terms.min_class for one in compared)


def _hidden(people: Integers, before: set[int], enough: Callable[[Sequence[int]], bool]) -> set[int]:
    """Return the levels at which an outcome is withheld: none, all, or several that are enough together."""
    hidden = before | {level for level in range(len(people)) if not enough([level])}
    while hidden and len(hidden) < len(people) and (len(hidden) < 2 or not enough(sorted(hidden))):
        hidden.add(min((level for level in range(len(people)) if level not in hidden), key=lambda level: (people[level], level)))
    return hidden
