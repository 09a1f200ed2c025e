"""measured.json on its way into a campaign's report: rates and lifts where numbers are told, nothing where they are withheld."""

from __future__ import annotations

import io
import json
import re

import pytest
from campaigns import campaign
from openpyxl import load_workbook
from studies import study

from bank_party import lift
from bank_party.campaign.measured import read_measured
from bank_party.reports.campaign import load_campaign
from bank_party.reports.campaign_page import campaign_words, render_campaign, workbook
from bank_party.reports.campaign_pictures import measured
from bank_party.reports.campaign_tables import measured_tables
from bank_party.reports.tables import shown
from tandem.errors import InputError


def written(folder, **changes):
    groups = [
        {"group": name, "contacted": contacted, "responded": None, "activated": activated}
        for name, contacted, activated in (("control", 200, 40), ("low", 180, 38), ("high", 210, 95))
    ]
    few = [{"group": "control", "contacted": 90, "activated": None}, {"group": "low", "contacted": None, "activated": None},
           {"group": "high", "contacted": 80, "activated": 40}]
    levels = [{"level": "eat", "people": 590, "groups": groups}, {"level": "rest", "people": None, "groups": few}]
    facts = {"contract": "ab" * 32, "asked": 9, "segments": [{"name": "benefit", "levels": levels, "merged": ["play", "shopping"]}]}
    path = folder / "measured.json"
    path.write_text(json.dumps(facts | changes))
    path.chmod(0o600)
    return path


def test_rates_and_lifts_are_those_of_the_counts(tmp_path):
    (segment,) = read_measured(written(tmp_path), "en", 0.95)["segments"]
    eat, rest = segment["levels"]
    assert [one["activation_rate"]["value"] for one in eat["groups"]] == [40 / 200, 38 / 180, 95 / 210]
    assert eat["groups"][2]["activation_rate"] == lift.written(lift.rate(95, 210))
    assert [(one["group"], one["against"], one["shown"]) for one in eat["lift"]] == [
        ("low", "control", "not shown"), ("high", "control", "higher"),
    ]
    assert eat["lift"][1]["difference"]["value"] == pytest.approx(95 / 210 - 40 / 200)
    assert rest["lift"] == []
    assert [one["activation_rate"] is None for one in rest["groups"]] == [True, True, False]


def test_a_report_reads_it_with_what_is_withheld(tmp_path):
    facts = campaign() | {"measured": read_measured(written(tmp_path), "en", 0.95)}
    path = tmp_path / "campaign.json"
    path.write_text(json.dumps(facts))
    whole = load_campaign(path)
    found = whole.measured
    words = campaign_words("en")
    rates, _ = measured_tables(whole, found.segments[0], words)
    cells = [[shown(column, value) for column, value in zip(rates.columns, row, strict=True)] for row in rates.rows]
    assert [row[0][1] for row in cells] == ["590"] * 3 + ["-"] * 3
    assert [row[2][0] for row in cells] == ["200", "180", "210", "90", "-", "80"]
    assert [row[4][0] == "-" for row in cells] == [False, False, False, True, True, False]
    assert measured(whole, 0, words) is not None
    made = study(2000)
    assert "None" not in re.sub("<[^>]*>", " ", render_campaign(made, whole))
    sheet = load_workbook(io.BytesIO(workbook(made, whole)))["Sealed measurement"]
    told = [cell.value for row in sheet.iter_rows() for cell in row]
    assert {590, 210, 95, "-"} <= set(told)
    assert found.segments[0].levels[1].people is None
    assert found.segments[0].levels[1].groups[1].contacted is None
    assert found.segments[0].levels[0].lift[1].shown == "higher"


def test_another_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is no measured\.json"):
        read_measured(written(tmp_path, segments=[{"name": "benefit"}]), "en", 0.95)
