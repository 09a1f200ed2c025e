"""Cuts frozen on the roster, named by alias only, and fit to code a later file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from vectors import shared_data

from tandem.errors import InputError
from tandem.node.inputs.source import TableSource
from tandem.tables import Table
from telco_party.bins import Cuts, fit
from telco_party.load import load


def texts(values):
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


@pytest.fixture
def roster():
    rng = np.random.default_rng(1)
    return Table(
        [str(i) for i in range(1000)],
        {
            "spend": np.where(rng.random(1000) < 0.1, np.nan, rng.gamma(2.0, 10.0, 1000)),
            "package": texts(rng.choice(["A", "B", "rare"], 1000, p=[0.6, 0.39, 0.01]).tolist()),
            "empty": np.full(1000, np.nan),
        },
    )


def test_every_column_is_a_variable_under_an_alias(roster):
    cuts, coded = fit(roster)
    assert coded.aliases == ("t01", "t02", "t03")
    assert coded.codes.shape == (1000, 3)
    assert coded.bins == tuple(o.bins for o in cuts.outlines) == (8, 2, 1)
    assert [o.constant for o in cuts.outlines] == [False, False, True]
    assert all(count.min() >= 50 for count in coded.counts)
    assert "spend" not in repr(cuts.outlines)


def test_frozen_cuts_code_a_later_file(roster, tmp_path):
    cuts, coded = fit(roster)
    back = Cuts.from_dict(json.loads(json.dumps(cuts.to_dict())))
    assert back == cuts
    assert back.digest == cuts.digest
    np.testing.assert_array_equal(back.code(roster).codes, coded.codes)
    path = tmp_path / "new.csv"
    path.write_text("phone,more,empty,package,spend\n1,9,,5,\n2,9,,A,1e9\n", encoding="utf-8")
    later = back.code(load(TableSource(source="new.csv", id="phone", numeric=back.numeric, text=back.text), tmp_path))
    assert later.codes.tolist() == [[7, 1, 0], [6, 0, 0]]


def test_a_later_file_that_lacks_a_column_or_holds_text_is_refused(roster):
    cuts, _ = fit(roster)
    with pytest.raises(InputError, match="spend"):
        cuts.code(Table(["1"], {"package": texts(["A"])}))
    with pytest.raises(InputError, match="t01"):
        cuts.code(Table(["1"], {"spend": texts(["x"]), "package": texts(["A"]), "empty": np.array([1.0])}))


def test_damaged_cuts_are_refused(roster):
    whole = fit(roster)[0].to_dict()
    for damaged in ({}, {**whole, "columns": ["spend"]}, {**whole, "binnings": [{}]}):
        with pytest.raises(InputError, match="damaged"):
            Cuts.from_dict(damaged)


def test_public_bank_marketing():
    table = load(TableSource(source=str(shared_data("bank_marketing/telco.csv")), id="phone"), Path())
    cuts, coded = fit(table)
    assert coded.rows == 41204
    assert all(count.min() >= 50 for count in coded.counts)
    pdays = cuts.columns.index("pdays")
    never = np.flatnonzero(table.column("pdays") == 999)
    assert (coded.codes[never, pdays] == coded.bins[pdays] - 1).all()
    assert coded.counts[pdays][-1] == never.size  # nobody else is in that bin
    assert cuts.outlines[cuts.columns.index("contact")].bins == 2


def test_rows_of_a_table_are_cut_as_a_table_of_those_rows():
    rng = np.random.default_rng(8)
    table = Table([str(i) for i in range(900)], {"a": rng.normal(size=900), "b": np.array(list("xyz") * 300, dtype=object)})
    rows = rng.permutation(900)[:500]
    (cuts, coded), (same, again) = fit(table, rows), fit(table.take(rows))
    assert cuts == same
    assert np.array_equal(coded.codes, again.codes)
    assert np.array_equal(cuts.code(table, rows).codes, coded.codes)
