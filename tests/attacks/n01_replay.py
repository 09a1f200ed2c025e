"""N1, by whoever carries frames, or by a peer: a frame of a recorded job where another was due.

Again, early, not at all, back to its speaker, from another job, in another role.
Source: Syverson, A taxonomy of replay attacks (CSFW 1994).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tandem.wire.codec import Frame

Said = tuple[str, str, bytes]
"""(speaker, listener, frame)."""


def tries(due: int, job: Sequence[Said], other: Sequence[Said]) -> Iterator[tuple[str, bytes]]:
    """Yield (what it is, frame) for everything that may be put in place of frame `due` of a job; `other` is another job's, recorded."""
    for what, frame in _all(due, job, other):
        if frame != job[due][2]:
            yield what, frame


def _all(due: int, job: Sequence[Said], other: Sequence[Said]) -> Iterator[tuple[str, bytes]]:
    speaker, listener, honest = job[due]
    for place, (said, heard, frame) in enumerate(job):
        if (said, heard) == (speaker, listener):
            yield ("replayed" if place < due else "early, what was due dropped"), frame
        elif said == listener:
            yield "reflected", frame
        else:
            yield "of another link", frame
        if said != speaker:
            yield "in another role", replace(Frame.from_bytes(frame), speaker=speaker).to_bytes()
    for _, _, frame in other:
        yield "of another job", frame
        held, mine = Frame.from_bytes(frame), Frame.from_bytes(honest)
        yield "of another job, under this one's name", replace(held, contract=mine.contract, session=mine.session).to_bytes()
