"""Recorded jobs, a session brought to each of its states, and whether it takes what is put there."""

from __future__ import annotations

from functools import cache

from attacks.n01_replay import Said, tries
from puppets import CONTRACT, OPENING, SESSION, puppet, whole

from attacked.results import Result, Size, rate
from tandem.align.script import ALIGN
from tandem.arguments import Seeded
from tandem.errors import TandemError
from tandem.session.loopback import converse
from tandem.session.script import Script
from tandem.session.session import Send, Session
from tandem.train.script import TRAIN

SCRIPTS = (ALIGN, TRAIN)


@cache
def recorded(script: Script, session: bytes = SESSION) -> tuple[Said, ...]:
    """Return every frame of a job, two rounds of each line that repeats."""
    found: list[Said] = []

    def keep(*said) -> bytes:
        found.append(said)
        return said[2]

    converse(
        {r: (Session(script, r, CONTRACT, session, OPENING), puppet(r, whole(script, 2))) for r in script.roles}, keep
    )
    return tuple(found)


def taken(script: Script, due: int, instead: bytes, kind: type[Session] = Session) -> bool:
    """Bring whoever hears frame `due` to the state in which it waits for it, and say whether it takes this frame or moves at all.

    Raises AssertionError if the honest frames before it are not taken.
    """
    job = recorded(script)
    role, speaker = job[due][1], job[due][0]
    session, heard = kind(script, role, CONTRACT, SESSION, OPENING), []
    run = session.run(puppet(role, whole(script, 2)))
    mail = {peer: iter([f for a, b, f in (job[:due] if peer == speaker else job) if (a, b) == (peer, role)]) for peer in script.peers(role)}
    act = next(run)
    try:
        while isinstance(act, Send) or (frame := next(mail[act.peer], None)) is not None:
            act = run.send(None if isinstance(act, Send) else heard.append(frame) or frame)
        assert act.peer == speaker, "the session waits for somebody else"
        before = [(one.received, one.last_received) for one in session._links.values()]
        try:
            run.send(instead)
        except TandemError:
            return [(one.received, one.last_received) for one in session._links.values()] != before
        return True
    finally:
        run.close()


def accepted(size: Size, kind: type[Session] = Session) -> Result:
    """Put everything in place of every frame, on every change a seventh of it; return how much of it was taken."""
    hits = number = trials = 0
    for script in SCRIPTS:
        job = recorded(script)
        other = recorded(script, Seeded(b"other").draw(16))
        for due in range(len(job)):
            for _, frame in tries(due, job, other):
                number += 1
                if number % size.of(7, 1) == 0:
                    trials += 1
                    hits += taken(script, due, frame, kind)
    return rate("frames taken", hits, trials)
