from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from bank_party.lift import together, verdict
from bank_party.lift_means import MOST, Amounts, amounts, compare_means
from tandem.errors import InputError

TINY = 1e-9


def drawn(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 400, 2)
    return [rng.lognormal(3.0, 1.0, size) * (rng.random(size) < 0.4) + rng.random() for size in sizes]


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("seed", range(12))
def test_means_are_those_of_statsmodels(seed, level):
    one, two = drawn(seed)
    theirs = CompareMeans(DescrStatsW(one), DescrStatsW(two))
    found = compare_means(amounts(one), amounts(two), level)
    assert found.difference == pytest.approx((one.mean() - two.mean(), *theirs.tconfint_diff(1 - level, usevar="unequal")), rel=TINY)
    assert found.p == pytest.approx(theirs.ttest_ind(usevar="unequal")[1], rel=TINY)
    assert found.rate == pytest.approx((one.mean(), *theirs.d1.tconfint_mean(1 - level)), rel=TINY)
    assert found.ratio is None


@given(st.integers(0, 10_000), st.sampled_from([0.001, 7.0, 1e6]))
def test_in_another_currency_everything_but_p_is_scaled(seed, scale):
    one, two = drawn(seed)
    found, other = compare_means(amounts(one), amounts(two)), compare_means(amounts(one * scale), amounts(two * scale))
    assert other.difference == pytest.approx([scale * part for part in found.difference], rel=1e-7)
    assert other.p == pytest.approx(found.p, rel=1e-7)
    assert other.shown == found.shown


@given(st.integers(0, 10_000))
def test_with_the_sides_swapped_the_difference_is_turned_round(seed):
    one, two = map(amounts, drawn(seed))
    there, back = compare_means(one, two), compare_means(two, one)
    assert there.difference == pytest.approx((-back.difference.value, -back.difference.high, -back.difference.low))
    assert {there.shown, back.shown} in ({"not shown"}, {"higher", "lower"})


@pytest.mark.parametrize(("one", "two"), [([], [1.0, 2.0]), ([1.0], [1.0, 2.0]), ([0.0, 0.0], [0.0, 0.0, 0.0])])
def test_what_has_no_spread_is_not_shown(one, two):
    found = compare_means(amounts(np.array(one)), amounts(np.array(two)))
    assert (found.difference, found.p, found.shown) == (None, None, "not shown")
    assert "nothing to compare" in verdict(found)


def test_one_group_without_spread_is_compared():
    found = compare_means(amounts(np.array([1.0, 2.0, 3.0])), amounts(np.zeros(4)))
    assert found.difference == pytest.approx((2.0, 2.0 - 4.302652729911275 / np.sqrt(3), 2.0 + 4.302652729911275 / np.sqrt(3)))


def test_a_spread_too_small_to_square_twice_is_no_division_by_zero():
    assert compare_means(Amounts(5, 1.0, 1e-200), Amounts(5, 1.0, 1e-200)).p == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -10 * MOST])
def test_an_amount_that_is_none_is_refused_by_its_row(wrong):
    with pytest.raises(InputError, match="row 2 is missing or beyond"):
        amounts(np.array([1.0, wrong]))


def test_amounts_and_counts_of_one_table_are_judged_together():
    found = together([compare_means(*map(amounts, drawn(seed))) for seed in range(3)])
    assert max(one.judged_level for one in found) == pytest.approx(1 - 0.05 / 3)
    assert "points" not in verdict(found[0])
