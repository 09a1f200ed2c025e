"""What a caller may ask of a listening node at once, and what it costs us to refuse more."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import Counter
from contextlib import AsyncExitStack

import grpc
import pytest
from acting import Acting, end_of, frame, listening, say, seek, valid_now
from three_parties import make_site, until

from tandem.align.script import ALIGN
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import LOST, REFUSED
from tandem.node import machine, server
from tandem.node.driver import METHOD
from tandem.wire.codec import ENVELOPE_LIMIT

QUICK = 0.1
"""Seconds in which what is too large is refused."""


MUTE = 40


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return valid_now(make_site(tmp_path_factory.mktemp("site")))


def reckless(site, port, caller=BANK, **more):
    """Return a channel of the caller's with no limit of its own."""
    bank, telco = site.parties[caller].keys, site.parties[TELCO].keys
    options = [
        ("grpc.ssl_target_name_override", "telco.tandem"), ("grpc.max_send_message_length", -1), ("grpc.max_metadata_size", 1 << 24),
        *((f"grpc.{name}", value) for name, value in more.items()),
    ]
    credentials = grpc.ssl_channel_credentials(telco.tls_certificate, bank.tls_key, bank.tls_certificate)
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


def declared(length):
    """Return a frame whose envelope says that it is `length` bytes long, in few bytes."""
    return length.to_bytes(4, "little") + bytes(4092)


def bomb(site):
    """Return a whole opening, compressed, and a gigabyte's worth of zeros: a frame is never unpacked."""
    return gzip.compress(bytes(64 << 20))


@pytest.mark.parametrize("what", ["1 byte over", "1 GiB declared", "4 GiB declared", "10^9 items", "gzip bomb"])
def test_what_is_too_large_is_refused_at_once_and_takes_no_memory(site, what):
    many = b"\x0a\x80\x94\xeb\xdc\x03"  # field 1 of a message, 10^9 bytes of it
    data = {
        "1 byte over": bytes(ENVELOPE_LIMIT + 1), "1 GiB declared": declared(1 << 30), "4 GiB declared": declared((1 << 32) - 1),
        "10^9 items": frame(site.contract, payload=many), "gzip bomb": bomb(site),
    }[what]
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told), reckless(site, port) as channel:
            await channel.channel_ready()
            before, began = machine.peak(), time.perf_counter()
            call = channel.stream_stream(METHOD)()
            await call.write(data)
            code, details, frames = await end_of(call)
            took, grown = time.perf_counter() - began, machine.peak() - before
            await until(lambda: told)
            assert (code, details) == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED) or code is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert frames == 0
            return took, grown

    took, grown = asyncio.run(run())
    assert took < QUICK * 10  # the figure is 0.1 s; ten times that on a machine that does other work
    assert grown < 2 * ENVELOPE_LIMIT + (8 << 20)  # what gRPC and the caller, which is in this process too, hold
    assert troupe.casts == 0


@pytest.mark.parametrize(("size", "heard"), [(7_000, True), (9_000, False), (100_000, False)])
def test_a_call_with_headers_over_eight_kibibytes_is_refused_before_a_frame_of_it_is_read(site, size, heard):
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told), reckless(site, port) as channel:
            await channel.channel_ready()
            began = time.perf_counter()
            call = channel.stream_stream(METHOD)(metadata=(("x-a", "a" * size),))
            await say(call, b"none of ours")
            code, _, frames = await end_of(call)
            took = time.perf_counter() - began
            assert frames == 0
            return code, any(line.startswith("Malformed") for line in told), took

    code, told, took = asyncio.run(run())
    assert told == heard
    assert code is (grpc.StatusCode.FAILED_PRECONDITION if heard else grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert took < QUICK * 10


@pytest.mark.parametrize("limited", [True, False], ids=["shipped", "without the limit"])
def test_one_key_has_only_so_many_streams_open_and_the_others_go_on(site, monkeypatch, limited):
    """The coordinator opens forty streams over forty connections and says nothing; the bank is served meanwhile."""
    if not limited:
        monkeypatch.setattr(server, "AT_ONCE", MUTE)
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe, opening_patience=2.0) as (port, told), AsyncExitStack() as open_ones:
            calls = []
            for _ in range(MUTE):
                channel = await open_ones.enter_async_context(reckless(site, port, COORDINATOR, use_local_subchannel_pool=1))
                calls.append(channel.stream_stream(METHOD)())
            heard = await seek(site, port)
            await until(lambda: len(told) == MUTE)
            words = Counter([(await end_of(call))[:2] for call in calls])
            return heard, words, told

    heard, words, told = asyncio.run(run())
    assert len(heard) == 3
    over = MUTE - 32 if limited else 0
    assert words[grpc.StatusCode.FAILED_PRECONDITION, REFUSED] == over
    assert words[grpc.StatusCode.UNAVAILABLE, LOST] == MUTE - over
    assert told.count("OutOfTurn: one peer opened more than 32 streams at once") == over


def test_a_key_that_was_refused_for_its_number_is_heard_once_the_others_have_ended(site, monkeypatch):
    monkeypatch.setattr(server, "AT_ONCE", 1)
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told):
            async with reckless(site, port) as channel:
                first = channel.stream_stream(METHOD)()
                await channel.channel_ready()
                await asyncio.sleep(0.2)
                second = channel.stream_stream(METHOD)()
                assert (await end_of(second))[:2] == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED)
                first.cancel()
            await until(lambda: len(told) == 2)
            return len(await seek(site, port))

    assert asyncio.run(run()) == 3


def test_a_peer_that_compresses_is_heard_only_within_the_limit(site):
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, _), reckless(site, port) as channel:
            call = channel.stream_stream(METHOD)(compression=grpc.Compression.Gzip)
            await call.write(bytes(32 << 20))  # 32 kB on the line
            code, _, frames = await end_of(call)
            assert code in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.FAILED_PRECONDITION}
            assert frames == 0

    asyncio.run(run())
    assert troupe.casts == 0
