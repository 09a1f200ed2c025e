"""What a caller hears and what our operator reads when a call is refused."""

from __future__ import annotations

import asyncio
import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from acting import OPENING, SESSION, TRAINING, Acting, end_of, frame, listening, say, seek, stream, valid_now, window
from puppets import SAMPLES, puppet, whole
from three_parties import make_site, until

from tandem.align.script import ALIGN
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, dumps
from tandem.errors import LOST, REFUSED, InputError, PeerLost, PeerRefused
from tandem.node.contracts import Contracts
from tandem.node.driver import METHOD, lost
from tandem.session.session import START, Session
from tandem.train.script import TRAIN
from tandem.wire.codec import ENVELOPE_LIMIT, Frame, encode


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def site(made):
    return valid_now(made)


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
                assert type(lost(TELCO, code, details)) is PeerRefused
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

    (line,) = asyncio.run(run())
    assert re.fullmatch(r"a fault of our own, please report it: ZeroDivisionError in acting\.py, line \d+", line)


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


@pytest.mark.parametrize(
    ("code", "word", "kind"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, REFUSED, PeerRefused), (grpc.StatusCode.UNAVAILABLE, LOST, PeerLost),
        (grpc.StatusCode.UNAVAILABLE, "connection refused", PeerLost), (grpc.StatusCode.INTERNAL, "", PeerLost),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (2 vs. 1)", PeerRefused),
    ],
)
def test_only_a_refusal_is_final(code, word, kind):
    assert type(lost("telco", code, word)) is kind


def test_the_librarys_own_answer_to_too_large_a_frame_is_said_in_our_words():
    said = lost("telco", grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (1049089 vs. 1049088)")
    assert str(said) == f"a frame between us and the telco is larger than {ENVELOPE_LIMIT} bytes: do both run the same version?"


def test_a_peer_that_was_refused_itself_passes_the_refusal_on(site):
    """The telco whose coordinator refused tells the bank so: else the bank would call again in vain."""
    for failure, word in ((PeerRefused("the coordinator refused"), REFUSED), (PeerLost("the coordinator died"), LOST)):
        troupe = Acting(site, TELCO, [ALIGN], fail=failure)

        async def run(troupe=troupe):
            async with listening(site, troupe) as (port, _), stream(site, port) as call:
                await say(call, frame(site.contract))
                return (await end_of(call))[1]

        assert asyncio.run(run()) == word


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
