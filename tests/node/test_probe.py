"""The probe: what two nodes tell each other before a study, to whom they tell it, and what it measures."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from puppets import CONTRACT, SESSION
from three_parties import make_site, serving

from tandem.contract import BANK, COORDINATOR, TELCO, dumps
from tandem.errors import Oversized, PeerLost
from tandem.ledger.disclosure import DECLARED
from tandem.node import casting, probing
from tandem.node.certificates import Authority, issue
from tandem.node.client import Dialler, Stage
from tandem.node.ledger_store import Ledger
from tandem.node.probing import probe, probes_of
from tandem.node.server import Server
from tandem.probe.roles import ROUNDS, SIZES, answer, call
from tandem.probe.script import LOAD_LIMIT, LOADS, PROBES
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.session.tap import untapped
from tandem.wire.messages import Load, Opening


class Ticking:
    """A clock that goes on by itself: `step` seconds each time it is read."""

    def __init__(self, start=1000.0, step=0.0):
        self.now, self.step = start, step

    def __call__(self):
        self.now += self.step
        return self.now


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


def play(name, **roles):
    script = PROBES[name]
    opening = Opening("1", name, 0, (), (), b"")
    return converse({role: (Session(script, role, CONTRACT, SESSION, opening), playing) for role, playing in roles.items()})


def test_what_is_measured():
    ticks = Ticking(step=0.01)
    found = play("probe-holder-from-seeker", seeker=call("1.2", Ticking(500.0), ticks), holder=answer("3.4", Ticking(512.5)))
    sounding, heard = found["seeker"], found["holder"]
    assert (heard.program, heard.moment, sounding.hello.program) == ("1.2", 500_000_000, "3.4")
    assert sounding.ahead == pytest.approx(12.5 - 0.005)  # the greeting took 0.01 s by the ticks: its middle is the moment of the answer
    assert sounding.within == pytest.approx(0.005)
    assert sounding.round_trip == pytest.approx(0.01)
    assert sounding.up == sounding.down == pytest.approx(SIZES[-1] / 1e-6)  # no longer than an empty load


def test_a_slow_line_is_not_sent_the_large_loads():
    ticks, sizes = Ticking(step=0.0), []

    def counting():
        playing, given = answer("1", Ticking()), None
        while True:
            try:
                asked = playing.send(given)
            except StopIteration as end:
                return end.value
            given = yield asked
            ticks.now += 0.02 if given else 0.0
            if isinstance(given, Load):
                sizes.append(max(given.back, len(given.data)))
                ticks.now += sizes[-1] / 10_000

    found = play("probe-holder-from-seeker", seeker=call("1", Ticking(), ticks), holder=counting())
    assert sizes == [0] * ROUNDS + [SIZES[0]] * 2
    assert found["seeker"].up == pytest.approx(10_000)
    assert found["seeker"].round_trip == pytest.approx(0.02)


@pytest.mark.parametrize("load", [Load(LOAD_LIMIT + 1, b""), Load(0, bytes(LOAD_LIMIT + 1))])
def test_a_load_too_large_is_refused(load):
    playing = answer("1", Ticking())
    next(playing)
    playing.send(None)
    next(playing)
    with pytest.raises(Oversized, match="more than a probe needs"):
        playing.send(load)


def test_a_peer_cannot_be_made_to_send_for_ever():
    playing = answer("1", Ticking())
    next(playing)
    playing.send(None)
    next(playing)
    with pytest.raises(Oversized):  # noqa: PT012 - each load but the last is answered
        for _ in range(LOADS + 1):
            assert isinstance(playing.send(Load(1, b"")), Load)
            assert next(playing) is Load
    assert ROUNDS + 2 * len(SIZES) <= LOADS


def test_who_may_probe_whom_is_who_dials_whom():
    assert set(probes_of(TELCO)) == {"probe-holder-from-seeker"}
    assert set(probes_of(COORDINATOR)) == {"probe-solver-from-sealer", "probe-solver-from-summer"}
    assert not probes_of(BANK)


def test_nothing_of_it_hangs_on_labels_and_the_load_tells_nothing():
    assert not any(DECLARED[name].label_derived or DECLARED[name].by_person for name in ("Hello", "Load"))
    assert not DECLARED["Load"].learns


def nodes_of(site, run, **more):
    async def whole():
        async with serving(site, **more) as nodes:
            return await run(nodes)

    return asyncio.run(whole())


def test_over_tls_both_peers_answer_and_both_sides_record_it(site):
    async def run(nodes):
        dialler = nodes.dialler()
        try:
            stage = Stage(site.contract, dialler, 10.0)
            found = {role: await probe(stage, BANK, role, SESSION, nodes.tap(BANK)) for role in (TELCO, COORDINATOR)}
        finally:
            await dialler.close()
        return found, nodes.told

    found, told = nodes_of(site, run)
    for role in (TELCO, COORDINATOR):
        assert abs(found[role].ahead) < 2.0
        assert found[role].up > 0 < found[role].down
        assert any("the bank probed us; it runs '0.1.0', its clock is" in line for line in told[role])
        with Ledger(site.folder(role) / "ledger.sqlite", read_only=True) as ledger:
            entries = [entry for entry in ledger.entries() if entry.script.startswith("probe-")]
            assert {entry.message for entry in entries} == {"Opening", "Hello", "Load", "End", "Closing"}
            assert {one.what for entry in entries for one in entry.disclosed} == {"sizes", "probed", "digests"}
            assert not ledger.usage()  # no budget is spent


def test_a_clock_that_is_wrong_is_seen(site):
    class Late(Server):
        def __init__(self, *arguments):
            super().__init__(*arguments, clock=lambda: time.time() - 3600.0)

    async def run():
        told = []
        async with serving(site) as nodes:
            server = Late(nodes.telco, site.parties[TELCO].keys, lambda *_: untapped, told.append)
            port = await server.start("127.0.0.1:0")
            dialler = Dialler(
                site.parties[BANK].keys, site.contract, {TELCO: (f"127.0.0.1:{port}", site.parties[TELCO].keys.tls_certificate)}
            )
            try:
                return await probe(Stage(site.contract, dialler, 10.0), BANK, TELCO, SESSION, untapped), told
            finally:
                await dialler.close()
                await server.stop()

    found, told = asyncio.run(run())
    assert -3602 < found.ahead < -3598
    assert any("+3600 s off" in line or "+3599 s off" in line for line in told)


def test_another_version_is_told_and_not_refused_yet_plays_nothing_else(site, monkeypatch):
    async def run(nodes):
        dialler = nodes.dialler()
        try:
            stage = Stage(site.contract, dialler, 10.0)
            monkeypatch.setattr(probing, "VERSION", "2")
            found = await probe(stage, BANK, TELCO, SESSION, untapped)
            monkeypatch.setattr(casting, "VERSION", "2")
            return found
        finally:
            await dialler.close()

    assert nodes_of(site, run).hello.newest == 1


@pytest.mark.parametrize("case", ["not approved", "expired", "another key", "wrong role"])
def test_no_stranger_is_answered(site, case):
    contract, keys = site.contract, site.parties[BANK].keys
    if case == "not approved":
        contract = site.sign(contract.amended({"description": "another"}))
    if case == "expired":
        contract = site.sign(contract.amended({"start": "2020-01-01T00:00:00Z", "expiry": "2020-02-01T00:00:00Z"}))
        (site.folder(TELCO) / "contracts" / "old.toml").write_text(dumps(contract))
    if case == "wrong role":
        keys = site.parties[COORDINATOR].keys

    async def run(nodes):
        shown = keys
        if case == "another key":
            ca = site.root / "ca"
            authority = Authority(
                x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes()), load_pem_private_key((ca / "ca.key").read_bytes(), None)
            )
            key, certificate = issue(authority, BANK)
            shown = replace(keys, tls_key=key, tls_certificate=certificate)
        dialler = nodes.dialler(contract, shown)
        try:
            with pytest.raises(PeerLost, match=r"refused or failed|ended the conversation early"):
                await probe(Stage(contract, dialler, 10.0), BANK, TELCO, SESSION, untapped)
        finally:
            await dialler.close()
        return nodes.told[TELCO]

    told = nodes_of(site, run)
    assert told
    assert not any("probed us" in line for line in told)
