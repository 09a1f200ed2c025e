from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.score import decoding
from tandem.score.decoding import Heard, decode, decode_among, frequencies, sums


def rows(seed, bins, count=60):
    rng = np.random.default_rng(seed)
    return np.column_stack([np.minimum(rng.geometric(0.5, count) - 1, size - 1) for size in bins]).astype(np.uint8)


def heard_of(seed, bins, codes, widths):
    rng = np.random.default_rng(seed)
    found = []
    for width in widths:
        points = rng.integers(-20, 20, sum(bins))
        found.append(Heard(points, sums(points, codes, bins) + rng.integers(0, width, len(codes)), width))
    return found


SHAPES = [(3, 2, 4), (5,), (2, 2, 2, 3), (1, 4, 3)]
WIDTHS = [(1,), (8,), (1, 8, 8), (8, 16)]


@given(st.integers(0, 10_000), st.sampled_from(SHAPES), st.sampled_from(WIDTHS))
def test_it_is_the_likeliest_combination_of_all_that_the_scores_allow(seed, bins, widths):
    codes = rows(seed, bins)
    heard, common = heard_of(seed, bins, codes, widths), frequencies(codes, bins)
    every = np.array(list(product(*map(range, bins))), dtype=np.uint8)
    weights = sum(logs[every[:, j]] for j, logs in enumerate(common))
    guessed = decode(heard, common)
    for i, row in enumerate(guessed.codes):
        over = [one.scores[i] - sums(one.points, every, bins) for one in heard]
        allowed = np.all([(rest >= 0) & (rest < one.width) for rest, one in zip(over, heard, strict=True)], axis=0)
        assert guessed.weight[i] == pytest.approx(weights[allowed].max())
        assert guessed.weight[i] == pytest.approx(sum(logs[row[j]] for j, logs in enumerate(common)))


def test_exact_scores_give_whole_rows_and_coarse_ones_fewer():
    bins = (8,) * 6
    codes = np.random.default_rng(3).integers(0, 8, (300, 6)).astype(np.uint8)
    points = np.random.default_rng(4).integers(0, 1 << 30, 48)
    exact, common = sums(points, codes, bins), frequencies(codes, bins)
    assert (decode([Heard(points, exact)], common).codes == codes).all()
    blurred = decode([Heard(points, exact, 1 << 27)], common)
    assert (blurred.codes == codes).all(axis=1).mean() < 0.1


def test_whole_rows_of_other_people_break_ties_that_single_bins_break_wrongly():
    known = np.array([[0, 1]] * 40 + [[1, 0]] * 20 + [[0, 0]] * 40, dtype=np.uint8)  # (1, 1) never comes, (1, 0) does
    common = frequencies(known, (2, 2))
    points = np.array([0, 1, 0, 1])
    heard = [Heard(points, np.array([1]))]
    plain = decode(heard, common)
    assert decode_among(heard, common, known, plain).codes.tolist() == [[0, 1]]
    other = known[40:]
    assert decode_among(heard, common, other, plain).codes.tolist() == [[1, 0]]
    nobody = [Heard(points, np.array([2]))]
    assert decode_among(nobody, common, known, decode(nobody, common)).codes.tolist() == [[1, 1]], "no known row fits: bins alone decide"


def test_a_list_that_must_end_holds_the_likeliest(monkeypatch):
    bins = (8,) * 4
    codes = rows(5, bins, 500)
    heard, common = heard_of(6, bins, codes, (4,)), frequencies(codes, bins)
    whole = decode(heard, common)
    monkeypatch.setattr(decoding, "LISTED", 12)
    short = decode(heard, common)
    same = (short.codes == whole.codes).all(axis=1)
    assert 0.4 < same.mean() < 1.0
    assert (short.weight <= whole.weight + 1e-9).all()
