"""Two parties, the bank its own solver: over TLS what a coordinator would give, and nobody else let in."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from types import NoneType

import numpy as np
import pytest
from both_drivers import by_link, in_one_process, over_grpc
from ledgers import held
from three_parties import CUSTOMERS, SUBSCRIBERS, Cut, dies_at, make_job, make_site, run_study, serving

from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, RIDGES, TELCO
from tandem.errors import CheckFailed, OutOfTurn, PeerLost
from tandem.ledger.owner import owner
from tandem.node.casting import arranged, callers, player
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import both, recorder
from tandem.node.watch import Watch
from tandem.sums import solver as sums
from tandem.train.script import CARD, DESCRIBE, SERVE, TRAIN
from tandem.wire.codec import Frame

TWO = {"layout": {"solver": "bank", "passes": 1, "ridge": "auto"}, "coordinator": None}


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
    assert one.model.ridge == one.progress.ridge in RIDGES
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
    honest = sums.totals

    def doubled(layout, plain, rows):
        found = np.array(honest(layout, plain, rows))
        found[0, 2] += 1
        return found

    async def play():
        async with serving(site) as nodes, nodes.bank() as conductor:
            with pytest.raises(CheckFailed, match="its bins do not add up to the totals"):
                await run_study(site, conductor)
            return nodes.told[TELCO], nodes.frames

    monkeypatch.setattr(sums, "totals", doubled)
    told, frames = asyncio.run(play())
    assert not [line for line in told if "CHECK" in line]

    def shape(frames):
        links = by_link(frames)
        return {link: [(kind, len(frame)) for _, _, kind, _, frame in seen] for link, seen in links.items() if link[0] == TELCO}

    assert shape(frames) == shape(played[2])




ALL_CHOICES = {
    "layout": {"solver": "bank", "weights": "open", "se": "exact", "cover": 2, "passes": 2},
    "caps": {"roster": SUBSCRIBERS, "identifiers": 20 * CUSTOMERS, "trainings": 20, "disclosure_bits": 20 * 37}, "coordinator": None,
}


@pytest.fixture(scope="module", params=[{}, {"weights": "blind", "cover": 1}], ids=["all choices", "blind, no cover"])
def exact(request, tmp_path_factory):
    """A site with exact errors and a bank that solves, and what a study over TLS gave: trained, frames, ledgers of telco and bank."""
    choices = {**ALL_CHOICES, "layout": {**ALL_CHOICES["layout"], **request.param}}
    site = make_site(tmp_path_factory.mktemp("exact"), **choices)

    async def play():
        async with serving(site) as nodes:
            recorded(nodes)
            async with nodes.bank(chance=Seeded(b"job")) as conductor:
                trained = await run_study(site, conductor)
                conductor.job.end()
            with Ledger(site.folder(BANK) / "taps.sqlite") as ledger:
                return trained, nodes.frames, {TELCO: list(nodes.ledgers[TELCO].entries()), BANK: list(ledger.entries())}

    return site, *asyncio.run(play())


def recorded(nodes):
    """Have the bank's two roles write a ledger, as its node does: conductors made from now on."""
    ledger = Ledger(nodes.site.folder(BANK) / "taps.sqlite")
    honest = nodes.bank

    @asynccontextmanager
    async def bank(**how):
        async with honest(**how) as conductor:
            conductor.tap = written(conductor.tap, BANK)
            conductor.solving.tap = written(conductor.solving.tap, COORDINATOR)
            yield conductor
        ledger.close()

    def written(seen, column):
        return lambda session: both(seen(session), recorder(ledger, nodes.site.contract, session, column))

    nodes.bank = bank


def test_exact_errors_open_weights_and_cover_are_the_same_over_loopback_and_over_grpc(exact, tmp_path):
    site, two, outside, ledgers = exact
    one, inside = asyncio.run(in_one_process(site, tmp_path))
    assert one.model == two.model
    assert two.model.exact
    errors = [seen for _, seen in outside if seen.script == "errors"]
    assert {"PairSums", "Crossed", "Shares", "Masks"} <= {seen.kind for seen in errors}
    crossing = {seen.kind for party, seen in outside if party == TELCO}
    assert crossing.isdisjoint({"Crossed", "Opened", "Own", "Statistics", "Release"})
    assert ({"Points", "OpenScores"} <= crossing) == (site.contract.layout.weights == "open")
    # masks of pairs' totals come from the solver's own chance: leave these frames out
    ways = {way: [each for each in seen if each[0] != "errors"] for way, seen in by_link(outside).items()}
    assert {way: [each for each in seen if each[0] != "errors"] for way, seen in by_link(inside).items()} == ways
    told = {(each.to, each.what) for entry in ledgers[TELCO] for each in entry.disclosed}
    assert {(BANK, "pair-totals"), (BANK, "totals")} <= told
    assert ((TELCO, "weights") in told) == (site.contract.layout.weights == "open")


def test_the_ledgers_of_two_parties_agree_row_by_row_and_say_whose_they_are(exact):
    ledgers = exact[3]
    for party, entries in ledgers.items():
        assert owner((one.direction, one.peer, one.script, one.message, 1) for one in entries) == party
        assert {one.script for one in entries} >= {"train", "train-solver", "errors-solver", "card-solver"}
    for turns in (None, [BANK] * len(ledgers[BANK])):
        compared = held(BANK, TELCO, ledgers, turns=turns)
        assert (compared.findings, compared.unreceived) == ((), ())
        assert compared.frames == len(ledgers[TELCO]) == len(ledgers[BANK])
    dropped = next(at for at, one in enumerate(ledgers[TELCO]) if one.message == "PairSums")
    short = {**ledgers, TELCO: ledgers[TELCO][:dropped] + ledgers[TELCO][dropped + 1 :]}
    assert [(one.kind, one.entry.message) for one in held(BANK, TELCO, short).findings] == [("alone", "PairSums")]


def test_wherever_a_bank_that_solves_dies_it_goes_on_to_the_same_model(exact):
    site, expected, *_ = exact
    points = [("train", 1, "Closing"), ("train", 2, "Step"), ("errors", 3, "Shares"), ("card", 4, "Closing")]

    async def run():
        tables, events = defaultdict(set), []
        for number, point in enumerate([*points, None]):
            seed = b"dies%d" % number
            async with serving(site, seed=seed) as nodes, nodes.bank(seed=seed, afresh=number == 0) as conductor:
                if point:
                    dies_at(conductor, *point, sent=False)
                    with pytest.raises(Cut):
                        await run_study(site, conductor)
                else:
                    assert conductor.job.resumed == ("align", "pass_1", "pass_2", "errors")
                    conductor.watch = Watch(BANK, sinks=(events.append,))
                    trained = await run_study(site, conductor)
                    conductor.job.end()
                    crossed = sum(len(seen.frame) for party, seen in nodes.frames if party == TELCO)
                for party, seen in nodes.frames:
                    if party == TELCO and seen.kind in {"Table", "Points"}:
                        tables[seen.script, seen.stage].add(Frame.from_bytes(seen.frame).payload)
        return trained, tables, events, crossed

    trained, tables, events, crossed = asyncio.run(run())
    # what its two roles say to each other weighs nothing
    assert [(one.event, one.script, one.bytes) for one in events] == [("session_begun", "card", None), ("session_ended", "card", crossed)]
    assert trained.model == expected.model
    assert trained.points.tolist() == expected.points.tolist()
    assert {step: len(told) for step, told in tables.items()} == {("train", 1): 1, ("train", 2): 1, ("card", 4): 1}


def test_what_the_solver_knows_is_kept_with_the_step_that_led_there_or_not_at_all(tmp_path):
    site = make_site(tmp_path, **TWO)
    with Ledger(tmp_path / "jobs.sqlite") as ledger:
        job = make_job(site, ledger)
        job.know(b"before the step ended")
        assert make_job(site, ledger, afresh=False).known == b""

        async def step(_):
            job.know(b"after")

        asyncio.run(job.step("pass_1", NoneType, step))
        assert make_job(site, ledger, afresh=False).known == b"after"
        assert make_job(site, ledger).known == b""
