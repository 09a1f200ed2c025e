"""The legal order of a conversation, as data.

A script is a table of lines. A line is one or several turns, each with its speaker, its listener and its message. `one` happens once,
`many` repeats as a whole until its first speaker moves on. The session enforces the table, a test walks every wrong order, and the
documentation draws its picture from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tandem.wire.messages import Message


@dataclass(frozen=True)
class Turn:
    """One message from one role to another."""

    speaker: str
    listener: str
    message: type[Message]

    def other(self, role: str) -> str:
        """Return who stands at the other end, seen from `role`."""
        return self.listener if role == self.speaker else self.speaker


@dataclass(frozen=True)
class Line:
    """Turns in order; if `repeats`, all of them again and again until the first speaker moves on."""

    turns: tuple[Turn, ...]
    repeats: bool

    def of(self, role: str) -> tuple[Turn, ...]:
        """Return the turns in which `role` speaks or listens."""
        return tuple(turn for turn in self.turns if role in (turn.speaker, turn.listener))


@dataclass(frozen=True)
class Script:
    """A protocol's conversation: its name on the wire, who dials whom, and the lines."""

    name: str
    dials: tuple[tuple[str, str], ...]
    """(caller, called) for each link; the caller says the Opening."""
    lines: tuple[Line, ...]

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the roles in the order in which they first appear."""
        return tuple(dict.fromkeys(role for link in self.dials for role in link))

    def peers(self, role: str) -> tuple[str, ...]:
        """Return the roles with which `role` has a link."""
        return tuple(link[1] if role == link[0] else link[0] for link in self.dials if role in link)

    def called_by(self, role: str) -> tuple[str, ...]:
        """Return the roles that `role` dials."""
        return tuple(called for caller, called in self.dials if caller == role)

    def turned(self, listens: Callable[[str], bool]) -> Script:
        """Return the script with each link whose called role does not listen dialled from that end, if its other end does."""
        ways = ((one, other) if listens(other) or not listens(one) else (other, one) for one, other in self.dials)
        return replace(self, dials=tuple(ways))

    def picture(self) -> str:
        """Return the script as text, one turn a row: the documentation's figure."""
        rows = []
        for line in self.lines:
            for index, turn in enumerate(line.turns):
                mark = " " if not line.repeats else "*" if index == 0 else "|"
                rows.append(f"{mark} {turn.speaker:>7} -> {turn.listener:<7} {turn.message.__name__}")
        return "\n".join(rows)


def say(speaker: str, listener: str, message: type[Message]) -> Turn:
    """Return a turn."""
    return Turn(speaker, listener, message)


def one(*turns: Turn) -> Line:
    """Return a line that happens once."""
    return Line(turns, repeats=False)


def many(*turns: Turn) -> Line:
    """Return a line that repeats."""
    return Line(turns, repeats=True)
