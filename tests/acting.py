"""A node whose party plays puppets, and a caller by hand: what a test needs that looks at the server alone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import grpc
from puppets import puppet, whole

from tandem.align.script import ALIGN
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.contract.fields import MOMENT
from tandem.errors import LOST
from tandem.node.casting import VERSION, Cast
from tandem.node.client import Dialler, Stage
from tandem.node.contracts import Contracts
from tandem.node.server import Server
from tandem.session.session import START
from tandem.session.tap import untapped
from tandem.train.script import TRAIN
from tandem.wire.codec import Frame, encode
from tandem.wire.messages import Opening

SESSION = bytes(range(16))
GONE = (grpc.StatusCode.UNAVAILABLE, LOST)
OPENING = Opening(VERSION, ALIGN.name, 0, ("ids",), (3,), b"")
TRAINING = Opening(VERSION, TRAIN.name, 1, ("rows",), (3,), bytes(32))


class Acting:
    """A party that plays puppets. `kept`: results of sessions that ended well."""

    def __init__(self, site, role, scripts, playing=None, fail=None):
        self.role, self.scripts = role, MappingProxyType({script.name: script for script in scripts})
        self._contracts, self._playing, self._fail = Contracts(site.folder(role) / "contracts"), playing, fail
        self.casts, self.kept, self.begun, self.closed = 0, [], 0, 0

    def contract(self, digest):
        return self._contracts.live(digest)

    def cast(self, contract, session, opening):
        self.casts += 1
        if self._fail:
            raise self._fail
        script = self.scripts[opening.script]
        role = {TELCO: "holder", COORDINATOR: "solver"}[self.role]
        playing = self._playing() if self._playing else puppet(role, whole(script))
        return Cast(script, role, self._watched(playing), self.kept.append)

    def _watched(self, playing):
        self.begun += 1
        try:
            return (yield from playing)
        finally:
            self.closed += 1


def window(start):
    return {"start": start.strftime(MOMENT), "expiry": (start + timedelta(days=2)).strftime(MOMENT)}


def valid_now(site):
    """Give the site a contract that began five minutes ago, whatever a test before did to it; return the site."""
    site.amend(window(datetime.now(UTC) - timedelta(minutes=5)))
    return site


@asynccontextmanager
async def listening(site, troupe, patience=10.0, opening_patience=5.0, tap=untapped, dialler=None):
    told = []
    server = Server(troupe, site.parties[troupe.role].keys, lambda *_: tap, told.append, dialler, patience, opening_patience)
    port = await server.start("127.0.0.1:0")
    try:
        yield port, told
    finally:
        await server.stop()


@asynccontextmanager
async def stream(site, port, caller=BANK, called=TELCO):
    peers = {called: (f"127.0.0.1:{port}", site.parties[called].keys.tls_certificate)}
    dialler = Dialler(site.parties[caller].keys, site.contract, peers)
    try:
        yield dialler.dial(called)
    finally:
        await dialler.close()


async def end_of(call):
    """Read to the end, and return (status, text, number of frames heard)."""
    frames = 0
    try:
        while await call.read() is not grpc.aio.EOF:
            frames += 1
    except grpc.aio.AioRpcError:
        pass
    return await call.code(), await call.details(), frames


async def say(call, frame):
    with suppress(asyncio.InvalidStateError, grpc.aio.AioRpcError):  # refused already
        await call.write(frame)


def frame(contract, opening=OPENING, speaker="seeker", **changes):
    told = Frame(contract.digest, SESSION, speaker, 0, 0, START, "Opening", encode(opening))
    return replace(told, **changes).to_bytes()


def seek(site, port, playing=None, patience=10.0, opening=OPENING, session=SESSION):
    """Play the seeker of an alignment against the node at `port`."""
    async def run():
        peers = {TELCO: (f"127.0.0.1:{port}", site.parties[TELCO].keys.tls_certificate)}
        dialler = Dialler(site.parties[BANK].keys, site.contract, peers)
        try:
            cast = Cast(ALIGN, "seeker", playing or puppet("seeker", whole(ALIGN)))
            return await Stage(site.contract, dialler, patience).play(cast, session, opening, untapped)
        finally:
            await dialler.close()

    return run()
