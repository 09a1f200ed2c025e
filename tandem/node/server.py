"""Listen on one port: one verb, mutual TLS, roles by pinned key, sessions joined by (contract, session).

Whatever is wrong with a call, the caller hears one of two words: we lost somebody, and it may call again; or it is refused. The reason goes
to this side's own report.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tandem.contract import Contract, Role
from tandem.errors import LOST, REFUSED, ContractError, OutOfTurn, PeerLost, PeerRefused, TandemError
from tandem.node.casting import PLAYERS, Cast, Troupe, arranged, callers, player, same_version
from tandem.node.client import Dialler, Stage
from tandem.node.driver import METHOD, PATIENCE, Accepted, Link
from tandem.node.events import gone
from tandem.node.keys import Keys
from tandem.node.probing import answering, probes_of
from tandem.node.recorder import both
from tandem.node.sparing import Sparing
from tandem.node.tls import SERVER_OPTIONS, peer_pin, server_credentials
from tandem.node.watch import SILENT, Watch
from tandem.session.script import Script
from tandem.session.tap import Tap, untapped
from tandem.wire.codec import Frame, decode, require_native_protobuf
from tandem.wire.messages import Opening

OPENING_PATIENCE = 30.0
"""Seconds in which a caller must say what it wants, and the second of two callers must follow the first."""

STOPPING = 1.0
"""Seconds for sessions to end by themselves when the node is stopped."""

AT_ONCE = 32
"""Streams that one key may have open here, over all its connections: more than any study needs, and too few to crowd the others out."""

DESKS = 4
"""Threads that cast roles and keep results: as many sessions can begin or end at once."""

Report = Callable[[str], None]
"""Tells this side's operator; never gets an identifier, label, key or score."""


@dataclass
class _Meeting:
    """A session whose streams come in one by one."""

    opening: Opening
    due: tuple[str, ...]
    """The roles that must call."""
    links: dict[str, Link] = field(default_factory=dict)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    tap: Tap = untapped
    failed: BaseException | None = None
    host: asyncio.Task[None] | None = None
    """Who plays it: the first caller's task."""
    gone: str = ""
    """Why the session is given up although nothing failed here: the other caller hung up, or the step was opened again."""

    def give_up(self, why: str) -> None:
        """End the session at once, whomever it listens to just then."""
        self.gone = self.gone or why
        if self.host is not None and not self.over.is_set():
            self.host.cancel()


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
        opening_patience: float = OPENING_PATIENCE,
        clock: Callable[[], float] = time.time,
        watch: Watch = SILENT,
    ) -> None:
        """Serve `troupe`. `tap` gives the tap of a session; `dialler` the channels to those whom this party dials itself.

        `patience` and `opening_patience`: seconds to wait for a peer in a session, and at its beginning. `clock`: what a probe is told.
        `watch` gets events and, once they are recorded, frames.
        """
        require_native_protobuf()
        self._troupe, self._keys, self._tap, self._report, self._patience = troupe, keys, tap, report, patience
        self._refused = Sparing(report)
        self._make_dialler, self._clock, self._probes = dialler, clock, probes_of(troupe.role)
        self._watch = watch
        self._diallers: dict[bytes, Dialler] = {}
        self._meetings: dict[tuple[bytes, bytes], _Meeting] = {}
        self._opening_patience = opening_patience
        self._open: Counter[str] = Counter()
        self._desk = ThreadPoolExecutor(DESKS, thread_name_prefix="desk")
        self._server: grpc.aio.Server | None = None
        self._stopping = False

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
            raise ContractError(f"cannot listen at {address}: is another node running there, or is the address not ours?") from None
        await self._server.start()
        return port

    async def stop(self) -> None:
        """Hang up and stop listening. Sessions under way end here; what their roles are computing is not waited for."""
        self._stopping = True
        if self._server is not None:
            await self._server.stop(grace=STOPPING)
        self._refused.close()
        self._desk.shutdown(wait=False, cancel_futures=True)
        for each in self._diallers.values():
            await each.close()

    async def wait(self) -> None:
        """Serve until stopped."""
        if self._server is not None:
            await self._server.wait_for_termination()

    async def _converse(self, _: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]) -> None:
        status, word, pin = grpc.StatusCode.FAILED_PRECONDITION, REFUSED, ""
        try:
            pin = peer_pin(context)
            await self._admit(context, pin)
        except TandemError as error:
            self._refused(pin, f"{type(error).__name__}: {error}")
            if gone(error):
                status, word = grpc.StatusCode.UNAVAILABLE, LOST
        except asyncio.CancelledError:
            if not self._stopping:
                self._refused(pin, "PeerLost: a caller hung up in the middle of a session")
            raise
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach a peer, whatever broke
            self._refused(pin, f"a fault of our own, please report it: {_fault(error)}")
        else:
            return
        await context.abort(status, word)

    async def _admit(self, context: grpc.aio.ServicerContext[bytes, bytes], pin: str) -> None:
        """Take in who calls, and bring the streams of a session together; the first one to come plays it."""
        with self._counted(pin):
            with self._watch.call():
                contract, session, meeting, caller = await self._enter(context, pin)
            if len(meeting.links) > 1:
                await self._attend(meeting, caller)
                return
            with self._watch.session(contract, meeting.opening, answers=True) as weight:
                meeting.tap = both(self._tap(contract, session), weight.tap)
                await self._host(contract, session, meeting)

    @contextmanager
    def _counted(self, pin: str) -> Iterator[None]:
        """Count a stream while it is open. Raises OutOfTurn if its key has too many."""
        if self._open[pin] >= AT_ONCE:
            raise OutOfTurn(f"one peer opened more than {AT_ONCE} streams at once")
        self._open[pin] += 1
        try:
            yield
        finally:
            self._open[pin] -= 1
            if not self._open[pin]:
                del self._open[pin]

    async def _enter(self, context: grpc.aio.ServicerContext[bytes, bytes], pin: str) -> tuple[Contract, bytes, _Meeting, Role]:
        """Read what is asked for. Return the contract, the session's id, the meeting that the caller now is in, and the caller."""
        first = await self._first(context)
        frame = Frame.from_bytes(first)
        contract = self._troupe.contract(frame.contract)
        caller: Role = contract.role_of_pin(pin)
        opening = self._opening(contract, frame, caller)
        due = self._callers(contract, opening, frame, caller)
        meeting = self._meetings.setdefault((frame.contract, frame.session), _Meeting(opening, due))
        if frame.speaker in meeting.links:
            raise OutOfTurn(f"the {caller} opened one session twice")
        if opening != meeting.opening:
            raise OutOfTurn(f"the {caller} opened a session with another script, stage, roster or size than the first to open it")
        meeting.links[frame.speaker] = Accepted(caller, context, first)
        for (digest, _), older in self._meetings.items():
            if digest == frame.contract and older.opening.job == opening.job and older.opening.attempt < opening.attempt:
                older.give_up("the bank has opened a step of the same job since: this session is given up")
        if len(meeting.links) == len(meeting.due):
            meeting.complete.set()
        return contract, frame.session, meeting, caller

    async def _first(self, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        try:
            async with asyncio.timeout(self._opening_patience):
                first = await context.read()
        except TimeoutError:
            raise PeerLost(f"a caller did not say within {self._opening_patience:.0f} s what it wants") from None
        if not isinstance(first, bytes):
            raise PeerLost("a caller hung up before it said anything, or said more than a frame holds")
        return first

    def _opening(self, contract: Contract, frame: Frame, caller: Role) -> Opening:
        """Return what the first frame opens. Raises OutOfTurn, Malformed, ContractError for another version."""
        if frame.speaker not in PLAYERS or player(contract, frame.speaker) != caller:
            raise OutOfTurn(f"the {caller} spoke as {frame.speaker[:20]!r}")
        if (frame.line, frame.number, frame.kind) != (0, 0, Opening.__name__):
            raise OutOfTurn(f"the {caller} began with {frame.kind[:20]!r}")
        opening = decode(Opening, frame.payload)
        if not isinstance(opening, Opening):
            raise OutOfTurn("an opening of another type")
        if opening.script not in self._probes:  # a probe is how two nodes find out that their versions differ
            same_version(opening)
        return opening

    def _callers(self, contract: Contract, opening: Opening, frame: Frame, caller: Role) -> tuple[str, ...]:
        """Return the roles that must call for this script, of which the speaker must be one. Raises OutOfTurn."""
        script = self._script(opening.script)
        due = callers(script, self._troupe.role, contract)
        if frame.speaker not in due:
            raise OutOfTurn(f"the {caller} opened script {script.name!r}, in which it does not call this node")
        return due

    def _script(self, name: str) -> Script:
        script = self._troupe.scripts.get(name) or self._probes.get(name)
        if script is None:
            raise OutOfTurn(f"script {name[:20]!r} is none that this node plays")
        return script

    async def _attend(self, meeting: _Meeting, caller: Role) -> None:
        """Stay until the session is over. If this caller hangs up before, the session ends at once, whomever it listens to just then."""
        try:
            await meeting.over.wait()
        except asyncio.CancelledError:
            meeting.give_up(f"the {caller} hung up in the middle of the session")
            raise
        if meeting.failed is not None:
            raise (PeerLost if gone(meeting.failed) else PeerRefused)("the session failed; the reason stands above")

    async def _host(self, contract: Contract, session: bytes, meeting: _Meeting) -> None:
        """Wait for the other callers, cast ourselves, and play."""
        meeting.host = asyncio.current_task()
        try:
            await self._gather(contract, meeting)
            await self._reach(contract, meeting)
            loop = asyncio.get_running_loop()
            # Only now: casting spends budgets and attempts, and half a session must spend nothing.
            cast = await loop.run_in_executor(self._desk, self._cast, contract, session, meeting.opening)
            result = await self._play(contract, session, meeting, cast)
            await loop.run_in_executor(self._desk, cast.finish, result)
        except BaseException as error:
            meeting.failed = error
            if isinstance(error, asyncio.CancelledError) and meeting.gone and meeting.host is not None:
                meeting.host.uncancel()
                meeting.failed = PeerLost(meeting.gone)
                raise meeting.failed from None
            raise
        finally:
            del self._meetings[contract.digest, session]
            meeting.over.set()

    def _cast(self, contract: Contract, session: bytes, opening: Opening) -> Cast:
        if opening.script in self._probes:
            return answering(self._probes[opening.script], contract, self._clock, self._report)
        return self._troupe.cast(contract, session, opening)

    async def _gather(self, contract: Contract, meeting: _Meeting) -> None:
        try:
            async with asyncio.timeout(self._opening_patience):
                await meeting.complete.wait()
        except TimeoutError:
            missing = " and ".join(player(contract, role) for role in meeting.due if role not in meeting.links)
            raise PeerLost(f"the {missing} did not join the session within {self._opening_patience:.0f} s") from None

    async def _reach(self, contract: Contract, meeting: _Meeting) -> None:
        """Wait until those whom this node dials in the session's script can be reached. Raises PeerLost."""
        script = arranged(self._script(meeting.opening.script), contract)
        for role in script.roles:
            for peer in script.called_by(role) if player(contract, role) == self._troupe.role else ():
                await self._dialler(contract, script).reach(player(contract, peer), self._opening_patience)

    def _dialler(self, contract: Contract, script: Script) -> Dialler:
        if self._make_dialler is None:
            raise ContractError(f"script {script.name!r} makes this node call others, and it was told no address")
        if contract.digest not in self._diallers:
            self._diallers[contract.digest] = self._make_dialler(contract)
        return self._diallers[contract.digest]

    async def _play(self, contract: Contract, session: bytes, meeting: _Meeting, cast: Cast) -> object:
        dialler = self._dialler(contract, cast.script) if arranged(cast.script, contract).called_by(cast.role) else None
        stage = Stage(contract, dialler, self._patience)
        played: object = await stage.play(cast, session, meeting.opening, meeting.tap, meeting.links)
        return played


def _fault(failure: BaseException) -> str:
    """Return class and place of what was not foreseen. Not its text: a library's error may quote the value that it met."""
    where = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{type(failure).__name__} in {Path(where.filename).name}, line {where.lineno}"
