"""The ridge chosen from the totals of the first pass, by the evidence of the quadratic model that a Newton step rests on.

    Q(theta) = g' (theta - t) + 1/2 (theta - t)' H (theta - t)    near the point t of the totals, in place of -log likelihood
    theta_j ~ N(0, 1/ridge), the intercept flat                   the prior that a ridge stands for
    log evidence(ridge) = 1/2 sum_i ( b_i^2 / (s_i + ridge) + log(ridge / (s_i + ridge)) ) + a constant

S = V diag(s) V' is H with the intercept integrated out, b = V' (S t - gradient), all k coefficients but the intercept. The Newton point
under any ridge r says both: its covariance without the intercept is V diag(1 / (s + r)) V', its theta is covariance times (S t - gradient).
D. J. C. MacKay, Bayesian interpolation, Neural Computation 4 (1992), part 3.
"""

from __future__ import annotations

import numpy as np

from tandem.contract import RIDGES
from tandem.train.newton import FloatArray, Step


def choose(point: Step, ridge: float) -> float:
    """Return the one of RIDGES with most evidence, from the Newton point under `ridge`."""
    return RIDGES[int(np.argmax(evidence(point, ridge, np.array(RIDGES))))]


def evidence(point: Step, ridge: float, ridges: FloatArray) -> FloatArray:
    """Return the log evidence of each of `ridges`, less its limit for large ones, from the Newton point under `ridge`."""
    width, V = np.linalg.eigh(point.covariance[1:, 1:])
    b, s = (V.T @ point.theta[1:]) / width, 1.0 / width - ridge
    told = s > 0.0  # H_tt is estimated: a direction of no information has no say
    under = s[told] + ridges[:, None]
    log_evidence: FloatArray = 0.5 * np.sum(b[told] ** 2 / under + np.log(ridges[:, None] / under), axis=1)
    return log_evidence
