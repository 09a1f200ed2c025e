"""Malformed frames over TLS, from a party that may call: each is refused with one word, and an honest study afterwards succeeds."""

from __future__ import annotations

import asyncio
import time

import grpc
import numpy as np
from acting import OPENING, SESSION, Acting, end_of, frame, listening, say, stream
from attacked.malformed import bent_bytes
from puppets import SAMPLES
from three_parties import make_site, run_study, serving

from tandem.align.script import ALIGN
from tandem.contract import TELCO
from tandem.errors import REFUSED
from tandem.node import sparing
from tandem.wire.codec import Frame, encode

STREAMS = 300
LONGEST = 1.0
"""Seconds until a caller hears that it is refused."""


async def refused(site, port, frames):
    """Open a stream a frame list, and return how long each took to be refused."""
    took = []
    async with stream(site, port) as first:
        await say(first, b"")
        await end_of(first)
    for sent in frames:
        async with stream(site, port) as call:
            began = time.perf_counter()
            for one in sent:
                await say(call, one)
            await call.done_writing()
            code, word, _ = await end_of(call)
            took.append(time.perf_counter() - began)
            assert (code, word) == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED)
    return took


def test_malformed_first_frames_are_refused_and_an_honest_study_then_runs(tmp_path):
    site, rng = make_site(tmp_path, layout={"passes": 1}), np.random.default_rng(1)
    site.keep_key()
    honest = frame(site.contract)
    frames = [[bent] for _ in range(STREAMS) if (bent := bent_bytes(honest, rng)) != honest]

    async def run():
        async with serving(site) as nodes:
            took = await refused(site, nodes.ports[TELCO], frames)
            async with nodes.bank() as conductor:
                trained = await run_study(site, conductor)
            return took, trained, nodes.telco

    took, trained, _ = asyncio.run(run())
    assert len(took) > STREAMS // 2
    assert max(took) < LONGEST
    assert trained is not None


def test_malformed_frames_in_the_middle_of_a_session_end_it_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(sparing, "FEW", STREAMS)
    site, rng = make_site(tmp_path), np.random.default_rng(2)
    troupe = Acting(site, TELCO, [ALIGN])
    opening = frame(site.contract)
    previous = Frame.from_bytes(opening).digest
    second = Frame(site.contract.digest, SESSION, "seeker", 1, 1, previous, "Shelved", encode(SAMPLES["Shelved"])).to_bytes()
    frames = [[opening, bent] for _ in range(STREAMS // 3) if (bent := bent_bytes(second, rng)) != second]

    async def run():
        async with listening(site, troupe) as (port, told):
            return await refused(site, port, frames), told

    took, told = asyncio.run(run())
    assert max(took) < LONGEST
    assert len(told) >= len(took) == troupe.begun == troupe.closed
    assert troupe.kept == []
    assert OPENING.script == ALIGN.name
