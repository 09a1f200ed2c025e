"""Two roles of one script played by one party: each has its own session and its own streams to the others; between them, memory."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tandem.errors import PeerRefused
from tandem.node.casting import Cast
from tandem.node.client import Stage
from tandem.session.tap import Tap
from tandem.wire.messages import Opening


@dataclass
class Within:
    """One end of a link that leaves no process. It holds one frame each way, so neither role runs ahead of the other."""

    peer: str
    heard: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(1), repr=False)
    said: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(1), repr=False)

    async def read(self) -> bytes:
        """Return the next frame."""
        return await self.heard.get()

    async def write(self, frame: bytes) -> None:
        """Give a frame, waiting until the last one was taken."""
        await self.said.put(frame)


def within(party: str) -> tuple[Within, Within]:
    """Return both ends of a link between two roles that `party` plays."""
    one = Within(party)
    return one, Within(party, one.said, one.heard)


async def play_both(
    stage: Stage, first: tuple[Cast, Tap], second: tuple[Cast, Tap], session: bytes, opening: Opening, party: str
) -> tuple[Any, Any]:
    """Play two roles side by side, and return what each ends with.

    Each Cast comes with the tap of its session. Raises what the first of them to fail raises, a refusal before all else; the other is hung
    up.
    """
    (one, tap), (other, other_tap) = first, second
    end, other_end = within(party)
    try:
        async with asyncio.TaskGroup() as group:
            playing = group.create_task(stage.play(one, session, opening, tap, {other.role: end}))
            beside = group.create_task(stage.play(other, session, opening, other_tap, {one.role: other_end}))
    except BaseExceptionGroup as failed:
        refused = [each for each in failed.exceptions if isinstance(each, PeerRefused)]
        raise (refused or failed.exceptions)[0] from None
    return playing.result(), beside.result()
