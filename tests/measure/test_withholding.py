"""What is told lets nobody work out a small number: held against an oracle by linear algebra that shares no code with it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measured_campaign import TERMS

from tandem.measure.withholding import WITHHELD, join_levels, release

FUNNEL = replace(TERMS, groups=1, outcomes=("contacted", "responded", "applied", "activated"), main=3, levels=(5,))
LEAST, FEW = TERMS.min_bin, TERMS.min_class


def funnel(*rows):
    """Return totals of one segment of one group: a row a level, (contacted, responded, applied, activated)."""
    return np.array(rows, dtype=np.int64)


def told(totals, terms=FUNNEL):
    (one,) = release(totals, replace(terms, levels=(len(totals),)))
    return one


@st.composite
def counts(draw):
    levels = draw(st.integers(2, 6))
    rows = []
    for _ in range(levels):
        contacted = draw(st.one_of(st.integers(0, 15), st.integers(0, 120)))
        rows.append((contacted, *(draw(st.integers(0, contacted)) for _ in range(3))))
    return funnel(*rows)


def determined(shown, subset):
    """Say whether the sum over `subset` follows from the shown levels and the total, by rank."""
    levels = len(shown)
    known = [np.ones(levels)] + [np.eye(levels)[level] for level in range(levels) if shown[level]]
    wanted = np.isin(np.arange(levels), subset).astype(float)
    return np.linalg.matrix_rank([*known, wanted]) == np.linalg.matrix_rank(known)


def atoms(*shown):
    """Return the smallest sets of levels, not all, whose sums are determined for each of these outcomes."""
    levels = range(len(shown[0]))
    sets = [set(one) for size in range(1, len(levels)) for one in combinations(levels, size)]
    fixed = [one for one in sets if all(determined(each, sorted(one)) for each in shown)]
    return [sorted(one) for one in fixed if not any(other < one for other in fixed)]


def small(totals, release_of):
    """Return what can be worked out that speaks of few people: (levels, outcome, other outcome)."""
    piles = np.array([totals[list(codes)].sum(axis=0) for codes in release_of.codes])
    shown = release_of.counts[:, 0] != WITHHELD
    found = [(levels, 0, 0) for levels in atoms(shown[:, 0]) if piles[levels, 0].sum() < LEAST]
    for outcome in range(1, 4):
        if not shown[:, outcome].any():
            continue
        found += [(levels, outcome, outcome) for levels in atoms(shown[:, outcome]) if piles[levels, outcome].sum() < FEW]
        for other in range(outcome):
            if shown[:, other].any():
                pair = atoms(shown[:, outcome], shown[:, other])
                apart = (abs(piles[levels, other].sum() - piles[levels, outcome].sum()) for levels in pair)
                found += [(levels, outcome, other) for levels, by in zip(pair, apart, strict=True) if by < FEW]
    return found


@settings(max_examples=150, deadline=None)
@given(counts())
def test_no_small_number_can_be_worked_out(totals):
    one = told(totals)
    assert small(totals, one) == []
    piles = np.array([totals[list(codes)].sum(axis=0) for codes in one.codes])
    shown = one.counts[:, 0] != WITHHELD
    assert (one.counts[:, 0][shown] == piles[shown]).all()


@settings(max_examples=60, deadline=None)
@given(counts())
def test_every_code_is_in_one_told_level_and_none_is_small_unless_all_are(totals):
    one = told(totals)
    assert sorted(code for codes in one.codes for code in codes) == list(range(len(totals)))
    people = [totals[list(codes), 0].sum() for codes in one.codes]
    assert min(people) >= LEAST or len(people) == 1


def test_a_table_of_large_numbers_is_told_whole():
    totals = funnel((100, 50, 30, 70), (200, 80, 40, 120), (90, 60, 40, 20))
    assert (told(totals).counts[:, 0] == totals).all()


def test_small_levels_are_joined_and_a_rest_that_is_still_small_takes_the_smallest_level():
    assert [pile.bins for pile in join_levels([40, 6, 30, 5], 10)] == [(0,), (2,), (1, 3)]
    assert [pile.bins for pile in join_levels([40, 6, 30, 2], 10)] == [(0,), (2, 1, 3)]
    assert [pile.bins for pile in join_levels([4, 3], 10)] == [(0, 1)]
    assert [pile.bins for pile in join_levels([40, 30], 10)] == [(0,), (1,)]


def test_a_single_withheld_level_takes_another_with_it():
    totals = funnel((100, 50, 30, 2), (200, 80, 40, 120), (90, 60, 40, 20))
    assert told(totals).counts[:, 0, 3].tolist() == [WITHHELD, 120, WITHHELD]


def test_withheld_levels_that_are_few_together_take_more():
    totals = funnel((100, 50, 30, 1), (90, 60, 40, 1), (95, 60, 40, 30), (200, 80, 40, 120))
    assert told(totals).counts[:, 0, 3].tolist() == [WITHHELD, WITHHELD, WITHHELD, 120]


def test_the_end_of_the_funnel_is_told_before_what_comes_so_near_that_one_person_would_show():
    totals = funnel((100, 50, 31, 30), (200, 80, 60, 60), (90, 60, 40, 40))  # one who applied was not activated: at the first level
    one = told(totals)
    assert (one.counts[:, 0, 3] == totals[:, 3]).all()
    assert (one.counts[:, 0, 2] == WITHHELD).all()
    assert (one.counts[:, 0, 1] == totals[:, 1]).all()


@pytest.mark.parametrize("removed", ["union", "pairs", "minimum"])
def test_each_part_of_the_rule_is_needed(removed, monkeypatch):
    """S3 within one measurement: without the part, the bank works out a small number by subtraction."""
    totals = {
        "union": funnel((100, 50, 30, 2), (200, 80, 40, 120), (90, 60, 40, 20)),
        "pairs": funnel((100, 50, 31, 30), (200, 80, 60, 60), (90, 60, 40, 40)),
        "minimum": funnel((100, 50, 30, 2), (200, 80, 40, 120), (90, 60, 40, 20)),
    }[removed]
    assert small(totals, told(totals)) == []
    hidden = "tandem.measure.withholding._hidden"
    if removed == "union":
        monkeypatch.setattr(hidden, lambda people, before, enough: before | {at for at in range(len(people)) if not enough([at])})
    elif removed == "pairs":
        monkeypatch.setattr("tandem.measure.withholding._apart", lambda *_: True)
    else:
        monkeypatch.setattr(hidden, lambda people, before, enough: before)
    assert small(totals, told(totals)) != []
