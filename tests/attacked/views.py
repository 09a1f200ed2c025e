"""What one party has after a session: its inputs, its seeds, and every frame that it sent or received, with the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from loopback_study import tampered

from tandem.session.tap import Tap, Tapped
from tandem.wire.codec import Frame, decode


@dataclass(frozen=True)
class Seen:
    """One frame as a party saw it: whether it sent it, to or from whom, and when (seconds, by a clock that only runs forward)."""

    sent: bool
    peer: str
    script: str
    stage: int
    kind: str
    number: int
    frame: bytes = field(repr=False)
    at: float = 0.0

    def message(self, kind: type[Any]) -> Any:
        """Return the decoded message."""
        return decode(kind, Frame.from_bytes(self.frame).payload)


@dataclass(frozen=True)
class View:
    """All that `role` has: frozen, and nothing of anybody else."""

    role: str
    seen: tuple[Seen, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Its own inputs by name: codes, rows, keys, results."""
    seeds: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}), repr=False)

    def messages(
        self, kind: type[Any], *, sent: bool | None = None, peer: str = "", script: str = "", stage: int | None = None
    ) -> list[Any]:
        """Return the decoded messages of one kind, in order, of all peers, scripts and stages or of those named."""
        return [one.message(kind) for one in self.frames(kind.__name__, sent=sent, peer=peer, script=script, stage=stage)]

    def frames(
        self, kind: str = "", *, sent: bool | None = None, peer: str = "", script: str = "", stage: int | None = None
    ) -> Iterator[Seen]:
        """Yield what was seen of one kind, or of all, in order."""
        for one in self.seen:
            if (
                kind in {"", one.kind} and sent in {None, one.sent} and peer in {"", one.peer}
                and script in {"", one.script} and stage in {None, one.stage}
            ):
                yield one

    def with_(self, other: View) -> View:
        """Return the merged view of two parties in league: what both have, in the order of the clock."""
        if self.inputs.keys() & other.inputs.keys() or self.seeds.keys() & other.seeds.keys():
            raise ValueError("two parties' inputs under one name: say whose they are")
        return View(
            f"{self.role} with {other.role}", tuple(sorted((*self.seen, *other.seen), key=lambda one: one.at)),
            MappingProxyType({**self.inputs, **other.inputs}), MappingProxyType({**self.seeds, **other.seeds}),
        )


class Recorder:
    """Keeps what every role saw; hand `tap(role)` to its session, in process or over a network."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, list[Seen]] = {}

    def tap(self, role: str) -> Tap:
        """Return the tap of one role."""
        mine = self._seen.setdefault(role, [])

        def keep(one: Tapped) -> None:
            mine.append(Seen(one.sent, one.peer, one.script, one.stage, one.kind, one.number, one.frame, self._clock()))

        return keep

    def view(self, role: str, inputs: Mapping[str, Any] | None = None, seeds: Mapping[str, bytes] | None = None) -> View:
        """Return what the role has by now."""
        return View(role, tuple(self._seen.get(role, ())), MappingProxyType(dict(inputs or {})), MappingProxyType(dict(seeds or {})))


def changed(role: Any, kind: type[Any], change: Callable[[Any], Any], heard: Callable[[Any], None] = lambda _: None) -> Any:
    """Play `role` with every message of one kind that it says replaced by `change` of it: a party that cheats in this alone.

    Everything else is the shipped code. `change` may return None for a message that is to go as it is; `heard` is told what the role hears.
    """
    def listening(message: Any) -> Any:
        heard(message)
        return message

    return tampered(role, said=lambda wanted: (change(wanted) or wanted) if isinstance(wanted, kind) else wanted, heard=listening)
