"""Exact standard errors from sealed totals of pairs of bins: which weighted sums of them to ask for, and what follows from the answers.

    S_ab              total of w over the rows in bins a and b: sealed, and 0 where fewer than min_bin rows of the roster lie in both
    W_a               total of w in bin a, known
    H_tt[j, k]        = sum of z_a z_b S_ab over all bins a of j and b of k, z their WoE
                      = sum of (z_a z_b - alpha_a - beta_b) S_ab over told cells + sum alpha_a W_a + sum beta_b W_b
    alpha, beta       least squares of z_a z_b on cells that are not told, weighted by the totals estimated there

So the solver learns one number a pair of variables, and no cell. What is additive in hidden cells is exact, by the totals of their bins;
what is left over adds up to 0 under the estimate (calibration: Deville and Saerndal 1992, the linear case). Where all cells are told, H_tt
is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from tandem.arguments import Chance, below
from tandem.errors import RowAsSum
from tandem.sums.pairs import Weighted, places
from tandem.train.newton import FloatArray, block_t
from tandem.train.pairs import IntArray, completed, starts, told

UNIT = 1 << 20
"""Weights of cells are whole multiples of 1 / UNIT: what is rounded off is below 1e-6 of the total weight."""

BALANCE_BITS = 40
"""Bits of a coefficient of the balance: a fold that does not fit its bins escapes it once in 2^40."""

MOST_HIDDEN = 0.05
"""With a larger share of rows in hidden cells of one pair, errors are called approximate (scripts/convergence, decision 23)."""


@dataclass(frozen=True)
class Told:
    """What the summer told: bins of each variable, roster rows by bin n (M,), pair counts (M, M), blanked under min_bin."""

    bins: tuple[int, ...]
    n: IntArray = field(repr=False)
    pairs: IntArray = field(repr=False)
    min_bin: int

    @property
    def numbers(self) -> IntArray:
        """Place (M, M) of each told cell in the list of sealed totals; -1 elsewhere."""
        rows, columns = places(self.bins)[:, told(self.pairs, self.bins)]
        numbers = np.full(self.pairs.shape, -1, dtype=np.int64)
        numbers[rows, columns] = np.arange(len(rows))
        return numbers

    def part(self, j: int) -> slice:
        """Return where the bins of variable j stand in the line."""
        first = starts(self.bins)
        return slice(int(first[j]), int(first[j + 1]))

    def hidden(self, kept: Sequence[int]) -> float:
        """Return the largest share of the roster's rows that lies in hidden cells of one pair of `kept` variables."""
        rows = max(1, int(self.n[self.part(0)].sum()))
        shown = [int(self.pairs[self.part(j), self.part(k)].sum()) for j, k in combinations(kept, 2)]
        return 1.0 - min(shown, default=rows) / rows


def crossings(told: Told, values: Sequence[FloatArray], kept: Sequence[int], w: FloatArray) -> list[tuple[Weighted, float]]:
    """Return for each pair of `kept` variables, in order, the sum to ask for and what to add to its answer / UNIT.

    values: WoE by bin of every variable. w (M,): bin totals of the weights.
    """
    numbers = told.numbers
    estimated = block_t(w, told.n, completed(told.pairs, told.n, told.bins, told.min_bin))
    asked = []
    for j, k in combinations(kept, 2):
        a, b = told.part(j), told.part(k)
        products, known = np.outer(values[j], values[k]), numbers[a, b] >= 0
        alpha, beta = _additive(products, np.where(known, 0.0, estimated[a, b]))
        weights = np.rint((products - alpha[:, None] - beta[None, :]) * UNIT).astype(np.int64)
        asked.append((Weighted(numbers[a, b][known], weights[known]), float(alpha @ w[a] + beta @ w[b])))
    return asked


def block(told: Told, values: Sequence[FloatArray], kept: Sequence[int], w: FloatArray, answers: Sequence[float]) -> FloatArray:
    """Return H_tt (d, d), not penalised, of the `kept` variables from one number a pair of them: the diagonal needs no pair."""
    H = np.diag([float(values[j] ** 2 @ w[told.part(j)]) for j in kept])
    for (j, k), answer in zip(combinations(range(len(kept)), 2), answers, strict=True):
        H[j, k] = H[k, j] = answer
    return H


def balance(told: Told, chance: Chance) -> tuple[Weighted, list[int]]:
    """Return a random sum of told cells, and the weights (M,) by which bin totals must give the same number.

    Every bin counts with its own total; and with its row of cells for each variable of which that row is told whole, so that nothing comes
    out that bin totals do not say already.
    """
    numbers = told.numbers
    cells = np.zeros(int(numbers.max()) + 1, dtype=object)
    bins = [0] * len(told.n)
    for a in np.flatnonzero(np.diag(numbers) >= 0).tolist():
        cells[numbers[a, a]] = bins[a] = below(chance, 1 << BALANCE_BITS)
    whole = np.maximum(numbers, numbers.T)
    for j in range(len(told.bins)):
        for k in range(len(told.bins)):
            for a in range(told.part(j).start, told.part(j).stop) if j != k else ():
                row = whole[a, told.part(k)]
                if told.n[a] > 0 and int(told.pairs[a, told.part(k)].sum()) == told.n[a]:
                    factor = below(chance, 1 << BALANCE_BITS)
                    cells[row[row >= 0]] += factor
                    bins[a] += factor
    return Weighted(np.arange(len(cells)), cells.astype(np.int64)), bins


def check_range(told: Told, asked: Weighted, answer: int, largest: int) -> None:
    """Pass if so many rows, each of weight 0 to `largest` in fixed point, can add up to `answer`. Raises RowAsSum."""
    rows, columns = places(told.bins)
    counts = told.pairs[rows, columns]
    reach = float(np.abs(asked.weights.astype(np.float64)) @ counts[counts > 0][asked.cells]) * largest
    if abs(answer) > reach:
        raise RowAsSum("a total over pairs of bins is more than their rows can weigh: ask who sealed the weights")


def check_balance(answer: int, weights: Sequence[int], totals: Sequence[int]) -> None:
    """Pass if the balance's answer is what the bin totals (M,), in fixed point, say. Raises RowAsSum."""
    if answer != sum(weight * int(total) for weight, total in zip(weights, totals, strict=True)):
        raise RowAsSum("totals of pairs of bins do not add up to those of the bins: ask who sealed the weights, and who summed them")


def _additive(products: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (alpha, beta), the least-squares fit of alpha_a + beta_b to `products` (A, B) under `weights`; 0 where nothing weighs."""
    a, b = np.nonzero(weights > 0.0)
    root = np.sqrt(weights[a, b])
    design = np.zeros((len(a), sum(products.shape)))
    design[np.arange(len(a)), a] = design[np.arange(len(a)), products.shape[0] + b] = root
    found = np.linalg.lstsq(design, products[a, b] * root, rcond=1e-10)[0].astype(np.float64)
    alpha, beta = np.split(found, [products.shape[0]])
    return alpha, beta
