from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve
from statsmodels.stats.proportion import proportion_confint

from bank_party.evaluation import (
    auc,
    auc_difference,
    calibration,
    confusion,
    gain_table,
    ks,
    ks_curve,
    matched_table,
    roc,
    wilson,
)
from tandem.arguments import Seeded
from tandem.errors import InputError


def sample(rows=2000, seed=1, *, ties=False):
    rng = np.random.default_rng(seed)
    y = (rng.random(rows) < 0.2).astype(np.int64)
    score = y * 0.8 + rng.normal(size=rows)
    return y, np.round(score) if ties else score


def slow_delong(y, *scores):
    """The 1988 paper word by word: psi over all pairs, S10/m + S01/n."""
    v10, v01 = [], []
    for score in scores:
        ones, zeros = score[y == 1], score[y == 0]
        psi = (ones[:, None] > zeros) + 0.5 * (ones[:, None] == zeros)
        v10.append(psi.mean(axis=1))
        v01.append(psi.mean(axis=0))
    return [v.mean() for v in v10], np.atleast_2d(np.cov(v10)) / len(v10[0]) + np.atleast_2d(np.cov(v01)) / len(v01[0])


@given(st.integers(0, 10**6), st.booleans())
def test_auc_and_its_interval_equal_the_paper_and_scikit_learn(seed, ties):
    y, score = sample(120, seed, ties=ties)
    area, variance = slow_delong(y, score)
    got = auc(y, score)
    assert got.value == pytest.approx(metrics.roc_auc_score(y, score))
    assert got.value == pytest.approx(area[0])
    reach = stats.norm.ppf(0.975) * np.sqrt(variance[0, 0])
    assert got.low == pytest.approx(max(0, area[0] - reach))
    assert got.high == pytest.approx(min(1, area[0] + reach))


@given(st.integers(0, 10**6), st.booleans())
def test_the_paired_difference_equals_the_paper(seed, ties):
    y, one = sample(120, seed, ties=ties)
    two = one + np.random.default_rng(seed + 1).normal(size=120)
    area, cov = slow_delong(y, one, two)
    spread = np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    got = auc_difference(y, one, two)
    assert got.value == pytest.approx(area[1] - area[0])
    assert (got.high - got.low) / 2 == pytest.approx(1.959964 * spread, rel=1e-5)
    assert got.p == pytest.approx(2 * stats.norm.sf(abs(got.value) / spread))


def test_by_hand():
    got = auc(np.array([0, 0, 1, 1]), np.array([1.0, 3.0, 2.0, 4.0]))
    assert got.value == 0.75  # 3 of 4 pairs in order
    assert auc(np.array([0, 0, 1, 1]), np.ones(4)) == (0.5, 0.5, 0.5)
    assert auc(np.array([0, 0, 1, 1]), np.array([1, 1, 2, 2])) == (1.0, 1.0, 1.0)


def test_equal_rankings_have_no_p():
    y, score = sample(300)
    got = auc_difference(y, score, np.exp(score))
    assert (got.value, got.low, got.high, got.p) == (0.0, 0.0, 0.0, None)


def test_the_interval_covers_as_often_as_it_says():
    true = stats.norm.cdf(0.8 / np.sqrt(2))
    held = [low <= true <= high for low, high in ((one.low, one.high) for one in (auc(*sample(400, seed)) for seed in range(400)))]
    assert 0.92 < np.mean(held) < 0.98


@pytest.mark.parametrize("ties", [False, True])
def test_ks_equals_scipy_and_its_interval_a_plain_bootstrap(ties):
    y, score = sample(1500, ties=ties)
    got = ks(y, score, Seeded(b"1"))
    assert got.value == pytest.approx(stats.ks_2samp(score[y == 1], score[y == 0]).statistic)
    rng = np.random.default_rng(5)
    again = []
    for _ in range(500):
        one, zero = (rng.choice(score[y == label], size=(y == label).sum()) for label in (1, 0))
        again.append(stats.ks_2samp(one, zero, method="asymp").statistic)
    assert got.low == pytest.approx(np.quantile(again, 0.025), abs=0.015)
    assert got.high == pytest.approx(np.quantile(again, 0.975), abs=0.015)
    assert got.low <= got.value <= got.high


def test_ks_repeats_for_the_same_chance_and_counts_a_reversed_score():
    y, score = sample(500)
    assert ks(y, score, Seeded(b"1")) == ks(y, score, Seeded(b"1"))
    assert ks(y, score, Seeded(b"1")) != ks(y, score, Seeded(b"2"))
    assert ks(y, -score, Seeded(b"1")).value == pytest.approx(ks(y, score, Seeded(b"1")).value)
    assert ks(y, np.zeros(500), Seeded(b"1")) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("ties", [False, True])
def test_roc_is_that_of_scikit_learn(ties):
    y, score = sample(300, ties=ties)
    x, up, _ = metrics.roc_curve(y, score, drop_intermediate=False)
    got = roc(y, score)
    assert got.x == pytest.approx(x)
    assert got.y == pytest.approx(up)


def test_long_curves_are_thinned_and_keep_their_ends_and_the_furthest_point():
    y, score = sample(20000)
    got = ks_curve(y, score)
    assert len(got.rows) <= 401
    assert (got.rows[0], got.rows[-1], got.ones[-1], got.zeros[-1]) == (0, 1, 1, 1)
    assert got.ones[got.at] - got.zeros[got.at] == pytest.approx(ks(y, score, Seeded(b"1"), rounds=2).value)
    area = np.trapezoid(roc(y, score).y, roc(y, score).x)
    assert area == pytest.approx(auc(y, score).value, abs=1e-3)


def test_gain_table_by_hand():
    y = np.repeat([1, 1, 1, 0, 1, 0, 0, 0, 0, 0], 2)
    score = np.repeat(np.arange(10, 0, -1), 2).astype(float)
    table = gain_table(y, score, 5)
    assert [one.rows for one in table] == [4] * 5
    assert [one.positives for one in table] == [4, 2, 2, 0, 0]
    assert [one.rate for one in table] == [1, 0.5, 0.5, 0, 0]
    assert [one.capture for one in table] == [0.5, 0.75, 1, 1, 1]
    assert [one.lift for one in table] == pytest.approx([2.5, 1.25, 1.25, 0, 0])
    assert [one.cumulative_lift for one in table] == pytest.approx([2.5, 1.875, 5 / 3, 1.25, 1])
    assert (table[0].high, table[0].low) == (10, 9)


@given(st.integers(0, 10**6), st.integers(1, 12))
def test_gain_table_adds_up_and_does_not_depend_on_row_order(seed, levels):
    y, score = sample(97, seed)
    score = np.floor(score * levels / 4)
    table = gain_table(y, score)
    assert len(table) == 10
    assert sum(one.rows for one in table) == 97
    assert sum(one.positives for one in table) == y.sum()
    assert table[-1].capture == 1
    order = np.random.default_rng(seed).permutation(97)
    assert gain_table(y[order], score[order]) == table
    for one in table:
        assert (one.rate is None) == (one.rows == 0) == (one.lift is None) == (one.low is None)


def test_a_score_of_one_value_has_one_slice_and_empty_ones_without_rates():
    table = gain_table(np.array([0, 1, 0, 1]), np.ones(4))
    assert [one.rows for one in table if one.rows] == [4]
    assert table[0].rate is None
    assert table[0].cumulative_lift is None
    assert table[-1].cumulative_lift == 1


def test_calibration_against_scikit_learn():
    y, score = sample(5000)
    p = 1 / (1 + np.exp(1.5 - score))
    got = calibration(y, p)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    assert [one.predicted for one in got.slices] == pytest.approx(list(predicted))
    assert [one.observed.value for one in got.slices] == pytest.approx(list(observed))
    assert got.brier == pytest.approx(metrics.brier_score_loss(y, p))
    assert (got.predicted, got.observed) == pytest.approx((p.mean(), y.mean()))
    with pytest.raises(InputError, match="outside 0 to 1"):
        calibration(y, score)


def test_empty_calibration_slices_have_no_rate():
    got = calibration(np.array([0, 1, 0, 1]), np.full(4, 0.5))
    assert [one.rows for one in got.slices if one.observed is not None] == [4]
    assert all(one.predicted is None for one in got.slices if not one.rows)


def test_confusion_against_scikit_learn():
    y, score = sample(800)
    got = confusion(y, score, 0.5)
    called = score >= 0.5
    assert [got.true_negative, got.false_positive, got.false_negative, got.true_positive] == metrics.confusion_matrix(
        y, called
    ).ravel().tolist()
    assert got.accuracy == pytest.approx(metrics.accuracy_score(y, called))
    assert got.recall == pytest.approx(metrics.recall_score(y, called))
    assert got.precision == pytest.approx(metrics.precision_score(y, called))
    assert confusion(y, score, 99.0).precision is None


@given(st.integers(0, 300), st.integers(1, 300))
def test_wilson_equals_statsmodels(successes, trials):
    successes = min(successes, trials)
    got = wilson(successes, trials)
    low, high = proportion_confint(successes, trials, method="wilson")
    assert got == pytest.approx((successes / trials, low, high), abs=1e-9)
    assert got.low <= got.value <= got.high


def test_matched_against_unmatched():
    y = np.array([1, 0, 0, 0, 1, 1])
    got = matched_table(y, np.array([True, True, True, True, False, False]))
    assert got.match_rate.value == pytest.approx(4 / 6)
    assert (got.matched.rows, got.matched.positives, got.matched.rate.value) == (4, 1, 0.25)
    assert (got.unmatched.rows, got.unmatched.positives, got.unmatched.rate.value) == (2, 2, 1.0)
    assert (got.all.rows, got.all.positives) == (6, 3)
    everybody = matched_table(y, np.ones(6, dtype=bool))
    assert everybody.unmatched == (everybody.unmatched.__class__)(0, 0, None)
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("y", "score", "text"),
    [
        ([1, 1, 1], [1, 2, 3], "only one class"),
        ([0, 0, 0], [1, 2, 3], "only one class"),
        ([], [], "only one class"),
        ([0, 1, 0], [1, np.nan, 3], "row 1 is not finite"),
        ([0, 1, 0], [1, 2, np.inf], "row 2 is not finite"),
        ([0, 2, 0], [1, 2, 3], "neither 0 nor 1"),
        ([0, np.nan, 1], [1, 2, 3], "neither 0 nor 1"),
        (["a", "b", "a"], [1, 2, 3], "not numbers"),
        ([0, 1, 0], [1, 2], "one score a label"),
    ],
)
def test_bad_input_is_named(y, score, text):
    y, score = np.array(y), np.array(score, dtype=float)
    for measure in (auc, roc, ks_curve, gain_table, calibration, lambda y, s: ks(y, s, Seeded(b"")), lambda y, s: confusion(y, s, 0.5)):
        with pytest.raises(InputError, match=text):
            measure(y, score)


def test_an_interval_needs_two_of_each_class():
    with pytest.raises(InputError, match="1 positives and 3 negatives"):
        auc(np.array([0, 0, 0, 1]), np.arange(4))
    with pytest.raises(InputError, match="match flags"):
        matched_table(np.array([0, 1]), np.array([True]))
