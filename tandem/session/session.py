"""Hold a role to its script: the role yields messages, the session gives and takes bytes. No socket, no clock.

A role is a generator. `yield Message(...)` speaks; `message = yield Kind` listens, and gives None when a repeating line is over. Read its
yields and you have read what leaves. A session is a generator too, over `Send(peer, frame)` and `Wait(peer)`; a driver carries the frames.
Every role follows one total order of turns, so the earliest turn not yet taken always has both its ends ready: no driver can deadlock.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tandem.errors import LocalProtocolError, Malformed, OutOfTurn, Reflected, Replayed
from tandem.session.script import Script, Turn
from tandem.session.tap import Tap, Tapped, untapped
from tandem.wire.codec import Frame, decode, encode
from tandem.wire.messages import Closing, End, Message, Opening

T = TypeVar("T")
Role = Generator[Any, Any, T]
"""Yields a message to speak and a message type to listen; returns what the party keeps."""

START = bytes(32)
"""`previous` of the first frame in a direction."""


@dataclass(frozen=True)
class Send:
    """Carry this frame to that peer."""

    peer: str
    frame: bytes = field(repr=False)


@dataclass(frozen=True)
class Wait:
    """Give the next frame from that peer, by `.send(frame)`."""

    peer: str


@dataclass
class _Link:
    """What was said on one link so far."""

    sent: int = 0
    received: int = 0
    last_sent: bytes = START
    last_received: bytes = START


class Session:
    """One conversation of one role."""

    def __init__(self, script: Script, role: str, contract: bytes, session: bytes, opening: Opening, tap: Tap = untapped) -> None:
        self.script, self.role, self.contract, self.session, self.opening = script, role, contract, session, opening
        self._tap = tap
        self._links = {peer: _Link() for peer in script.peers(role)}
        self._mine = [line.of(role) for line in script.lines]
        self._line, self._turn = 0, 0
        self._ended: set[Turn] = set()

    def run(self, role: Role[T]) -> Generator[Send | Wait, bytes | None, T]:
        """Step the role to its end, and close. Raises LocalProtocolError if it strays, RemoteProtocolError if a peer does."""
        try:
            for peer in self.script.called_by(self.role):
                yield self._speak(peer, 0, self.opening)
            for peer in self.script.peers(self.role):
                if peer not in self.script.called_by(self.role):
                    self._check_opening((yield from self._listen(peer, 0, Opening)))
            answer: Message | None = None
            while True:
                try:
                    wanted = role.send(answer)
                except StopIteration as stop:
                    result: T = stop.value
                    break
                kind = wanted if isinstance(wanted, type) else type(wanted)
                turn = yield from self._move_to(kind, speaking=not isinstance(wanted, type))
                if isinstance(wanted, type):
                    answer = yield from self._hear(turn)
                else:
                    answer = None
                    yield self._speak(turn.listener, self._line, wanted)
                    self._turn += 1
            while self._line < len(self._mine):
                yield from self._leave_line()
            yield from self._close()
            return result
        finally:
            role.close()

    # -- where we are in the script -----------------------------------------------------------------------------------------------------

    def _move_to(self, kind: type[Message], *, speaking: bool) -> Generator[Send | Wait, bytes | None, Turn]:
        """Advance to the turn of that message; on the way, end what repeats."""
        while self._line < len(self._mine):
            turns = self._mine[self._line]
            repeats = self.script.lines[self._line].repeats
            if repeats and turns and self._turn == len(turns):
                self._turn = 0
            if self._turn < len(turns):
                turn = turns[self._turn]
                if turn.message is kind and (turn.speaker == self.role) == speaking and turn not in self._ended:
                    return turn
            yield from self._leave_line()
        verb = "speak" if speaking else "listen for"
        raise LocalProtocolError(f"{self.role} would {verb} {kind.__name__}, which script {self.script.name!r} does not allow here")

    def _leave_line(self) -> Generator[Send | Wait, bytes | None, None]:
        """Go to the next line; a single line must be complete, a repeating one is ended towards each listener, and by each speaker."""
        turns, index = self._mine[self._line], self._line
        if not self.script.lines[index].repeats:
            if self._turn != len(turns):
                missing = turns[self._turn].message.__name__
                raise LocalProtocolError(f"{self.role} left line {index} of {self.script.name!r} before {missing}")
        else:
            if self._turn % max(1, len(turns)) != 0:
                raise LocalProtocolError(f"{self.role} left line {index} of {self.script.name!r} in the middle of a round")
            for turn in turns:
                if turn.speaker == self.role:
                    yield self._speak(turn.listener, index, End())
                elif turn not in self._ended:
                    yield from self._listen(turn.speaker, index, End)
        self._line, self._turn, self._ended = index + 1, 0, set()

    def _hear(self, turn: Turn) -> Generator[Send | Wait, bytes | None, Message | None]:
        """Listen at this turn; at the first turn of a repeating line the answer may be that it is over."""
        repeats = self.script.lines[self._line].repeats
        may_end = repeats and self._turn == 0
        message = yield from self._listen(turn.speaker, self._line, turn.message, may_end=may_end)
        if isinstance(message, End) and turn.message is not End:
            self._ended.add(turn)
            return None
        self._turn += 1
        return message

    # -- frames ---------------------------------------------------------------------------------------------------------------------------

    def _speak(self, peer: str, line: int, message: Message) -> Send:
        link = self._links[peer]
        frame = Frame(self.contract, self.session, self.role, line, link.sent, link.last_sent, type(message).__name__, encode(message))
        link.sent, link.last_sent = link.sent + 1, frame.digest
        data = frame.to_bytes()
        self._tap(Tapped(True, peer, self.script.name, self.opening.stage, frame.kind, frame.number, data))
        return Send(peer, data)

    def _listen(
        self, peer: str, line: int, kind: type[Message], *, may_end: bool = False
    ) -> Generator[Send | Wait, bytes | None, Message]:
        data = yield Wait(peer)
        if data is None:
            raise LocalProtocolError("the driver gave no frame where one was awaited")
        frame, link = Frame.from_bytes(data), self._links[peer]
        if frame.speaker == self.role:
            raise Reflected(f"a frame of our own role {self.role} came from {peer}")
        if frame.speaker != peer:
            raise OutOfTurn(f"{peer} speaks as another role")
        if (frame.contract, frame.session) != (self.contract, self.session):
            raise Replayed(f"{peer} sent a frame of another contract or session")
        if (frame.number, frame.previous) != (link.received, link.last_received):
            raise Replayed(f"{peer} sent frame {frame.number} where {link.received} was due, or with another history")
        expected = End if may_end and frame.kind == End.__name__ else kind
        if frame.line != line or frame.kind != expected.__name__:
            raise OutOfTurn(f"{peer} sent {frame.kind[:20]!r} in line {frame.line} where {kind.__name__} in line {line} was due")
        message = decode(expected, frame.payload)
        link.received, link.last_received = link.received + 1, frame.digest
        self._tap(Tapped(False, peer, self.script.name, self.opening.stage, frame.kind, frame.number, data))
        return message

    def _check_opening(self, message: Message) -> None:
        if message != self.opening:
            raise OutOfTurn("two peers opened this session with different sizes, stage, roster, script or version")

    # -- the end --------------------------------------------------------------------------------------------------------------------------

    def _close(self) -> Generator[Send | Wait, bytes | None, None]:
        """Compare what each saw. Frames pass between each pair only, yet a party that tells its two peers different stories is found."""
        peers = tuple(sorted(self._links))
        mine = Closing(peers, tuple(self._links[p].last_sent for p in peers), tuple(self._links[p].last_received for p in peers))
        for peer in peers:
            yield self._speak(peer, len(self._mine), mine)
        heard: dict[str, dict[str, tuple[bytes, bytes]]] = {self.role: _by_peer(mine)}
        for peer in peers:
            message = yield from self._listen(peer, len(self._mine), Closing)
            if not isinstance(message, Closing):
                raise Malformed("a closing of another type")
            heard[peer] = _by_peer(message)
        for one, views in heard.items():
            for other, (sent, received) in views.items():
                if other in heard and heard[other].get(one) != (received, sent):
                    raise Replayed(f"{one} and {other} do not agree on what passed between them")


def _by_peer(closing: Closing) -> dict[str, tuple[bytes, bytes]]:
    if not len(closing.peers) == len(closing.sent) == len(closing.received):
        raise Malformed("a closing whose lists differ in length")
    return dict(zip(closing.peers, zip(closing.sent, closing.received, strict=True), strict=True))
