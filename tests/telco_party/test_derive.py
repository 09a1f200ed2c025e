from __future__ import annotations

import datetime as dt
import json
import stat

import duckdb
import numpy as np
import pandas as pd
import plain_variables
import pytest
import raw_telco

from tandem.errors import InputError
from tandem.tables import is_text
from tandem.node.inputs.source import TableSource
from telco_party import derive as deriving
from telco_party.derive import coverage, derive
from telco_party.features.catalogue import FAMILIES, catalogue
from telco_party.load import load

AS_OF = raw_telco.AS_OF
DAY = AS_OF.date()
ALL = catalogue()


@pytest.fixture(scope="module")
def raw():
    return raw_telco.raw()


@pytest.fixture(scope="module")
def folder(raw, tmp_path_factory):
    return raw_telco.write(raw, tmp_path_factory.mktemp("city") / "telco")


@pytest.fixture(scope="module")
def derived(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("derived") / "telco.parquet"
    told = derive(folder, DAY, out)
    return duckdb.execute("SELECT * FROM read_parquet(?)", [str(out)]).df().set_index("phone"), told, out


@pytest.fixture(scope="module")
def plain(raw):
    tables = {name: getattr(plain_variables, name)(raw, AS_OF) for name in FAMILIES}
    people = plain_variables.subscribers(raw, AS_OF).index
    return {name: table.reindex(people) for name, table in tables.items()}


@pytest.mark.parametrize("variable", ALL, ids=lambda one: one.name)
def test_a_variable_is_what_pandas_makes_of_it(variable, derived, plain):
    found, expected = derived[0][variable.name], plain[variable.family][variable.name]
    assert list(found.index) == list(expected.index)
    if variable.is_text:
        assert [None if pd.isna(one) else one for one in found] == [None if pd.isna(one) else one for one in expected]
    else:
        np.testing.assert_allclose(found.to_numpy(float), expected.to_numpy(float), rtol=0, atol=2e-6, equal_nan=True)
    assert found.notna().any()


def test_there_are_enough_of_them_and_most_tell_people_apart(derived):
    table = derived[0]
    assert len(ALL) == len(set(table.columns)) == len(table.columns) >= 60
    assert [name for name in table if table[name].nunique() < 2] == []


def test_missing_is_missing_and_nothing_is_nothing(derived, raw):
    silent = raw_telco.phones(36)[-1]
    row = derived[0].loc[silent]
    assert row[["calls_3m", "usage_events_3m", "visits_3m", "charge_mean_3m", "benefit"]].isna().all()
    assert row[["topups_3m", "suspensions_3m"]].tolist() == [0, 0]
    assert (derived[0]["calls_collection_3m"] == 0).any()
