"""Summing sealed rows by pairs of bins of two variables: groups of variables that together hold every pair share tables of joint cells.

    S[a, b] = product of c_i mod n^2 over the rows i that lie in bins a and b       bins of all variables in one line

One pair of variables at a time takes N multiplications a pair. A table over k variables takes N multiplications for k (k - 1) / 2 pairs,
then it is multiplied out to them, one variable at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod

import numpy as np
from gmpy2 import mpz, powmod
from numpy.typing import NDArray

from tandem.arguments import Engine
from tandem.crypto.paillier import Checked, Products, PublicKey
from tandem.sums.cells import CELLS, Cells, Folding, FoldRows, Shape, StartFolding, product

Group = tuple[int, ...]


@dataclass(frozen=True)
class Weighted:
    """A sum over sealed totals: which of them, by place, and the whole weight of each, of either sign."""

    cells: NDArray[np.int64]
    weights: NDArray[np.int64]


def places(bins: Sequence[int]) -> NDArray[np.int64]:
    """Return (2, P): rows and columns of the cells of the line's table that have totals, row by row.

    They are the diagonal, and what lies above it of two different variables; two bins of one variable never meet.
    """
    of = np.repeat(np.arange(len(bins)), bins)
    return np.array(np.nonzero(np.triu((of[:, None] != of[None, :]) | np.eye(len(of), dtype=np.bool_)))).astype(np.int64)


def cover(rows: int, bins: Sequence[int], cells: int = CELLS) -> tuple[Group, ...]:
    """Return groups of variables (by position, ascending) such that every pair is in one: greedily, by multiplications a new pair.

    All tables together keep to `cells` cells where groups of more than two are concerned.
    """
    if len(bins) == 1:
        return ((0,),)
    limit = cells
    while True:
        groups = _greedy(rows, bins, limit)
        if limit == 1 or sum(prod(bins[j] for j in group) for group in groups) <= cells:
            return groups
        limit //= 2


def _greedy(rows: int, bins: Sequence[int], limit: int) -> tuple[Group, ...]:
    left = set(combinations(range(len(bins)), 2))
    groups: list[Group] = []
    while left:
        group: Group = min(left)
        best, least = group, float("inf")
        while True:
            cost = (rows + len(group) * prod(bins[j] for j in group)) / len(left & set(combinations(group, 2)))
            if cost < least:
                best, least = group, cost
            fitting = [j for j in range(len(bins)) if j not in group and prod(bins[i] for i in (*group, j)) <= limit]
            if not fitting:
                break
            _, _, best_next = max((sum((min(i, j), max(i, j)) in left for i in group), -bins[j], -j) for j in fitting)
            group = tuple(sorted((*group, -best_next)))
        groups.append(best)
        left -= set(combinations(best, 2))
    return tuple(groups)


class PairCells(Cells):
    """The joint cells of one coded table, for the totals of pairs; rows of one ciphertext."""

    def __init__(self, key: PublicKey, rows: int, shape: Shape) -> None:
        """Take what `Cells` takes."""
        super().__init__(key, rows, shape, groups=cover(rows, shape.bins))

    def marginals(self) -> Products:
        """Return the product of every cell of `places`, in that order; an empty cell is 1."""
        bins = self.shape.bins
        found: dict[Group, list[mpz]] = {}
        for group, table in zip(self.groups, self.tables[0], strict=True):
            shelf = {group: table}
            wanted: list[Group] = [pair for pair in combinations(group, 2) if pair not in found] or [group]
            found |= {pair: self._narrowed(shelf, group, pair) for pair in wanted}
        single: dict[int, list[mpz]] = {}
        for pair, table in found.items():
            single |= {j: self._narrowed({pair: table}, pair, (j,)) for j in pair if j not in single}
        variable = np.repeat(np.arange(len(bins)), bins).tolist()
        within = np.concatenate([np.arange(size) for size in bins]).tolist()
        return Products(self.key, [
            single[variable[a]][within[a]] if a == b else found[variable[a], variable[b]][within[a] * bins[variable[b]] + within[b]]
            for a, b in places(bins).T.tolist()
        ])

    def _narrowed(self, shelf: dict[Group, list[mpz]], group: Group, wanted: Group) -> list[mpz]:
        """Return the table of the variables `wanted` of `group`: multiply out one more, and keep every table on the way on `shelf`."""
        if wanted not in shelf:
            extra = min(j for j in group if j not in wanted)
            wider = tuple(sorted((*wanted, extra)))
            table, size = self._narrowed(shelf, group, wider), self.shape.bins[extra]
            inner = prod(self.shape.bins[j] for j in wider if j > extra)
            shelf[wanted] = [
                product(table[(outer * size) * inner + at : ((outer + 1) * size) * inner : inner], self.key.n2)
                for outer in range(len(table) // size // inner) for at in range(inner)
            ]
        return shelf[wanted]


@dataclass(frozen=True)
class StartPairs(StartFolding):
    """How a worker starts that sums by pairs."""

    def __call__(self) -> Folding:
        """Return an empty accumulator."""
        return Folding(PairCells(self.key, self.rows, self.shape))


def fold_pairs(key: PublicKey, codes: NDArray[np.uint8], shape: Shape, engine: Engine) -> FoldRows:
    """Begin to sum sealed rows of one ciphertext by the pairs of bins of `codes` (N, d); products come in the order of `places`."""
    return FoldRows(StartPairs(key, len(codes), shape), codes, engine)


def combine(sealed: Checked, asked: Weighted) -> mpz:
    """Return what seals the weighted sum: the product of c^weight mod n^2. One inverse serves all negative weights."""
    n2, up, down = sealed.key.n2, mpz(1), mpz(1)
    for cell, weight in zip(asked.cells.tolist(), asked.weights.tolist(), strict=True):
        if weight > 0:
            up = up * powmod(sealed.values[cell], weight, n2) % n2
        elif weight < 0:
            down = down * powmod(sealed.values[cell], -weight, n2) % n2
    return up * powmod(down, -1, n2) % n2
