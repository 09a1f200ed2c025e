"""A campaign is answered by the city: denominators hold, a stranger is reported, a benefit that fits helps, a wrong file is refused."""

from __future__ import annotations

import itertools

import duckdb
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from tandem.city.make import Plan, make
from tandem.city.respond import respond
from tandem.city_command import app
from tandem.errors import InputError


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city")
    make(folder, Plan(4_000, 4))
    return folder


@pytest.fixture
def contacts(city):
    with duckdb.connect() as database:
        people = database.execute(f"FROM '{city}/hidden/people-*.parquet' WHERE logit_campaign IS NOT NULL AND dormant").df()
    return pd.DataFrame({
        "phone": people.phone, "group": np.resize(["control", "low", "high"], len(people)), "benefit": people.favourite.astype(str),
        "segment": "", "probability": "0.25", "bank_probability": "",
    })


def answered(city, table, path, seed=1):
    table.to_csv(path, index=False)
    return respond(city, path, seed)


def test_each_stage_is_within_the_one_before_and_spend_follows_activation(city, contacts, tmp_path):
    found = answered(city, contacts, tmp_path / "contacts.csv").results
    assert list(found.columns) == [
        "phone", "group", "contacted", "responded", "applied", "approved", "first_card", "activated", "spend",
    ]
    assert list(found.phone) == list(contacts.phone)
    stages = ["contacted", "responded", "applied", "approved", "first_card"]
    for wider, narrower in itertools.pairwise(stages):
        assert (found[narrower] <= found[wider]).all()
        assert 0 < found[narrower].sum() < found[wider].sum()
    assert ((found.spend > 0) == (found.activated == 1)).all()
    assert (found.activated <= found.contacted).all()
    again, other = (answered(city, contacts, tmp_path / "contacts.csv", seed).results for seed in (1, 2))
    assert found.equals(again)
    assert not found.equals(other)


def test_a_benefit_that_fits_is_answered_more_often(city, contacts, tmp_path):
    fits = answered(city, contacts, tmp_path / "a.csv").results.responded
    none = answered(city, contacts.assign(benefit=""), tmp_path / "b.csv").results.responded
    assert (fits >= none).all()
    assert fits.sum() > 1.2 * none.sum()


def test_a_control_of_unknown_phone_stays_in_the_denominator_and_is_reported(city, contacts, tmp_path):
    contacts.loc[0, "phone"] = "12000000000"
    contacts.loc[1, "phone"] = f"+86 {contacts.phone[1]}"
    found = answered(city, contacts, tmp_path / "contacts.csv")
    assert found.unknown == {"control": 1, "low": 0, "high": 0}
    assert len(found.results) == len(contacts)
    assert list(found.results.iloc[0, 2:]) == [0] * 7
    ran = CliRunner().invoke(app, ["respond", str(city), str(tmp_path / "contacts.csv"), "--out", str(tmp_path / "results.csv")])
    assert ran.exit_code == 0
    assert "unknown phone" in ran.output
    assert len(pd.read_csv(tmp_path / "results.csv")) == len(contacts)


@pytest.mark.parametrize(("column", "value"), [
    ("group", "treated"), ("benefit", "sleep"), ("probability", "1.5"), ("bank_probability", "often"),
])
def test_a_wrong_value_is_told_by_row_and_column(city, contacts, tmp_path, column, value):
    contacts.loc[3, column] = value
    with pytest.raises(InputError, match=f"row 5, column '{column}'") as told:
        answered(city, contacts, tmp_path / "contacts.csv")
    assert value not in str(told.value)


def test_wrong_columns_a_phone_twice_and_no_city_are_refused(city, contacts, tmp_path):
    path = tmp_path / "contacts.csv"
    with pytest.raises(InputError, match="no column 'segment'"):
        answered(city, contacts.drop(columns="segment"), path)
    with pytest.raises(InputError, match="column 'name' is none of"):
        answered(city, contacts.assign(name="x"), path)
    with pytest.raises(InputError, match="holds no contact"):
        answered(city, contacts[:0], path)
    twice = contacts.copy()
    twice.loc[2, "phone"] = twice.phone[0]
    with pytest.raises(InputError, match="row 4, column 'phone'"):
        answered(city, twice, path)
    with pytest.raises(InputError, match="no city"):
        answered(tmp_path, contacts, path)
