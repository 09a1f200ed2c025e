"""Sealed Newton, the side that sees totals and solves. See the picture in `script`.

Every check that fails is told to the sealer and to this side's operator, never to the summer: it gets a table of sealed zeros and goes on.
So is a step played again with other content, whoever changed it (T7).
(Under open weights it gets the zeros themselves, and sees.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from tandem.arguments import Chance, Once, unkept
from tandem.crypto.paillier import PublicKey
from tandem.describe import released, selection
from tandem.describe.woe import Described, Rule, check_totals
from tandem.describe.woe import describe as describe_bins
from tandem.errors import CheckFailed, InputError, Malformed, OtherContent, RowAsSum
from tandem.score.open_weights import OpenTable, say_points
from tandem.score.solver import Drawn, Sign, draw_table, say_table
from tandem.score.statement import POINT, Here, Scale
from tandem.session.session import Role
from tandem.sums.noise import settled
from tandem.sums.shapes import hear, require_offered, require_rows
from tandem.sums.solver import answer_once, collect, cross, hear_sealed
from tandem.sums.summer import take_key
from tandem.sums.terms import WEIGHT_BOUND, Integers, Reals, Terms
from tandem.tables import Outline
from tandem.train import noised
from tandem.train.exact import MOST_HIDDEN, UNIT, Told, balance, block, check_balance, check_range, crossings
from tandem.train.newton import Step as Newton
from tandem.train.newton import Totals, coding, shorter, standard_errors, step
from tandem.train.pairs import IntArray, told
from tandem.train.ridge import choose
from tandem.wire.messages import Own, Pairs, Polish, Release, Shapes, Step, Wish

ROUNDING = 0.05
"""Released coefficients are rounded to this share of a standard error: at full precision one theta carries chosen rows' codes (S3)."""
LEAST_WEIGHT = 2.0
"""A released group of bins whose total weight p(1-p) is below this ends the study: a few rows would decide its coefficient (S4)."""


@dataclass(frozen=True)
class Known:
    """What lies between two passes at the solver: released statistics, the coding in use, coefficients, and the first pass's counts."""

    described: tuple[Described, ...] = ()
    kept: tuple[int, ...] = ()
    theta_b: Reals = field(default_factory=lambda: np.zeros(0), repr=False)
    theta_t: Reals = field(default_factory=lambda: np.zeros(0), repr=False)
    newton: Newton | None = None
    accepted: Newton | None = None
    """The newest Newton point, and the newest that the sealer accepted."""
    counts: Integers | None = field(default=None, repr=False)
    ridge: float = 1.0
    final: tuple[float, ...] = field(default=(), repr=False)
    bins: tuple[int, ...] = ()
    least_tau: float = 0.0
    """Of the safeguard: raised after a refused pass."""
    errors: Reals | None = field(default=None, repr=False)
    exact: bool = False
    """Standard errors from sealed totals of pairs, where there are any, and whether they may be called exact."""
    failed: str = ""


@dataclass(frozen=True)
class Table:
    """What the summer told about its variables: outlines, roster counts by bin, pair counts (M, M)."""

    outlines: list[Outline]
    counts: list[Integers]
    pairs: IntArray

    @property
    def bins(self) -> tuple[int, ...]:
        """Bins of each variable."""
        return tuple(o.bins for o in self.outlines)

    def behind(self, terms: Terms) -> Integers:
        """Return the most rows that each bin's total can be of (M,): the whole roster where noise is on the counts as well."""
        counts = np.concatenate(self.counts)
        return counts if terms.noise is None else np.full_like(counts, self.counts[0].sum())


def describe(rows: int, terms: Terms, once: Once = unkept) -> Role[str]:
    """Play DESCRIBE for a roster of `rows`; return the check that failed, or nothing.

    `once` is asked about totals and wish before anything of them is told: other labels in another attempt are another look.
    """
    key = yield from take_key(terms.contract, terms.key_bits)
    table = yield from _hear_table(rows, terms)
    wish: Wish = yield Wish
    layout = terms.layout(key, statistics_only=True)
    plain = yield from collect(key, sum(table.bins) * layout.ciphertexts)
    try:
        found = answer_once(layout, plain, table.behind(terms), once, wish)
        described, _ = _chosen(table, found, wish, terms)
    except (RowAsSum, CheckFailed, OtherContent, InputError) as error:
        yield released.tell([], failed=str(error))
        return str(error)
    yield released.tell(described)
    return ""


def train(known: Known, here: Here, rows: int, terms: Terms, sign: Sign, kept: Chance, once: Once = unkept) -> Role[Known]:
    """Play one pass of TRAIN from `known`; return what lies after it. `once` is asked about totals, wish and own block: see `describe`."""
    key = yield from take_key(terms.contract, terms.key_bits)
    table = yield from _hear_table(rows, terms)
    wish: Wish = yield Wish
    own: Own = yield Own
    layout = terms.layout(key)
    plain = yield from collect(key, sum(table.bins) * layout.ciphertexts)
    points = np.zeros(sum(table.bins), dtype=np.int64)
    try:
        if known.failed:
            raise CheckFailed(known.failed)  # noqa: TRY301 - a study that failed goes on failing
        found = answer_once(layout, plain, table.behind(terms), once, wish, own)
        known = _solve(known, table, found, wish, own, terms)
        newton = _newton(known)
        theta_t = newton.theta[len(known.theta_b) :]
        points = Scale.training(terms.grain).integers(_by_bin(known, theta_t), table.bins)
        yield released.tell(list(known.described))
        yield _step(newton, len(known.theta_b), known.ridge if terms.chooses_ridge else 0.0)
    except (RowAsSum, CheckFailed, OtherContent, InputError) as error:
        known = replace(known, failed=str(error), bins=table.bins)
        yield released.tell([], failed=known.failed)
        yield Step(known.failed, 0.0, 0.0, (), 0.0)
    yield from _say(key, _table(key, points, here, kept, terms), here, sign)
    polish: Polish = yield Polish
    return known if known.failed else _polished(known, polish)


def errors(known: Known, rows: int, terms: Terms, chance: Chance, once: Once = unkept) -> Role[Known]:
    """Play ERRORS from `known`; return it with standard errors from sealed totals of pairs, or with the check that failed.

    `once` is asked about totals and own block: see `describe`.
    """
    key = yield from take_key(terms.contract, terms.key_bits)
    table = yield from _hear_table(rows, terms)
    own: Own = yield Own
    layout = terms.layout(key)
    plain = yield from collect(key, sum(table.bins) * layout.ciphertexts)
    shown = Told(table.bins, np.concatenate(table.counts), table.pairs, terms.min_bin)
    sealed = yield from hear_sealed(key, int(told(table.pairs, table.bins).sum()))
    try:
        if known.failed:
            raise CheckFailed(known.failed)  # noqa: TRY301 - a study that failed goes on failing
        found = answer_once(layout, plain, shown.n, once, own)
        at = _totals(known, table, found, own, terms)
        asked = crossings(shown, [one.values for one in known.described], known.kept, at.wx[:, 0])
        check, weights = balance(shown, chance.fork("balance"))
        first, *answers = yield from cross(sealed, [check, *(one for one, _ in asked)], chance.fork("masks"))
        check_balance(first, weights, found[:, 2].tolist())
        for answer, (one, _) in zip(answers, asked, strict=True):
            check_range(shown, one, answer, terms.largest)
        parts = [answer / UNIT / terms.scales[2] + rest for answer, (_, rest) in zip(answers, asked, strict=True)]
        return _with_errors(known, shown, at, parts)
    except (RowAsSum, CheckFailed, OtherContent, InputError) as error:
        return replace(known, failed=str(error))


def card(known: Known, here: Here, terms: Terms, sign: Sign, kept: Chance) -> Role[Known]:
    """Play CARD: release rounded coefficients, seal the card's points."""
    key = yield from take_key(terms.contract, terms.key_bits)
    points = np.zeros(sum(known.bins), dtype=np.int64)
    try:
        if known.failed:
            raise CheckFailed(known.failed)  # noqa: TRY301 - a study that failed goes on failing
        steps, theta = _card_points(known, terms)
        points = Scale.card(terms.card_step).integers(steps * (terms.card_step * POINT), known.bins)
        table = _table(key, points, here, kept, terms)
        yield _release(known, theta, steps, table)
    except CheckFailed as error:
        known = replace(known, failed=str(error))
        table = _table(key, points, here, kept, terms)
        yield Release(known.failed, (), (), (), (), b"", exact=False)
    yield from _say(key, table, here, sign)
    return known


def _table(key: PublicKey, points: Integers, here: Here, kept: Chance, terms: Terms) -> Drawn | OpenTable:
    return OpenTable(points) if terms.open_weights else draw_table(key, points, here, kept)


def _say(key: PublicKey, table: Drawn | OpenTable, here: Here, sign: Sign) -> Role[None]:
    if isinstance(table, OpenTable):
        yield from say_points(table, here, sign)
    else:
        yield from say_table(key, table, here, sign)


def _hear_table(rows: int, terms: Terms) -> Role[Table]:
    said: Shapes = yield Shapes
    outlines, counts = hear(said, rows=rows)
    require_offered(outlines, terms.variables)
    size = sum(o.bins for o in outlines)
    upper: list[int] = []
    while part := (yield Pairs):
        upper += part.counts
        if len(upper) > size * (size + 1) // 2:
            break
    if len(upper) != size * (size + 1) // 2:
        raise Malformed("pair counts that do not come one for each pair of bins")
    if max(upper) > rows * len(outlines):  # blanking adds to a diagonal cell at most its bin's rows for each other variable
        raise Malformed("a pair of bins meets in more rows than the roster has")
    pairs = np.zeros((size, size), dtype=np.int64)
    pairs[np.triu_indices(size)] = upper
    pairs = np.triu(pairs) + np.triu(pairs, 1).T
    return Table(outlines, counts, pairs)


def _chosen(table: Table, found: Integers, wish: Wish, terms: Terms) -> tuple[list[Described], tuple[int, ...]]:
    """Check the counts, withhold small groups, apply the sealer's wish; return all variables, and which of them are kept."""
    ends = np.cumsum(table.bins)[:-1]
    counts, bads = np.split(found[:, 0], ends), np.split(found[:, 1], ends)
    rule = Rule(terms.min_bin, terms.min_class, wish.monotone)
    held = [c.tolist() for c in np.split(table.behind(terms), ends)]
    if terms.noise is not None:
        told_counts, told_bads = [c.tolist() for c in counts], [b.tolist() for b in bads]
        check_totals(table.outlines, told_counts, told_bads, held, wish.rows, wish.events, terms.spare)
        counts = [settled(c, wish.rows) for c in counts]
        bads = [settled(b, wish.events, c) for b, c in zip(bads, counts, strict=True)]
    described = describe_bins(
        table.outlines, [c.tolist() for c in counts], [b.tolist() for b in bads], held, wish.rows, wish.events, rule
    )
    chosen = selection.choose(
        selection.Wish(wish.keep or None, wish.min_iv or None, wish.max_correlation or None, wish.max_vif or None),
        described, [c.tolist() for c in table.counts], table.pairs,
    )
    described = [replace(one, reason=chosen.dropped.get(one.alias, "")) for one in described]
    return described, tuple(j for j, one in enumerate(described) if not one.reason)


def _solve(known: Known, table: Table, found: Integers, wish: Wish, own: Own, terms: Terms) -> Known:
    """Check the totals against each other and take one Newton step. Raises RowAsSum, CheckFailed, InputError."""
    require_rows(table.outlines, wish.rows, exact=terms.exact)
    if not known.described:
        described, kept = _chosen(table, found, wish, terms)
        if not kept:
            raise CheckFailed("no variable of the other side is left after small bins were merged and the choice applied: relax the choice")
        known = replace(known, described=tuple(described), kept=kept, counts=found[:, :2], theta_t=np.zeros(len(kept)))
    here = _totals(known, table, found, own, terms)
    C = coding([one.values for one in known.described])[:, list(known.kept)]
    theta_b = np.array(own.theta)
    theta = np.concatenate((theta_b, known.theta_t))
    _check_ridge(known, own, terms)
    if terms.noise is not None:
        newton = noised.step(theta, here, C, own.ridge, terms.min_bin, terms.noise)
        return replace(known, theta_b=theta_b, newton=newton, ridge=own.ridge, bins=table.bins)
    newton, ridge = step(theta, here, C, own.ridge, terms.min_bin, known.least_tau), own.ridge
    if terms.chooses_ridge and known.newton is None:
        ridge = choose(newton, own.ridge)
        newton = step(theta, here, C, ridge, terms.min_bin)
    elif terms.chooses_ridge and ridge != known.ridge:
        raise CheckFailed(f"the sealer trains under a ridge of {ridge:g}; {known.ridge:g} was chosen in the first pass")
    return replace(known, theta_b=theta_b, newton=newton, ridge=ridge, bins=table.bins)


def _check_ridge(known: Known, own: Own, terms: Terms) -> None:
    """Check that passes are under the contract's ridge, or begin with it: under a large one totals show through theta one by one (S3)."""
    if terms.ridge and (known.newton is None or not terms.chooses_ridge) and own.ridge != terms.ridge:
        raise CheckFailed(f"the sealer trains under a ridge of {own.ridge:g}; the contract says {terms.ridge:g}")


def _totals(known: Known, table: Table, found: Integers, own: Own, terms: Terms) -> Totals:
    """Check the totals of a pass against the sealer's own and those of the first pass. Raises RowAsSum, CheckFailed."""
    p = terms.columns + 1
    if (len(own.hessian), len(own.gradient), len(own.theta)) != (p * p, p, p):
        raise CheckFailed(f"the sealer's own block is not of the {p} columns that the contract names")
    if known.counts is None or not np.array_equal(known.counts, found[:, :2]):
        raise RowAsSum("training rows or labels by bin are not those of the first pass")
    hessian = np.array(own.hessian).reshape(p, p)
    real = terms.real(found)
    _check_weights(table, real, hessian, np.array(own.gradient), found, terms)
    if terms.noise is None:  # noise hides any few rows, and may itself leave a group next to nothing
        _check_groups(known, table, real[:, 2])
    wx, roster = real[:, [2, *range(4, real.shape[1])]], np.concatenate(table.counts)
    return Totals(hessian, np.array(own.gradient), wx, real[:, 3], roster, table.pairs, table.bins)


def _with_errors(known: Known, shown: Told, at: Totals, answers: list[float]) -> Known:
    """Return `known` with the errors at these totals; called exact where nothing had to be estimated that weighs."""
    values = [one.values for one in known.described]
    C = coding(values)[:, list(known.kept)]
    H_tt = block(shown, values, known.kept, at.wx[:, 0], answers)
    se, tau = standard_errors(at, C, H_tt, known.ridge, shown.min_bin)
    return replace(known, errors=se, exact=tau == 0.0 and shown.hidden(known.kept) <= MOST_HIDDEN)


def _check_weights(table: Table, real: Reals, hessian: Reals, gradient: Reals, found: Integers, terms: Terms) -> None:
    """Check weights and residuals by bin: mean weight at most 1/4, each variable's bins add up to the sealer's own totals (S4, T6).

    Totals are whole numbers of fixed point on both sides, so they must be equal: one row doubled and one dropped show whatever N is.
    """
    w, r, count = real[:, 2], real[:, 3], found[:, 0] + 2.0 * terms.spare
    slack = 0.5 / terms.scales[2]
    columns = [2, *range(4, real.shape[1]), 3]
    own = np.rint(np.concatenate((hessian[0], gradient[:1])) * terms.scales[columns])
    at = 0
    for outline in table.outlines:
        part = slice(at, at + outline.bins)
        at += outline.bins
        low, high = -terms.spare, count[part] * (WEIGHT_BOUND + slack)
        if np.any(w[part] < low) or np.any(w[part] > high) or np.any(np.abs(r[part]) > count[part]):
            raise RowAsSum(f"variable {outline.alias}: a bin's weight or residual is more than its training rows can have")
        if not np.array_equal(own, found[part][:, columns].sum(axis=0)):
            raise RowAsSum(f"variable {outline.alias}: its bins do not add up to the totals of the sealer's own rows")


def _check_groups(known: Known, table: Table, w: Reals) -> None:
    """Check that no group that moves a coefficient hangs on the weight of a few rows (S4): a theta would then carry their codes."""
    for one, part in zip(known.described, np.split(w, np.cumsum(table.bins)[:-1]), strict=True):
        group = np.array(one.group)
        if not one.reason and any(part[group == at].sum() < LEAST_WEIGHT for at in range(len(one.counts))):
            text = f"variable {one.alias}: the rows of a released group weigh less than {LEAST_WEIGHT:g} together"
            raise CheckFailed(f"{text}: ask who sealed them, or leave the variable out")


def _newton(known: Known) -> Newton:
    if known.newton is None:
        raise CheckFailed("no pass has been solved yet")
    return known.newton


def _polished(known: Known, polish: Polish) -> Known:
    """Take the sealer's polish in: the new point, the old one, or, at the end, the Newton point itself."""
    newton, p = _newton(known), len(known.theta_b)
    if not polish.accepted:
        # The errors released are those of the last pass that counted: a refused one may have leaned on the safeguard.
        old = (*known.theta_b.tolist(), *known.theta_t.tolist())
        return replace(known, newton=known.accepted or newton, final=old, least_tau=shorter(newton.tau))
    if len(polish.theta) != p:
        raise Malformed("a polish of other columns than the pass had")
    theta_b, theta_t = np.array(polish.theta), polish.scale * newton.theta[p:]
    final = newton.theta if polish.newton else np.concatenate((theta_b, theta_t))
    return replace(known, theta_b=theta_b, theta_t=theta_t, accepted=newton, final=tuple(final.tolist()))


def _by_bin(known: Known, theta_t: Reals) -> Reals:
    """Return the log-odds of every bin of every variable, in line: theta * WoE, 0 for variables left out."""
    parts = [np.zeros(len(one.group)) for one in known.described]
    for theta, j in zip(theta_t, known.kept, strict=True):
        parts[j] = theta * known.described[j].values
    return np.concatenate(parts)


def _card_points(known: Known, terms: Terms) -> tuple[Reals, Reals]:
    """Return the card's points of every bin in units of card_step, and the rounded coefficients that they come from."""
    theta = _rounded(np.array(known.final), _errors(known))
    steps: Reals = np.round(_by_bin(known, theta[len(known.theta_b) :]) / (POINT * terms.card_step))
    return steps, theta


def _step(newton: Newton, columns: int, ridge: float) -> Step:
    """Return what the sealer is told of a Newton point: its own coefficients and the length of the others', all as they are released."""
    theta = _rounded(newton.theta, newton.se)
    return Step("", float(theta[columns:] @ theta[columns:]), newton.tau, tuple(theta[:columns].tolist()), ridge)


def _rounded(theta: Reals, se: Reals) -> Reals:
    """Return coefficients as the sealer may read them (S3): multiples of a share of the error that it is told, not of the exact one."""
    unit = ROUNDING * _three_digits(se)
    rounded: Reals = np.round(theta / unit) * unit
    return rounded


def _three_digits(se: Reals) -> Reals:
    return np.array([float(f"{value:.3g}") for value in se])


def _release(known: Known, theta: Reals, steps: Reals, table: Drawn | OpenTable) -> Release:
    se = tuple(_three_digits(_errors(known)).tolist())
    aliases = tuple(known.described[j].alias for j in known.kept)
    return Release("", aliases, tuple(theta.tolist()), se, tuple(int(step) for step in steps), table.digest, known.exact)


def _errors(known: Known) -> Reals:
    return _newton(known).se if known.errors is None else known.errors
