"""Sealed Newton, the side that holds rows, labels and the key. See the picture in `script`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tandem.arguments import Chance, Engine, Keep, keep_nothing
from tandem.contract import RIDGES
from tandem.crypto.opening import SecretKey
from tandem.describe import released
from tandem.describe.woe import Described
from tandem.errors import CheckFailed, Malformed
from tandem.score.open_weights import hear_scores
from tandem.score.sealer import read_scores
from tandem.score.statement import POINT, Scale
from tandem.session.session import Role
from tandem.sums.sealer import open_shares, say_key, seal_rows
from tandem.sums.shapes import hear, require_offered, require_rows
from tandem.sums.terms import COLUMN_BOUND, Integers, Reals, Terms
from tandem.train.pooled import acceptable, fit, penalised_loss, polish, sigma
from tandem.wire.messages import Crossed, Own, Polish, Release, Shapes, Statistics, Step, Wish


@dataclass(frozen=True)
class Choice:
    """Which variables the sealer wishes to keep; applied by the solver, unseen by the summer. 0 or nothing is no wish."""

    keep: tuple[str, ...] = ()
    min_iv: float = 0.0
    max_correlation: float = 0.0
    max_vif: float = 0.0
    monotone: bool = False


@dataclass(frozen=True)
class Rows:
    """The sealer's own rows: x (n, p) with the intercept first, y (n,), train (n,) True where a row trains.

    `places` (n,): the roster row of each, if others stand between them as cover; `roster`: how many rows it has, N. Cover is sealed as
    zeros in every slot, like any row that does not train, so no total knows of it; and every float is computed from own rows alone.
    """

    x: Reals = field(repr=False)
    y: NDArray[np.int64] = field(repr=False)
    train: NDArray[np.bool_] = field(repr=False)
    places: Integers | None = field(default=None, repr=False)
    roster: int = 0

    def __post_init__(self) -> None:
        if not np.all(np.abs(self.x) <= COLUMN_BOUND):
            raise CheckFailed(f"a column of the sealer's own goes beyond {COLUMN_BOUND:g}, or is not a number: code the columns again")

    @property
    def count(self) -> int:
        """Rows of the roster, N."""
        return len(self.y) if self.places is None else self.roster

    def among_cover(self, plain: Integers) -> Integers:
        """Return the roster's rows (N, slots) to seal: own rows in their places, zeros in all others."""
        if self.places is None or self.roster == len(self.y):
            return plain
        roster = np.zeros((self.roster, plain.shape[1]), dtype=plain.dtype)
        roster[self.places] = plain
        return roster

    def own(self, scores: Integers) -> Integers:
        """Return what the roster's scores (N,) say of own rows (n,); the cover's are dropped unread."""
        return scores if self.places is None else scores[self.places]


@dataclass(frozen=True)
class Progress:
    """What lies between two passes at the sealer. `failed` stays until the end: zeros are sealed in place of rows from then on."""

    theta: Reals = field(repr=False)
    scores: Reals = field(repr=False)
    loss: float
    ridge: float
    described: tuple[Described, ...] = ()
    accepted: tuple[bool, ...] = ()
    taus: tuple[float, ...] = ()
    failed: str = ""


@dataclass(frozen=True)
class Card:
    """What the sealer holds at the end: aliases, rounded coefficients, se (are they exact), points by bin, and each own row's points."""

    aliases: tuple[str, ...]
    theta: tuple[float, ...]
    se: tuple[float, ...]
    points: tuple[int, ...]
    table: bytes
    row_points: Integers = field(repr=False)
    failed: str = ""
    exact: bool = False


def begin(rows: Rows, ridge: float) -> Progress:
    """Fit the sealer's own columns alone, in the clear (damped): where sealed Newton starts. Raises InputError if they have no fit."""
    alone = fit(rows.x[rows.train], rows.y[rows.train], ridge)
    return Progress(alone.theta, np.zeros(len(rows.y)), alone.loss, ridge)


def describe(
    secret: SecretKey, rows: Rows, choice: Choice, terms: Terms, engine: Engine, chance: Chance, *, keep: Keep = keep_nothing
) -> Role[tuple[list[Described], str]]:
    """Play DESCRIBE; return the released statistics, and the check that failed at the solver, or nothing.

    Nothing is raised for it here: a session that ends before its closing would show the summer how the check went (T7).
    """
    m = rows.train.astype(np.float64)
    yield from say_key(secret, terms.contract)
    require_rows(require_offered(hear((yield Shapes))[0], terms.variables), int(rows.train.sum()))
    plain = terms.fixed(np.column_stack((m, m * rows.y)))
    yield from seal_rows(secret, terms.layout(secret.public, statistics_only=True), rows.among_cover(plain), engine, chance, keep)
    yield _wish(rows, choice)
    yield from open_shares(secret, engine)
    said: Statistics = yield Statistics
    return released.hear(said), said.failed


def train(
    secret: SecretKey, rows: Rows, progress: Progress, choice: Choice, terms: Terms, engine: Engine, chance: Chance, *, last: bool,
    keep: Keep = keep_nothing,
) -> Role[Progress]:
    """Play one pass of TRAIN from `progress`; return what lies after it. In the last pass the Newton point itself is the result."""
    p = sigma(rows.x @ progress.theta + progress.scores)
    w, r = p * (1.0 - p) * rows.train, (p - rows.y) * rows.train
    yield from say_key(secret, terms.contract)
    require_rows(require_offered(hear((yield Shapes))[0], terms.variables), int(rows.train.sum()), exact=terms.exact)
    plain = _sealable(rows, w, r, terms, failed=progress.failed)
    yield from seal_rows(secret, terms.layout(secret.public), rows.among_cover(plain), engine, chance, keep)
    yield _wish(rows, choice)
    yield _own(rows, w, r, terms.real(plain.sum(axis=0, keepdims=True))[0], progress)
    yield from open_shares(secret, engine)
    statistics: Statistics = yield Statistics
    step: Step = yield Step
    scale = Scale.training(terms.grain)
    u = scale.log_odds(rows.own((yield from _scores(secret, rows.count, scale, engine, open_weights=terms.open_weights))))
    failed = progress.failed or statistics.failed or step.failed
    if failed:
        yield Polish(accepted=False, scale=1.0, theta=_flat(progress.theta), newton=False)
        return replace(progress, failed=failed)
    after, said = _after(rows, progress, step, u, terms, last=last)
    # Scores are exact where totals are not: under noise what is said after them is the same whatever they are.
    yield said if terms.noise is None else Polish(accepted=True, scale=1.0, theta=step.theta, newton=True)
    return replace(after, described=progress.described or tuple(released.hear(statistics)))


def errors(
    secret: SecretKey, rows: Rows, progress: Progress, terms: Terms, engine: Engine, chance: Chance, *, keep: Keep = keep_nothing
) -> Role[None]:
    """Play ERRORS at the scores that `progress` ended with: rows once more, then their weights alone. Nothing is learnt here."""
    p = sigma(rows.x @ progress.theta + progress.scores)
    w, r = p * (1.0 - p) * rows.train, (p - rows.y) * rows.train
    yield from say_key(secret, terms.contract)
    require_rows(require_offered(hear((yield Shapes))[0], terms.variables), int(rows.train.sum()), exact=True)
    plain = _sealable(rows, w, r, terms, failed=progress.failed)
    yield from seal_rows(secret, terms.layout(secret.public), rows.among_cover(plain), engine, chance.fork("rows"), keep)
    yield _own(rows, w, r, terms.real(plain.sum(axis=0, keepdims=True))[0], progress)
    yield from open_shares(secret, engine)
    weights = rows.among_cover(plain[:, 2:3])
    yield from seal_rows(secret, terms.weight_layout(secret.public), weights, engine, chance.fork("weights"), keep)
    yield from open_shares(secret, engine, Crossed)


def card(secret: SecretKey, rows: Rows, terms: Terms, engine: Engine) -> Role[Card]:
    """Play CARD; return the release and the own rows' points, exact."""
    yield from say_key(secret, terms.contract)
    release: Release = yield Release
    scale = Scale.card(terms.card_step)
    points = scale.points(rows.own((yield from _scores(secret, rows.count, scale, engine, open_weights=terms.open_weights))))
    return Card(
        release.aliases, release.theta, release.se, release.points, release.table, points * terms.card_step, release.failed, release.exact
    )


def serve(secret: SecretKey, count: int, card_step: int, engine: Engine, *, open_weights: bool = False) -> Role[Integers]:
    """Play SERVE; return the points of each row of a new roster, exact."""
    scale = Scale.card(card_step)
    return scale.points((yield from _scores(secret, count, scale, engine, open_weights=open_weights))) * card_step


def _scores(secret: SecretKey, count: int, scale: Scale, engine: Engine, *, open_weights: bool) -> Role[Integers]:
    if open_weights:
        return (yield from hear_scores(count))
    return (yield from read_scores(secret, count, scale, engine))


def card_log_odds(x: Reals, theta: tuple[float, ...], row_points: Integers) -> Reals:
    """Return the log-odds that a card stands for: own columns x (N, p) by the released theta, plus the other side's points."""
    scores: Reals = x @ np.array(theta[: x.shape[1]]) + row_points * POINT
    return scores


def _after(rows: Rows, progress: Progress, step: Step, u: Reals, terms: Terms, *, last: bool) -> tuple[Progress, Polish]:
    """Polish, and accept the pass unless its penalised loss rose."""
    x, y = rows.x[rows.train], rows.y[rows.train]
    if len(step.theta) != x.shape[1] or step.square < 0.0:
        raise Malformed("a Newton point of other columns than were sealed, or of no length")
    if terms.chooses_ridge:
        progress = _under(rows, progress, step.ridge)
    elif step.ridge:
        raise Malformed("a ridge is told, and the contract gives it")
    polished = polish(x, u[rows.train], y, step.square, progress.ridge, terms.grain, np.array(step.theta))
    accepted = acceptable(polished.loss, progress.loss, polished.scatter)
    history = replace(progress, accepted=(*progress.accepted, accepted), taus=(*progress.taus, step.tau))
    if not accepted:
        return history, Polish(accepted=False, scale=1.0, theta=_flat(progress.theta), newton=False)
    newton = last and acceptable(_newton_loss(rows, progress.ridge, step, u, terms.grain), progress.loss, polished.scatter)
    after = replace(history, theta=polished.theta_b, scores=polished.scale * u, loss=polished.loss)
    return after, Polish(accepted=True, scale=polished.scale, theta=_flat(polished.theta_b), newton=newton)


def _under(rows: Rows, progress: Progress, ridge: float) -> Progress:
    """Return `progress` under the ridge that the solver chose. Raises Malformed for one that it may not choose, or that it chose anew."""
    if progress.accepted:
        if ridge != progress.ridge:
            raise Malformed(f"a ridge of {ridge:g}, and the first pass was told {progress.ridge:g}")
        return progress
    if ridge not in RIDGES:
        raise Malformed(f"a ridge of {ridge:g}, which is no power of two from {RIDGES[0]:g} to {RIDGES[-1]:g}")
    # Losses of two passes are compared under one ridge; there is no score yet.
    return replace(progress, ridge=ridge, loss=penalised_loss(rows.x[rows.train], rows.y[rows.train], progress.theta, ridge))


def _newton_loss(rows: Rows, ridge: float, step: Step, u: Reals, grain: float) -> float:
    """Return the penalised training loss of the Newton point itself, less what the dither adds."""
    x, y, theta = rows.x[rows.train], rows.y[rows.train], np.array(step.theta)
    p = sigma(x @ theta + u[rows.train])
    dither = 0.5 * grain**2 / 12.0 * float(np.sum(p * (1.0 - p)))
    return penalised_loss(x, y, theta, ridge, u[rows.train]) + 0.5 * ridge * step.square - dither


def _sealable(rows: Rows, w: Reals, r: Reals, terms: Terms, *, failed: str) -> Integers:
    """Return the rows to seal, in fixed point: zeros throughout once a check failed."""
    m = rows.train.astype(np.float64)
    plain = terms.fixed(np.column_stack((m, m * rows.y, w, r, w[:, None] * rows.x[:, 1:])))
    return np.zeros_like(plain) if failed else plain


def _own(rows: Rows, w: Reals, r: Reals, sealed: Reals, progress: Progress) -> Own:
    """Return the sealer's own block. What the bins also add up to, it gives as it was sealed, rounding and all: both must be equal."""
    hessian, gradient = (rows.x.T * w) @ rows.x, rows.x.T @ r
    hessian[0] = hessian[:, 0] = sealed[[2, *range(4, len(sealed))]]
    gradient[0] = sealed[3]
    return Own(_flat(hessian), _flat(gradient), _flat(progress.theta), progress.ridge)


def _wish(rows: Rows, choice: Choice) -> Wish:
    return Wish(
        int(rows.train.sum()), int(rows.y[rows.train].sum()),
        choice.keep, choice.min_iv, choice.max_correlation, choice.max_vif, choice.monotone,
    )


def _flat(values: Reals) -> tuple[float, ...]:
    return tuple(float(value) for value in np.ravel(values))
