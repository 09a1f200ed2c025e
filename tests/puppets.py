"""Roles that say what they are told to, whatever the script: for tests of the session that holds them to it."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

from tandem.arguments import Seeded
from tandem.crypto.paillier import Blinded, PublicKey, encrypt, units
from tandem.session.loopback import converse
from tandem.session.script import Script, Turn
from tandem.session.session import Session
from tandem.session.tap import untapped
from tandem.wire.codec import MESSAGES
from tandem.wire.messages import Message, Opening

CONTRACT, SESSION = bytes(range(32)), bytes(range(16))
OPENING = Opening("test", "any", 3, ("rows",), (7,), bytes(32))
KEY = PublicKey((2**61 - 1) * (2**89 - 1))

PLAIN = {"str": "a", "int": 5, "float": 0.25, "bool": True, "bytes": b"bytes"}


@cache
def blinded(count: int = 2) -> Blinded:
    return encrypt(KEY, list(range(count)), units(KEY, Seeded(b"puppets"), count))


def sample(kind: type[Message]) -> Message:
    """Return some message of that kind."""
    values = []
    for field in fields(kind):
        name = str(field.type)
        if name == "Ciphertexts":
            values.append(blinded())
        elif name.startswith("tuple["):
            values.append((PLAIN[name[6:].partition(",")[0]],) * 2)
        else:
            values.append(PLAIN[name])
    return kind(*values)


SAMPLES = {name: sample(kind) for name, kind in MESSAGES.items()}


def puppet(role: str, turns: list[Turn]):
    """Speak and listen at those of the turns that name `role`; return what was heard."""
    heard = []
    for turn in turns:
        if turn.speaker == role:
            yield SAMPLES[turn.message.__name__]
        elif turn.listener == role:
            heard.append((yield turn.message))
    return heard


def session(script: Script, role: str, opening: Opening = OPENING, tap=untapped) -> Session:
    return Session(script, role, CONTRACT, SESSION, opening, tap)


def walk(script: Script, turns: list[Turn], alter=None, openings=None, tap=untapped, kind=Session):
    """Let puppets of all roles follow `turns`; return what each heard."""
    told = openings or {}
    return converse(
        {
            role: (kind(script, role, CONTRACT, SESSION, told.get(role, OPENING), tap), puppet(role, turns))
            for role in script.roles
        },
        alter,
    )


def whole(script: Script, rounds: int = 1) -> list[Turn]:
    """Return the turns of a conversation in which each repeating line happens `rounds` times."""
    return [turn for line in script.lines for _ in range(rounds if line.repeats else 1) for turn in line.turns]


def legal(script: Script, turns: list[Turn]) -> bool:
    """Say whether every role's own view of `turns` is a word of the script: an oracle that shares no code with the session."""
    for role in script.roles:
        word = [(turn.message, turn.speaker == role) for turn in turns if role in (turn.speaker, turn.listener)]
        ends = {0}
        for line in script.lines:
            part = [(turn.message, turn.speaker == role) for turn in line.turns if role in (turn.speaker, turn.listener)]
            if not part:
                continue
            reached = set(ends) if line.repeats else set()
            waiting = set(ends)
            while waiting:
                at = waiting.pop()
                if word[at : at + len(part)] == part and at + len(part) not in reached:
                    reached.add(at + len(part))
                    waiting |= {at + len(part)} if line.repeats else set()
            ends = reached
        if len(word) not in ends:
            return False
    return True
