"""Choice of variables: the label owner's wish, carried out by the solver on totals and pair counts alone.

A dropped variable is still summed: who holds it cannot tell. Correlations are between WoE codes over the rows that the pair counts cover
(the whole roster), so they need no pass of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tandem.describe.woe import Described
from tandem.errors import InputError
from tandem.tables import Floats

USELESS_IV = 0.02
"""Below this a variable is called useless (Siddiqi, Credit Risk Scorecards, 2006)."""
USUAL_CORRELATION = 0.7
"""Above this the variable of lower IV is usually left out (ecosystem.md section 6, a habit of risk teams)."""
USUAL_VIF = 10.0
"""Above this a variable is usually called collinear (Marquardt 1970)."""
SMALLEST_EIGENVALUE = 1e-9
"""A correlation matrix with blanked pair cells may fall short of semidefinite by a little: its eigenvalues are lifted to this."""


@dataclass(frozen=True)
class Wish:
    """What the label's owner wants left out. None is no wish: everything that can be spoken of stays, and the ridge does the rest.

    `keep`: aliases to choose from. `min_iv`: variables below it go. `max_correlation`: of a pair beyond it, the one of lower IV goes.
    `max_vif`: the variable of the largest variance inflation goes, again and again until none is beyond it.
    """

    keep: tuple[str, ...] | None = None
    min_iv: float | None = None
    max_correlation: float | None = None
    max_vif: float | None = None

    def __post_init__(self) -> None:
        if self.min_iv is not None and not self.min_iv >= 0:
            raise InputError(f"min_iv = {self.min_iv}: an IV is not negative; {USELESS_IV} is usual")
        if self.max_correlation is not None and not 0 < self.max_correlation <= 1:
            raise InputError(f"max_correlation = {self.max_correlation}: it must lie in (0, 1]; {USUAL_CORRELATION} is usual")
        if self.max_vif is not None and not self.max_vif >= 1:
            raise InputError(f"max_vif = {self.max_vif}: a variance inflation is at least 1; {USUAL_VIF:g} is usual")


@dataclass(frozen=True)
class Choice:
    """Aliases in use, in the contract's order, and the reason for each alias that is not."""

    kept: tuple[str, ...]
    dropped: dict[str, str] = field(default_factory=dict)


def correlation(counts: Sequence[Sequence[int]], pairs: NDArray[np.int64], values: Sequence[Floats]) -> Floats:
    """Return the correlation (d, d) of d variables coded by `values` (one number a bin), from counts alone.

    `counts`: rows of each bin, by variable. `pairs`: (S, S), S bins of all variables in order; the cell of bins a, b of two variables holds
    the rows that are in both. Blocks on the diagonal are not read. A blanked cell counts as if its rows lay at the means; a variable
    without variance correlates with nothing.
    """
    d = len(values)
    starts = np.concatenate(([0], np.cumsum([len(v) for v in values]))).astype(np.intp)
    if pairs.shape != (starts[-1], starts[-1]) or [len(c) for c in counts] != [len(v) for v in values]:
        raise ValueError(f"pair counts of shape {pairs.shape} for {starts[-1]} bins")
    tallies = [np.asarray(c, dtype=np.float64) for c in counts]
    centred = [v - (c @ v) / max(1.0, c.sum()) for v, c in zip(values, tallies, strict=True)]
    deviations = [np.sqrt(c @ x**2) for c, x in zip(tallies, centred, strict=True)]
    matrix: Floats = np.eye(d)
    for i in range(d):
        for j in range(i):
            block = pairs[starts[i] : starts[i + 1], starts[j] : starts[j + 1]]
            scale = deviations[i] * deviations[j]
            matrix[i, j] = matrix[j, i] = np.clip(centred[i] @ block @ centred[j] / scale, -1.0, 1.0) if scale > 0 else 0.0
    return matrix


def inflation(matrix: Floats) -> Floats:
    """Return the variance inflation factors (d,) of a correlation matrix: the diagonal of its inverse."""
    values, vectors = np.linalg.eigh(matrix)
    lifted = np.maximum(values, SMALLEST_EIGENVALUE)
    scale = np.sum(vectors**2 * lifted, axis=1)
    factors: Floats = np.sum(vectors**2 / lifted, axis=1) * scale
    return factors


def choose(
    wish: Wish, described: Sequence[Described], counts: Sequence[Sequence[int]] = (), pairs: NDArray[np.int64] | None = None
) -> Choice:
    """Carry out the wish. `counts` and `pairs` (see `correlation`) are needed for max_correlation and max_vif only.

    Raises InputError if the wish names an unknown alias, or leaves nothing.
    """
    unknown = sorted(set(wish.keep or ()) - {v.alias for v in described})
    if unknown:
        raise InputError(f"the wish keeps {', '.join(unknown)}, which the contract does not have: take aliases from the variable table")
    dropped = {v.alias: v.reason for v in described if v.reason}
    _drop(dropped, described, {v.alias: "not among those to keep" for v in described if wish.keep is not None and v.alias not in wish.keep})
    if wish.min_iv is not None:
        _drop(dropped, described, {v.alias: f"IV {v.iv:.4f} is below {wish.min_iv:g}" for v in described if v.iv < wish.min_iv})
    if wish.max_correlation is not None or wish.max_vif is not None:
        if pairs is None:
            raise ValueError("max_correlation and max_vif need pair counts")
        matrix = correlation(counts, pairs, [v.values for v in described])
        if wish.max_correlation is not None:
            _drop_correlated(dropped, described, matrix, wish.max_correlation)
        if wish.max_vif is not None:
            _drop_collinear(dropped, described, matrix, wish.max_vif)
    kept = tuple(v.alias for v in described if v.alias not in dropped)
    if not kept:
        raise InputError("no variable is left after the choice: keep more aliases, or loosen min_iv")
    return Choice(kept, {v.alias: dropped[v.alias] for v in described if v.alias in dropped})


def _drop(dropped: dict[str, str], described: Sequence[Described], reasons: Mapping[str, str]) -> None:
    for variable in described:
        if variable.alias in reasons:
            dropped.setdefault(variable.alias, reasons[variable.alias])


def _drop_correlated(dropped: dict[str, str], described: Sequence[Described], matrix: Floats, most: float) -> None:
    """Go from the highest IV down; keep what is not too close to anything kept before it."""
    strongest_first = sorted((i for i, v in enumerate(described) if v.alias not in dropped), key=lambda i: (-described[i].iv, i))
    kept: list[int] = []
    for i in strongest_first:
        close = max(kept, key=lambda k: abs(matrix[i, k]), default=None)
        if close is not None and abs(matrix[i, close]) > most:
            dropped[described[i].alias] = f"correlation {matrix[i, close]:.2f} with {described[close].alias}, whose IV is not lower"
        else:
            kept.append(i)


def _drop_collinear(dropped: dict[str, str], described: Sequence[Described], matrix: Floats, most: float) -> None:
    """Drop the largest variance inflation, and look again."""
    left = [i for i, v in enumerate(described) if v.alias not in dropped]
    while len(left) > 1:
        factors = inflation(matrix[np.ix_(left, left)])
        worst = int(np.argmax(factors))
        if factors[worst] <= most:
            break
        shown = f"{factors[worst]:.1f}" if factors[worst] < 1000 else "over 1000"
        dropped[described[left[worst]].alias] = f"variance inflation {shown} is over {most:g}"
        del left[worst]
