"""Open weights over TLS, the bank its own solver: study, the telco's card in the clear, new customers; a blind contract does not fit it."""

from __future__ import annotations

import asyncio
import json

import pytest
from both_drivers import by_link, in_one_process, over_grpc
from three_parties import CUSTOMERS, SUBSCRIBERS, Cut, dies_at, make_site, paillier_key, run_study, serving, tables

from tandem.contract import BANK, TELCO
from tandem.errors import PeerLost
from tandem.ledger.disclosure import declared

OPEN = {"solver": "bank", "weights": "open", "passes": 1}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """A site, and what a study over TLS gave: trained, frames, ledgers."""
    site = make_site(tmp_path_factory.mktemp("open"), layout=OPEN, coordinator=None)
    return site, *asyncio.run(over_grpc(site))


def test_both_drivers_give_the_same_frames_and_the_ledger_says_that_weights_were_told(played, tmp_path):
    site, trained, outside, ledgers = played
    again, inside = asyncio.run(in_one_process(site, tmp_path))
    assert again.model == trained.model
    assert by_link(inside) == by_link(outside)
    kinds = {seen.kind for _, seen in outside}
    assert {"Points", "OpenScores"} <= kinds
    assert not {"Table", "Scores"} & kinds
    entries = ledgers[TELCO]
    told = {(one.to, one.what, one.bits) for entry in entries for one in entry.disclosed}
    assert (TELCO, "weights", 0) in told
    assert {bits for to, what, bits in told if (to, what) == (BANK, "scores")} == {site.contract.pass_bits, site.contract.card_bits}
    heard = {entry.message for entry in entries if entry.direction == "received"}
    assert {message for message in heard if declared(message).label_in_clear} == {"Points"}


def test_the_telcos_card_holds_the_points_that_the_bank_was_told_and_scores_new_customers(played):
    site, trained, _, _ = played
    path = site.folder(TELCO) / "state" / "models" / f"card-{trained.model.card[:16]}.json"
    kept = json.loads(path.read_text())
    assert tuple(kept["points"]) == trained.model.points
    assert "table" not in kept
    training = site.contract
    ids = [line.split(",")[0].encode() for line in tables()[0].splitlines()[1:]]

    async def score():
        async with serving(site) as nodes, nodes.bank() as conductor:
            found = await conductor.align(ids)
            return found, await conductor.serve(paillier_key(), len(found.rows), found.positions, training.layout.card_step)

    scoring = {"id": "ff" * 16, "kind": "scoring", "card": trained.model.card, "training": training.digest.hex()}
    try:
        site.amend(scoring)
        found, points = asyncio.run(score())
        assert dict(zip(found.rows.tolist(), points.tolist(), strict=True)) == dict(
            zip(trained.rows.tolist(), trained.points.tolist(), strict=True)
        )
        site.amend({**scoring, "layout": {"weights": "blind"}})
        with pytest.raises(PeerLost, match=r"the telco (refused or failed|ended the conversation early)"):
            asyncio.run(score())
    finally:
        site.contract = site.approve(training)


def test_with_a_coordinator_exact_errors_and_cover_a_study_goes_on_to_the_same_model(tmp_path):
    layout = {"weights": "open", "se": "exact", "cover": 2, "passes": 2}
    caps = {"roster": SUBSCRIBERS, "identifiers": 20 * CUSTOMERS, "trainings": 20, "disclosure_bits": 20 * 37}
    site = make_site(tmp_path, layout=layout, caps=caps)

    async def play(point, seed, *, afresh):
        async with serving(site, seed=seed) as nodes, nodes.bank(seed=seed, afresh=afresh) as conductor:
            if point:
                dies_at(conductor, *point, sent=False)
                with pytest.raises(Cut):
                    await run_study(site, conductor)
                return None, nodes.frames
            trained = await run_study(site, conductor)
            conductor.job.end()
            return trained, nodes.frames

    expected, frames = asyncio.run(play(None, b"whole", afresh=True))
    assert expected.model.exact
    assert len({seen.frame for party, seen in frames if party == TELCO and seen.kind == "Points"}) == 3
    for number, point in enumerate([("train", 2, "OpenScores"), ("card", 4, "Closing")]):
        asyncio.run(play(point, b"cut%d" % number, afresh=number == 0))
    trained, _ = asyncio.run(play(None, b"again", afresh=False))
    assert trained.model == expected.model
    assert trained.points.tolist() == expected.points.tolist()
