"""How often two bins meet: plain counts over the roster, which stand in for the sealed pair sums that a Hessian would need.

The bins of all variables stand in one line: variable 0's bins, then variable 1's, and so on; M bins in all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tandem.sums.pairs import places

IntArray = NDArray[np.int64]

FITTING_ROUNDS = 30
"""Rounds of proportional fitting; more change no coefficient's second digit on the public sets."""


def starts(bins: Sequence[int]) -> IntArray:
    """Return the place of each variable's first bin in the line, and M at the end: (d + 1,)."""
    return np.concatenate(([0], np.cumsum(np.asarray(bins, dtype=np.int64))))


def pair_counts(codes: NDArray[np.integer], bins: Sequence[int]) -> IntArray:
    """Count the rows that fall into each pair of bins: codes (rows, d), each code below its variable's bins; returns (M, M).

    The diagonal holds the bin counts; two bins of one variable never meet. Not yet blanked: not fit to leave the holder of the codes.
    Raises ValueError for a code outside its variable's bins.
    """
    first = starts(bins)
    for j, size in enumerate(bins):
        if len(codes) and not 0 <= int(codes[:, j].min()) <= int(codes[:, j].max()) < size:
            raise ValueError(f"variable {j} has a code outside its {size} bins")
    pairs = np.zeros((int(first[-1]), int(first[-1])), dtype=np.int64)
    for j in range(len(bins)):  # two wide columns at a time: a copy of all of them would outweigh the codes eightfold
        own = codes[:, j].astype(np.int64)
        a = slice(int(first[j]), int(first[j + 1]))
        pairs[a, a] = np.diag(np.bincount(own, minlength=bins[j]))
        for k in range(j + 1, len(bins)):
            c = slice(int(first[k]), int(first[k + 1]))
            met = np.bincount(own * bins[k] + codes[:, k], minlength=bins[j] * bins[k]).reshape(bins[j], bins[k])
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


def told(pairs: IntArray, bins: Sequence[int]) -> NDArray[np.bool_]:
    """Return for each cell that has a total (see sums.pairs.places) whether it may be told: blanked and empty ones look alike."""
    rows, columns = places(bins)
    shown: NDArray[np.bool_] = pairs[rows, columns] > 0
    return shown


def completed(pairs: IntArray, counts: IntArray, bins: Sequence[int], min_bin: int) -> NDArray[np.float64]:
    """Return pair counts (M, M) with blanked cells filled by what the bin counts (M,) leave for them: an estimate, exact in its margins.

    Rows of bin a that no shown cell accounts for must lie in blanked ones; iterative proportional fitting (Deming and Stephan 1940) spreads
    them so that both bins' counts hold. Nothing is used that the reader was not told. The result need not be positive semidefinite.
    """
    first, shown = starts(bins), blanked(pairs, min_bin).astype(np.float64)
    filled = np.diag(counts.astype(np.float64))
    for j in range(len(bins)):
        a = slice(int(first[j]), int(first[j + 1]))
        for k in range(j + 1, len(bins)):
            c = slice(int(first[k]), int(first[k + 1]))
            block = shown[a, c]
            filled[a, c] = block + _spread(block == 0.0, counts[a] - block.sum(axis=1), counts[c] - block.sum(axis=0))
            filled[c, a] = filled[a, c].T
    return filled


def _spread(free: NDArray[np.bool_], rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a table that is 0 where not `free` and has these margins, as nearly as FITTING_ROUNDS rounds bring it."""
    cells = np.where(free, np.outer(rows.clip(min=0.0), columns.clip(min=0.0)), 0.0)
    for _ in range(FITTING_ROUNDS):
        cells *= _ratio(rows, cells.sum(axis=1))[:, None]
        cells *= _ratio(columns, cells.sum(axis=0))[None, :]
    return cells


def _ratio(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = np.divide(wanted.clip(min=0.0), found, out=np.zeros(len(found)), where=found > 0.0)
    return ratio
