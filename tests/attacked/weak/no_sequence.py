"""Weak: a session that looks at a frame's kind alone, not at its number, history, session or speaker."""

from __future__ import annotations

from tandem.errors import OutOfTurn
from tandem.session.session import Session, Wait
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import End


class NoSequence(Session):
    """Takes every frame of the kind that is due for the one that is due."""

    def _listen(self, peer, line, kind, *, may_end=False):
        frame = Frame.from_bytes((yield Wait(peer)))
        expected = End if may_end and frame.kind == End.__name__ else kind
        if frame.kind != expected.__name__:
            raise OutOfTurn("another kind")
        self._links[peer].received += 1
        return decode(expected, frame.payload)
