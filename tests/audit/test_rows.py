from __future__ import annotations

import numpy as np
import pytest
from attacked.audits import honest_rows, small_terms
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.audit.received import Sealing, layout_of
from tandem.audit.rows import disagree, faults, too_few_train, values
from tandem.measure.terms import Terms as MeasureTerms

TERMS = small_terms(512, 2000)
LAYOUT = layout_of(TERMS, "train")
TOP = TERMS.largest
CAMPAIGN = MeasureTerms(bytes(32), 2, ("contacted", "responded", "activated"), 2, (4, 3), 100, 512, 10, 4)
PERSON = [1, 1, *TERMS.fixed(np.array([[1.0, 1.0, 0.1875, -0.25, 0.1875 * 2.0, 0.1875 * -1.5]]))[0, 2:].tolist()]
"""Trains, label 1, score .75."""


def sealing(part=0):
    return Sealing("00" * 16, "train", part, 1, "")


@settings(deadline=None, max_examples=60)
@given(
    st.floats(0, 1), st.integers(0, 1), st.lists(st.floats(-8, 8), min_size=2, max_size=2), st.floats(0, 1), st.booleans(),
)
def test_honest_rows_have_no_fault_whatever_score_label_and_columns(p, label, x, later, train):
    rows = [
        TERMS.fixed(np.array([[train, train * label, w * train, (q - label) * train, *(w * one * train for one in x)]]))[0].tolist()
        for q, w in ((p, p * (1 - p)), (later, later * (1 - later)))
    ]
    for row in rows:
        assert values(LAYOUT, LAYOUT.pack_row(row)) == row
        assert list(faults(TERMS, LAYOUT, row)) == []
    assert list(disagree(TERMS, *rows)) == []


@pytest.mark.parametrize(("place", "value", "what"), [
    (0, 2, "range"), (1, -1, "range"), (2, TOP + 1, "range"), (2, -1, "range"), (3, -TOP - 1, "range"),
    (0, 0, "not_zero"), (1, 0, "weight"), (2, PERSON[2] + 4, "weight"), (2, PERSON[2] - 4, "weight"), (3, -PERSON[3], "weight"),
    (4, PERSON[2] + 2, "column"), (5, -TOP, "column"),
])
def test_each_number_is_bound(place, value, what):
    assert list(faults(TERMS, LAYOUT, PERSON)) == []
    row = [*PERSON]
    row[place] = value
    assert what in faults(TERMS, LAYOUT, row)


def test_a_label_without_a_training_row_is_found_in_a_look_as_well():
    layout = layout_of(TERMS, "describe")
    assert list(faults(TERMS, layout, [0, 1])) == ["not_zero"]
    assert [list(faults(TERMS, layout, row)) for row in ([0, 0], [1, 0], [1, 1])] == [[]] * 3


@pytest.mark.parametrize("bit", [0, LAYOUT.width * len(LAYOUT.slots), 500])
def test_what_rides_above_the_declared_slots_is_seen(bit):
    (plain,) = LAYOUT.pack_row(PERSON)
    assert (values(LAYOUT, [plain + (1 << bit)]) is None) == (bit > 0)


def test_a_person_is_the_same_in_all_passes():
    label, column = [*PERSON], [*PERSON]
    label[1], column[4] = 0, PERSON[4] - 2 * PERSON[2] // 5
    assert "label_differs" in disagree(TERMS, PERSON, label)
    assert list(disagree(TERMS, PERSON, column)) == ["column_differs"]
    assert list(disagree(TERMS, PERSON, [0] * 6)) == []  # a check failed in between
    assert list(disagree(TERMS, PERSON, [1, 0])) == ["label_differs"]  # a look before training


def test_few_training_rows_are_found_and_a_hold_out_of_three_tenths_is_not():
    few, many = [[1]] * 20 + [[0]] * 480, [[1]] * 350 + [[0]] * 150
    assert too_few_train(TERMS, sealing(), few, 0.7)
    assert not too_few_train(TERMS, sealing(), many, 0.7)
    assert not too_few_train(TERMS, sealing(part=1), few, 0.7)
    assert not too_few_train(TERMS, sealing(), [[0]] * 5, 0.7)  # five rows show nothing
    assert not too_few_train(TERMS, sealing(), [], 0.7)
    honest = honest_rows(TERMS, 2000).tolist()
    assert not any(too_few_train(TERMS, sealing(), honest[at : at + 100], 0.7) for at in range(0, 2000, 100))


@pytest.mark.parametrize(("row", "what"), [
    ([1, 0, 1, 0, 0, 0], []), ([0] * 6, []), ([1, 0, 0, 1, 0, 0], ["two_groups"]), ([0, 1, 0, 0, 0, 0], ["no_contact"]),
    ([2, 0, 0, 0, 0, 0], ["range"]), ([0, -1, 0, 0, 0, 0], ["range"]),
])
def test_what_a_measured_person_can_be(row, what):
    layout = layout_of(CAMPAIGN, "measure")
    assert list(faults(CAMPAIGN, layout, row)) == what
    assert list(disagree(CAMPAIGN, row, [1, 1, 1, 0, 0, 0])) == ["differs"]
