"""Logistic regression in the clear: the fit a party makes alone, the pooled fit, and sealed Newton acted out without seals.

Everywhere: loss = -log-likelihood + 1/2 sum_j ridge_j theta_j^2, X has its intercept in column 0, and the intercept has no ridge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.arguments import Chance
from tandem.contract import FIRST_RIDGE
from tandem.errors import InputError
from tandem.sums.pairs import places
from tandem.train.exact import UNIT, Told, block, crossings
from tandem.train.newton import FloatArray, Totals, coding, penalty, shorter, standard_errors, step
from tandem.train.pairs import blanked, pair_counts, starts, told
from tandem.train.ridge import choose

TOLERANCE = 1e-10
"""A fit has converged when g' H^-1 g is below this: a further step would move no coefficient by more than 1e-5 standard errors."""

LEAST_INFORMATION = 1e-8
"""Least eigenvalue of H, columns scaled to root mean square 1, at a finite answer; one separated row carries sigma'(score) at most."""

MOST_STEPS = 100
"""Damped Newton on a concave likelihood needs about ten; one that needs a hundred has no finite answer."""

NO_ANSWER = "the fit has no finite answer: columns repeat each other or the labels separate; set a ridge above 0 or drop columns"

LOSS_SLACK = 0.001
"""A pass may raise the loss by this share and is still accepted (protocols, section 4)."""
SCATTERS = 3.0
"""... or by this many standard deviations of the difference that two dithers make: near the optimum that is more than a thousandth."""


@dataclass(frozen=True)
class Fit:
    """theta, se (p,), covariance (p, p) = inverse of the penalised Hessian, penalised loss in nats, and the steps it took."""

    theta: FloatArray
    covariance: FloatArray
    se: FloatArray
    loss: float
    iterations: int


def sigma(scores: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-score)) without overflow."""
    small = np.exp(-np.abs(scores))
    return np.where(scores >= 0.0, 1.0, small) / (1.0 + small)


def penalised_loss(
    X: FloatArray, y: NDArray[np.generic], theta: FloatArray, ridge: float | FloatArray, offset: FloatArray | None = None
) -> float:
    """Return the penalised loss in nats at theta (p,): X (N, p), y (N,) of 0 and 1, ridge one number or one a column.

    -log p(y) = log(1 + exp(score)) - y * score, by logaddexp, so scores of any size stay finite.
    """
    scores = X @ theta if offset is None else X @ theta + offset
    return float(np.sum(np.logaddexp(0.0, scores) - y.astype(np.float64) * scores)) + 0.5 * float(np.sum(_weights(theta, ridge) * theta**2))


def fit(
    X: FloatArray,
    y: NDArray[np.generic],
    ridge: float | FloatArray = 1.0,
    start: FloatArray | None = None,
    offset: FloatArray | None = None,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Fit by damped Newton: full steps, halved until the loss falls. X (N, p), y (N,) of 0 and 1, offset (N,) added to the scores.

    `ridge` is one number (the intercept is spared) or one a column, taken as it stands. Under a ridge above 0 separable data
    have a finite answer; without one they raise InputError, as do labels of one class, numbers that are not finite, repeated
    columns without a ridge, and shapes that do not fit.
    """
    y = _checked(X, y, offset)
    added = np.zeros(len(y)) if offset is None else offset
    theta = np.zeros(X.shape[1]) if start is None else np.array(start, dtype=np.float64)
    weights = _weights(theta, ridge)
    loss = penalised_loss(X, y, theta, weights, added)
    for count in range(1, MOST_STEPS + 1):
        p = sigma(X @ theta + added)
        H = (X.T * (p * (1.0 - p))) @ X + np.diag(weights)
        g = X.T @ (p - y) + weights * theta
        try:
            root = np.linalg.cholesky(H)
        except np.linalg.LinAlgError as error:
            raise InputError(NO_ANSWER) from error
        way = np.linalg.solve(root.T, np.linalg.solve(root, g))
        decrement = float(g @ way)
        if decrement < tolerance:
            size = np.sqrt(np.mean(X * X, axis=0))
            scale = np.where(size > 0.0, size, 1.0)
            if np.linalg.eigvalsh(H / np.outer(scale, scale))[0] < LEAST_INFORMATION:
                raise InputError(NO_ANSWER)
            inverse = np.linalg.inv(root)
            covariance = inverse.T @ inverse
            return Fit(theta, covariance, np.sqrt(np.diag(covariance)), loss, count)
        theta, loss = _shortened(X, y, theta, way, weights, added, loss)
    raise InputError(
        f"the fit did not converge in {MOST_STEPS} steps; the labels may separate: raise the ridge (1 is the default) or drop columns"
    )


@dataclass(frozen=True)
class Polish:
    """The b side's fit on (x_b, u): theta_b (p_b,), scale of u, scores (N,); penalised loss less what the dither is expected to add.

    scatter: standard deviation that the dither gives that loss.
    """

    theta_b: FloatArray
    scale: float
    loss: float
    scores: FloatArray
    scatter: float


def polish(
    x_b: FloatArray, u: FloatArray, y: NDArray[np.generic], norm_t: float, ridge: float, grain: float, start: FloatArray | None = None
) -> Polish:
    """Fit y on (x_b, u), training rows only: x_b (N, p_b) with the intercept, u (N,) the newest dithered scores.

    `norm_t` = |theta_t|^2 of the solver's step puts the scale under the ridge that it stands for: ridge * scale^2 * |theta_t|^2
    (without it the fixed point is wrong, protocol review 1.7). A dither of width `grain` in log-odds adds 1/2 * grain^2/12 * sum w
    to the expected loss. norm_t = 0 means that u is dither alone: its scale stays 1, and only x_b is fitted.
    """
    p_b = x_b.shape[1]
    if norm_t == 0.0:
        alone = fit(x_b, y, ridge, start)
        theta = np.append(alone.theta, 0.0)
        loss = alone.loss
    else:
        both = np.column_stack((x_b, u))
        weights = np.append(penalty(p_b, ridge), ridge * norm_t)
        found = fit(both, y, weights, None if start is None else np.append(start, 1.0))
        theta, loss = found.theta, found.loss
    scores = x_b @ theta[:p_b] + theta[p_b] * u
    p = sigma(scores)
    expected = 0.5 * grain**2 / 12.0 * float(np.sum(p * (1.0 - p))) if norm_t else 0.0
    scatter = scattering(p, y, grain * float(theta[p_b]))
    return Polish(theta[:p_b], float(theta[p_b]) if norm_t else 1.0, loss - expected, scores, scatter)


def scattering(p: FloatArray, y: NDArray[np.generic], grain: float) -> float:
    """Return the standard deviation that a dither of width `grain` gives the loss: each row's noise moves it by p - y times that noise."""
    residual = p - y.astype(np.float64)
    return abs(grain) / float(np.sqrt(12.0)) * float(np.sqrt(np.sum(residual**2)))


def acceptable(loss: float, last: float, scatter: float = 0.0) -> bool:
    """Say whether a pass of `loss` may follow one of `last`, both less their dither, each with that standard deviation of its own."""
    return loss <= last + max(last * LOSS_SLACK, SCATTERS * float(np.sqrt(2.0)) * scatter)


@dataclass(frozen=True)
class Pass:
    """One pass of sealed Newton: the solver's Newton point (theta, se; not polished), tau, the polished loss, and what the b side did.

    scores (N,): where the b side stands after it. ridge: under which it was played.
    """

    theta: FloatArray
    se: FloatArray
    tau: float
    scale: float
    loss: float
    accepted: bool
    scores: FloatArray
    ridge: float


def simulate(
    x_b: FloatArray,
    codes_t: NDArray[np.integer],
    woe: Sequence[FloatArray],
    y: NDArray[np.generic],
    train: NDArray[np.bool_],
    *,
    passes: int,
    grain: float,
    min_bin: int,
    ridge: float | None,
    chance: Chance,
    beside: FloatArray | None = None,
) -> list[Pass]:
    """Act out sealed Newton in the clear, protocols section 4 line by line; only the rounding to fixed point is left out.

    Roster rows N: x_b (N, p_b) with the intercept, codes_t (N, d), woe one array of bin values a variable, y (N,), train (N,).
    Rows outside `train` have w = r = 0 and count only in the pair counts. Without a `ridge` the first pass chooses it. The model is
    the last pass's theta.

    `beside` (N,): log-odds by which the first pass starts beside the b side's own fit, as sealed Newton itself does not (decision 46).
    The solver knows nothing of them: it is told r - w * beside, and goes on from theta_t = 0 to where the pass led all the same.
    """
    bins = [len(values) for values in woe]
    C = coding(woe)
    pairs = pair_counts(codes_t, bins)
    line = codes_t.astype(np.int64) + starts(bins)[:-1]
    x_t = np.column_stack([values[codes_t[:, j]] for j, values in enumerate(woe)])
    p_b, label = x_b.shape[1], y.astype(np.float64)
    chosen = float(FIRST_RIDGE) if ridge is None else ridge
    alone = fit(x_b[train], label[train], chosen)
    theta_b, theta_t, loss = alone.theta, np.zeros(C.shape[1]), alone.loss
    offset = np.zeros(len(y)) if beside is None else beside
    scores = x_b @ theta_b + offset
    history: list[Pass] = []
    least = 0.0
    for number in range(passes):
        p = sigma(scores)
        w = train * p * (1.0 - p)
        r = train * (p - label) - w * (0.0 if number else offset)
        totals = Totals(
            H_bb=(x_b.T * w) @ x_b,
            g_b=x_b.T @ r,
            wx=np.column_stack([_by_bin(line, w * x_b[:, j], len(C)) for j in range(p_b)]),
            r=_by_bin(line, r, len(C)),
            n=np.diag(pairs).copy(),
            pairs=pairs,
            bins=tuple(len(values) for values in woe),
        )
        point = step(np.concatenate((theta_b, theta_t)), totals, C, chosen, min_bin, least)
        if ridge is None and number == 0:
            chosen = choose(point, chosen)
            point = step(np.concatenate((theta_b, theta_t)), totals, C, chosen, min_bin)
            loss = penalised_loss(x_b[train], label[train], theta_b, chosen)
        newest = point.theta[p_b:]
        u = x_t @ newest + grain * (uniform(chance.fork("dither", number), len(y)) - 0.5)
        polished = polish(x_b[train], u[train], label[train], float(newest @ newest), chosen, grain, point.theta[:p_b])
        accepted = acceptable(polished.loss, loss, polished.scatter)
        if accepted:
            theta_b, theta_t, loss = polished.theta_b, polished.scale * newest, polished.loss
            scores = x_b @ theta_b + polished.scale * u
        else:
            least = shorter(point.tau)
        history.append(Pass(point.theta, point.se, point.tau, polished.scale, polished.loss, accepted, scores, chosen))
    return history


def exact_errors(
    x_b: FloatArray, codes_t: NDArray[np.integer], woe: Sequence[FloatArray], w: FloatArray, *, min_bin: int, ridge: float
) -> tuple[FloatArray, float]:
    """Act out the session for exact standard errors in the clear; return (se, tau). w (N,): p(1-p) at the final scores, 0 off training.

    The rest as in `simulate`. Only the rounding to fixed point is left out.
    """
    bins = tuple(len(values) for values in woe)
    C, pairs, every = coding(woe), pair_counts(codes_t, bins), range(len(woe))
    line = codes_t.astype(np.int64) + starts(bins)[:-1]
    wx = np.column_stack([_by_bin(line, w * x_b[:, j], len(C)) for j in range(x_b.shape[1])])
    shown = Told(bins, np.diag(pairs).copy(), blanked(pairs, min_bin), min_bin)
    sums = np.zeros(len(C) ** 2)
    for j in every:
        for k in every[j:]:
            sums += np.bincount(line[:, j] * len(C) + line[:, k], w, len(sums))
    cells = sums.reshape(len(C), -1)[tuple(places(bins))][told(shown.pairs, bins)]
    answers = [float(one.weights @ cells[one.cells]) / UNIT + rest for one, rest in crossings(shown, woe, every, wx[:, 0])]
    H_bb = (x_b.T * w) @ x_b
    at = Totals(H_bb, np.zeros(len(H_bb)), wx, np.zeros(len(C)), shown.n, shown.pairs, bins)
    return standard_errors(at, C, block(shown, woe, every, wx[:, 0], answers), ridge, min_bin)


def _weights(theta: FloatArray, ridge: float | FloatArray) -> FloatArray:
    return ridge if isinstance(ridge, np.ndarray) else penalty(len(theta), ridge)


def _checked(X: FloatArray, y: NDArray[np.generic], offset: FloatArray | None) -> FloatArray:
    if X.ndim != 2 or y.shape != (len(X),) or (offset is not None and offset.shape != y.shape):
        raise InputError(f"the table has shape {X.shape} and the labels {y.shape}; they must be (rows, columns) and (rows,)")
    label = y.astype(np.float64)
    if not np.all(np.isfinite(X)) or (offset is not None and not np.all(np.isfinite(offset))):
        raise InputError(f"row {int(np.argmin(np.isfinite(X).all(axis=1)))} holds a number that is not finite; give missing values a bin")
    if not np.all((label == 0.0) | (label == 1.0)):
        raise InputError("a label is neither 0 nor 1; cast the labels first")
    if not 0.0 < label.sum() < len(label):
        raise InputError(f"all {len(label)} training labels are of one class; there is nothing to learn from them")
    return label


def _shortened(
    X: FloatArray, y: FloatArray, theta: FloatArray, way: FloatArray, weights: FloatArray, offset: FloatArray, loss: float
) -> tuple[FloatArray, float]:
    """Return the first of theta - way, theta - way/2, ... whose loss is no higher; rounding may hide a fall at the very end."""
    length = 1.0
    for _ in range(40):
        there = theta - length * way
        new = penalised_loss(X, y, there, weights, offset)
        if new <= loss + 1e-12 * abs(loss):
            return there, new
        length /= 2.0
    return theta, loss


def _by_bin(line: NDArray[np.int64], values: FloatArray, size: int) -> FloatArray:
    """Return the totals of `values` (N,) in each bin, every variable's bins in line (size,)."""
    totals: FloatArray = np.bincount(line.ravel(), np.repeat(values, line.shape[1]), minlength=size).astype(np.float64)
    return totals


def uniform(chance: Chance, count: int) -> FloatArray:
    """Return `count` numbers uniform in [0, 1), 53 bits each."""
    return (np.frombuffer(chance.draw(8 * count), dtype="<u8") >> 11).astype(np.float64) * 2.0**-53
