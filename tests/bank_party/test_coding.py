"""x_b is fitted on training rows only, has the number of columns said beforehand, and codes new customers with what was frozen."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from bank_party.coding import apply, columns_out, fit, names_out
from tandem.describe.woe import Rule
from tandem.errors import InputError
from tandem.tables import NumericCoding, Table, WoeCoding, coding_from_dict


def texts(values):
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


@pytest.fixture(scope="module")
def study():
    rng = np.random.default_rng(2)
    rows = 4000
    age = np.round(rng.normal(40, 10, rows))
    tier = rng.integers(0, 3, rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(2 - 0.5 * tier - 0.03 * (age - 40)))).astype(np.uint8)
    table = Table(
        [str(i) for i in range(rows)],
        {
            "age": np.where(rng.random(rows) < 0.1, np.nan, age),
            "tier": texts(np.array(["low", "mid", "high"], dtype=object)[tier].tolist()),
            "payments": rng.poisson(1.0, rows).astype(float),
            "branch": np.full(rows, 7.0),
        },
    )
    return table, labels, rng.random(rows) < 0.7


def test_woe_of_a_text_column_is_the_crosstab_of_training_rows(study):
    table, labels, train = study
    fitted = fit(table, labels, train)
    x = apply([c.coding for c in fitted], table)
    assert x.shape == (4000, columns_out(table)) == (4000, 4)
    counted = pd.crosstab(table.column("tier")[train], labels[train])
    woe = np.log((counted[1] / counted[1].sum()) / (counted[0] / counted[0].sum()))
    np.testing.assert_allclose(x[:, 1], woe[table.column("tier").tolist()], rtol=1e-12)
    assert not x[:, 3].any()
    assert fitted[3].iv == 0
    assert fitted[1].iv == pytest.approx(float(((counted[1] / counted[1].sum() - counted[0] / counted[0].sum()) * woe).sum()))


@pytest.mark.parametrize("style", ["woe", "numeric"])
def test_rows_held_out_change_nothing(study, style):
    table, labels, train = study
    changed = Table(table.ids, {n: np.where(train, v, np.nan if v.dtype == float else "else") for n, v in table.columns.items()})
    flipped = np.where(train, labels, 1 - labels).astype(np.uint8)
    one, other = fit(table, labels, train, style), fit(changed, flipped, train, style)
    kept = [(a.coding, b.coding) for a, b in zip(one, other, strict=True)]
    assert all(
        a == b or (isinstance(a, NumericCoding) and (a.centre, a.scale) == (b.centre, b.scale)) for a, b in kept
    )  # a flag may be added: missing values count in the whole file


def test_every_group_has_its_rows_bads_and_goods(study):
    table, labels, train = study
    rule = Rule(min_bin=200, min_class=60)
    for coded in fit(table, labels, train, rule=rule):
        told = coded.described
        assert told.reason or min(told.counts) >= 200
        assert told.reason or min(told.bads) >= 60
        assert sum(told.counts) == train.sum()


def test_numeric_coding_centres_scales_cuts_and_flags(study):
    table, labels, train = study
    fitted = [c.coding for c in fit(table, labels, train, "numeric")]
    x = apply(fitted, table)
    assert names_out(fitted) == ["age", "age missing", "tier", "payments", "branch"]
    assert x.shape[1] == columns_out(table, "numeric") == 5
    absent = np.isnan(table.column("age"))
    assert x[train & ~absent, 0].mean() == pytest.approx(0, abs=0.01)
    assert x[train & ~absent, 0].std() == pytest.approx(1, abs=0.01)
    assert not x[absent, 0].any()
    np.testing.assert_array_equal(x[:, 1], absent)
    assert isinstance(fitted[1], WoeCoding)
    assert np.abs(x).max() <= 4
    assert not x[:, 4].any()


def test_frozen_codings_code_new_customers(study):
    table, labels, train = study
    for style in ("woe", "numeric"):
        codings = [c.coding for c in fit(table, labels, train, style)]
        back = [coding_from_dict(json.loads(json.dumps(c.to_dict()))) for c in codings]
        new = table.take([5, 3, 9])
        np.testing.assert_array_equal(apply(back, new), apply(codings, table)[[5, 3, 9]])
        with pytest.raises(InputError, match="age"):
            apply(back, Table(["1"], {"tier": texts(["low"])}))


def test_too_few_training_rows_are_refused(study):
    table, labels, train = study
    few = train & (np.arange(4000) < 40)
    with pytest.raises(InputError, match="training rows"):
        fit(table, labels, few)
    with pytest.raises(InputError, match="training rows"):
        fit(table, np.zeros(4000, dtype=np.uint8), train)


def test_a_bank_without_columns_of_its_own():
    assert apply([], Table(["1", "2"], {})).shape == (2, 0)
