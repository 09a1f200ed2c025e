"""All roles of a script in one process: for each frame, hand it over. The same sessions, hence the same frames, as over a network."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from tandem.errors import LocalProtocolError
from tandem.session.session import Role, Send, Session, Wait

Alter = Callable[[str, str, bytes], bytes]
"""(speaker, listener, frame) -> frame: a network, or a party, that does as it likes. For tests."""


def converse(sessions: Mapping[str, tuple[Session, Role[Any]]], alter: Alter | None = None) -> dict[str, Any]:
    """Run the sessions against each other and return each role's result. The first error ends all of them and is raised.

    Raises LocalProtocolError where all roles wait: a script that the roles do not follow.
    """
    running = {name: session.run(role) for name, (session, role) in sessions.items()}
    inbox: dict[tuple[str, str], deque[bytes]] = {(a, b): deque() for a in running for b in running}
    waits: dict[str, Any] = {}
    results: dict[str, Any] = {}

    def advance(name: str, frame: bytes | None) -> None:
        try:
            waits[name] = running[name].send(frame)
        except StopIteration as stop:
            results[name] = stop.value
            del waits[name]

    try:
        for name in running:
            waits[name] = None
            advance(name, None)
        while waits:
            moved = False
            for name, act in list(waits.items()):
                if isinstance(act, Send):
                    inbox[name, act.peer].append(act.frame if alter is None else alter(name, act.peer, act.frame))
                    advance(name, None)
                    moved = True
                elif isinstance(act, Wait) and inbox[act.peer, name]:
                    advance(name, inbox[act.peer, name].popleft())
                    moved = True
            if not moved:
                raise LocalProtocolError("every role waits for another: " + ", ".join(f"{n} for {a.peer}" for n, a in waits.items()))
        return results
    finally:
        for one in running.values():
            one.close()
