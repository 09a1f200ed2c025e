"""Frozen cuts code what was seen and what was not; whatever is frozen comes back from JSON as it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.errors import InputError
from tandem.tables import Binning, CodedTable, NumericCoding, Outline, Table, WoeCoding, coding_from_dict

NAN = float("nan")


def texts(*values):
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


def test_ordered_bins_are_closed_above_and_missing_stands_apart():
    binning = Binning("t01", "ordered", edges=(1.0, 5.0), missing=True)
    assert binning.code(np.array([-9.0, 1.0, 1.1, 5.0, 6.0, NAN])).tolist() == [0, 0, 1, 1, 2, 3]
    assert binning.outline == Outline("t01", 4, 3, missing=True, rest=False)


def test_levels_send_the_unseen_to_rest_and_missing_to_its_bin():
    binning = Binning("t02", "levels", levels=("red", "blue"), missing=True, rest=True)
    assert binning.code(texts("blue", "red", None, "green", NAN)).tolist() == [1, 0, 2, 3, 2]
    assert binning.outline == Outline("t02", 4, 0, missing=True, rest=True)


@pytest.mark.parametrize(
    ("missing", "rest", "coded"),
    [(True, True, [3, 2]), (True, False, [2, 2]), (False, True, [2, 2]), (False, False, [1, 1])],
)
def test_what_has_no_bin_of_its_own_goes_to_the_next_best(missing, rest, coded):
    binning = Binning("t03", "levels", levels=("a", "b"), missing=missing, rest=rest, commonest=1)
    assert binning.code(texts("unseen", None)).tolist() == coded


def test_missing_numbers_without_a_bin_go_to_the_commonest():
    assert Binning("t04", "ordered", edges=(0.0,), commonest=1).code(np.array([NAN, -1.0])).tolist() == [1, 0]


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=9, unique=True),
    st.lists(st.floats(allow_infinity=False), max_size=40),
    st.booleans(),
)
def test_ordered_twin(edges, values, missing):
    binning = Binning("x", "ordered", edges=tuple(sorted(edges)), missing=missing)
    twin = [binning.missing_code if np.isnan(v) else sum(e < v for e in binning.edges) for v in values]
    assert binning.code(np.array(values, dtype=np.float64)).tolist() == twin


def test_the_wrong_kind_of_column_is_refused():
    with pytest.raises(InputError, match="t05"):
        Binning("t05", "ordered").code(texts("1"))
    with pytest.raises(InputError, match="t05"):
        Binning("t05", "levels", levels=("1",)).code(np.array([1.0]))


@pytest.mark.parametrize(
    "crooked",
    [
        {"kind": "ordered", "edges": (2.0, 1.0)},
        {"kind": "ordered", "edges": (NAN,)},
        {"kind": "ordered", "edges": (float("inf"),)},
        {"kind": "ordered", "rest": True},
        {"kind": "ordered", "levels": ("a",)},
        {"kind": "levels", "levels": ("a", "a")},
        {"kind": "levels"},
        {"kind": "other"},
        {"kind": "ordered", "commonest": 1},
        {"kind": "levels", "levels": tuple(map(str, range(33)))},
    ],
)
def test_crooked_cuts_are_refused(crooked):
    with pytest.raises(InputError):
        Binning("x", **crooked)


def test_cuts_come_back_from_json_and_keep_their_digest():
    for binning in (
        Binning("t01", "ordered", edges=(0.1, 1 / 3), missing=True, commonest=2),
        Binning("t02", "levels", levels=("无", "b"), rest=True),
    ):
        back = Binning.from_dict(json.loads(json.dumps(binning.to_dict())))
        assert back == binning
        assert back.digest == binning.digest
    assert Binning("a", "ordered").digest != Binning("b", "ordered").digest
    for damaged in ({}, {**Binning("a", "ordered").to_dict(), "edges": None}):
        with pytest.raises(InputError, match="damaged"):
            Binning.from_dict(damaged)


def test_values_are_in_no_repr():
    assert "secretive" not in repr(Binning("t01", "levels", levels=("secretive",)))
    assert "13800138000" not in repr(Table(["13800138000"], {"x": np.array([1.0])}))
    assert "0.625" not in repr(WoeCoding("x", Binning("b01", "ordered"), (0.625,)))


def test_coded_table_counts_and_refuses_codes_outside_their_bins():
    table = CodedTable(np.array([[0, 1], [1, 1], [0, 0]], dtype=np.uint8), (2, 2), ("t01", "t02"))
    assert [c.tolist() for c in table.counts] == [[2, 1], [1, 2]]
    assert table.take([1]).codes.tolist() == [[1, 1]]
    with pytest.raises(InputError, match="below"):
        CodedTable(table.codes, (2, 1), ("t01", "t02"))
    with pytest.raises(InputError, match="shape"):
        CodedTable(table.codes, (2,), ("t01",))


def test_table_takes_rows_by_number_and_by_mask():
    table = Table(["a", "b", "c"], {"x": np.array([1.0, 2.0, 3.0]), "y": texts("p", None, "q")})
    assert table.take([2, 0]).ids == ["c", "a"]
    assert table.take(np.array([False, True, True])).column("y").tolist() == [None, "q"]
    with pytest.raises(InputError, match="z"):
        table.column("z")


def test_codings_give_their_numbers_and_come_back_from_json():
    woe = WoeCoding("colour", Binning("b01", "levels", levels=("red",), rest=True), (0.5, -0.25))
    numeric = NumericCoding("sum", 10.0, 2.0, flag=True)
    assert woe.code(texts("red", "blue", None))[:, 0].tolist() == [0.5, -0.25, -0.25]
    assert numeric.code(np.array([12.0, NAN, 1000.0, -1000.0])).tolist() == [[1, 0], [0, 1], [4, 0], [-4, 0]]
    assert NumericCoding("sum", 10.0, 2.0, flag=False).code(np.array([NAN])).tolist() == [[0]]
    for coding in (woe, numeric):
        assert coding_from_dict(json.loads(json.dumps(coding.to_dict()))) == coding
    assert numeric.names == ("sum", "sum missing")
    for damaged in ({}, {"coding": "woe"}, {"coding": "new"}):
        with pytest.raises(InputError):
            coding_from_dict(damaged)
    with pytest.raises(InputError):
        WoeCoding("x", Binning("b01", "ordered"), (9.0,))
    with pytest.raises(InputError):
        NumericCoding("x", 0.0, 0.0, flag=False)


def test_an_outline_that_contradicts_itself_is_refused():
    with pytest.raises(InputError):
        Outline("t01", 3, 3, missing=True, rest=False)
    with pytest.raises(InputError):
        Outline("t01", 1, 0, missing=True, rest=True)
