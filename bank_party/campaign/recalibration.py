"""Whether a model's probabilities are those that come true, and if not, the two numbers that mend them.

On the hold-out of the training study, z = log-odds of the model, y = what happened (Cox 1958; Steyerberg 2019, chapter 15):

    slope    b of  logit P(y) = a + b z      1 if spread is right; below 1 the model is too sure
    level    a of  logit P(y) = a + z        0 if the mean is right; above 0 the model says too little

Both intervals hold what they should: the model's own probabilities stand. Otherwise p becomes sigma(a + b z), a and b of the first line.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bank_party.evaluation import LEVEL, Interval
from tandem.errors import InputError
from tandem.sums.terms import Reals
from tandem.train.pooled import fit, sigma

EDGE = 1e-6
"""Probabilities are written with six digits: 0 and 1 stand for this far from them."""


@dataclass(frozen=True)
class Recalibration:
    """The test, and what `apply` does. `applied`: whether it changes anything."""

    slope: Interval
    level: Interval
    intercept: float
    rows: int
    applied: bool

    def apply(self, p: Reals) -> Reals:
        """Return calibrated probabilities (N,)."""
        if not self.applied:
            return p
        mended: Reals = sigma(self.intercept + self.slope.value * log_odds(p))
        return mended


def recalibration(p: Reals, y: NDArray[np.generic], wish: Literal["auto", "always", "never"] = "auto") -> Recalibration:
    """Return the test on the hold-out's probabilities and outcomes (N,), and the two numbers. `wish` overrules what the test says.

    Raises InputError where there is no answer: one class alone, or all probabilities alike.
    """
    z = log_odds(p)
    try:
        both = fit(np.column_stack((np.ones(len(z)), z)), y, 0.0)
        level = fit(np.ones((len(z), 1)), y, 0.0, offset=z)
    except InputError as failure:
        raise InputError(f"the hold-out's {len(z)} scores cannot be calibrated: {failure}") from None
    slope, large = _interval(both.theta[1], both.se[1]), _interval(level.theta[0], level.se[0])
    needed = not (slope.low <= 1.0 <= slope.high and large.low <= 0.0 <= large.high)
    return Recalibration(slope, large, float(both.theta[0]), len(z), {"auto": needed, "always": True, "never": False}[wish])


def log_odds(p: Reals) -> Reals:
    """Return ln(p / (1 - p)), p (N,) kept off 0 and 1 by EDGE."""
    kept = np.clip(p, EDGE, 1.0 - EDGE)
    odds: Reals = np.log(kept / (1.0 - kept))
    return odds


def _interval(value: float, se: float) -> Interval:
    reach = NormalDist().inv_cdf((1.0 + LEVEL) / 2.0) * float(se)
    return Interval(float(value), float(value) - reach, float(value) + reach)
