"""What a caller hears and what our operator reads when a call is refused, and what a peer does that dies, cheats or falls silent."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import grpc
import pytest
from puppets import SAMPLES, puppet, whole
from three_parties import make_site, until

from tandem.align.script import ALIGN
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, dumps
from tandem.contract.fields import MOMENT
from tandem.errors import LOST, REFUSED, CheckFailed, InputError, PeerLost, PeerRefused
from tandem.node.casting import VERSION, Cast
from tandem.node.client import Dialler, Stage
from tandem.node.contracts import Contracts
from tandem.node.driver import METHOD, lost
from tandem.node.server import Server
from tandem.session.session import START, Session
from tandem.session.tap import untapped
from tandem.train.script import TRAIN
from tandem.wire.codec import ENVELOPE_LIMIT, Frame, encode
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


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


def window(start):
    return {"start": start.strftime(MOMENT), "expiry": (start + timedelta(days=2)).strftime(MOMENT)}


@pytest.fixture
def site(made):
    made.amend(window(datetime.now(UTC) - timedelta(minutes=5)))
    return made


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


def frame_of_no_contract(_):
    return Frame(bytes(32), SESSION, "seeker", 0, 0, START, "Opening", encode(OPENING)).to_bytes()


FIRST_FRAMES = {
    "nothing of ours": (lambda c: b"hello", "Malformed"),
    "an empty frame": (lambda c: b"", "Malformed"),
    "unknown contract": (frame_of_no_contract, "no contract 0000000000000000 lies in"),
    "a role that is not the caller's": (lambda c: frame(c, speaker="holder"), "OutOfTurn: the bank spoke as 'holder'"),
    "a role that is nobody's": (lambda c: frame(c, speaker="admin"), "OutOfTurn: the bank spoke as 'admin'"),
    "no opening": (lambda c: frame(c, kind="Query", payload=encode(SAMPLES["Query"])), "OutOfTurn: the bank began with 'Query'"),
    "an opening in another line": (lambda c: frame(c, line=1), "OutOfTurn"),
    "an opening that is none": (lambda c: frame(c, payload=encode(SAMPLES["Step"])), "Malformed"),
    "not the first frame": (lambda c: frame(c, number=1), "OutOfTurn"),
    "another version": (lambda c: frame(c, replace(OPENING, version="2")), "ContractError: the caller speaks version '2'.*update"),
    "unknown script": (lambda c: frame(c, replace(OPENING, script="lookup")), "OutOfTurn: script 'lookup' is none that this node plays"),
    "a script in which the telco is not called so": (
        lambda c: frame(c, replace(OPENING, script="train"), speaker="seeker"), "in which it does not call this node",
    ),
}


@pytest.mark.parametrize("name", FIRST_FRAMES)
def test_a_bad_first_frame_is_refused_with_one_word_and_the_reason_stays_here(site, name):
    make, reason = FIRST_FRAMES[name]
    troupe = Acting(site, TELCO, [ALIGN, TRAIN])

    async def run():
        async with listening(site, troupe) as (port, told), stream(site, port) as call:
            await say(call, make(site.contract))
            assert await end_of(call) == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED, 0)
            return told

    told = asyncio.run(run())
    assert len(told) == 1
    assert re.search(reason, told[0])
    assert troupe.casts == 0


@pytest.mark.parametrize("size", [ENVELOPE_LIMIT + 1, 8 * ENVELOPE_LIMIT])
def test_an_oversize_frame_never_reaches_a_role(site, size):
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        options = (("grpc.ssl_target_name_override", "telco.tandem"), ("grpc.max_send_message_length", -1))
        bank, telco = site.parties[BANK].keys, site.parties[TELCO].keys
        credentials = grpc.ssl_channel_credentials(telco.tls_certificate, bank.tls_key, bank.tls_certificate)
        async with listening(site, troupe) as (port, told):
            async with grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options) as channel:
                call = channel.stream_stream(METHOD)()
                await say(call, bytes(size))
                code, details, frames = await end_of(call)
                assert frames == 0
                # gRPC itself drops what is larger than the limit we gave it; its words tell that public limit and nothing else
                assert details == REFUSED or code is grpc.StatusCode.RESOURCE_EXHAUSTED
                await until(lambda: told)
            return told

    assert len(asyncio.run(run())) == 1
    assert troupe.casts == 0


@pytest.mark.parametrize("fault", ["expired", "not yet live", "unsigned", "altered", "removed"])
def test_no_frame_is_handled_without_a_live_contract(site, fault):
    now = datetime.now(UTC)
    path = site.folder(TELCO) / "contracts" / "study.toml"
    contract = site.contract
    if fault == "expired":
        contract = site.amend(window(now - timedelta(days=3)))
        reason = "expiry was"
    elif fault == "not yet live":
        contract = site.amend(window(now + timedelta(days=1)))
        reason = "has not come"
    elif fault == "unsigned":
        path.write_text(dumps(contract.amended({"signatures": {"coordinator": ""}})))
        reason = "the coordinator has not signed"
    elif fault == "altered":
        path.write_text(path.read_text().replace("trainings = 3", "trainings = 4"))
        reason = "was altered"
    else:
        path.unlink()
        reason = "no contract"
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told), stream(site, port) as call:
            await say(call, frame(contract))
            assert (await end_of(call))[:2] == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED)
            return told

    told = asyncio.run(run())
    site.amend(window(now - timedelta(minutes=5)))
    assert len(told) == 1
    assert told[0].startswith("ContractError: ")
    assert reason in told[0]
    assert troupe.casts == 0


def test_a_contract_altered_so_that_its_digest_is_asked_for_lacks_signatures(site):
    """The bank alters both copies: the digest fits, the signatures do not."""
    altered = site.contract.amended({"caps": {"trainings": 100}})
    (site.folder(TELCO) / "contracts" / "study.toml").write_text(dumps(altered))
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told), stream(site, port) as call:
            await say(call, frame(altered))
            assert (await end_of(call))[1] == REFUSED
            return told

    assert "the signature of the telco does not fit" in asyncio.run(run())[0]
    assert troupe.casts == 0


def test_one_broken_file_does_not_stop_work_under_the_other_contracts(site):
    folder = site.folder(TELCO) / "contracts"
    (folder / "a.toml").write_text("not a contract")
    try:
        contracts = Contracts(folder)
        assert contracts.live(site.contract.digest) == site.contract
        with pytest.raises(Exception, match=r"no contract 0000.*a\.toml: not TOML"):
            contracts.live(bytes(32))
    finally:
        (folder / "a.toml").unlink()


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


def test_a_session_cannot_be_opened_twice(site):
    gate = threading.Event()

    def waiting():
        yield SAMPLES["Tags"]
        gate.wait(10)
        return (yield from puppet("holder", whole(ALIGN)[1:]))

    troupe = Acting(site, TELCO, [ALIGN], waiting)

    async def run():
        async with listening(site, troupe) as (port, told):
            first = asyncio.create_task(seek(site, port))
            await until(lambda: troupe.casts)
            async with stream(site, port) as call:
                await say(call, frame(site.contract))
                assert (await end_of(call))[:2] == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED)
            assert told == ["OutOfTurn: the bank opened one session twice"]
            gate.set()
            assert len(await first) == 3  # the honest one is not disturbed
        assert troupe.casts == 1

    asyncio.run(run())


def test_one_of_two_callers_is_not_enough_and_spends_nothing(site):
    troupe = Acting(site, COORDINATOR, [TRAIN])

    async def run():
        async with listening(site, troupe, opening_patience=0.3) as (port, told), stream(site, port, BANK, COORDINATOR) as call:
            await say(call, frame(site.contract, TRAINING, "sealer"))
            assert (await end_of(call))[:2] == GONE
            return told

    assert asyncio.run(run()) == ["PeerLost: the telco did not join the session within 0 s"]
    assert troupe.casts == 0


def test_two_callers_that_open_different_things_are_both_refused(site):
    troupe = Acting(site, COORDINATOR, [TRAIN])

    async def run():
        async with listening(site, troupe, opening_patience=0.5) as (port, told):
            async with stream(site, port, BANK, COORDINATOR) as bank, stream(site, port, TELCO, COORDINATOR) as telco:
                await say(bank, frame(site.contract, TRAINING, "sealer"))
                await say(telco, frame(site.contract, replace(TRAINING, sizes=(4,)), "summer"))
                words = {(await end_of(telco))[1], (await end_of(bank))[1]}
                assert words == {REFUSED, LOST}  # whoever came first waited for the other, in vain
            return told

    told = asyncio.run(run())
    assert re.match("OutOfTurn: the (telco|bank) opened a session with another script, stage, roster or size", told[0])
    assert troupe.casts == 0


def test_a_party_that_a_script_does_not_name_cannot_open_it_nor_spend_its_budget(site):
    """The coordinator has a contract with the telco too: it must not use up the bank's jobs."""
    troupe = Acting(site, TELCO, [ALIGN, TRAIN])

    async def run():
        async with listening(site, troupe) as (port, told):
            for opening in (OPENING, TRAINING):
                async with stream(site, port, COORDINATOR, TELCO) as call:
                    await say(call, frame(site.contract, opening, "solver"))
                    assert (await end_of(call))[1] == REFUSED
            return told

    assert all("in which it does not call this node" in line for line in asyncio.run(run()))
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


def test_what_a_cast_raises_is_told_here_and_not_there(site):
    troupe = Acting(site, TELCO, [ALIGN], fail=InputError("column 'age' holds 13800138000"))

    async def run():
        async with listening(site, troupe) as (port, told):
            with pytest.raises(PeerLost, match="the telco refused or failed; it does not say why to others"):
                await seek(site, port)
            return told

    assert asyncio.run(run()) == ["InputError: column 'age' holds 13800138000"]


def test_a_fault_of_our_own_shows_no_traceback_to_anybody(site):
    troupe = Acting(site, TELCO, [ALIGN], fail=ZeroDivisionError("division by zero"))

    async def run():
        async with listening(site, troupe) as (port, told):
            with pytest.raises(PeerLost, match="refused or failed"):
                await seek(site, port)
            return told

    assert asyncio.run(run()) == ["a fault of our own, please report it: ZeroDivisionError: division by zero"]


def test_a_result_that_cannot_be_kept_is_no_success_for_the_caller(site):
    troupe = Acting(site, TELCO, [ALIGN])

    class Full:
        def append(self, _):
            raise InputError("cannot write card.json: the disk is full")

    troupe.kept = Full()

    async def run():
        async with listening(site, troupe) as (port, told):
            with pytest.raises(PeerLost, match="the telco refused or failed"):
                await seek(site, port)
            return told

    assert asyncio.run(run()) == ["InputError: cannot write card.json: the disk is full"]


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


@pytest.mark.parametrize(
    ("code", "word", "kind"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, REFUSED, PeerRefused), (grpc.StatusCode.UNAVAILABLE, LOST, PeerLost),
        (grpc.StatusCode.UNAVAILABLE, "connection refused", PeerLost), (grpc.StatusCode.INTERNAL, "", PeerLost),
    ],
)
def test_only_a_refusal_is_final(code, word, kind):
    assert type(lost("telco", code, word)) is kind


def test_a_peer_that_was_refused_itself_passes_the_refusal_on(site):
    """The telco whose coordinator refused tells the bank so: else the bank would call again in vain."""
    for failure, word in ((PeerRefused("the coordinator refused"), REFUSED), (PeerLost("the coordinator died"), LOST)):
        troupe = Acting(site, TELCO, [ALIGN], fail=failure)

        async def run(troupe=troupe):
            async with listening(site, troupe) as (port, _), stream(site, port) as call:
                await say(call, frame(site.contract))
                return (await end_of(call))[1]

        assert asyncio.run(run()) == word


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


def test_a_peer_that_alters_a_frame_is_told_nothing_but_the_word(site):
    """A cheating caller: good opening, then a frame with another history."""
    troupe = Acting(site, TELCO, [ALIGN])

    async def run():
        async with listening(site, troupe) as (port, told), stream(site, port) as call:
            run = Session(ALIGN, "seeker", site.contract.digest, SESSION, OPENING).run(puppet("seeker", whole(ALIGN)))
            await say(call, next(run).frame)
            act = next(run)
            while not hasattr(act, "frame"):
                act = run.send(await call.read())
            await say(call, replace(Frame.from_bytes(act.frame), previous=bytes(32)).to_bytes())
            run.close()
            assert (await end_of(call))[:2] == (grpc.StatusCode.FAILED_PRECONDITION, REFUSED)
            return told

    assert asyncio.run(run())[0].startswith("Replayed: ")


def test_every_role_of_the_contract_is_somebody(site):
    assert {site.contract.role_of_pin(site.parties[role].keys.pin) for role in ROLES} == set(ROLES)
