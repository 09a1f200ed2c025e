"""Correlation and VIF from pair counts equal those of the rows; each wish takes effect and leaves its reason."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.outliers_influence import variance_inflation_factor

from tandem.describe.selection import Wish, choose, correlation, inflation
from tandem.describe.woe import Rule, release
from tandem.errors import InputError
from tandem.tables import Outline


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(3)
    rows = 5000
    first = rng.integers(0, 5, rows)
    near = np.where(rng.random(rows) < 0.9, first, rng.integers(0, 5, rows))
    other = rng.integers(0, 4, rows)
    mixed = np.clip((first + other) // 2, 0, 3)
    useless = rng.integers(0, 3, rows)
    codes = np.column_stack([near, other, first, mixed, useless])
    bad = rng.random(rows) < 1 / (1 + np.exp(2.2 - 0.35 * first - 0.3 * other))
    bins = [5, 4, 5, 4, 3]
    counts = [np.bincount(codes[:, j], minlength=b) for j, b in enumerate(bins)]
    bads = [np.bincount(codes[bad, j], minlength=b) for j, b in enumerate(bins)]
    told = [
        release(Outline(f"t{j + 1:02}", b, b, missing=False, rest=False), counts[j].tolist(), bads[j].tolist(), Rule())
        for j, b in enumerate(bins)
    ]
    one_hot = np.concatenate([np.eye(b, dtype=np.int64)[codes[:, j]] for j, b in enumerate(bins)], axis=1)
    x = np.column_stack([v.values[codes[:, j]] for j, v in enumerate(told)])
    return told, counts, one_hot.T @ one_hot, x


def test_correlation_from_pair_counts_is_that_of_the_rows(study):
    told, counts, pairs, x = study
    np.testing.assert_allclose(correlation(counts, pairs, [v.values for v in told]), np.corrcoef(x.T), atol=1e-12)


def test_vif_from_pair_counts_is_that_of_the_rows(study):
    told, counts, pairs, x = study
    design = np.column_stack([np.ones(len(x)), x])
    twin = [variance_inflation_factor(design, j + 1) for j in range(x.shape[1])]
    np.testing.assert_allclose(inflation(correlation(counts, pairs, [v.values for v in told])), twin, rtol=1e-9)


def test_blanked_cells_move_a_correlation_little_and_the_diagonal_blocks_not_at_all(study):
    told, counts, pairs, x = study
    blanked = np.where(pairs < 50, 0, pairs) + np.diag(np.full(len(pairs), 1000))
    np.testing.assert_allclose(correlation(counts, blanked, [v.values for v in told]), np.corrcoef(x.T), atol=0.1)


def test_a_variable_without_variance_correlates_with_nothing(study):
    told, counts, pairs, _ = study
    values = [v.values for v in told]
    values[1] = np.zeros(4)
    matrix = correlation(counts, pairs, values)
    assert matrix[1].tolist() == [0, 1, 0, 0, 0]


def test_two_equal_variables_are_over_any_vif():
    assert (inflation(np.ones((2, 2))) > 1e6).all()


def test_no_wish_keeps_everything_that_can_be_spoken_of(study):
    told = [*study[0], release(Outline("t06", 1, 1, missing=False, rest=False), [5000], [900], Rule())]
    choice = choose(Wish(), told)
    assert choice.kept == ("t01", "t02", "t03", "t04", "t05")
    assert choice.dropped == {"t06": "one bin"}


def test_keep_list_and_min_iv(study):
    choice = choose(Wish(keep=("t02", "t05"), min_iv=0.02), study[0])
    assert choice.kept == ("t02",)
    assert choice.dropped["t01"] == "not among those to keep"
    assert choice.dropped["t05"].startswith("IV 0.00")


def test_of_a_close_pair_the_weaker_goes(study):
    told, counts, pairs, _ = study
    assert told[2].iv > told[0].iv
    choice = choose(Wish(max_correlation=0.8), told, counts, pairs)
    assert list(choice.dropped) == ["t01"]
    assert "t03" in choice.dropped["t01"]


def test_vif_goes_one_by_one(study):
    told, counts, pairs, x = study
    most = 2.0
    choice = choose(Wish(max_vif=most), told, counts, pairs)
    left = [j for j, v in enumerate(told) if v.alias in choice.kept]
    design = np.column_stack([np.ones(len(x)), x[:, left]])
    assert max(variance_inflation_factor(design, j + 1) for j in range(len(left))) <= most
    assert all(reason.startswith("variance inflation") for reason in choice.dropped.values())
    assert 1 <= len(choice.dropped) <= 3


def test_wishes_that_cannot_be_met_are_refused(study):
    with pytest.raises(InputError, match="t99"):
        choose(Wish(keep=("t99",)), study[0])
    with pytest.raises(InputError, match="left"):
        choose(Wish(min_iv=5.0), study[0])
    for crooked in ({"min_iv": -1.0}, {"max_correlation": 0.0}, {"max_correlation": 1.5}, {"max_vif": 0.5}, {"min_iv": float("nan")}):
        with pytest.raises(InputError):
            Wish(**crooked)
    with pytest.raises(ValueError, match="pair"):
        choose(Wish(max_vif=10.0), study[0])
