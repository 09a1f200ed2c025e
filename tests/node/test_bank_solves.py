"""Two parties, the bank its own solver: over TLS what a coordinator would give, and nobody else let in."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from both_drivers import by_link, in_one_process, over_grpc
from three_parties import make_site, make_solving, run_study, serving

from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import CheckFailed, OutOfTurn, PeerLost
from tandem.node.casting import VERSION, arranged, callers, player
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import recorder
from tandem.train import solver
from tandem.train.script import CARD, DESCRIBE, SERVE, TRAIN
from tandem.wire.messages import Opening

TWO = {"layout": {"solver": "bank", "passes": 1}, "coordinator": None}


def test_the_bank_dials_the_telco_for_both_its_roles(tmp_path):
    two, three = make_site(tmp_path / "two", **TWO).contract, make_site(tmp_path / "three").contract
    for script in (DESCRIBE, TRAIN, CARD):
        assert arranged(script, two).dials == (("sealer", "summer"), ("sealer", "solver"), ("solver", "summer"))
        assert arranged(script, two).lines == script.lines
        assert arranged(script, three) == script
        assert callers(script, TELCO, two) == ("sealer", "solver")
        assert callers(script, TELCO, three) == ("sealer",)
        with pytest.raises(OutOfTurn, match="the coordinator plays no role"):
            callers(script, COORDINATOR, two)
    assert arranged(SERVE, two) == SERVE
    assert [player(two, role) for role in ("seeker", "holder", "sealer", "summer", "solver")] == [BANK, TELCO, BANK, TELCO, BANK]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A site, and what a study over TLS gave: trained, frames, ledgers."""
    site = make_site(tmp_path_factory.mktemp("two"), **TWO)
    return site, *asyncio.run(over_grpc(site))


def test_the_same_seeds_give_the_same_frames_over_loopback_and_over_grpc(played, tmp_path):
    site, two, outside, ledgers = played
    one, inside = asyncio.run(in_one_process(site, tmp_path))
    assert one.model == two.model
    assert one.progress.accepted == two.progress.accepted == (True,)
    assert by_link(inside) == by_link(outside)
    heard = by_link(outside)
    assert heard["bank's solver", "summer", True] == heard[TELCO, "solver", False]
    assert heard["bank", "solver", True] == heard["bank's solver", "sealer", False]
    assert {party for party, _ in outside} == {BANK, "bank's solver", TELCO}
    assert {entry.peer for entry in ledgers[TELCO]} == {BANK}
    assert ledgers[COORDINATOR] == []
    told = {(one.to, one.what) for entry in ledgers[TELCO] for one in entry.disclosed}
    assert {(BANK, "totals"), (BANK, "pairs"), (BANK, "shapes"), (BANK, "shapes-rows")} <= told
    assert {what for to, what in told if to == TELCO} == {"sizes", "digests", "asked", "roster", "modulus", "ran"}


def test_the_banks_ledger_has_what_crosses_to_the_telco_and_nothing_else(played, tmp_path):
    site, _, frames, _ = played
    with Ledger(tmp_path / "bank.sqlite") as ledger:
        taps = {
            party: recorder(ledger, site.contract, bytes(16), column)
            for party, column in ((BANK, BANK), ("bank's solver", COORDINATOR))
        }
        for party, seen in frames:
            if party in taps:
                taps[party](seen)
        entries = list(ledger.entries())
    assert {entry.peer for entry in entries} == {TELCO}
    assert len(entries) == sum(party == TELCO for party, _ in frames)
    assert {(one.to, one.what) for entry in entries for one in entry.disclosed} >= {(BANK, "totals"), (BANK, "pairs"), (TELCO, "roster")}


def test_a_table_that_another_than_the_bank_signed_is_refused(tmp_path):
    """S7: the telco takes the key that its contract names for the solver, and no other."""
    site = make_site(tmp_path, **TWO)

    async def play():
        async with serving(site) as nodes, nodes.bank() as conductor:
            conductor.solving.keys = site.parties[COORDINATOR].keys
            with pytest.raises(PeerLost, match=r"the telco (refused or failed|ended the conversation early)"):
                await run_study(site, conductor)
            return nodes.told[TELCO]

    assert any(line.startswith("TableForged") for line in asyncio.run(play()))


def test_a_telco_that_refuses_ends_both_roles_with_one_error(tmp_path):
    site = make_site(tmp_path, **TWO)

    async def play():
        async with serving(site, wrap=Refusing) as nodes, nodes.bank() as conductor:
            with pytest.raises(PeerLost, match=r"the telco (refused or failed|ended the conversation early)"):
                await run_study(site, conductor)

    asyncio.run(play())


class Refusing:
    """A node that plays no training. Whether its word still reaches a caller that is writing is a race: the driver says so."""

    def __init__(self, troupe):
        self._troupe = troupe
        self.role, self.contract = troupe.role, troupe.contract
        self.scripts = {name: script for name, script in troupe.scripts.items() if name == "align"}

    def cast(self, *arguments):
        return self._troupe.cast(*arguments)


def test_a_check_that_fails_is_told_to_the_bank_alone(played, tmp_path, monkeypatch):
    site = make_site(tmp_path, **TWO)
    honest = solver.totals

    def doubled(layout, plain, rows):
        found = np.array(honest(layout, plain, rows))
        found[0, 2] += 1
        return found

    async def play():
        async with serving(site) as nodes, nodes.bank() as conductor:
            with pytest.raises(CheckFailed, match="its bins do not add up to the totals"):
                await run_study(site, conductor)
            return nodes.told[TELCO], nodes.frames

    monkeypatch.setattr(solver, "totals", doubled)
    told, frames = asyncio.run(play())
    assert not [line for line in told if "CHECK" in line]

    def shape(frames):
        links = by_link(frames)
        return {link: [(kind, len(frame)) for _, _, kind, _, frame in seen] for link, seen in links.items() if link[0] == TELCO}

    assert shape(frames) == shape(played[2])


def test_a_first_pass_begins_anew_whatever_an_earlier_study_left(tmp_path):
    site = make_site(tmp_path, **TWO)
    solving = make_solving(site, lambda _: None)
    solving.known = solver.Known(failed="an earlier study")
    opening = Opening(VERSION, "train", 1, ("rows",), (300,), bytes(32))
    first, later = solving.cast(bytes(16), opening), solving.cast(bytes(16), replace(opening, stage=2))
    assert [cast.playing.gi_frame.f_locals["known"].failed for cast in (first, later)] == ["", "an earlier study"]
    with pytest.raises(OutOfTurn, match="has no solver"):
        solving.cast(bytes(16), replace(opening, script="serve"))
