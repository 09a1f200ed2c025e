"""The city's raw tables are as both derivations read them, the same for the same seed, dirty as they say, worth joining by effect."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import duckdb
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from tandem.city.make import Plan, make
from tandem.city.outcomes import TELCO_SPREAD, seen_by_telco
from tandem.city.people import BATCH, people_of
from tandem.city_command import app
from tandem.errors import InputError

SCHEMA = {
    "telco/subscribers": "phone VARCHAR, opened_on DATE, closed_on DATE, package VARCHAR, birth_year SMALLINT, "
                         "gender VARCHAR, region VARCHAR",
    "telco/identifiers": "kind VARCHAR, value VARCHAR, other_kind VARCHAR, other_value VARCHAR, seen_on DATE",
    "telco/calls": "call_id BIGINT, phone VARCHAR, started_at TIMESTAMP, seconds INTEGER, direction VARCHAR, counterpart BIGINT, "
                   "special VARCHAR, received_at TIMESTAMP",
    "telco/usage": "event_id BIGINT, id_kind VARCHAR, id_value VARCHAR, at TIMESTAMP, channel VARCHAR, category VARCHAR, name VARCHAR, "
                   "seconds INTEGER, kbytes BIGINT, received_at TIMESTAMP",
    "telco/cells": "cell_id INTEGER, x_km DOUBLE, y_km DOUBLE, area VARCHAR",
    "telco/visits": "visit_id BIGINT, phone VARCHAR, cell_id INTEGER, at TIMESTAMP, minutes INTEGER, received_at TIMESTAMP",
    "telco/bills": "phone VARCHAR, month DATE, charge DOUBLE, data_gb DOUBLE, voice_minutes DOUBLE, sms INTEGER, paid_on DATE",
    "telco/suspensions": "phone VARCHAR, suspended_on DATE, restored_on DATE",
    "telco/topups": "phone VARCHAR, at TIMESTAMP, amount DOUBLE",
    "bank/customers": "customer_id BIGINT, phone VARCHAR, birth_year SMALLINT, gender VARCHAR, region VARCHAR, "
                      "tier VARCHAR, joined_on DATE",
    "bank/cards": "card_id BIGINT, customer_id BIGINT, product VARCHAR, issued_on DATE, credit_limit DOUBLE, closed_on DATE",
    "bank/card_use": "card_id BIGINT, month DATE, payments INTEGER, amount DOUBLE",
    "bank/balances": "customer_id BIGINT, month DATE, debit_balance DOUBLE",
    "bank/channel_use": "customer_id BIGINT, month DATE, logins INTEGER, transfers INTEGER, wealth_purchases INTEGER",
    "bank/campaigns": "campaign_id INTEGER, name VARCHAR, kind VARCHAR, product VARCHAR, sent_on DATE",
    "bank/contacts": "campaign_id INTEGER, customer_id BIGINT, group_name VARCHAR, sent_on DATE, responded TINYINT, applied TINYINT, "
                     "approved TINYINT, first_card TINYINT, activated TINYINT, spend DOUBLE",
    "bank/loans": "loan_id BIGINT, customer_id BIGINT, lent_on DATE, amount DOUBLE, due_on DATE, repaid_on DATE",
}


def made(folder, **said):
    make(folder, Plan(**{"people": 2_000, "seed": 1, **said}))
    return folder


def asked(folder, text):
    with duckdb.connect() as database:
        for name in SCHEMA | {"hidden/people": ""}:
            database.execute(f"CREATE VIEW {name.split('/')[1]} AS SELECT * FROM '{folder}/{name}-*.parquet'")  # noqa: S608 - our own names
        return database.execute(text).fetchall()


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return made(tmp_path_factory.mktemp("city"))


@pytest.mark.parametrize("name", SCHEMA)
def test_columns_and_types(city, name):
    described = asked(city, f"DESCRIBE {name.split('/')[1]}")
    assert ", ".join(f"{column} {kind}" for column, kind, *_ in described) == SCHEMA[name]
    assert asked(city, f"FROM {name.split('/')[1]} LIMIT 1")


def test_city_json_says_what_it_is(city):
    assert json.loads((city / "city.json").read_text()) == {
        "people": 2_000, "months": 9, "seed": 1, "telco_effect": 1.0, "first_day": "2025-01-01", "last_day": "2025-09-30",
        "training_as_of": "2025-07-01", "campaign_as_of": "2025-10-01", "synthetic": True,
    }


def test_some_records_come_late_and_some_twice_and_none_from_outside_the_months(city):
    for table, key, at in (("calls", "call_id", "started_at"), ("usage", "event_id", '"at"'), ("visits", "visit_id", '"at"')):
        rows, keys, late, before, first, last = asked(
            city, f"FROM {table} SELECT count(*), count(DISTINCT {key}), avg((received_at >= {at} + INTERVAL 1 DAY)::INT), "
                  f"count(*) FILTER (received_at < {at}), min({at})::VARCHAR, max({at})::VARCHAR"
        )[0]
        assert 0.005 < rows / keys - 1 < 0.015
        assert 0.01 < late < 0.04
        assert before == 0
        assert first >= "2025-01-01"
        assert last < "2025-10-01"
        assert asked(city, f"FROM {table} WHERE {at} < '2025-07-01' AND received_at >= '2025-07-01' LIMIT 1")


def test_four_of_five_customers_match_and_phones_are_written_in_six_ways(city):
    assert abs(asked(city, "SELECT avg(matched::INT) FROM people WHERE logit_training IS NOT NULL")[0][0] - 0.8) < 0.03
    ways = asked(city, "SELECT DISTINCT regexp_replace(phone, '[0-9０-９]+', 'n', 'g') || length(phone) FROM customers")  # noqa: RUF001 - full width
    assert len(ways) >= 5
    assert asked(city, "SELECT count(*) - count(DISTINCT customer_id) FROM customers")[0][0] == 0
    assert asked(city, "SELECT count(*) - count(DISTINCT (card_id, month)) FROM card_use")[0][0] == 0


def test_a_card_that_wakes_shows_in_card_use_and_in_the_standing_campaign(city):
    shown = asked(city, """
        WITH dormant AS (SELECT card_id, customer_id FROM cards ANTI JOIN
          (SELECT card_id FROM card_use WHERE month >= '2025-01-01' AND month < '2025-07-01') USING (card_id)
          WHERE issued_on <= '2025-01-01' AND coalesce(closed_on >= '2025-07-01', true)),
        paid AS (SELECT card_id FROM card_use WHERE month >= '2025-07-01' AND month < '2025-10-01'),
        label AS (SELECT customer_id, max((paid.card_id IS NOT NULL)::INT) AS woke FROM dormant LEFT JOIN paid USING (card_id) GROUP BY 1)
        SELECT count(*), count(*) FILTER (campaign_id IS NULL), avg(woke), avg((activated = woke)::INT) FROM label
        LEFT JOIN (SELECT * FROM contacts WHERE campaign_id = 1) USING (customer_id)""")[0]
    assert shown[0] > 700
    assert shown[1] < 10  # all were written to; a card that is closed within a month differs by days
    assert 0.15 < shown[2] < 0.27
    assert shown[3] > 0.97


def test_the_same_arguments_give_the_same_rows_and_another_seed_others(city, tmp_path):
    again, other = made(tmp_path / "again"), made(tmp_path / "other", seed=2)
    for name in [*SCHEMA, "hidden/people"]:
        rows = [asked(folder, f"FROM {name.split('/')[1]}") for folder in (city, again, other)]
        assert str(rows[0]) == str(rows[1]), name
        assert (str(rows[0]) == str(rows[2])) == (name == "bank/campaigns")


def test_a_full_batch_holds_the_same_people_in_a_larger_city(tmp_path):
    few, many = made(tmp_path / "few", people=BATCH, months=4), made(tmp_path / "many", people=BATCH + 100, months=4)
    for name in ("bank/card_use", "telco/calls", "hidden/people"):
        with duckdb.connect() as database:
            one, two = (database.execute(f"FROM '{each}/{name}-0001.parquet' AS t SELECT sum(hash(t))").fetchall() for each in (few, many))
        assert one == two
    assert (many / "telco" / "calls-0002.parquet").exists()


def test_the_telcos_tables_are_the_same_without_effect_and_the_outcomes_are_not(city, tmp_path):
    without = made(tmp_path / "without", telco_effect=0.0)
    for name in SCHEMA:
        if name.startswith("telco/") or name in {"bank/customers", "bank/balances", "bank/channel_use"}:
            assert str(asked(city, f"FROM {name.split('/')[1]}")) == str(asked(without, f"FROM {name.split('/')[1]}"))
    text = """
        SELECT need, outgoing, online, finance, activated FROM contacts JOIN customers USING (customer_id)
        JOIN people ON right(regexp_replace(customers.phone, '[^0-9]', '', 'g'), 11) = people.phone WHERE campaign_id = 1"""
    found = []
    for folder in (city, without):
        rows = np.array(asked(folder, text), dtype=np.float64)
        fitted = LogisticRegression().fit(rows[:, :4], rows[:, 4])
        found.append(roc_auc_score(rows[:, 4], fitted.predict_proba(rows[:, :4])[:, 1]))
    assert found[0] > 0.7
    assert found[1] < 0.6


def test_the_spread_that_replaces_the_telcos_share_is_the_shares_own():
    assert abs(float(seen_by_telco(people_of(1, 0, BATCH)).std()) - TELCO_SPREAD) < 0.05


@pytest.mark.parametrize(
    "said", [{"people": 99}, {"months": 3}, {"months": 37}, {"seed": -1}, {"telco_effect": 1.5}, {"telco_effect": float("nan")}]
)
def test_no_such_city(said):
    with pytest.raises(InputError, match="take"):
        Plan(**{"people": 1_000, **said})


def test_a_folder_in_use_is_left_alone(tmp_path):
    def run(*more):
        return CliRunner().invoke(app, ["make", "--people", "100", "--months", "4", str(tmp_path / "out"), *more])

    assert run().exit_code == 0
    assert isinstance(run().exception, InputError)
    assert run("--force").exit_code == 0
    (tmp_path / "out" / "mine.txt").write_text("")
    assert isinstance(run("--force").exception, InputError)
    assert (tmp_path / "out" / "city.json").exists()


def test_the_city_knows_nothing_of_tandem_but_its_errors():
    for path in (Path(__file__).parents[2] / "tandem" / "city").glob("*.py"):
        names = {node.module for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)}
        assert {name for name in names if name.startswith("tandem") and not name.startswith("tandem.city")} <= {"tandem.errors"}
