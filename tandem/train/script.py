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

The same lines serve every pass; statistics ride in the first. A check that fails never shows at the summer: zeros go on in its place.
"""

from __future__ import annotations

from tandem.session.script import Script, many, one, say
from tandem.wire.messages import (
    Key,
    Masks,
    Opened,
    Own,
    Pairs,
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

_SUMS = (
    one(say("sealer", "summer", Key), say("sealer", "solver", Key)),
    one(say("summer", "sealer", Shapes), say("summer", "solver", Shapes)),
    many(say("summer", "solver", Pairs)),
    many(say("sealer", "summer", Sealed)),
    one(say("sealer", "solver", Wish)),
)
_MASKED = many(say("summer", "sealer", Shares), say("sealer", "solver", Opened), say("summer", "solver", Masks))
_SCORE = (
    many(say("solver", "summer", Table)),
    one(say("solver", "summer", Signature)),
    many(say("summer", "sealer", Scores)),
)

DESCRIBE = Script("describe", _DIALS, (*_SUMS, _MASKED, one(say("solver", "sealer", Statistics))))
"""Statistics alone, for an analyst who wants to look before training."""

TRAIN = Script(
    "train",
    _DIALS,
    (
        *_SUMS,
        one(say("sealer", "solver", Own)),
        _MASKED,
        one(say("solver", "sealer", Statistics), say("solver", "sealer", Step)),
        *_SCORE,
        one(say("sealer", "solver", Polish)),
    ),
)
"""One training pass."""

CARD = Script(
    "card",
    _DIALS,
    (
        one(say("sealer", "summer", Key), say("sealer", "solver", Key)),
        one(say("solver", "sealer", Release)),
        *_SCORE,
    ),
)
"""The end: coefficients are released, the card is sealed and the roster scored with it."""

SERVE = Script("serve", (("sealer", "summer"),), (many(say("summer", "sealer", Scores)),))
"""New customers are scored with a card that the summer holds."""
