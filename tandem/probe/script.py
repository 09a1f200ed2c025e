"""A probe between any two parties that a contract lets talk, in the direction in which they dial.

    caller                                  called
        Hello    program, protocols, clock --->
                                       <---  Hello   the same of the other side
        Load     bytes of no meaning       --->
                                       <---  Load    as many as were asked for, of no meaning
    learns version and clock of the other   learns version and clock of the other

Either hears no more of the other than that it honours the contract, what it runs, and what time it has. Rows are not touched and no budget
is spent; both sides record it in their ledgers like any session.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tandem.session.script import Script, many, one, say
from tandem.wire.messages import Hello, Load


def _probe(caller: str, called: str) -> Script:
    return Script(
        f"probe-{called}-from-{caller}",
        ((caller, called),),
        (
            one(say(caller, called, Hello), say(called, caller, Hello)),
            many(say(caller, called, Load), say(called, caller, Load)),
        ),
    )


PROBES: Mapping[str, Script] = MappingProxyType({
    script.name: script for script in (_probe("seeker", "holder"), _probe("sealer", "solver"), _probe("summer", "solver"))
})
"""By name: one for each pair that dials in any other script."""

LOAD_LIMIT = 512 * 1024
"""Bytes of one load, either way."""
LOADS = 12
"""Loads of one probe: what a caller may make us send is LOADS * LOAD_LIMIT."""
