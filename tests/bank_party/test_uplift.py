from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bank_party.lift_table import Experiment
from bank_party.uplift import by_slice, qini


def experiment(score, seed=3, rows=3_000):
    """Two arms drawn by chance; the contact adds up to 0.3 to the outcome's chance, more where `useful` is high; the score as asked for."""
    rng = np.random.default_rng(seed)
    arm, useful = rng.integers(0, 2, rows), rng.random(rows)
    outcome = rng.random(rows) < 0.1 + 0.3 * arm * useful
    scores = {"useful": useful, "coarse": np.floor(useful * 4), "against": -useful, "none": rng.random(rows), "one": np.ones(rows)}
    return Experiment(("c", "a"), arm, {"bought": outcome}, (), np.zeros(rows, dtype=np.int64), scores[score], 0)


def area(made):
    """Return the Qini by its definition: both arms' shares of successes, score by score, less the straight line, by trapezoids."""
    shares, gains = [0.0], [0.0]
    group, outcome = made.arm == 1, made.measures["bought"]
    for score in sorted(set(made.score.tolist()), reverse=True):
        inside = made.score >= score
        shares.append(inside.mean())
        gains.append((outcome & inside & group).sum() / group.sum() - (outcome & inside & ~group).sum() / (~group).sum())
    return np.trapezoid(gains, shares) - gains[-1] / 2


@pytest.mark.parametrize("score", ["useful", "coarse", "against", "none"])
def test_qini_is_the_area_of_its_definition(score):
    made = experiment(score, rows=600)
    assert qini(made, 0.95)[0].comparison.difference.value == pytest.approx(area(made), abs=1e-12)


@pytest.mark.parametrize(("score", "shown"), [("useful", "higher"), ("coarse", "higher"), ("against", "lower"), ("none", "not shown")])
def test_a_score_that_ranks_the_effect_is_told_from_one_that_does_not(score, shown):
    assert qini(experiment(score), 0.95)[0].comparison.shown == shown


def test_the_level_is_kept_for_scores_without_use():
    made = experiment("none")
    rng = np.random.default_rng(9)
    found = [qini(replace(made, score=rng.random(len(made.arm))), 0.95)[0].comparison.shown for _ in range(400)]
    assert found.count("not shown") >= 372


def test_one_score_for_all_ranks_nobody():
    made = experiment("one")
    assert qini(made, 0.95)[0].comparison.difference is None
    assert [line.segment for line in by_slice(made, 0.95)] == ["6/10", "6/10"]


def test_slices_are_of_equal_count_highest_first_and_add_up():
    made = experiment("useful")
    lines = by_slice(made, 0.95)
    sizes = [one.rows + two.rows for one, two in zip(lines[::2], lines[1::2], strict=True)]
    assert sizes == [300] * 10
    assert [line.segment for line in lines[::2]] == [f"{i}/10" for i in range(1, 11)]
    assert sum(line.successes for line in lines) == made.measures["bought"].sum()
    top = made.score >= np.sort(made.score)[-300]
    assert lines[1].successes == (made.measures["bought"] & top & (made.arm == 1)).sum()


def test_ties_stay_in_one_slice():
    made = experiment("coarse")
    lines = by_slice(made, 0.95)
    assert len(lines) == 8
    sizes = [one.rows + two.rows for one, two in zip(lines[::2], lines[1::2], strict=True)]
    assert sizes == [int((made.score == score).sum()) for score in (3, 2, 1, 0)]
