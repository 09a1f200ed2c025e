"""A campaign, measured by the segments of somebody who is not to know who was contacted.

    sealer: groups, outcomes, key (p, q)   summer: levels C                solver
        Key      n, proof  ------------>  and ---------------------------->
                                           Shapes   roster rows by level ->
        Sealed   E(0/1 by group, outcome) ->                                every row of the roster
        Campaign   totals by group, outcome ------------------------------>
                                     <---  Shares   masked sums by level
        Opened   D  ------------------------------------------------------>
                                           Masks    R  ------------------->  D - R: totals by level; checks; withholds
        <------------------------------------------------------------------  Measured   counts, none of them small
    learns released totals by level        learns N, that it ran            learns totals by level; no row, id or name of a group

A check that fails is told to the sealer alone, once all has been said: the summer's part is the same however it went.
"""

from __future__ import annotations

from tandem.session.script import Script, many, one, say
from tandem.wire.messages import Campaign, Key, Masks, Measured, Opened, Sealed, Shapes, Shares

MEASURE = Script(
    "measure",
    (("sealer", "summer"), ("sealer", "solver"), ("summer", "solver")),
    (
        one(say("sealer", "summer", Key), say("sealer", "solver", Key)),
        one(say("summer", "solver", Shapes)),
        many(say("sealer", "summer", Sealed)),
        one(say("sealer", "solver", Campaign)),
        many(say("summer", "sealer", Shares), say("sealer", "solver", Opened), say("summer", "solver", Masks)),
        one(say("solver", "sealer", Measured)),
    ),
)
"""One measurement: one session, after the alignment."""
