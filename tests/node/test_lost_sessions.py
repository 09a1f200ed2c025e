"""What becomes of a session whose peer dies, hangs up or falls silent, and of one that we stop or that others run beside."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest
from acting import GONE, OPENING, SESSION, TRAINING, Acting, end_of, frame, listening, say, seek, stream, valid_now
from puppets import SAMPLES, puppet, whole
from three_parties import make_site, until

from tandem.align.script import ALIGN
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import LOST, CheckFailed, PeerLost
from tandem.node.client import Dialler
from tandem.train.script import TRAIN


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def site(made):
    return valid_now(made)


def test_one_of_two_callers_is_not_enough_and_spends_nothing(site):
    troupe = Acting(site, COORDINATOR, [TRAIN])

    async def run():
        async with listening(site, troupe, opening_patience=0.3) as (port, told), stream(site, port, BANK, COORDINATOR) as call:
            await say(call, frame(site.contract, TRAINING, "sealer"))
            assert (await end_of(call))[:2] == GONE
            return told

    assert asyncio.run(run()) == ["PeerLost: the telco did not join the session within 0 s"]
    assert troupe.casts == 0


def test_a_caller_that_says_nothing_is_hung_up_on(site):
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe, opening_patience=0.3) as (port, told), stream(site, port) as call:
            began = time.monotonic()
            assert (await end_of(call))[1] == LOST
            assert time.monotonic() - began < 3
            return told

    assert "did not say within" in asyncio.run(run())[0]


def test_a_role_that_fails_on_the_way_ends_the_session_on_both_sides(site):
    def failing():
        yield SAMPLES["Tags"]
        raise CheckFailed("the sum is off")

    troupe = Acting(site, TELCO, [ALIGN], failing)

    async def run():
        async with listening(site, troupe) as (port, told):
            with pytest.raises(PeerLost, match="refused or failed"):
                await seek(site, port)
            await until(lambda: troupe.closed)
            return told

    assert asyncio.run(run()) == ["CheckFailed: the sum is off"]
    assert troupe.kept == []


def test_a_caller_that_hangs_up_amid_a_session_closes_our_role(site):
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told):
            async with stream(site, port) as call:
                await say(call, frame(site.contract))
                assert isinstance(await call.read(), bytes)
            await until(lambda: troupe.closed and told)
            return told

    assert asyncio.run(run())[0].startswith("PeerLost: ")
    assert troupe.kept == []


@pytest.mark.parametrize("dies", [BANK, TELCO])
def test_whichever_of_two_callers_hangs_up_the_other_hears_of_it(site, dies):
    troupe = Acting(site, COORDINATOR, [TRAIN])
    other = {BANK: TELCO, TELCO: BANK}[dies]
    roles = {BANK: "sealer", TELCO: "summer"}

    async def run():
        async with listening(site, troupe) as (port, told), stream(site, port, other, COORDINATOR) as survivor:
            async with stream(site, port, dies, COORDINATOR) as call:
                await say(survivor, frame(site.contract, TRAINING, roles[other]))
                await until(lambda: told == [])
                await say(call, frame(site.contract, TRAINING, roles[dies]))
                await until(lambda: troupe.begun)  # a role that has not begun has nothing to close
                call.cancel()
            assert (await asyncio.wait_for(end_of(survivor), 5.0))[:2] == GONE
            await until(lambda: troupe.closed and told)
            return told

    assert all(line.startswith("PeerLost: ") for line in asyncio.run(run()))


def test_a_step_opened_again_ends_the_older_session_and_only_that(site):
    """A caller whose line was cut calls again while its first call seems alive: the older one must keep nothing."""
    troupe = Acting(site, TELCO, [ALIGN])
    other = replace(OPENING, job=b"another job, too")

    async def run():
        async with listening(site, troupe) as (port, told), stream(site, port) as half_dead, stream(site, port) as elsewhere:
            for call, opening, session in ((half_dead, OPENING, SESSION), (elsewhere, other, bytes(16))):
                await say(call, frame(site.contract, opening, session=session))
                assert isinstance(await call.read(), bytes)
            assert len(await seek(site, port, opening=replace(OPENING, attempt=2), session=b"s" * 16)) == 3
            assert (await end_of(half_dead))[:2] == GONE
            assert not elsewhere.done()
            return told

    told = asyncio.run(run())
    assert told[0] == "PeerLost: the bank has opened a step of the same job since: this session is given up"
    assert len(troupe.kept) == 1


def test_a_node_that_cannot_reach_whom_it_must_dial_casts_nothing(site):
    """An attempt counts and costs: it must not be spent on a session that cannot come about."""
    troupe = Acting(site, TELCO, [TRAIN])

    def nobody(contract):
        return Dialler(site.parties[TELCO].keys, contract, {COORDINATOR: ("127.0.0.1:1", site.parties[COORDINATOR].keys.tls_certificate)})

    async def run():
        async with listening(site, troupe, opening_patience=0.3, dialler=nobody) as (port, told), stream(site, port) as call:
            await say(call, frame(site.contract, TRAINING, "sealer"))
            assert (await end_of(call))[:2] == GONE
            return told

    assert asyncio.run(run()) == ["PeerLost: the coordinator cannot be reached, or holds another key than the pinned one"]
    assert troupe.casts == 0


def test_a_caller_that_goes_mute_is_given_up(site):
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe, patience=0.3) as (port, told), stream(site, port) as call:
            await say(call, frame(site.contract))
            code, details, frames = await end_of(call)
            assert (code, details) == GONE
            assert frames > 0
            await until(lambda: troupe.closed)
            return told

    assert asyncio.run(run()) == ["PeerLost: the bank said nothing for 0 s: the job was stopped"]


def test_a_node_that_goes_mute_is_given_up(site):
    gate = threading.Event()

    def mute():
        gate.wait(10)
        yield SAMPLES["Tags"]

    troupe = Acting(site, TELCO, [ALIGN], mute)

    async def run():
        async with listening(site, troupe) as (port, _):
            began = time.monotonic()
            with pytest.raises(PeerLost, match="the telco said nothing for 0 s: the job was stopped"):
                await seek(site, port, patience=0.3)
            assert time.monotonic() - began < 3
            gate.set()
            await until(lambda: troupe.closed)

    asyncio.run(run())


def test_a_node_that_is_not_there_is_a_clear_error(site):
    with pytest.raises(PeerLost, match="the telco cannot be reached"):
        asyncio.run(seek(site, 1))


def test_stopping_amid_a_session_is_prompt_and_closes_the_role(site, caplog):
    """The role is computing, in a thread, and does not look up: nobody waits for it, and nothing is printed when it ends."""
    gate = threading.Event()

    def busy():
        yield SAMPLES["Tags"]
        gate.wait(30)
        yield SAMPLES["Tags"]

    troupe = Acting(site, TELCO, [ALIGN], busy)

    async def run():
        async with listening(site, troupe) as (port, told):
            task = asyncio.create_task(seek(site, port))
            await until(lambda: troupe.casts)
            await asyncio.sleep(0.1)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        with pytest.raises(PeerLost):
            await task
        return told

    began = time.monotonic()
    assert asyncio.run(run()) == []
    assert time.monotonic() - began < 5
    gate.set()
    deadline = time.monotonic() + 5
    while not troupe.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert troupe.closed == 1
    assert caplog.text == ""


def test_several_sessions_of_one_node_go_on_side_by_side(site):
    barrier = threading.Barrier(3, timeout=10)

    def together():
        yield SAMPLES["Tags"]
        barrier.wait()
        return (yield from puppet("holder", whole(ALIGN)[1:]))

    troupe = Acting(site, TELCO, [ALIGN], together)

    async def run():
        async with listening(site, troupe) as (port, told):
            await asyncio.gather(*(seek(site, port, session=bytes([number]) * 16) for number in range(3)))
            return told

    assert asyncio.run(run()) == []
    assert len(troupe.kept) == 3
