"""Principle 7: the same seeds give the same frames, byte for byte, in one process and over three gRPC streams."""

from __future__ import annotations

import asyncio
from itertools import combinations

from both_drivers import by_link, in_one_process, over_grpc
from ledgers import held
from three_parties import make_site

from bank_party.models import load
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.node.casting import PLAYERS


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
