"""Open weights over the loopback: the numbers of blind scoring bit for bit, and the sentences that the contract prints about it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from loopback_study import CONTRACT, Wire, make_study, small_key, tampered

from tandem.arguments import Seeded
from tandem.engine.serial import Serial
from tandem.errors import Malformed, Oversized, TableForged
from tandem.score.open_weights import OpenTable
from tandem.score.statement import Here, Scale, roster_digest
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.tables import CodedTable
from tandem.train import sealer, summer
from tandem.train.script import OPEN, SERVE
from tandem.wire.messages import Opening, OpenScores, Own, Points, Scores, Table

ROWS = 500


def small(*, open_weights=True, passes=1):
    return make_study(ROWS, passes=passes, min_bin=20, min_class=5, open_weights=open_weights)


def ended(study):
    wire = study.alter = Wire()
    progress, known = study.train()
    results = study.card(known)
    return progress, known, results["sealer"], results["summer"], wire


@cache
def both():
    """Return what a blind and an open study end with, under one dither: their tables have other names, hence other dithers of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summer, "dither", lambda kept, here, _: kept.fork("dither", here.contract, here.roster, here.stage))
        return ended(small(open_weights=False, passes=2)), ended(small(passes=2))


def test_theta_scores_and_card_are_those_of_blind_scoring_bit_for_bit():
    blind, opened = both()
    assert np.array_equal(blind[0].scores, opened[0].scores)
    assert np.array_equal(blind[0].theta, opened[0].theta)
    assert (blind[0].loss, blind[0].accepted, blind[1].final) == (opened[0].loss, opened[0].accepted, opened[1].final)
    assert (blind[2].theta, blind[2].se, blind[2].points) == (opened[2].theta, opened[2].se, opened[2].points)
    assert np.array_equal(blind[2].row_points, opened[2].row_points)


def test_nothing_is_sealed_for_scoring_and_the_card_is_named_by_its_points():
    _, (_, _, card, (key, table), wire) = both()
    assert wire.messages(Table) == wire.messages(Scores) == []
    assert len(wire.messages(OpenScores)) == len(wire.messages(Points)) == 3
    assert card.table == table.digest
    assert tuple(Scale.card(1).points(table.points).tolist()) == card.points
    assert key == small_key().public


def test_every_score_has_its_own_noise_and_no_more_bits_than_a_blind_one():
    _, (_, _, card, _, wire) = both()
    last = np.array(wire.messages(OpenScores)[-1].scores)
    noise = last - (card.row_points << 23)
    assert 0 <= noise.min() < noise.max() < 1 << 23
    assert len(np.unique(noise)) > ROWS - 5
    assert abs(noise.mean() / (1 << 23) - 0.5) < 4 / np.sqrt(12 * len(noise))


def test_the_same_table_meets_the_same_noise_and_another_table_another():
    """Or asking twice would average the dither away."""
    first, second = ended(small()), ended(small())
    assert first[4].messages(OpenScores) == second[4].messages(OpenScores)
    here = Here(CONTRACT, bytes(16), bytes(32), 1)
    draws = {
        summer.dither(Seeded(b"kept"), here, OpenTable(np.array(points))).draw(16) for points in ([1, 2, 3], [1, 2, 4], [1, 2])
    }
    assert len(draws) == 3


def test_new_customers_get_the_cards_points():
    _, (_, _, card, (key, table), _) = both()
    codes = np.random.default_rng(3).integers(0, 3, size=(150, 3)).astype(np.uint8)
    coded = CodedTable(codes, (5, 4, 3), ("t01", "t02", "t03"))
    here = Here(CONTRACT, bytes(16), roster_digest(np.arange(150)), 0)
    opening = Opening("test", "serve", 0, ("rows",), (150,), here.roster)
    secrets = summer.Secrets(Seeded(b"serve"), Seeded(b"kept"))
    results = converse({
        name: (Session(OPEN[SERVE.name], name, CONTRACT, here.session, opening), role)
        for name, role in {
            "sealer": sealer.serve(small_key(), 150, 1, Serial(), open_weights=True),
            "summer": summer.serve_open(key, table, 1, coded, here, secrets),
        }.items()
    })
    parts = np.split(np.array(card.points), np.cumsum(coded.bins)[:-1])
    assert np.array_equal(results["sealer"], sum(part[codes[:, j]] for j, part in enumerate(parts)))


def moved(message):
    return replace(message, points=(message.points[0] + 1, *message.points[1:])) if isinstance(message, Points) else message


def test_points_that_the_solver_did_not_sign_are_refused():
    """S7: altered on their way, or of another session."""
    study = small()
    study.corrupt = lambda name, _, role: tampered(role, heard=moved) if name == "summer" else role
    with pytest.raises(TableForged):
        study.train()
    study.corrupt = lambda _name, _here, role: role
    study.verify = lambda signature, statement: signature == statement[-32:] + bytes(32) and study.here(2, "train").session in statement
    with pytest.raises(TableForged):
        study.train()


@pytest.mark.parametrize("change", [
    lambda points: points[:-1], lambda points: (*points, 0),
    lambda points: ((1 << 31) - 1, *points[1:]), lambda points: (-(1 << 31), *points[1:]),
])
def test_points_that_are_not_one_a_bin_or_leave_their_slot_are_refused(change):
    study = small()

    def wrong(message):
        return replace(message, points=change(message.points)) if isinstance(message, Points) else message

    study.corrupt = lambda name, _, role: tampered(role, heard=wrong) if name == "summer" else role
    with pytest.raises(Malformed):
        study.train()


def test_a_failed_check_shows_as_zeros_and_is_told_to_the_sealer():
    """T7, printed: under open weights the summer sees it. Nothing else does it see, and nothing is released."""
    study = small()

    def lying(message):
        return replace(message, gradient=(message.gradient[0] + 1.0, *message.gradient[1:])) if isinstance(message, Own) else message

    study.corrupt = lambda name, here, role: tampered(role, said=lying) if (name, here.stage) == ("sealer", 1) else role
    wire = study.alter = Wire()
    progress, known = study.train()
    card = study.card(known)["sealer"]
    assert [set(each.points) for each in wire.messages(Points)] == [{0}, {0}]
    assert "do not add up" in progress.failed
    assert card.failed == progress.failed
    assert card.theta == card.points == ()


def test_a_card_of_points_that_are_not_whole_is_not_kept():
    study = small()
    _, known = study.train()

    study.verify = lambda *_: True
    study.corrupt = lambda name, _, role: tampered(role, heard=moved) if name == "summer" else role
    with pytest.raises(Malformed, match="not whole multiples"):
        study.card(known)


@pytest.mark.parametrize("change", [lambda scores: scores[:-1], lambda scores: (*scores, 0)])
def test_more_or_fewer_scores_than_rows_are_refused(change):
    study = small()

    def other(message):
        return replace(message, scores=change(message.scores)) if isinstance(message, OpenScores) else message

    study.corrupt = lambda name, _, role: tampered(role, heard=other) if name == "sealer" else role
    with pytest.raises(Oversized):
        study.train()
