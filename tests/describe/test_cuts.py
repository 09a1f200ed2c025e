"""Cuts without labels: equal frequency, heavy values and missing apart, nothing under min_bin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.describe.cuts import cut
from tandem.errors import InputError

NAN = float("nan")


def sizes(binning, column):
    return np.bincount(binning.code(column), minlength=binning.bins).tolist()


def texts(values):
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


def test_numbers_are_cut_into_equal_shares_with_missing_apart():
    column = np.concatenate([np.arange(700.0), np.full(60, NAN)])
    binning = cut("t01", column, 8, 50)
    assert sizes(binning, column) == [100] * 7 + [60]
    assert binning.missing


def test_few_distinct_values_have_a_bin_each():
    column = np.repeat([1.0, 2.0, 7.0], [50, 500, 60])
    assert sizes(cut("t01", column, 8, 50), column) == [50, 500, 60]


def test_a_heavy_special_value_has_its_own_bin_and_does_not_eat_the_others():
    column = np.concatenate([np.arange(600.0), np.full(9400, 999.0)])
    binning = cut("t01", column, 8, 50)
    assert sizes(binning, column)[-1] == 9400
    assert binning.bins == 8
    zeros = np.concatenate([np.zeros(5000), 1 + np.arange(5000.0)])
    assert sizes(cut("t01", zeros, 6, 50), zeros) == [5000] + [1000] * 5


def test_a_small_bin_joins_its_smaller_neighbour():
    column = np.repeat([1.0, 2.0, 3.0, 4.0], [100, 300, 10, 200])
    assert sizes(cut("t01", column, 8, 50), column) == [100, 300, 210]


def test_missing_numbers_too_few_to_stand_apart_go_to_the_commonest_bin():
    column = np.concatenate([np.repeat([1.0, 2.0], [100, 200]), [NAN] * 3])
    binning = cut("t01", column, 8, 50)
    assert not binning.missing
    assert sizes(binning, column) == [100, 203]


def test_the_commonest_levels_and_a_rest():
    column = texts(["a"] * 200 + ["b"] * 100 + ["c"] * 90 + ["d"] * 80 + ["e"] * 20 + [None] * 70)
    binning = cut("t02", column, 4, 50)
    assert binning.levels == ("a", "b")
    assert sizes(binning, column) == [200, 100, 70, 190]


def test_a_rest_too_small_takes_in_the_least_common_level():
    column = texts(["a"] * 200 + ["b"] * 60 + ["c"] * 5 + [None] * 4)
    binning = cut("t02", column, 8, 50)
    assert binning.levels == ("a",)
    assert sizes(binning, column) == [200, 69]
    assert not binning.missing


@pytest.mark.parametrize(
    "column",
    [
        np.full(100, NAN),
        np.full(100, 3.0),
        np.arange(30.0),
        np.concatenate([np.arange(30.0), np.full(100, NAN)]),
        texts([None] * 100),
        texts(["a"] * 100),
        texts([f"id {i}" for i in range(100)]),
        texts(["a"] * 30 + [None] * 100),
    ],
)
def test_a_variable_that_tells_nothing_stays_as_one_bin(column):
    binning = cut("t03", column, 8, 50)
    assert binning.bins == 1
    assert binning.outline.constant
    assert sizes(binning, column) == [len(column)]


numbers = st.lists(st.one_of(st.integers(-4, 12).map(float), st.floats(-5, 5), st.just(NAN)), min_size=1, max_size=150)
words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", None]), min_size=1, max_size=150)


@given(st.one_of(numbers.map(np.array), words.map(texts)), st.integers(2, 9), st.integers(1, 20))
def test_at_most_so_many_bins_and_none_too_small_unless_alone(column, bins, min_bin):
    binning = cut("x", column, bins, min_bin)
    counted = sizes(binning, column)
    assert len(counted) == binning.bins <= bins
    assert sum(counted) == len(column)
    assert binning.bins == 1 or min(counted) >= min_bin
    assert counted[binning.commonest] == max(counted) or binning.bins == 1 or not binning.missing


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(5)
    column = np.round(rng.gamma(1.0, 3.0, 500), 1)
    assert cut("x", column, 8, 20) == cut("x", rng.permutation(column), 8, 20)


def test_impossible_wishes_are_refused():
    for bins, min_bin in ((1, 50), (33, 50), (8, 0)):
        with pytest.raises(InputError):
            cut("x", np.arange(9.0), bins, min_bin)
