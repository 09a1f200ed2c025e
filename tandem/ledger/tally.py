"""A ledger summed up: frames and bytes by message class, and what was disclosed to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tandem.ledger.chain import Entry


@dataclass
class Line:
    """One frame, or all frames of a class."""

    first: Entry
    frames: int = 0
    size: int = 0
    bits: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    """By (learner, what) and session the bits a person: frames of one session speak of different people, sessions of the same ones."""

    sessions: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Count one frame more."""
        self.frames += 1
        self.sessions.add(entry.session)
        self.size += entry.size if isinstance(entry.size, int) else 0  # in a broken ledger anything may stand there
        for each in entry.disclosed:
            sessions = self.bits.setdefault((each.to, each.what), {})
            sessions[entry.session] = max(each.bits, sessions.get(entry.session, 0))


@dataclass
class Tally:
    """A ledger by class of frames: (contract, peer, direction, script, message), in the order of their first frames."""

    lines: dict[tuple[str, ...], Line] = field(default_factory=dict)
    last: Entry | None = None
    """The newest entry."""

    def add(self, entry: Entry) -> None:
        """Count one frame more."""
        key = (entry.contract, entry.peer, entry.direction, entry.script, entry.message)
        self.lines.setdefault(key, Line(entry)).add(entry)
        self.last = entry

    @property
    def contracts(self) -> list[str]:
        """Digests (hex) of the contracts under which frames passed, in the order of their first frames."""
        return list(dict.fromkeys(key[0] for key in self.lines))

    def told(self) -> dict[tuple[str, str, str], dict[str, int]]:
        """Return by (contract, learner, what) and session the bits a person that this ledger knows of."""
        found: dict[tuple[str, str, str], dict[str, int]] = {}
        for key, line in self.lines.items():
            for (to, what), sessions in line.bits.items():
                known = found.setdefault((key[0], to, what), {})
                for session, bits in sessions.items():
                    known[session] = max(bits, known.get(session, 0))
        return found


def lines(entries: Iterable[Entry], *, each: bool) -> Iterator[Line]:
    """Yield the ledger in lines: `each` frame one, or each class of frames."""
    tally = Tally()
    for entry in entries:
        if each:
            line = Line(entry)
            line.add(entry)
            yield line
        else:
            tally.add(entry)
    yield from tally.lines.values()
