"""The demo's campaign in real processes: what was drawn, told, measured and written is held against the files that each party has."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from functools import cache

import duckdb
import pytest

from tandem.align.identifiers import normalise
from tandem.contract import COORDINATOR, ROLES, TELCO, loads
from tandem.contract.measurement import OUTCOMES
from tandem.demo.campaign import GROUPS, SEGMENTS, TOLD
from tandem.ledger.disclosure import declared
from tandem.node.ledger_store import Ledger

PEOPLE = 4000


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """A demo's folder; `told` in it is what the demo printed."""
    folder = tmp_path_factory.mktemp("campaign") / "out"
    command = ["demo", "--out", folder, "--people", PEOPLE, "--key-bits", 2048, "--passes", 1, "--workers", 1]
    done = subprocess.run([sys.executable, "-m", "tandem.cli", *map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "told").write_text(done.stdout)
    return folder


@cache
def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def clean(phones):
    return dict(zip(normalise(phones, "phone").values, phones, strict=True))


@cache
def levels(out, day):
    """Return {normalised phone: {column: level or None}} of the telco's own table of that day."""
    names = ", ".join(one["name"] for one in TOLD)
    found = duckdb.sql(f"SELECT phone, {names} FROM '{out}/telco/subscribers-{day}.parquet'").fetchall()  # noqa: S608 - our own file
    ids = normalise([one[0] for one in found], "phone").values
    return {value: dict(zip([one["name"] for one in TOLD], one[1:], strict=True)) for value, one in zip(ids, found, strict=True)}


def now(out):
    return json.loads((out / "city" / "city.json").read_text())["campaign_as_of"]


def test_the_report_its_tables_and_the_figures_lie_where_the_demo_says(out):
    told = (out / "told").read_text()
    for name in ("report.html", "campaign.xlsx", "result.json"):
        assert f"{out / name}" in told
        assert (out / name).stat().st_size > 1000
    page = (out / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") >= 10
    assert len(list((out / "bank" / "registry").glob("*.json"))) == 1


def test_the_groups_are_disjoint_and_parted_by_the_models_probability(out):
    contacts = rows(out / "bank" / "campaign" / "contacts.csv")
    assert len(clean([one["phone"] for one in contacts])) == len(contacts)
    assert {one["group"] for one in contacts} == set(GROUPS)
    matched = {one["id"] for one in rows(out / "bank" / "scored" / "scored.csv") if one["matched"] == "1"}
    for one in contacts:
        if one["group"] != "control":
            assert one["phone"] in matched
            assert (float(one["probability"]) >= 0.3) == (one["group"] == "high")


def test_levels_are_told_of_the_scored_and_of_nobody_else(out):
    theirs = levels(out, now(out))
    scored = rows(out / "bank" / "scored" / "scored.csv")
    told = 0
    for value, one in zip(normalise([one["id"] for one in scored], "phone").values, scored, strict=True):
        assert (one["matched"] == "1") == (value in theirs)
        for name in (column["name"] for column in TOLD):
            assert one[name] == (theirs[value][name] or "" if value in theirs else "")
            told += bool(one[name])
    assert told > len(scored)


def test_what_was_measured_under_seal_is_the_count_of_both_files(out):
    theirs = levels(out, now(out))
    results = rows(out / "bank" / "campaign" / "results.csv")
    measured = json.loads((out / "bank" / "measured" / "measured.json").read_text())
    counted = Counter()
    for value, one in zip(normalise([one["phone"] for one in results], "phone").values, results, strict=True):
        for segment in SEGMENTS if value in theirs else ():
            for outcome in OUTCOMES:
                counted[segment["name"], theirs[value][segment["name"]], one["group"], outcome] += int(one[outcome])
    shown = 0
    for segment, asked in zip(measured["segments"], SEGMENTS, strict=True):
        assert segment["name"] == asked["name"]
        for level in segment["levels"]:
            of = {"none of them": [None], "rest": [{"none of them": None}.get(one, one) for one in segment["merged"]]}.get(
                level["level"], [level["level"]]
            )
            for group in level["groups"]:
                for outcome in OUTCOMES:
                    if group[outcome] is not None:
                        assert group[outcome] == sum(counted[segment["name"], one, group["group"], outcome] for one in of)
                        shown += 1
    assert shown > 20


def test_the_telco_sees_sealed_rows_and_no_group_or_outcome(out):
    measuring = loads((out / "bank" / "measurement.toml").read_text()).digest.hex()
    with Ledger(out / TELCO / "ledger.sqlite", read_only=True) as ledger:
        entries = [entry for entry in ledger.entries() if entry.contract == measuring]
    received = {entry.message for entry in entries if entry.direction == "received"}
    assert "Sealed" in received
    assert not [message for message in received if declared(message).label_in_clear]
    assert {one.what for entry in entries for one in entry.disclosed if one.to == TELCO} <= {
        "sizes", "digests", "asked", "roster", "modulus", "ran",
    }
    for role in (TELCO, COORDINATOR):
        for path in (path for path in (out / role).rglob("*") if path.is_file()):
            data = path.read_bytes()
            assert b"first_card,activated" not in data, path
            assert b"campaign/results" not in data, path


def test_all_three_ledgers_agree_after_a_campaign(out):
    command = ["ledger", "compare", *(str(out / role / "ledger.sqlite") for role in ROLES)]
    done = subprocess.run([sys.executable, "-m", "tandem.cli", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "agree" in done.stdout
