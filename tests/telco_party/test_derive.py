from __future__ import annotations

import datetime as dt
import json
import stat
import sys
import types
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import plain_variables
import pytest
import raw_telco

from tandem.errors import InputError
from tandem.node.inputs.source import TableSource
from tandem.tables import is_text
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


NOW = AS_OF
BEFORE = AS_OF - pd.Timedelta(days=2)
ONE = raw_telco.phones(1)[0]
PLANTED = {
    "call made then": ("calls", [10**9, ONE, NOW, 60, "out", 5, "bank", BEFORE]),
    "call received then": ("calls", [10**9, ONE, BEFORE, 60, "out", 5, "bank", NOW]),
    "event then": ("usage", [10**9, "phone", ONE, NOW, "app", "eat", "n1", 60, 7, BEFORE]),
    "event received then": ("usage", [10**9, "phone", ONE, BEFORE, "app", "eat", "n1", 60, 7, NOW]),
    "visit then": ("visits", [10**9, ONE, 3, NOW, 60, BEFORE]),
    "visit received then": ("visits", [10**9, ONE, 3, BEFORE, 60, NOW]),
    "bill of a month not over": ("bills", [ONE, pd.Timestamp("2025-07-01"), 900.0, 9.0, 9.0, 9, pd.NaT]),
    "suspension then": ("suspensions", [ONE, NOW, pd.NaT]),
    "top-up then": ("topups", [ONE, NOW, 50.0]),
    "pair seen then": ("identifiers", ["phone", ONE, "device", "d5", NOW]),
    "number opened then": ("subscribers", ["13399999999", NOW, pd.NaT, "4G", 1980, "f", "north"]),
}
DEFENCES = {
    "call made then": ("calls", '"{at}" < as_of()'), "call received then": ("calls", "received_at < as_of()"),
    "event then": ("usage", '"{at}" < as_of()'), "event received then": ("usage", "received_at < as_of()"),
    "visit then": ("location", '"{at}" < as_of()'), "visit received then": ("location", "received_at < as_of()"),
    "bill of a month not over": ("spending", "month + INTERVAL 1 MONTH <= {day}"),
    "suspension then": ("spending", "suspended_on < {day}"), "top-up then": ("spending", '"at" < {day}'),
    "pair seen then": ("identity", "seen_on < {day}"), "number opened then": ("identity", "opened_on < {day}"),
}
"""Family that would show it, and the condition of features/raw.py that keeps it out."""


@pytest.fixture(scope="module")
def planted(raw, tmp_path_factory):
    """The folder with all of PLANTED in its tables."""
    tables = dict(raw)
    for name, row in PLANTED.values():
        extra = pd.DataFrame([row], columns=tables[name].columns)
        tables[name] = pd.concat([tables[name].astype(object), extra.astype(object)], ignore_index=True)
    return raw_telco.write(tables, tmp_path_factory.mktemp("planted") / "telco")


def without(condition):
    """Return features/raw.py as a module in which a condition is replaced by TRUE: the scratch copy without the defence."""
    text = Path(deriving.raw.__file__).read_text(encoding="utf-8")
    assert condition in text
    module = types.ModuleType("weakened")
    sys.modules["weakened"] = module
    exec(compile(text.replace(condition, "TRUE"), "weakened", "exec"), module.__dict__)  # noqa: S102 - our own text
    return module


def test_what_came_at_the_date_or_later_changes_no_byte(planted, derived, tmp_path):
    out = tmp_path / "out.parquet"
    derive(planted, DAY, out)
    assert out.read_bytes() == derived[2].read_bytes()


@pytest.mark.parametrize("what", PLANTED)
def test_and_would_without_the_defence(what, planted, derived, tmp_path, monkeypatch):
    family, condition = DEFENCES[what]
    out = tmp_path / "out.parquet"
    monkeypatch.setattr(deriving, "raw", without(condition))
    derive(planted, DAY, out, (family,))
    found = duckdb.execute("SELECT * FROM read_parquet(?)", [str(out)]).df().set_index("phone")
    assert not found.equals(derived[0][list(found)])


def test_a_date_that_came_later_is_not_known(raw, derived, tmp_path):
    tables = dict(raw)
    for table, column in (("bills", "paid_on"), ("suspensions", "restored_on"), ("subscribers", "closed_on")):
        after = raw[table][column] >= AS_OF
        assert after.any()
        tables[table] = raw[table].assign(**{column: raw[table][column].mask(after)})
    out = tmp_path / "out.parquet"
    derive(raw_telco.write(tables, tmp_path / "telco"), DAY, out)
    assert out.read_bytes() == derived[2].read_bytes()


@pytest.mark.parametrize(("records", "people"), [(700, 10**9), (10**9, 1500)])
def test_slices_of_ids_and_of_people_change_nothing(records, people, folder, derived, tmp_path, monkeypatch):
    monkeypatch.setattr(deriving.raw, "SLICE", records)
    monkeypatch.setattr(deriving, "PEOPLE_SLICE", people)
    heard = []
    derive(folder, DAY, tmp_path / "out.parquet", tell=lambda step, share: heard.append((step, share)))
    assert (tmp_path / "out.parquet").read_bytes() == derived[2].read_bytes()
    assert [share for _, share in heard] == sorted(share for _, share in heard)
    assert {step for step, _ in heard} == {"identifiers", *FAMILIES}


def test_a_record_there_twice_counts_once(raw, derived, tmp_path):
    once = {name: table.drop_duplicates() for name, table in raw.items()}
    assert len(once["calls"]) < len(raw["calls"])
    out = tmp_path / "out.parquet"
    derive(raw_telco.write(once, tmp_path / "telco"), DAY, out)
    assert out.read_bytes() == derived[2].read_bytes()


def test_the_side_file_tells_of_the_table_and_both_are_private(derived):
    table, told, out = derived
    side = json.loads(out.with_name("telco.parquet.json").read_text())
    assert (side["as_of"], side["rows"]) == ("2025-07-15", len(table))
    assert side["coverage"] == {name: round(table[name].notna().mean(), 6) for name in table}
    assert told.cutoffs == side["cutoffs"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.parent.iterdir()} == {0o600}
    assert sorted(path.name for path in out.parent.iterdir()) == ["telco.parquet", "telco.parquet.json"]


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_the_table_is_ready_for_the_node(ending, folder, tmp_path):
    derive(folder, DAY, tmp_path / f"t.{ending}")
    texts = [one.name for one in ALL if one.is_text]
    table = load(TableSource(source=f"t.{ending}", id="phone", text=texts), tmp_path)
    assert [name for name in table.columns if is_text(table.column(name))] == texts
    assert len(table.columns) == len(ALL)


def test_coverage_is_people_with_a_behaviour_of_all_people(raw, folder):
    found, holdings, _, _ = plain_variables.held(raw, AS_OF)
    events = plain_variables.within(plain_variables.events(raw["usage"], "event_id", "at", AS_OF), "at", AS_OF, 3)
    whose = {}
    for row in events.itertuples():
        for key, person, since, until in holdings:
            if key == (row.id_kind, row.id_value) and since <= row.at < until:
                whose.setdefault(row.category, set()).add(person)
    assert {(one.category, one.people, one.of) for one in coverage(folder, DAY)} == {
        (name, len(people), len(found)) for name, people in whose.items()
    }


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda folder: [path.unlink() for path in folder.glob("visits-*")], "no visits.parquet"),
    (lambda folder: [path.unlink() for path in folder.iterdir()], "no subscribers.parquet"),
    (lambda folder: (folder / "calls-0001.parquet").write_bytes(b"nothing"), "calls cannot be read"),
    (lambda folder: duckdb.execute(
        f"COPY (SELECT 'x' AS phone, DATE '2025-01-01' AS month, 'dear' AS charge, 1.0 AS data_gb, 1.0 AS voice_minutes, 1 AS sms, "
        f"NULL::DATE AS paid_on) TO '{folder}/bills-0001.parquet'"), "'charge' of table bills is VARCHAR, and must be a number"),
    (lambda folder: duckdb.execute(f"COPY (SELECT 1 AS cell_id) TO '{folder}/cells-0001.parquet'"), "cells has no column 'x_km'"),
], ids=["table missing", "folder empty", "file damaged", "type wrong", "column missing"])
def test_bad_tables_are_told(spoil, said, raw, tmp_path):
    there = raw_telco.write(raw, tmp_path / "telco", parts=1)
    spoil(there)
    with pytest.raises(InputError, match=said):
        derive(there, DAY, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["telco"]


@pytest.mark.parametrize("day", ["2025-01-01", "2024-06-01", "2026-06-01"])
def test_a_date_outside_the_data_is_told(day, folder, tmp_path):
    with pytest.raises(InputError, match="events run from 2025-01-01 to 2025-09-30"):
        derive(folder, dt.date.fromisoformat(day), tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("families", "said"), [(("calls", "cars"), "no such family: cars"), (("portrait",), "name these too"), ((), "none named")],
)
def test_families_that_cannot_be_are_told(families, said, folder, tmp_path):
    with pytest.raises(InputError, match=said):
        derive(folder, DAY, tmp_path / "out.csv", families)


def test_some_families_alone(folder, derived, tmp_path):
    derive(folder, DAY, tmp_path / "out.csv", ("spending", "calls"))
    table = pd.read_csv(tmp_path / "out.csv", dtype={"phone": str}).set_index("phone")
    assert list(table) == [one.name for one in catalogue(("calls", "spending"))]
    np.testing.assert_allclose(table.to_numpy(float), derived[0][list(table)].to_numpy(float), equal_nan=True)


def test_too_little_memory_is_told(folder, tmp_path):
    with pytest.raises(InputError, match="--memory"):
        derive(folder, DAY, tmp_path / "out.csv", memory="1MB")
    with pytest.raises(InputError, match="give a size such as 3GB"):
        derive(folder, DAY, tmp_path / "out.csv", memory="plenty")
