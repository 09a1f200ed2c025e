"""What a session that fails leaves behind: no frame that was not recorded, no work in the pool, no thread."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref

import pytest
from puppets import SAMPLES, puppet, whole
from three_parties import make_site, make_telco, run_study, serving, until

from tandem.align.script import ALIGN
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.engine.pool import Pool
from tandem.errors import InputError, PeerLost, TandemError
from tandem.node.casting import VERSION
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import both, recorder
from tandem.session.session import Session
from tandem.session.tap import Tapped, untapped
from tandem.wire.messages import Opening

OPENING = Opening(VERSION, ALIGN.name, 0, ("ids",), (3,), b"")


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path)


def fill(ledger):
    """Let the disk be full, as SQLite sees it: no page more."""
    (pages,) = ledger._database.execute("PRAGMA page_count").fetchone()
    ledger._database.execute(f"PRAGMA max_page_count = {pages + 2}")


@pytest.mark.parametrize("full", [TELCO, COORDINATOR])
def test_a_node_whose_disk_is_full_stops_the_session_and_says_so(site, full):
    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            fill(nodes.ledgers[full])
            with pytest.raises(PeerLost, match=r"refused or failed|ended the conversation early"):
                await run_study(site, conductor)
            sent = [seen for party, seen in nodes.frames if party == full]
            assert nodes.ledgers[full].verify() is None
            return nodes.told[full], len(sent), len(nodes.ledgers[full])

    told, tapped, recorded = asyncio.run(run())
    assert [line for line in told if line.startswith("InputError: ledger ") and "the disk is full: nothing was recorded" in line]
    assert tapped == recorded + 1  # the last frame was seen by the tap, could not be recorded, and did not leave


def test_a_bank_whose_disk_is_full_sends_nothing_that_is_not_recorded(site):
    async def run():
        with Ledger(site.folder(BANK) / "ledger.sqlite") as ledger:
            fill(ledger)
            async with serving(site) as nodes, nodes.bank() as conductor:
                conductor.tap = lambda session: both(recorder(ledger, site.contract, session, BANK), nodes.tap(BANK))
                with pytest.raises(InputError, match="the disk is full: nothing was recorded; free some space and start again"):
                    await run_study(site, conductor)
                heard = [seen for party, seen in nodes.frames if party != BANK and not seen.sent and seen.peer in {"seeker", "sealer"}]
                left = [seen for party, seen in nodes.frames if party == BANK and seen.sent]
                assert len(left) == sum(entry.direction == "sent" for entry in ledger.entries())
                assert len(heard) <= len(left)

    asyncio.run(run())


def test_a_disclosure_is_noted_for_each_who_learns_it(site, tmp_path):
    """The bank tells its modulus to both; both close towards it and it towards both."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        tap = recorder(ledger, site.contract, bytes(16), BANK)
        for sent, peer, kind in (
            (True, "summer", "Key"), (True, "solver", "Key"), (True, "summer", "Closing"), (False, "summer", "Closing"),
            (False, "summer", "Scores"), (False, "summer", "Scores"),
        ):
            tap(Tapped(sent, peer, "train", 1, kind, 0, b"frame"))
        told = [[(one.to, one.what, one.bits) for one in entry.disclosed] for entry in ledger.entries()]
    assert told == [
        [(TELCO, "modulus", 0)], [(COORDINATOR, "modulus", 0)], [(TELCO, "digests", 0)], [(BANK, "digests", 0)],
        [(BANK, "scores", site.contract.pass_bits)], [],
    ]


def test_a_message_that_is_not_declared_is_not_sent(site, tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(TandemError, match="has no declared disclosure"):
            recorder(ledger, site.contract, bytes(16), BANK)(Tapped(True, "summer", "train", 1, "Secret", 0, b"frame"))
        assert len(ledger) == 0


def busy(_):
    time.sleep(0.05)


def test_work_begun_ahead_is_dropped_when_the_session_fails_before_it_took_any():
    """Randomisers are made ahead for a whole pass: were they made to the end, the next session would wait for them."""
    with Pool(1) as pool:
        assert list(pool.map(len, ["ab"])) == [2]

        def role():
            ahead = pool.begin(busy, range(1000))
            ahead = (one for one in ahead)
            yield SAMPLES["Tags"]
            next(ahead)

        run = Session(ALIGN, "holder", bytes(32), bytes(16), OPENING, untapped).run(role())
        first = Session(ALIGN, "seeker", bytes(32), bytes(16), OPENING, untapped).run(puppet("seeker", whole(ALIGN)))
        next(run)
        run.send(next(first).frame)  # the role has begun its work, and speaks
        first.close()
        with pytest.raises(TandemError):
            run.send(None) and run.send(b"not a frame")
        del run, role
        began = time.monotonic()
        assert list(pool.map(len, ["ab"])) == [2]
        assert time.monotonic() - began < 2
        assert sum(not future.cancelled() for future, _, _ in pool._ahead) == 0


class Watched(Pool):
    """A pool that knows what was begun on it ahead, for as long as a session wants it."""

    def __init__(self, lanes):
        super().__init__(lanes)
        self.begun = []

    def begin(self, task, items):
        ahead = super().begin(task, items)
        self.begun.append(weakref.ref(ahead))
        return ahead


def test_a_telco_whose_session_failed_amid_a_pass_drops_its_work_and_takes_the_next_one_at_once(site):
    """The bank hangs up when it has heard the shapes; the telco has begun its randomisers by then. No deadline of a peer plays a part."""
    patience = {"patience": 300.0}
    with Watched(1) as pool:
        async def run():
            async with serving(site, engine=pool, opening_patience=300.0, **patience) as nodes, nodes.bank(**patience) as conductor:
                def hang_up(session):
                    def tap(seen):
                        if seen.kind == "Shapes":
                            raise InputError("enough")
                    return tap

                kept, conductor.tap = conductor.tap, hang_up
                with pytest.raises(InputError, match="enough"):
                    await run_study(site, conductor)
                failed = list(pool.begun)
                conductor.tap = kept
                await run_study(site, conductor)
                assert len(failed) == 1
                await until(lambda: failed[0]() is None, 60.0)

        asyncio.run(run())
        assert len(pool.begun) > 1
        assert [future for future, _, _ in pool._ahead if not future.cancelled()] == []


def test_no_thread_is_left_when_the_nodes_have_stopped(site):
    before = threading.active_count()

    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            await run_study(site, conductor)

    asyncio.run(run())
    deadline = time.monotonic() + 5
    while [one for one in threading.enumerate() if one.name.startswith(("desk", "align", "train", "card"))] and time.monotonic() < deadline:
        time.sleep(0.01)
    named = [one.name for one in threading.enumerate() if one.name.startswith(("desk", "align", "train", "card"))]
    assert named == []
    assert threading.active_count() <= before + 2  # gRPC's own


def test_tags_are_not_made_again_for_every_session(site, tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        telco = make_telco(site, ledger)
        telco.prepare()
        one = telco._hashed(site.contract)
        telco.cast(site.contract, bytes(16), Opening(VERSION, "align", 0, ("ids",), (5,), b""))
        assert telco._hashed(site.contract) is one
