"""Carry a session's frames over gRPC streams. The role steps in a worker thread; the event loop never computes.

The next frame is taken from the role only when the last one was written, and a link is read only when the role waits for it: gRPC's own
flow control does the rest, and a role never holds more than a frame in each direction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

import grpc

from tandem.errors import LOST, PeerLost, PeerRefused
from tandem.session.session import Send, Wait
from tandem.wire.codec import ENVELOPE_LIMIT

T = TypeVar("T")

METHOD = "/tandem.node.Exchange/Converse"
"""The one verb (proto/tandem/node/exchange.proto)."""

PATIENCE = 900.0
"""Seconds to wait for a peer's next frame: as long as the longest stretch in which a peer computes and has nothing to say."""


class Link(Protocol):
    """One stream to one peer, the party of that name."""

    peer: str

    async def read(self) -> bytes:
        """Return the next frame. Raises PeerLost."""

    async def write(self, frame: bytes) -> None:
        """Send a frame, waiting until the window is open. Raises PeerLost."""


@dataclass
class Called:
    """The end of a stream that we dialled."""

    peer: str
    call: grpc.aio.StreamStreamCall[bytes, bytes]

    async def read(self) -> bytes:
        """Return the next frame. Raises PeerLost."""
        try:
            data = await self.call.read()
        except grpc.aio.AioRpcError as error:
            raise lost(self.peer, error.code(), error.details()) from None
        if not isinstance(data, bytes):
            raise lost(self.peer, grpc.StatusCode.OK)
        return data

    async def write(self, frame: bytes) -> None:
        """Send a frame."""
        try:
            await self.call.write(frame)
        except grpc.aio.AioRpcError as error:
            raise lost(self.peer, error.code(), error.details()) from None
        except (grpc.aio.BaseError, asyncio.InvalidStateError):
            raise lost(self.peer, await self.call.code(), await self.call.details()) from None

    async def end(self) -> None:
        """Say that we are done, and wait until the peer is too: only then has it kept its result. Raises PeerLost if it has not."""
        try:
            await self.call.done_writing()
            code = await self.call.code()
        except grpc.aio.AioRpcError as error:
            raise lost(self.peer, error.code(), error.details()) from None
        if code is not grpc.StatusCode.OK:
            raise lost(self.peer, code, await self.call.details())

    async def require_no_refusal(self) -> None:
        """Raise PeerRefused if the peer has ended the stream with a refusal."""
        if self.call.done() and (code := await self.call.code()) == grpc.StatusCode.FAILED_PRECONDITION:
            raise lost(self.peer, code)


@dataclass
class Accepted:
    """The end of a stream that a peer dialled; `first` was read to see what it wants."""

    peer: str
    context: grpc.aio.ServicerContext[bytes, bytes]
    first: bytes | None

    async def read(self) -> bytes:
        """Return the next frame. Raises PeerLost."""
        if self.first is not None:
            data, self.first = self.first, None
            return data
        with self._hung_up():
            got = await self.context.read()
        if not isinstance(got, bytes):
            raise PeerLost(f"the {self.peer} hung up in the middle of the conversation")
        return got

    async def write(self, frame: bytes) -> None:
        """Send a frame."""
        with self._hung_up():
            await self.context.write(frame)

    @contextmanager
    def _hung_up(self) -> Iterator[None]:
        """Turn what gRPC raises once this stream is gone into PeerLost.

        It raises CancelledError, although nobody cancelled us, where the stream was hung up: a session has several streams.
        """
        try:
            yield
        except (grpc.aio.AioRpcError, grpc.aio.BaseError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and not self.context.cancelled():
                raise
            raise PeerLost(f"the {self.peer} hung up in the middle of the conversation") from None


def lost(peer: str, code: grpc.StatusCode, details: str | None = None) -> PeerLost:
    """Return the error that tells a user what became of the peer, by the status with which its stream ended: PeerRefused if it refused."""
    if code == grpc.StatusCode.FAILED_PRECONDITION:
        return PeerRefused(f"the {peer} refused or failed; it does not say why to others: look into its log")
    if code == grpc.StatusCode.UNAVAILABLE and details == LOST:
        return PeerLost(f"the {peer} lost its connection, to us or to another party")
    if code == grpc.StatusCode.UNAVAILABLE:
        return PeerLost(f"the {peer} cannot be reached, died, or holds another key than the pinned one: is it running at this address?")
    if code in {grpc.StatusCode.OK, grpc.StatusCode.INTERNAL}:  # INTERNAL: we were writing when it ended; its own status is lost to us
        return PeerLost(f"the {peer} ended the conversation early: look into its log")
    if code == grpc.StatusCode.RESOURCE_EXHAUSTED:  # gRPC's own answer, of either end, to more bytes than `tls.OPTIONS` allow
        return PeerRefused(f"a frame between us and the {peer} is larger than {ENVELOPE_LIMIT} bytes: do both run the same version?")
    return PeerLost(f"the conversation with the {peer} broke off ({code.name.lower()})")


@dataclass(frozen=True)
class _Over:
    """A role's result: StopIteration cannot cross from a thread into a coroutine."""

    result: object


async def drive(
    run: Generator[Send | Wait, bytes | None, T], links: Mapping[str, Link], thread: Executor, patience: float = PATIENCE
) -> T:
    """Run the session to its end and return the role's result. Raises what the role raises, and PeerLost for a peer gone or mute."""
    loop = asyncio.get_running_loop()

    def advance(frame: bytes | None) -> Send | Wait | _Over:
        try:
            return run.send(frame)
        except StopIteration as stop:
            return _Over(stop.value)

    frame: bytes | None = None
    try:
        while True:
            act = await loop.run_in_executor(thread, advance, frame)
            frame = None
            if isinstance(act, _Over):
                return act.result  # type: ignore[return-value]  # what the generator returned
            link = links[act.peer]
            try:
                # Not `wait_for`: before Python 3.12 it may swallow a cancellation that comes as the frame does.
                async with asyncio.timeout(patience):
                    if isinstance(act, Send):
                        await link.write(act.frame)
                    else:
                        frame = await link.read()
            except TimeoutError:
                raise mute(link.peer, patience) from None
    finally:
        # In the role's own thread, after the step it may still be at. Nobody waits for it: whoever stops us is in a hurry.
        thread.submit(run.close)


def mute(peer: str, patience: float) -> PeerLost:
    """Return the error for a peer that let a deadline pass."""
    return PeerLost(f"the {peer} said nothing for {patience:.0f} s: the job was stopped")
