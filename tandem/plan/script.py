"""Before a study the sealer asks both nodes what they have to offer and how fast they are. Nothing is sealed, asked or spent.

    sealer                                 summer                         solver
        <------------------------  Offer   size of the table, bins
        Probe   padding  -------->
        <------------------------  Speed   kernels timed, memory
        <----------------------------------------------------------  Speed   the same
    learns how large and fast they are     learns that a plan was made     learns that a plan was made

Two scripts, since a plan is made even where one of the two nodes does not answer. The probes are timed on their way: what a message costs
from one role to the other, codec, ledger, TLS and network together.
"""

from __future__ import annotations

from tandem.session.script import Script, many, one, say
from tandem.wire.messages import Offer, Probe, Speed

PLAN = Script(
    "plan",
    (("sealer", "summer"),),
    (one(say("summer", "sealer", Offer)), many(say("sealer", "summer", Probe)), one(say("summer", "sealer", Speed))),
)
"""Asks the side that holds codes."""

PLAN_SOLVER = Script("plan_solver", (("sealer", "solver"),), (one(say("solver", "sealer", Speed)),))
"""Asks the side that solves."""

PLANNING = frozenset({PLAN.name, PLAN_SOLVER.name})
"""Names of scripts that are no part of a study."""

PROBES = 4
"""Probes on their way; the first warms the connection up and is not timed."""

PROBE_LENGTH = 1_000_000
"""Bytes of a probe: about a full message."""
