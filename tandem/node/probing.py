"""Probe a peer over the channel that a study would use, and answer when a peer probes us. See tandem/probe/script.py for what is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import tandem
from tandem.contract import Contract, Role
from tandem.node.casting import PLAYERS, VERSION, Cast
from tandem.node.client import Stage
from tandem.probe.roles import MICRO, Sounding, answer, call
from tandem.probe.script import PROBES
from tandem.session.script import Script
from tandem.session.tap import Tap
from tandem.wire.messages import Hello, Opening


def probes_of(party: Role) -> Mapping[str, Script]:
    """Return the probes in which `party` is called, by name."""
    return {name: script for name, script in PROBES.items() if any(PLAYERS[called] == party for _, called in script.dials)}


def answering(script: Script, contract: Contract, clock: Callable[[], float], report: Callable[[str], None]) -> Cast:
    """Return the called side, ready to play: it tells our operator who knocked, and how far its clock lies from ours."""
    ((caller, called),) = script.dials

    def tell(heard: Hello) -> None:
        off = f"its clock is {heard.moment / MICRO - clock():+.0f} s off ours"
        report(f"contract {contract.id[:8]}: the {PLAYERS[caller]} probed us; it runs {heard.program[:20]!r}, {off}")

    return Cast(script, called, answer(tandem.__version__, clock), tell)


async def probe(stage: Stage, caller: Role, called: Role, session: bytes, tap: Tap) -> Sounding:
    """Probe `called`. Raises PeerLost where it cannot be reached or refuses: it does not honour the contract, or not us."""
    (script, speaker), = [
        (script, one) for script in PROBES.values() for one, other in script.dials if (PLAYERS[one], PLAYERS[other]) == (caller, called)
    ]
    playing = call(tandem.__version__, time.time, time.monotonic)
    opening = Opening(VERSION, script.name, 0, (), (), b"")
    found: Sounding = await stage.play(Cast(script, speaker, playing), session, opening, tap)
    return found
