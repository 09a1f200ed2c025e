"""Principle 7: the same seeds give the same frames, byte for byte, in one process and over three gRPC streams."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import ExitStack
from itertools import combinations

from ledgers import held
from three_parties import make_coordinator, make_job, make_site, make_telco, run_study, serving

from bank_party.conduct import Conductor
from bank_party.models import load
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.engine.serial import Serial
from tandem.node.casting import PLAYERS
from tandem.node.ledger_store import Ledger
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.session.tap import untapped


class LoopbackStage:
    """Plays a whole session in this thread; stands where `node.client.Stage` stands."""

    def __init__(self, contract, troupes, tap):
        self.contract, self._troupes, self._tap = contract, troupes, tap

    async def play(self, cast, session, opening, tap):
        casts = {cast.role: cast}
        for party, troupe in self._troupes.items():
            if party in {PLAYERS[role] for role in cast.script.roles}:
                one = troupe.cast(self.contract, session, opening)
                casts[one.role] = one
        results = converse({
            role: (Session(one.script, role, self.contract.digest, session, opening, self._tap(PLAYERS[role])), one.playing)
            for role, one in casts.items()
        })
        for role, one in casts.items():
            one.finish(results[role])
        return results[cast.role]


def by_link(frames):
    """Return the frames of each (who, peer, sent), in order: on one link order is fixed, between links it is not."""
    found = defaultdict(list)
    for party, seen in frames:
        found[party, seen.peer, seen.sent].append((seen.script, seen.stage, seen.kind, seen.number, seen.frame))
    return found


async def in_one_process(site, folder):
    frames = []
    with ExitStack() as stack:
        ledgers = {role: stack.enter_context(Ledger(folder / f"loopback-{role}.sqlite")) for role in ROLES}
        troupes = {TELCO: make_telco(site, ledgers[TELCO]), COORDINATOR: make_coordinator(site, ledgers[COORDINATOR])}
        stage = LoopbackStage(site.contract, troupes, lambda party: lambda seen: frames.append((party, seen)))
        job = make_job(site, ledgers[BANK], chance=Seeded(b"job"))
        trained = await run_study(site, Conductor(stage, site.contract, Serial(), Seeded(b"bank"), lambda _: untapped, job))
    return trained, frames


async def over_grpc(site):
    async with serving(site) as nodes:
        async with nodes.bank(chance=Seeded(b"job")) as conductor:
            trained = await run_study(site, conductor)
        return trained, nodes.frames, {role: list(ledger.entries()) for role, ledger in nodes.ledgers.items()}


def test_the_same_seeds_give_the_same_frames_over_loopback_and_over_grpc(tmp_path):
    site = make_site(tmp_path, layout={"passes": 2})
    one, inside = asyncio.run(in_one_process(site, tmp_path))
    two, outside, ledgers = asyncio.run(over_grpc(site))
    assert one.model == two.model
    assert by_link(inside) == by_link(outside)
    kinds = {seen.kind for _, seen in outside}
    assert {"Tags", "Query", "Sealed", "Shares", "Masks", "Opened", "Table", "Scores", "Release", "Closing"} <= kinds
    assert {seen.stage for _, seen in outside} == {0, 1, 2, 3}
    # what one side says is what the other hears, and what each wrote into its ledger
    heard = by_link(outside)
    assert heard["bank", "summer", True] == heard[TELCO, "sealer", False]
    assert heard[TELCO, "solver", True] == heard[COORDINATOR, "summer", False]
    for one, other in combinations(ledgers, 2):
        compared = held(one, other, ledgers)
        assert (compared.findings, compared.unreceived) == ((), ())
        between = [said for (party, peer, sent), said in heard.items() if sent and {party, PLAYERS[peer]} == {one, other}]
        assert compared.frames == sum(map(len, between)) > 0
    for role, entries in ledgers.items():
        assert [(e.message, e.size, e.direction) for e in entries] == [
            (seen.kind, len(seen.frame), "sent" if seen.sent else "received") for party, seen in outside if party == role
        ]


def test_masks_pairs_and_tables_never_pass_through_the_bank_nor_sealed_totals_of_pairs(tmp_path):
    site = make_site(tmp_path, layout={"se": "exact"})
    trained, frames, _ = asyncio.run(over_grpc(site))
    hidden = {"Masks", "Pairs", "PairSums", "Table", "Signature"}
    secret = {kind: [seen.frame for party, seen in frames if party == TELCO and seen.kind == kind] for kind in hidden}
    assert all(secret.values())
    heard = {seen.frame for party, seen in frames if party == BANK}
    assert all(heard.isdisjoint(some) for some in secret.values())
    assert {seen.kind for party, seen in frames if party == BANK}.isdisjoint(hidden)
    # and what a study with exact errors ends with
    assert trained.model.exact
    assert "errors" in trained.seconds
    trained.model.save(tmp_path / "model.json")
    assert '"se_exact"' in (tmp_path / "model.json").read_text()
    assert load(tmp_path / "model.json") == trained.model
