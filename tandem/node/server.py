"""Listen on one port: one verb, mutual TLS, roles by pinned key, sessions joined by (contract, session).

Whatever is wrong with a call, the caller hears one word; the reason goes to this side's own report.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tandem.contract import Contract, Role
from tandem.errors import REFUSED, ContractError, OutOfTurn, PeerLost, TandemError
from tandem.node.casting import PLAYERS, Cast, Troupe
from tandem.node.client import Dialler, Stage
from tandem.node.driver import METHOD, PATIENCE, Accepted, Link
from tandem.node.keys import Keys
from tandem.node.tls import SERVER_OPTIONS, peer_pin, server_credentials
from tandem.session.tap import Tap
from tandem.wire.codec import Frame, decode, require_native_protobuf
from tandem.wire.messages import Opening

OPENING_PATIENCE = 30.0
"""Seconds in which a caller must say what it wants, and the second of two callers must follow the first."""

Report = Callable[[str], None]
"""Tells this side's operator; never gets an identifier, label, key or score."""


@dataclass
class _Meeting:
    """A session whose streams come in one by one."""

    opening: Opening
    links: dict[str, Link] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    failed: bool = False


class Server:
    """A listening node."""

    def __init__(
        self,
        troupe: Troupe,
        keys: Keys,
        tap: Callable[[Contract, bytes], Tap],
        report: Report,
        dialler: Callable[[Contract], Dialler] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        """Serve `troupe`. `tap` gives the tap of a session; `dialler` the channels to those whom this party dials itself."""
        require_native_protobuf()
        self._troupe, self._keys, self._tap, self._report, self._patience = troupe, keys, tap, report, patience
        self._make_dialler = dialler
        self._diallers: dict[bytes, Dialler] = {}
        self._meetings: dict[tuple[bytes, bytes], _Meeting] = {}
        self._server: grpc.aio.Server | None = None

    async def start(self, address: str) -> int:
        """Listen at `address` (host:port, port 0 for any) and return the port. Raises ContractError if the port cannot be had."""
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        service, _, method = METHOD[1:].partition("/")
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {method: grpc.stream_stream_rpc_method_handler(self._converse)}
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        healthy = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(healthy, self._server)
        await healthy.set(service, health_pb2.HealthCheckResponse.SERVING)
        try:
            port = self._server.add_secure_port(address, server_credentials(self._keys))
        except RuntimeError:
            raise ContractError(f"cannot listen at {address}: is another node running there?") from None
        await self._server.start()
        return port

    async def stop(self) -> None:
        """Hang up and stop listening."""
        if self._server is not None:
            await self._server.stop(grace=1.0)
        for each in self._diallers.values():
            await each.close()

    async def wait(self) -> None:
        """Serve until stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    async def _converse(self, _: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        try:
            await self._admit(context)
        except (TandemError, TimeoutError) as error:
            self._report(f"{type(error).__name__}: {error or 'the caller did not say in time what it wants'}")
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach a peer, whatever broke
            self._report(f"a fault of our own, please report it: {type(error).__name__}: {error}")
        else:
            return
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, REFUSED)

    async def _admit(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        """Read who calls and what for, and bring the streams of a session together; the last one to come plays it."""
        pin = peer_pin(context)
        first = await asyncio.wait_for(context.read(), OPENING_PATIENCE)
        if not isinstance(first, bytes):
            raise PeerLost("a caller hung up before it said anything")
        frame = Frame.from_bytes(first)
        contract = self._troupe.contract(frame.contract)
        caller: Role = contract.role_of_pin(pin)
        if PLAYERS.get(frame.speaker) != caller:
            raise OutOfTurn(f"the {caller} spoke as {frame.speaker[:20]!r}")
        if (frame.line, frame.number, frame.kind) != (0, 0, Opening.__name__):
            raise OutOfTurn(f"the {caller} began with {frame.kind[:20]!r}")
        opening = decode(Opening, frame.payload)
        if not isinstance(opening, Opening):
            raise OutOfTurn("an opening of another type")
        meeting = self._meetings.setdefault((frame.contract, frame.session), _Meeting(opening))
        if frame.speaker in meeting.links:
            raise OutOfTurn(f"the {caller} opened one session twice")
        meeting.links[frame.speaker] = Accepted(caller, context, first)
        if len(meeting.links) == 1:
            await self._host(contract, frame.session, meeting)
        else:
            meeting.complete.set()
            await meeting.over.wait()
            if meeting.failed:
                raise PeerLost("the session failed; the reason stands above")

    async def _host(self, contract: Contract, session: bytes, meeting: _Meeting) -> None:
        """Cast ourselves, wait for the other callers, and play."""
        try:
            await self._gather_and_play(contract, session, meeting)
        except BaseException:
            meeting.failed = True
            raise
        finally:
            del self._meetings[contract.digest, session]
            meeting.over.set()

    async def _gather_and_play(self, contract: Contract, session: bytes, meeting: _Meeting) -> None:
        cast = await asyncio.get_running_loop().run_in_executor(None, self._troupe.cast, contract, session, meeting.opening)
        callers = [peer for peer in cast.script.peers(cast.role) if peer not in cast.script.called_by(cast.role)]
        if len(callers) > 1 and not meeting.complete.is_set():
            await asyncio.wait_for(meeting.complete.wait(), OPENING_PATIENCE)
        if set(callers) != set(meeting.links):
            raise OutOfTurn("a session was opened by other roles than its script names")
        await self._play(contract, session, meeting, cast)

    async def _play(self, contract: Contract, session: bytes, meeting: _Meeting, cast: Cast) -> None:
        dialler = None
        if cast.script.called_by(cast.role):
            if self._make_dialler is None:
                raise ContractError(f"script {cast.script.name!r} makes this node call others, and it was told no address")
            dialler = self._diallers.setdefault(contract.digest, self._make_dialler(contract))
        stage = Stage(contract, dialler, self._patience)
        result = await stage.play(cast, session, meeting.opening, self._tap(contract, session), meeting.links)
        await asyncio.get_running_loop().run_in_executor(None, cast.finish, result)
