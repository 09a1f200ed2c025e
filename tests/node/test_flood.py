"""Who only wants to be in the way: connections that dawdle are hung up on, strangers write nothing into the log, callers only so much."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import subprocess
import sys
from contextlib import ExitStack, suppress

import grpc
import pytest
from acting import Acting, end_of, frame, listening, say, seek, valid_now
from three_parties import make_site, until

from tandem.align.script import ALIGN
from tandem.contract import TELCO
from tandem.node import server, sparing
from tandem.node.certificates import server_name
from tandem.node.driver import METHOD
from tandem.node.sparing import Sparing

SLOW = 50


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return valid_now(make_site(tmp_path_factory.mktemp("site")))


def greeting():
    """Return a TLS ClientHello."""
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name(TELCO)).do_handshake()
    return outgoing.read()


def hung_up(one):
    one.setblocking(False)
    try:
        return one.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize(("limit", "closed"), [(1_000, SLOW), (60_000, 0)], ids=["a second", "control: a minute"])
def test_slow_handshakes_are_hung_up_on_and_an_honest_call_is_heard_meanwhile(site, monkeypatch, limit, closed):
    """Half of them say nothing at all, half say a part of their greeting."""
    assert ("grpc.server_handshake_timeout_ms", 10_000) in server.SERVER_OPTIONS
    others = tuple(option for option in server.SERVER_OPTIONS if option[0] != "grpc.server_handshake_timeout_ms")
    monkeypatch.setattr(server, "SERVER_OPTIONS", (*others, ("grpc.server_handshake_timeout_ms", limit)))

    async def run():
        async with listening(site, Acting(site, TELCO, [ALIGN])) as (port, _):
            with ExitStack() as stack:
                slow = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(SLOW)]
                for one in slow[::2]:
                    one.sendall(greeting()[:40])
                heard = await seek(site, port)
                await asyncio.sleep(2.5)
                return len(heard), sum(map(hung_up, slow))

    assert asyncio.run(run()) == (3, closed)


KNOCKING = """
import asyncio, ssl, sys
{first}
import tandem, grpc
key, pem, ca = (open(name, "rb").read() for name in sys.argv[1:])
credentials = grpc.ssl_server_credentials([(key, pem)], ca, True)
async def main():
    node = grpc.aio.server()
    port = node.add_secure_port("127.0.0.1:0", credentials)
    await node.start()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for _ in range(20):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            await reader.read()
        except OSError:
            pass
    await node.stop(0)
asyncio.run(main())
"""


LOUD = "import os; os.environ['GRPC_VERBOSITY'] = 'INFO'"


@pytest.mark.parametrize(("first", "silent"), [("", True), (LOUD, False)], ids=["shipped", "control: INFO"])
def test_twenty_strangers_at_the_door_write_nothing_into_the_log(site, tmp_path, first, silent):
    """In a process of its own: gRPC reads its verbosity once, and writes past Python."""
    keys = site.parties[TELCO].keys
    names = [tmp_path / name for name in ("key", "pem", "ca")]
    for path, content in zip(names, (keys.tls_key, keys.tls_certificate, keys.authority), strict=True):
        path.write_bytes(content)
    fresh = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}  # ours is set since tandem was imported here
    said = [sys.executable, "-c", KNOCKING.format(first=first), *map(str, names)]
    done = subprocess.run(said, env=fresh, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr == "") == ("", silent)


def test_a_caller_that_is_refused_again_and_again_fills_no_log(site, monkeypatch):
    monkeypatch.setattr(sparing, "FEW", 10)
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told):
            bank = site.parties["bank"].keys
            credentials = grpc.ssl_channel_credentials(bank.authority, bank.tls_key, bank.tls_certificate)
            options = [("grpc.ssl_target_name_override", server_name(TELCO))]
            async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options) as channel:
                for number in range(30):
                    call = channel.stream_stream(METHOD)()
                    await say(call, frame(site.contract, speaker=f"stranger {number}"))
                    assert (await end_of(call))[0] is grpc.StatusCode.FAILED_PRECONDITION
            await until(lambda: len(told) >= 10)
        return told

    told = asyncio.run(run())
    assert told[10:] == ["20 more like the last ones of this caller were not written down"]


def test_another_caller_and_the_next_minute_are_reported_and_the_number_left_out_is_told():
    now, told = [0.0], []
    report = Sparing(told.append, lambda: now[0])
    for number in range(100):
        report("one", f"one {number}")
    report("two", "two")
    assert told == [*(f"one {number}" for number in range(60)), "two"]
    now[0] = 59.9
    report("one", "one again")
    now[0] = 60.0
    report("one", "one at last")
    report.close()
    assert told[61:] == ["41 more like the last ones of this caller were not written down", "one at last"]
