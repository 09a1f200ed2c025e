"""One pass of sealed Newton, and the card at the end.

    sealer: x_b, y, key (p, q)             summer: codes C                  solver
        p_i at the current scores; w_i = p_i (1 - p_i), r_i = p_i - y_i
        Sealed   (m, m y, w, r, w x_b)  ->
        Wish, Own   H_bb, g_b, theta_b, ridge ----------------------------->
                                     <---  Shares   masked bin sums
        Opened   D  ------------------------------------------------------->
                                           Masks    R, pair counts  ------->  statistics; gradient, Hessian, Newton point
        <------------------------------------------------------------------   Statistics, Step
                                           <-------------------------------   Table  E(theta_t WoE), signed
                                     <---  Scores   u_i, dithered
        fit y on (x_b, u) under the ridge
        Polish   theta_b, scale  ------------------------------------------>
    learns one coarse score a row          learns N, that it ran            learns totals; no row, id or name

The same lines serve every pass; statistics ride in the first, whose Step tells the ridge if the contract leaves it to the solver. A check
that fails never shows at the summer: zeros go on in its place.
Under open weights Points and OpenScores, in the clear, stand where Table and Scores do; then zeros do show.

Where the contract asks for exact standard errors, one session between the last pass and the card:

    sealer: x_b, y, key (p, q)             summer: codes C                  solver
        p_i at the final scores
        Sealed   (m, m y, w, r, w x_b)  ->                                  bin sums as in a pass: cross block, H_bb
        Sealed   w  --------------------->
                                           PairSums   E(S_ab), told cells ->
                                     <-----------------------------------   Shares   E(sum of weights * S_ab + R)
        Crossed  D  ------------------------------------------------------> sum = D - R: one a pair of variables, and one check
    learns nothing from D: it is uniform   learns N, that it ran            learns H_tt, no total of a pair of bins
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tandem.session.script import Line, Script, many, one, say
from tandem.sums.terms import Terms
from tandem.wire.messages import (
    Crossed,
    Key,
    Masks,
    Opened,
    OpenScores,
    Own,
    Pairs,
    PairSums,
    Points,
    Polish,
    Release,
    Scores,
    Sealed,
    Shapes,
    Shares,
    Signature,
    Statistics,
    Step,
    Table,
    Wish,
)

_DIALS = (("sealer", "summer"), ("sealer", "solver"), ("summer", "solver"))

_ROWS = (
    one(say("sealer", "summer", Key), say("sealer", "solver", Key)),
    one(say("summer", "sealer", Shapes), say("summer", "solver", Shapes)),
    many(say("summer", "solver", Pairs)),
    many(say("sealer", "summer", Sealed)),
)
_SUMS = (*_ROWS, one(say("sealer", "solver", Wish)))
_MASKED = many(say("summer", "sealer", Shares), say("sealer", "solver", Opened), say("summer", "solver", Masks))
_SCORE = (
    many(say("solver", "summer", Table)),
    one(say("solver", "summer", Signature)),
    many(say("summer", "sealer", Scores)),
)
_OPEN_SCORE = (
    one(say("solver", "summer", Points), say("solver", "summer", Signature)),
    many(say("summer", "sealer", OpenScores)),
)


def _train(score: tuple[Line, ...]) -> Script:
    return Script(
        "train",
        _DIALS,
        (
            *_SUMS,
            one(say("sealer", "solver", Own)),
            _MASKED,
            one(say("solver", "sealer", Statistics), say("solver", "sealer", Step)),
            *score,
            one(say("sealer", "solver", Polish)),
        ),
    )


def _card(score: tuple[Line, ...]) -> Script:
    key = one(say("sealer", "summer", Key), say("sealer", "solver", Key))
    return Script("card", _DIALS, (key, one(say("solver", "sealer", Release)), *score))


def _serve(score: tuple[Line, ...]) -> Script:
    return Script("serve", (("sealer", "summer"),), score[-1:])


DESCRIBE = Script("describe", _DIALS, (*_SUMS, _MASKED, one(say("solver", "sealer", Statistics))))
"""Statistics alone, for an analyst who wants to look before training."""

TRAIN = _train(_SCORE)
"""One training pass."""

ERRORS = Script(
    "errors",
    _DIALS,
    (
        *_ROWS,
        one(say("sealer", "solver", Own)),
        _MASKED,
        many(say("sealer", "summer", Sealed)),
        many(say("summer", "solver", PairSums)),
        many(say("solver", "sealer", Shares), say("sealer", "solver", Crossed)),
    ),
)
"""Exact standard errors: weights are summed by pairs of bins, under seal, at the final scores."""

CARD = _card(_SCORE)
"""The end: coefficients are released, the card is sealed and the roster scored with it."""

SERVE = _serve(_SCORE)
"""New customers are scored with a card that the summer holds."""

OPEN: Mapping[str, Script] = MappingProxyType({made.name: made for made in (_train(_OPEN_SCORE), _card(_OPEN_SCORE), _serve(_OPEN_SCORE))})
"""The scripts that are others under open weights, by the name they share."""


def order(terms: Terms) -> tuple[Script, ...]:
    """Return the sessions of a training under these terms: the first is stage 1."""
    return (TRAIN,) * terms.passes + (ERRORS,) * terms.exact + (CARD,)
