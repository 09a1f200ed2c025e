"""The accountant of the telco's noise: how much of it an epsilon and a delta ask for. Pure arithmetic; draws nothing.

What the solver is told in a job, and how far one roster member's codes can move it. d variables; a member whose codes are replaced leaves
one bin and enters another of every variable, and of every pair of variables:

    rows, bads, weights, residuals, columns     totals by bin, one slot each     squared distance 2 d limit^2
    counts                                      roster rows by bin                                2 d
    pairs                                       roster rows by pair of bins                       d (d - 1)

Discrete Gaussian noise of standard deviation sigma on whole numbers at a squared distance D^2 is (D^2 / 2 sigma^2)-concentrated
(Canonne, Kamath and Steinke, The Discrete Gaussian for Differential Privacy, arXiv:2004.00010), and what is released together adds up. The
rho of a contract is the largest that gives its epsilon and delta; every job has an equal part, and in a job every kind its share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SHARES: Mapping[str, float] = MappingProxyType({
    "rows": 0.10, "bads": 0.15, "weights": 0.10, "residuals": 0.25, "columns": 0.10, "counts": 0.05, "pairs": 0.25,
})
"""Part of a job's rho by what is told; they add up to 1. Tried with `scripts/noise_twin`: the gradient and the pairs decide the model."""

SLOTS = ("rows", "bads", "weights", "residuals", "columns")
"""Of a training row, in the order of sums.terms; statistics alone have the first two."""

WIDEST_SCORE = 2.0
"""Log-odds to which a bank's own score, its only column under noise, is cut at either side of its mean: it decides the columns' noise."""

TAIL = 10.0
"""Standard deviations that checks and slots leave room for. Discrete Gaussians are sub-Gaussian (same paper), so one is beyond with odds of
2 exp(-50) at most, and one of all totals of a job, 32 000 bins of six kinds, with less than 2^-40."""


@dataclass(frozen=True)
class Noise:
    """What a job may spend, and on how many variables."""

    rho: float
    variables: int

    def spread(self, what: str) -> float:
        """Return the standard deviation of the noise on what is told, in rows: times a slot's largest value it is that slot's."""
        moved = self.variables * (self.variables - 1) / 2.0 if what == "pairs" else float(self.variables)
        return math.sqrt(moved / (self.rho * SHARES[what]))

    @property
    def spare(self) -> int:
        """Rows by which any total of a bin may be off before it is taken for a mistake."""
        return math.ceil(TAIL * max(self.spread(what) for what in SLOTS)) + 1


def noise(epsilon: float, delta: float, jobs: int, variables: int) -> Noise:
    """Return what each of `jobs` jobs may spend so that all together are (epsilon, delta)-private."""
    return Noise(concentrated(epsilon, delta) / jobs, variables)


def concentrated(epsilon: float, delta: float) -> float:
    """Return the largest rho at which rho-concentrated privacy gives (epsilon, delta), rounded down a little."""
    low, high = 0.0, epsilon  # pure epsilon needs no rho above epsilon
    for _ in range(100):
        rho = (low + high) / 2.0
        low, high = (rho, high) if approximate(rho, epsilon) <= delta else (low, rho)
    return low * (1.0 - 1e-9)


def approximate(rho: float, epsilon: float) -> float:
    """Return the delta that rho-concentrated privacy gives at epsilon (same paper, section 2.3).

    min over alpha > 1 of exp((alpha - 1)(alpha rho - epsilon)) / (alpha - 1) * (1 - 1/alpha)^alpha, at most 1.
    """
    if rho <= 0.0:
        return 0.0
    low, high = 1e-300, (epsilon + 1.0) / (2.0 * rho) + 1.0  # of alpha - 1; the exponent's derivative rises through 0 in between
    for _ in range(200):
        above = math.sqrt(low * high)
        rising = (2.0 * above + 1.0) * rho - epsilon + math.log(above) - math.log1p(above) > 0.0
        low, high = (low, above) if rising else (above, high)
    exponent = high * ((high + 1.0) * rho - epsilon) + high * math.log(high) - (high + 1.0) * math.log1p(high)
    return min(1.0, math.exp(exponent))
