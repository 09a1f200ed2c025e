"""Cuts without labels: equal-frequency bins of numbers, the commonest levels of a category, missing values apart.

A bin with fewer than `min_bin` of the rows given is merged: an ordered bin with its smaller neighbour, a level or the missing values into
the rest. What then is still too small takes in the least common level, or goes to the commonest ordered bin.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tandem.describe.merging import Pile, merge_ordered
from tandem.errors import InputError
from tandem.tables import MOST_BINS, Binning, Column, is_text


def cut(alias: str, column: Column, bins: int, min_bin: int) -> Binning:
    """Return cuts of `column` (N,) into at most `bins` bins in all, each with at least `min_bin` rows unless one is left.

    Raises InputError for `bins` outside 2..32 or `min_bin` below 1.
    """
    if not 2 <= bins <= MOST_BINS or min_bin < 1:
        raise InputError(f"bins = {bins}, min_bin = {min_bin}: bins must lie in 2..{MOST_BINS} and min_bin be at least 1")
    return _cut_levels(alias, column, bins, min_bin) if is_text(column) else _cut_numbers(alias, column, bins, min_bin)


def _cut_numbers(alias: str, column: Column, bins: int, min_bin: int) -> Binning:
    numbers = np.asarray(column, dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    missing = numbers.size - present.size >= min_bin
    if present.size < min_bin:
        return Binning(alias, "ordered")
    distinct, counts = np.unique(present + 0.0, return_counts=True)  # + 0.0 makes one value of -0.0 and 0.0
    ends = _equal_frequency(counts.astype(np.int64), bins - missing)
    sizes = np.diff(np.concatenate(([0], np.cumsum(counts)[ends])))
    piles = merge_ordered([Pile((i,), int(size)) for i, size in enumerate(sizes)], lambda pile: pile.count >= min_bin)
    edges = tuple(float(distinct[ends[pile.bins[-1]]]) for pile in piles[:-1])
    counted = [pile.count for pile in piles] + ([numbers.size - present.size] if missing else [])
    return Binning(alias, "ordered", edges=edges, missing=missing, commonest=int(np.argmax(counted)))


def _equal_frequency(counts: NDArray[np.int64], most: int) -> list[int]:
    """Return the index of the last distinct value of each of at most `most` bins.

    Few distinct values have a bin each. A value that alone fills a bin's share (a 0, or a special value such as 999) has a bin of its own,
    and what lies between such values is cut into equal shares of the rest.
    """
    if len(counts) <= most:
        return list(range(len(counts)))
    heavy: set[int] = set()
    share = counts.sum() / most
    while len(heavy) < most - 1:
        more = {int(i) for i in np.flatnonzero(counts >= share)} - heavy
        if not more:
            break
        heavy.add(max(more, key=lambda i: (counts[i], -i)))
        share = (counts.sum() - counts[list(heavy)].sum()) / (most - len(heavy))
    ends: list[int] = []
    start = 0
    for stop in [*sorted(heavy), len(counts)]:
        if stop > start:
            ends += _shares(np.cumsum(counts[start:stop]), share, start)
        if stop < len(counts):
            ends.append(stop)
        start = stop + 1
    sizes = np.diff(np.concatenate(([0], np.cumsum(counts)[ends])))
    while len(ends) > most:  # every stretch between heavy values asked for at least one bin
        at = int(np.argmin(sizes[:-1] + sizes[1:]))
        del ends[at]
        sizes = np.diff(np.concatenate(([0], np.cumsum(counts)[ends])))
    return ends


def _shares(running: NDArray[np.int64], share: float, start: int) -> list[int]:
    """Cut one stretch with running totals `running` into round(total / share) parts, each end at the value nearest to its quantile."""
    parts = max(1, round(float(running[-1]) / share))
    ends = {len(running) - 1}
    for part in range(1, parts):
        goal = running[-1] * part / parts
        after = int(np.searchsorted(running, goal))
        nearer = after - 1 if after and goal - running[after - 1] < running[after] - goal else after
        ends.add(nearer)
    return [start + end for end in sorted(ends)]


def _cut_levels(alias: str, column: Column, bins: int, min_bin: int) -> Binning:
    tally: Counter[str] = Counter()
    absent = 0
    for value, count in Counter(column.tolist()).items():
        if isinstance(value, str):
            tally[value] = count
        else:
            absent += count
    missing = absent >= min_bin
    kept = sorted((level for level, count in tally.items() if count >= min_bin), key=lambda level: (-tally[level], level))
    total = len(column)
    resting = total - sum(tally[level] for level in kept) - (absent if missing else 0)
    if resting or len(kept) > bins - missing:
        for level in kept[bins - missing - 1 :]:
            resting += tally[level]
        kept = kept[: bins - missing - 1]
        while kept and resting < min_bin:
            resting += tally[kept.pop()]
        if not kept and missing and resting < min_bin:
            missing, resting = False, total
    rest = resting > 0 or not (kept or missing)
    counted = [tally[level] for level in kept] + ([absent] if missing else []) + ([resting] if rest else [])
    return Binning(alias, "levels", levels=tuple(kept), missing=missing, rest=rest, commonest=int(np.argmax(counted)))
