"""What scores say of the bins behind them: the attack on blind scores, by whoever reads them and knows the points.

A score is the sum of one point a variable, and bins are few: combinations can be listed, and those thrown out whose sums some score
forbids. Of those left the likeliest is guessed. Two halves of the variables are listed, each sorted by its sums, and meet where they add
up to the score: 8 variables of 8 bins are 2 x 4 096 sums in place of 17 million.

The attack is that of protocol-review 2.1 with ties broken by how common a bin is; the telco's own node plays it (`exposure`), and so does
the harness of attacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tandem.sums.terms import Integers, Reals
from tandem.tables import Codes

LISTED = 4096
"""Most sums of one half of the variables: all there are for four variables of 8 bins, the likeliest beyond that."""
FIRST_BLOCK = 1024
"""Candidates that are tried at once, the likeliest first; each next block is twice as long, up to LONGEST_BLOCK."""
LONGEST_BLOCK = 1 << 16

Tell = Callable[[float], None]
"""Hears how much of the rows is done, 0 to 1."""


@dataclass(frozen=True)
class Heard:
    """Scores of one scoring: 0 <= scores[i] - (sum of row i's points) < width, all in one unit.

    `points` has the bins of all variables in line. A pass's width is its noise; a card's, noise dropped, and a score in the clear have 1.
    """

    points: Integers = field(repr=False)
    scores: Integers = field(repr=False)
    width: int = 1


@dataclass(frozen=True)
class Guessed:
    """The likeliest codes (N, d) that every score allows, and the log of their frequency (N,): -inf where nothing listed is allowed."""

    codes: Codes = field(repr=False)
    weight: Reals = field(repr=False)


@dataclass(frozen=True)
class _Half:
    """Combinations of some variables: log frequency (L,), sums by scoring (K, L), codes (L, d) with 0 for other variables."""

    weight: Reals
    sums: Integers
    codes: Codes


def frequencies(codes: Codes, bins: Sequence[int]) -> list[Reals]:
    """Return the log of how common each bin is, one array a variable; a bin without rows counts as half a row."""
    return [np.log(np.maximum(np.bincount(codes[:, j], minlength=size), 0.5) / len(codes)) for j, size in enumerate(bins)]


def sums(points: Integers, codes: Codes, bins: Sequence[int]) -> Integers:
    """Return the sum of each row's points (N,), points of all bins in line."""
    starts = np.cumsum([0, *bins])[:-1]
    return np.asarray(points[codes.astype(np.int64) + starts].sum(axis=1), dtype=np.int64)


def decode(heard: Sequence[Heard], common: Sequence[Reals], tell: Tell = lambda _: None) -> Guessed:
    """Guess every row from its scores; `common[j]` is the log frequency of variable j's bins.

    The narrowest scoring picks the candidates, the others thin them out. Exact while no half has more than LISTED combinations; beyond
    that the likeliest of each half are listed, and a row of rare bins is missed that a longer list would find.
    """
    heard = sorted(heard, key=lambda one: one.width)
    left, right = (_listed(heard, common, part) for part in _halves([len(logs) for logs in common]))

    def guess(low: int, high: int, rows: Integers, into: Guessed) -> None:
        i, j = _meeting(left, right, low, high)
        first = _first(heard[1:], rows, lambda part: left.sums[1:, i[part]] + right.sums[1:, j[part]], len(i))
        done, at = rows[first >= 0], first[first >= 0]
        into.codes[done] = left.codes[i[at]] + right.codes[j[at]]
        into.weight[done] = left.weight[i[at]] + right.weight[j[at]]

    return _by_score(heard[0], len(common), guess, tell)


def _meeting(left: _Half, right: _Half, low: int, high: int) -> tuple[Integers, Integers]:
    """Return the pairs (of left, of right) whose sums s of the first scoring have low < s <= high, the likeliest first."""
    begin = np.searchsorted(right.sums[0], low - left.sums[0], side="right")
    count = np.searchsorted(right.sums[0], high - left.sums[0], side="right") - begin
    i = np.repeat(np.arange(len(count)), count)
    j = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(begin, count)
    order = np.argsort(-(left.weight[i] + right.weight[j]), kind="stable")
    return i[order], j[order]


def decode_among(
    heard: Sequence[Heard], common: Sequence[Reals], known: Codes, plain: Guessed, tell: Tell = lambda _: None
) -> Guessed:
    """Guess every row as the commonest of the `known` rows (M, d) that its scores allow; where none is, as `plain`: what `decode` guessed.

    For whoever has other people's rows: the joint frequencies, not only those of single bins. The weight is the log of the share of
    `known` rows where one was allowed.
    """
    heard = sorted(heard, key=lambda one: one.width)
    codes, counts = np.unique(known, axis=0, return_counts=True)
    bins = [len(logs) for logs in common]
    totals = np.stack([sums(one.points, codes, bins) for one in heard])
    order = np.argsort(totals[0], kind="stable")
    codes, weight, totals = codes[order], np.log(counts[order] / len(known)), totals[:, order]

    def guess(low: int, high: int, rows: Integers, into: Guessed) -> None:
        begin, end = np.searchsorted(totals[0], (low, high), side="right")
        best = begin + np.argsort(-weight[begin:end], kind="stable")
        first = _first(heard[1:], rows, lambda part: totals[1:, best[part]], len(best))
        done, at = rows[first >= 0], best[first[first >= 0]]
        into.codes[done], into.weight[done] = codes[at], weight[at]

    found = _by_score(heard[0], len(common), guess, tell)
    rest = np.isneginf(found.weight)
    found.codes[rest], found.weight[rest] = plain.codes[rest], plain.weight[rest]
    return found


def _by_score(first: Heard, variables: int, guess: Callable[[int, int, Integers, Guessed], None], tell: Tell) -> Guessed:
    """Guess the rows of one score of the first scoring after another: candidates are listed once for all of them."""
    count = len(first.scores)
    into = Guessed(np.zeros((count, variables), dtype=np.uint8), np.full(count, -np.inf))
    scores, place = np.unique(first.scores, return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=len(scores)))
    begin = 0
    for score, end in zip(scores.tolist(), ends.tolist(), strict=True):
        guess(score - first.width, score, order[begin:end], into)
        begin = end
        tell(end / count)
    return into


def _first(others: Sequence[Heard], rows: Integers, totals: Callable[[slice], Integers], count: int) -> Integers:
    """Return for each row the first of `count` candidates that all other scorings allow, -1 if there is none."""
    found = np.full(len(rows), -1, dtype=np.int64)
    begin, length = 0, FIRST_BLOCK
    open_rows = np.arange(len(rows))
    while begin < count and len(open_rows):
        part = slice(begin, min(count, begin + length))
        allowed = np.ones((len(open_rows), part.stop - begin), dtype=np.bool_)
        for one, line in zip(others, totals(part), strict=True):
            off = one.scores[rows[open_rows], None] - line
            allowed &= (off >= 0) & (off < one.width)
        hit = allowed.any(axis=1)
        found[open_rows[hit]] = begin + allowed[hit].argmax(axis=1)
        open_rows = open_rows[~hit]
        begin, length = part.stop, min(2 * length, LONGEST_BLOCK)
    return found


def _halves(bins: Sequence[int]) -> tuple[list[int], list[int]]:
    """Return the variables in two halves of about as many combinations each."""
    halves: tuple[list[int], list[int]] = ([], [])
    size = [0.0, 0.0]
    for j in sorted(range(len(bins)), key=lambda j: -bins[j]):
        at = int(size[1] < size[0])
        halves[at].append(j)
        size[at] += math.log(bins[j])
    return halves


def _listed(heard: Sequence[Heard], common: Sequence[Reals], part: Sequence[int]) -> _Half:
    """Return the combinations of the variables in `part`, the LISTED likeliest, by rising sums.

    Of combinations with the same sums under all scorings only the likeliest is kept: no other is ever guessed.
    """
    starts = np.cumsum([0, *(len(logs) for logs in common)])
    weight, totals = np.zeros(1), np.zeros((len(heard), 1), dtype=np.int64)
    codes = np.zeros((1, len(common)), dtype=np.uint8)
    for j in part:
        size = len(common[j])
        points = np.stack([one.points[starts[j] : starts[j + 1]] for one in heard])
        weight = (weight[:, None] + common[j]).ravel()
        totals = (totals[:, :, None] + points[:, None, :]).reshape(len(heard), -1)
        order = np.argsort(-weight, kind="stable")
        keep = order[np.sort(np.unique(_hashed(totals[:, order]), return_index=True)[1])][:LISTED]
        of = keep // size
        codes = codes[of]
        codes[:, j] = keep - of * size
        weight, totals = weight[keep], totals[:, keep]
    rising = np.argsort(totals[0], kind="stable")
    return _Half(weight[rising], totals[:, rising], codes[rising])


def _hashed(lines: Integers) -> NDArray[np.uint64]:
    """Return one number for each column, alike for like columns: an odd multiplier a line, modulo 2^64."""
    odd = np.array([pow(0x9E3779B97F4A7C15, n + 1, 1 << 64) for n in range(len(lines))], dtype=np.uint64)
    mixed: NDArray[np.uint64] = (lines.astype(np.uint64) * odd[:, None]).sum(axis=0, dtype=np.uint64)
    return mixed
