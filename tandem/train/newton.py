"""One Newton step from totals: what the solver computes in a training pass. Pure functions, no rows.

    w_i = p_i (1 - p_i)   r_i = p_i - y_i   at the current scores; 0 for rows that do not train
    H = | H_bb   H_bt |   H_bb  sum w x_b x_b'                exact, from the sealer
        | H_tb   H_tt |   H_bt  [totals of w x_b by bin]' C   exact
                          H_tt  C' A C                        A stands in for the bins' pair totals of w
    A     = D^1/2 N D^1/2   D = (bin total of w) / (bin count), N = pair counts over the roster, blanked cells estimated
    A_tau = (1 - tau) A + tau M / 4     M = pair counts with blanked cells added to the diagonal: positive semidefinite

C (M bins x d_x columns) codes bins as columns of x_t. theta is ordered: intercept, x_b, x_t. The penalty is ridge/2 * |theta|^2
without the intercept. The gradient is exact, so A steers the way to the optimum and never the optimum itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.errors import CheckFailed, InputError
from tandem.train.pairs import IntArray, blanked, completed

FloatArray = NDArray[np.float64]

TAUS = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Shares of N/4 tried in A_tau, smallest first (protocols, section 4)."""

REFUSED_TAU = 0.03
"""A refused pass goes on from the tau after this one at least: smaller ones hardly shorten a step."""

SAFELY_POSITIVE = 0.02
"""The least generalised eigenvalue of the Schur complement against H_tt that counts as safely positive (protocol review 1.6)."""


def coding(woe: Sequence[FloatArray]) -> FloatArray:
    """Return C (M, d): column j holds the WoE of variable j's bins in that variable's rows, 0 elsewhere."""
    C = np.zeros((sum(len(values) for values in woe), len(woe)))
    at = 0
    for j, values in enumerate(woe):
        C[at : at + len(values), j] = values
        at += len(values)
    return C


def penalty(size: int, ridge: float) -> FloatArray:
    """Return the ridge of each of `size` coefficients: 0 for the intercept, which comes first."""
    weights = np.full(size, float(ridge))
    weights[0] = 0.0
    return weights


def block_t(w: FloatArray, n: IntArray, pairs: FloatArray) -> FloatArray:
    """Return A (M, M) = D^1/2 N D^1/2 from bin totals w (M,), bin counts n (M,) and completed pair counts N (M, M).

    Exact on the diagonal. A bin without rows has D = 0.
    """
    root = np.sqrt(np.divide(w, n, out=np.zeros(len(n)), where=n > 0).clip(min=0.0))
    A: FloatArray = root[:, None] * pairs * root[None, :]
    return A


def safeguard(
    H_bb: FloatArray, H_bt: FloatArray, A: FloatArray, N: FloatArray, ridge: float, least: float = 0.0
) -> tuple[FloatArray, float]:
    """Return (penalised H_tt, tau): the smallest tau of TAUS, from `least` on, at which H_tt and its Schur complement are safely positive.

    H_bb (p_b, p_b) is penalised already; A and N are coded (d_x, d_x), not penalised. Compared with H_tt: eigenvalues of
    S v = mu H_tt v above SAFELY_POSITIVE. tau = 1 bounds the true Hessian (Boehning and Lindsay 1988: w <= 1/4), so it is taken
    where nothing smaller will do.
    """
    explained = H_bt.T @ np.linalg.solve(H_bb, H_bt)
    H_tt = A
    for tau in (one for one in TAUS if one >= least):
        H_tt = (1.0 - tau) * A + tau * N / 4.0 + ridge * np.eye(len(A))
        try:
            root = np.linalg.cholesky(H_tt)
        except np.linalg.LinAlgError:  # estimated cells may leave A short of positive; more of N/4 will do
            continue
        whitened = np.linalg.solve(root, np.linalg.solve(root, H_tt - explained).T)
        if np.linalg.eigvalsh((whitened + whitened.T) / 2.0)[0] > SAFELY_POSITIVE:
            return H_tt, tau
    return H_tt, TAUS[-1]


def shorter(tau: float) -> float:
    """Return the tau to begin with after a pass that began with `tau` was refused: more of the bound, so a shorter and safer step."""
    return next((one for one in TAUS if one > max(tau, REFUSED_TAU)), TAUS[-1])


@dataclass(frozen=True)
class Totals:
    """What a pass brings to the solver. b columns begin with the intercept; M bins in line.

    H_bb (p_b, p_b), g_b (p_b,): plain from the sealer, not penalised. wx (M, p_b): bin totals of w * x_b, so column 0 is w's.
    r (M,): bin totals of p - y. n (M,), pairs (M, M): counts over the roster, decoys and hold-out included. bins: of each variable.
    """

    H_bb: FloatArray
    g_b: FloatArray
    wx: FloatArray
    r: FloatArray
    n: IntArray
    pairs: IntArray
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """The Newton point: theta and se (p_b + d_x,), covariance (inverse of the penalised Hessian), and the tau that was needed.

    se is approximate for the t columns, because H_tt is.
    """

    theta: FloatArray
    se: FloatArray
    covariance: FloatArray
    tau: float


def blocks(totals: Totals, C: FloatArray, ridge: float, min_bin: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return H_bb (p_b, p_b), penalised, H_bt (p_b, d_x), and A (d_x, d_x), which is not penalised.

    Raises InputError for a ridge that is not above 0, CheckFailed where H_bb is not positive definite: no honest rows give that under one.
    """
    if not ridge > 0.0:
        raise InputError(f"the ridge is {ridge:g}; sealed training needs one above 0 (1 is the default)")
    H_bb = totals.H_bb + np.diag(penalty(len(totals.g_b), ridge))
    if not np.all(np.isfinite(H_bb)) or np.linalg.eigvalsh(H_bb)[0] <= 0.0:
        raise CheckFailed("the Hessian of the sealer's own columns is not positive definite; no training rows can give it")
    A = C.T @ block_t(totals.wx[:, 0], totals.n, completed(totals.pairs, totals.n, totals.bins, min_bin)) @ C
    return H_bb, totals.wx.T @ C, A


def slope(theta: FloatArray, totals: Totals, C: FloatArray, ridge: float) -> FloatArray:
    """Return the penalised gradient (p_b + d_x,) at `theta`, at which the totals were taken."""
    return np.concatenate((totals.g_b, C.T @ totals.r)) + penalty(len(theta), ridge) * theta


def step(theta: FloatArray, totals: Totals, C: FloatArray, ridge: float, min_bin: int, least: float = 0.0) -> Step:
    """Return the Newton point from `theta`, at which the totals were taken. Raises what `blocks` raises.

    Raises CheckFailed, too, where the whole Hessian is positive definite at no tau: no honest pair counts give that under a ridge.
    """
    H_bb, H_bt, A = blocks(totals, C, ridge, min_bin)
    covariance, tau = inverse(H_bb, H_bt, A, C.T @ blanked(totals.pairs, min_bin) @ C, ridge, least)
    return Step(theta - covariance @ slope(theta, totals, C, ridge), np.sqrt(np.diag(covariance)), covariance, tau)


def standard_errors(totals: Totals, C: FloatArray, H_tt: FloatArray, ridge: float, min_bin: int) -> tuple[FloatArray, float]:
    """Return (se, tau) at the point of the totals, with H_tt (d_x, d_x, not penalised) known better than by `block_t`."""
    H_bb = totals.H_bb + np.diag(penalty(len(totals.g_b), ridge))
    covariance, tau = inverse(H_bb, totals.wx.T @ C, H_tt, C.T @ blanked(totals.pairs, min_bin) @ C, ridge)
    return np.sqrt(np.diag(covariance)), tau


def inverse(
    H_bb: FloatArray, H_bt: FloatArray, A: FloatArray, N: FloatArray, ridge: float, least: float = 0.0
) -> tuple[FloatArray, float]:
    """Return the inverse of the penalised Hessian (p_b + d_x, p_b + d_x), and tau; takes what `safeguard` takes. Raises CheckFailed."""
    H_tt, tau = safeguard(H_bb, H_bt, A, N, ridge, least)
    H = np.block([[H_bb, H_bt], [H_bt.T, H_tt]])
    try:
        covariance = np.linalg.inv(H)
        np.linalg.cholesky(H)
    except np.linalg.LinAlgError:
        raise CheckFailed("the Hessian is not positive definite: the pair counts cannot be those of the rows that were summed") from None
    return (covariance + covariance.T) / 2.0, tau
