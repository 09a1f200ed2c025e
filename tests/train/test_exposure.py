from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from contracts import unsigned

from tandem.arguments import Seeded
from tandem.errors import InputError
from tandem.score.statement import Scale
from tandem.tables import CodedTable
from tandem.train import exposure
from tandem.train.exposure import Told, found, hear, predict


def table(bins, count=3000, seed=1):
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=(count, 1))
    place = 1 / (1 + np.exp(-(trait + rng.normal(size=(count, len(bins))))))
    return CodedTable((place * np.array(bins)).astype(np.uint8), bins, tuple(f"t{j:02}" for j in range(len(bins))))


def test_more_scores_finer_grain_and_fewer_variables_expose_more():
    five, told = table((5, 4, 6, 3, 5)), Told(3)
    usual = predict(five, told, Seeded(b"1"))
    assert usual.guess < usual.by_bins < usual.by_rows + 0.05
    assert predict(five, replace(told, passes=0, card_step=8), Seeded(b"1")).share < usual.share - 0.05
    assert predict(five, replace(told, grain=1.0, card_step=4), Seeded(b"1")).share < usual.share - 0.02
    assert predict(table((2, 3)), told, Seeded(b"1")).share > 0.95
    assert predict(table((8,) * 6), told, Seeded(b"1")).share < usual.share


def test_every_job_tells_more_and_may_have_another_label():
    five, told = table((5, 4, 6, 3, 5)), Told(3)
    one, three = predict(five, told, Seeded(b"1")).share, predict(five, replace(told, jobs=3), Seeded(b"1")).share
    assert one < 0.9
    assert three > 0.97


def test_a_variable_that_is_told_outright_is_one_less_to_find():
    five, told = table((5, 4, 6, 3, 5)), Told(0, card_step=4)
    assert predict(five, replace(told, known=(0, 2)), Seeded(b"1")).share > predict(five, told, Seeded(b"1")).share + 0.1
    every = predict(five, replace(told, known=(0, 1, 2, 3, 4)), Seeded(b"1"))
    assert (every.by_bins, every.by_rows) == (1.0, 1.0)


def test_of_many_variables_an_upper_limit_is_told(monkeypatch):
    five = table((5, 4, 6, 3, 5))
    codes, others = five.codes[:500], five.codes[500:]
    points = [0.2 * np.random.default_rng(n).normal(size=sum(five.bins)) for n in range(4)]
    heard = hear(codes, five.bins, points[:3], points[3], Told(3), Seeded(b"n"))
    exact = found(codes, others, five.bins, heard)
    monkeypatch.setattr(exposure, "TOGETHER", 100)
    monkeypatch.setattr(exposure, "OF_MANY", 100)
    above = found(codes, others, five.bins, heard)
    assert exact[0] <= above[0] < 1.0
    assert exact[1] <= above[1] < 1.0
    many = table((8,) * 12)
    assert predict(many, Told(3), Seeded(b"1")).share < 0.05


def test_scores_are_those_of_the_product():
    five, scale = table((5, 4)), Scale.training(0.25)
    points = np.random.default_rng(1).normal(size=9)
    card, one = hear(five.codes, five.bins, [points], points, Told(1), Seeded(b"n"))
    true = np.array([points[a] + points[5 + b] for a, b in five.codes])
    assert (np.abs(scale.log_odds(one.scores) - true) <= 0.125 + 1e-6).all()
    assert len(np.unique(one.scores - scale.integers(points, five.bins)[five.codes[:, 0]])) > 1000, "each row has noise of its own"
    assert card.width == 1


def test_points_too_large_for_a_slot_are_made_to_fit():
    assert predict(table((6,) * 5), Told(3, grain=1 / 16), Seeded(b"1")).share > 0.3


def test_constant_variables_and_one_trait_alone_do_no_harm():
    flat = CodedTable(np.zeros((400, 2), dtype=np.uint8), (1, 1), ("t01", "t02"))
    assert predict(flat, Told(3), Seeded(b"1")).share == 1.0


def test_too_few_rows_and_contracts_without_scores_are_refused():
    with pytest.raises(InputError, match="150 rows: at least 200"):
        predict(table((3, 3), 150), Told(3), Seeded(b"1"))
    contract = unsigned(caps={"disclosure_bits": 60, "trainings": 2}, layout={"passes": 2, "card_step": 3})
    assert Told.of(contract) == Told(2, 2, 0.25, 3)
    assert Told.of(unsigned(kind="scoring", card="ab" * 32, training="cd" * 32), (1,)).passes == 0


def test_progress_rises_to_the_end():
    told = []
    predict(table((5, 4, 3)), Told(1), Seeded(b"1"), told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
