"""How often two bins meet: plain counts over the roster, which stand in for the sealed pair sums that a Hessian would need.

The bins of all variables stand in one line: variable 0's bins, then variable 1's, and so on; M bins in all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


def starts(bins: Sequence[int]) -> IntArray:
    """Return the place of each variable's first bin in the line, and M at the end: (d + 1,)."""
    return np.concatenate(([0], np.cumsum(np.asarray(bins, dtype=np.int64))))


def pair_counts(codes: NDArray[np.integer], bins: Sequence[int]) -> IntArray:
    """Count the rows that fall into each pair of bins: codes (rows, d), each code below its variable's bins; returns (M, M).

    The diagonal holds the bin counts; two bins of one variable never meet. Not yet blanked: not fit to leave the holder of the codes.
    Raises ValueError for a code outside its variable's bins.
    """
    first = starts(bins)
    columns = [np.ascontiguousarray(codes[:, j], dtype=np.int64) for j in range(len(bins))]
    for j, (column, size) in enumerate(zip(columns, bins, strict=True)):
        if column.size and not 0 <= int(column.min()) <= int(column.max()) < size:
            raise ValueError(f"variable {j} has a code outside its {size} bins")
    pairs = np.zeros((int(first[-1]), int(first[-1])), dtype=np.int64)
    for j, own in enumerate(columns):
        a = slice(int(first[j]), int(first[j + 1]))
        pairs[a, a] = np.diag(np.bincount(own, minlength=bins[j]))
        for k in range(j + 1, len(bins)):
            c = slice(int(first[k]), int(first[k + 1]))
            met = np.bincount(own * bins[k] + columns[k], minlength=bins[j] * bins[k]).reshape(bins[j], bins[k])
            pairs[a, c] = met
            pairs[c, a] = met.T
    return pairs


def blanked(pairs: IntArray, min_bin: int) -> IntArray:
    """Return the pair counts that may be shown: cells of 1 to min_bin - 1 rows are 0, their count added to both bins' diagonal cells.

    Taking E off symmetric cells and adding diag(E1) adds the Laplacian of a graph, so a positive semidefinite N stays one
    (protocol review 1.6). Doing it twice changes nothing. The diagonal itself is never blanked: bins under min_bin were merged before.
    """
    small = (pairs > 0) & (pairs < min_bin)
    np.fill_diagonal(small, val=False)
    hidden = np.where(small, pairs, 0)
    return pairs - hidden + np.diag(hidden.sum(axis=1))
