"""S3, S4: rows sealed so that the model hangs on a few targets; their codes are solved from the coefficients that come back.

Who: the bank, cheating within all ranges and totals. Procedure, one training: residuals are 0 but for the targets', who have 1, 1/b,
1/b^2 ...; weights are as small as the checks let them be, equal for all; the own column is taken out. With weights W and cross products
as if variables were independent, the bank knows the Hessian but for its error by chance, so g = -H theta, and each variable's part of g is
the sum of the targets' WoE times their residuals: the nearest of all combinations of bins is the guess.
S4: weight on one row of known bins alone, residual on the target alone: the coefficients are the difference of their WoE.
Source: protocol review 2.3 and part 7 of the protocols; that the coefficients' length alone will do is our own finding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from attacked.views import View, changed

from tandem.arguments import Chance
from tandem.crypto.opening import SecretKey
from tandem.crypto.slots import Layout
from tandem.wire.messages import Own, Polish, Release, Sealed, Statistics, Step

LEAST_WEIGHT = 2.04
"""Of a released group: a little above what is asked."""


@dataclass(frozen=True)
class Aim:
    """What the bank seals: fixed-point (m, my, w, r, wx) a row, and what it says of them."""

    rows: np.ndarray
    scales: np.ndarray
    ridge: float

    @property
    def totals(self) -> np.ndarray:
        """Sums over all rows, in reals."""
        found: np.ndarray = self.rows.sum(axis=0) / self.scales
        return found

    def own(self, said: Own) -> Own:
        """Return the block of own columns that goes with these rows: intercept and one column without weight."""
        size = len(said.gradient)
        hessian, gradient = np.eye(size), np.zeros(size)
        hessian[0] = hessian[:, 0] = 0.0
        hessian[0, 0], gradient[0] = self.totals[2], self.totals[3]
        return replace(said, hessian=tuple(hessian.ravel().tolist()), gradient=tuple(gradient.tolist()), theta=(0.0,) * size)


def described(view: View, script: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return (group by bin, rows by group, WoE by group) of every variable, as released in that script."""
    said: Statistics = view.messages(Statistics, sent=False, script=script)[-1]
    found, at, b = [], 0, 0
    for size, groups in zip(said.bins, said.groups, strict=True):
        part = slice(at, at + groups)
        found.append((np.array(said.group[b : b + size]), np.array(said.counts[part]), np.array(said.woe[part])))
        at, b = at + groups, b + size
    return found


def residuals(targets: Sequence[int], base: float, top: int) -> dict[int, int]:
    """Return the fixed-point residual of each target."""
    return {target: round(top / base**k) for k, target in enumerate(targets)}


def aimed(view: View, labels: np.ndarray, aims: dict[int, int], scales: np.ndarray, ridge: float) -> Aim:
    """Return rows (N, 5) that aim at the targets; the smallest released group just weighs enough."""
    fewest = min(int(counts.min()) for _, counts, _ in described(view, "describe"))
    rows = np.zeros((len(labels), len(scales)), dtype=np.int64)
    rows[:, 0], rows[:, 1] = 1, labels
    rows[:, 2] = int(np.ceil(LEAST_WEIGHT / fewest * scales[2]))
    for target, value in aims.items():
        rows[target, 3] = value
    return Aim(rows, scales, ridge)


def weighing_one(labels: np.ndarray, known: int, target: int, scales: np.ndarray, ridge: float, top: int) -> Aim:
    """Return rows (N, 5) in which a row of known bins has all the weight, and the target all the residual (S4)."""
    rows = np.zeros((len(labels), len(scales)), dtype=np.int64)
    rows[:, 0], rows[:, 1] = 1, labels
    rows[known, 2], rows[target, 3] = top, top
    return Aim(rows, scales, ridge)


def bent(role: Any, aim: Aim, secret: SecretKey, layout: Layout, chance: Chance) -> Any:
    """Play a sealer of one pass that seals these rows, and takes the solver's own point for the end."""

    def rows(said: Sealed) -> Sealed:
        count = len(said.rows) // layout.ciphertexts
        plain = [number for row in layout.pack(aim.rows[said.first : said.first + count]) for number in _numbers(row)]
        return Sealed(said.first, secret.seal(plain, chance.fork("aimed", said.first)))

    def polish(said: Polish) -> Polish:
        return replace(said, accepted=True, scale=1.0, newton=True)

    return changed(changed(changed(role, Sealed, rows), Own, aim.own), Polish, polish)


def _numbers(row: Any) -> list[int]:
    return [int(number) for number in (row if isinstance(row, list | tuple) else [row])]


def released(view: View) -> np.ndarray:
    """Return the coefficients of the card, own ones first."""
    said: Release = view.messages(Release, sent=False)[-1]
    return np.array(said.theta)


def length(view: View) -> float:
    """Return the squared length of the telco's coefficients as told after the pass."""
    said: Step = view.messages(Step, sent=False)[-1]
    return said.square


def model(view: View, aim: Aim, script: str = "train") -> np.ndarray:
    """Return the Hessian that the bank reckons with: exact on the diagonal, elsewhere as if variables were independent."""
    variables, total = described(view, script), aim.totals[2]
    means = [float(counts @ woe) / counts.sum() for _, counts, woe in variables]
    squares = [float(counts @ woe**2) / counts.sum() for _, counts, woe in variables]
    own = len(aim.scales) - 3
    H = np.zeros((own + len(variables),) * 2)
    H[0, 0], H[0, own:], H[own:, 0] = total, total * np.array(means), total * np.array(means)
    H[1:own, 1:own] = np.eye(own - 1) * (1.0 + aim.ridge)
    H[own:, own:] = total * np.outer(means, means)
    H[range(own, len(H)), range(own, len(H))] = total * np.array(squares) + aim.ridge
    return H


def solved(view: View, aim: Aim, aims: dict[int, int], theta: np.ndarray) -> np.ndarray:
    """Return the guessed bins (targets, variables) from coefficients; a group of several bins gives its commonest, -1 for none."""
    own, weights = len(aim.scales) - 3, np.array(list(aims.values())) / aim.scales[3]
    sums = -(model(view, aim) @ theta)[own:]
    found = []
    for total, (group, _, woe) in zip(sums, described(view, "train"), strict=True):
        best = min(product(range(len(woe)), repeat=len(aims)), key=lambda bins: abs(woe[list(bins)] @ weights - total))
        found.append([int(np.flatnonzero(group == at)[0]) for at in best])
    return np.array(found).T


def by_length(view: View, aim: Aim, square: float) -> np.ndarray:
    """Return the guessed bins of a single target (variables,) from the length of the coefficients alone, under a heavy ridge.

    The intercept takes the mean: theta = -(WoE - mean WoE) / (ridge + a little).
    """
    variables = described(view, "train")
    sums = np.zeros(1)
    for _, counts, woe in variables:
        mean = float(counts @ woe) / counts.sum()
        spread = aim.totals[2] * (float(counts @ woe**2) / counts.sum() - mean**2)
        sums = (sums[:, None] + (((woe - mean) / (aim.ridge + spread)) ** 2)[None, :]).ravel()
    best = np.unravel_index(int(np.abs(sums - square).argmin()), [len(woe) for _, _, woe in variables])
    return np.array([int(np.flatnonzero(group == at)[0]) for at, (group, _, _) in zip(best, variables, strict=True)])


def beside_the_known(view: View, aim: Aim, known: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Return the target's bins (variables,) where a row of bins `known` has all the weight W (S4).

    The intercept is free to fit the known row: WoE of the target = WoE of the known row - S theta, S = ridge + A - W v v' with v
    the known row's WoE; A is W v v' on the diagonal, and elsewhere that times how often two bins meet.
    """
    variables, weight = described(view, "train"), aim.totals[2]
    v = np.array([woe[group[at]] for (group, _, woe), at in zip(variables, known, strict=True)])
    share = np.sqrt([counts[group[at]] / counts.sum() for (group, counts, _), at in zip(variables, known, strict=True)])
    apart = weight * np.outer(v, v) * (np.outer(share, share) - 1.0)
    np.fill_diagonal(apart, aim.ridge)
    wanted = v - apart @ theta[len(aim.scales) - 3 :]
    found = [int(np.abs(woe - target).argmin()) for target, (_, _, woe) in zip(wanted, variables, strict=True)]
    return np.array([int(np.flatnonzero(group == at)[0]) for at, (group, _, _) in zip(found, variables, strict=True)])
