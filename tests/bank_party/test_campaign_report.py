from __future__ import annotations

import copy
import io
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from math import exp
from pathlib import Path
from types import SimpleNamespace

import pytest
from campaigns import campaign
from contracts import signed
from openpyxl import load_workbook
from studies import Page, study
from typer.testing import CliRunner

from bank_party import main
from bank_party.evaluation import Interval, wilson
from bank_party.reports.campaign import load_campaign
from bank_party.reports.campaign_page import CAMPAIGN_WORDS, campaign_words, render_campaign, workbook
from bank_party.reports.html import WORDS
from bank_party.reports.model import learned
from bank_party.reports.study_tables import odds_over_its_range
from bank_party.reports.tables import Column, shown
from tandem.contract import dumps
from tandem.errors import InputError
from tandem.pages import pairs

ROOT = Path(__file__).parents[2]
LOOK = ROOT / "scripts" / "look_at_report"
WILD = '--></svg><script>alert("1")</script>$x$ & "q" url(#a)'
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
SCORING = {"kind": "scoring", "training": "11" * 32, "card": "22" * 32}
SMALL = (260, 250, 240)


@pytest.fixture(scope="module")
def trained():
    """The study behind the campaign, the sentences of its contract in English."""
    made = study(2000)
    train = {name: Interval(value, value - 0.01, value + 0.01) for name, value in (("bank_only", 0.691), ("joint", 0.792))}
    return replace(made, train_auc=train, learned=learned(signed(), "en"))


def read(facts, folder):
    path = folder / "campaign.json"
    path.write_text(json.dumps(facts), encoding="utf-8")
    return load_campaign(path)


@pytest.fixture(scope="module")
def facts():
    return campaign(sizes=SMALL)


@pytest.fixture(scope="module")
def page(trained, facts, tmp_path_factory):
    return render_campaign(trained, read(facts, tmp_path_factory.mktemp("facts")), "en", [signed(**SCORING)])


@pytest.fixture(scope="module")
def chinese(trained, facts, tmp_path_factory):
    """The page in Chinese, of a file that speaks English."""
    own = replace(trained, learned=learned(signed(), "zh"))
    return render_campaign(own, read({**facts, "name": "春季促活"}, tmp_path_factory.mktemp("facts")), "zh", [signed(**SCORING)])


class Tables(HTMLParser):
    """Every table of a page as rows of cells: a cell is (text, text that stands small beside it)."""

    def __init__(self, text):
        super().__init__()
        self.tables, self._cell, self._small = [], None, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self._cell = ["", ""]
        elif tag == "small":
            self._small = True

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self.tables[-1][-1].append(tuple(part.strip() for part in self._cell))
            self._cell = None
        elif tag == "small":
            self._small = False

    def handle_data(self, data):
        if self._cell is not None:
            self._cell[self._small] += data

    def under(self, *heads):
        """The body of the one table with these headings among its own."""
        (found,) = [table for table in self.tables if {*heads} <= {text for text, _ in table[0]}]
        return found[1:]


def same(text, value, scale=1.0):
    """Whether a shown number is the value, to the last digit shown; "-" is for null and for nothing else."""
    if value is None:
        return text == "-"
    bare = re.sub(r"[%\u00d7\u202f \u00a0\u2248]", "", text).replace("\u2212", "-")
    digits = len(bare.partition(".")[2])
    return abs(float(bare) - value * scale) <= 0.5000001 * 10.0**-digits


def same_rate(cell, rate, scale=100.0):
    """Whether a cell shows a rate and, beside it, its limits."""
    text, small = cell
    if rate is None:
        return (text, small) == ("-", "")
    low, high = re.split(r" [–…] ", small)
    return same(text, rate["value"], scale) and same(low, rate["low"], scale) and same(high, rate["high"], scale)


def test_every_number_of_the_results_is_that_of_the_file(page, facts):
    tables, results = Tables(page), facts["results"]
    for row, one in zip(tables.under("selected", "mean spend"), results["groups"], strict=True):
        assert row[0][0] == one["name"]
        assert same(row[1][0], one["selected"])
        assert same(row[2][0], one["activated"])
        assert same_rate(row[3], one["activation_rate"])
        assert same(row[4][0], one["spend_mean"])
    for row, one in zip(tables.under("ratio, the deck's"), results["lift"], strict=True):
        assert row[0][0] == f"{one['group']} / {one['against']}"
        assert same_rate(row[1], one["difference"])
        assert same_rate(row[2], one["ratio"], 1.0)
        assert same(row[3][0], {"low": 1.2, "high": 2.0}[one["group"]])
        people = next(each["selected"] for each in results["groups"] if each["name"] == one["group"])
        assert same_rate(row[4], one["difference"], people)
        assert row[5][0] == "<\u202f0.001" if one["p"] < 0.001 else same(row[5][0], one["p"])
        assert row[6][0] == one["verdict"]
    for key in ("segment", "benefit"):
        rows = tables.under(key, "selected", "activated")
        for row, one in zip(rows, results[f"by_{key}"], strict=True):
            assert (row[0][0], row[1][0]) == (one[key] or "not told", one["group"])
            assert same(row[2][0], one["selected"])
            assert same(row[3][0], one["activated"])
            assert same_rate(row[4], one["activation_rate"])
    steps = [("contacted", None), ("responded", "response_rate"), ("applied", "application_rate"), ("approved", "approval_rate"),
             ("first_card", "first_card_rate"), ("first_card", "overall_effect")]  # fmt: skip
    expected = [(one[step], one[rate] if rate else None) for step, rate in steps for one in results["groups"]]
    for row, (people, rate) in zip(tables.under("step", "rate"), expected, strict=True):
        assert same(row[2][0], people)
        assert same_rate(row[3], rate)


def test_every_number_before_the_results_is_that_of_the_file(page, facts, trained):
    tables, of = Tables(page), facts["population"]
    pool = tables.under("of all customers")
    assert [same(row[1][0], of[name]) for row, name in zip(pool, ("customers", "dormant", "matched", "pool"), strict=True)] == [True] * 4
    assert same(pool[2][2][0], of["matched"] / of["customers"], 100)
    assert same(pool[3][2][0], of["pool_share"], 100)
    assert pool[3][3][0] == "> 20\u202f%"
    for row, one in zip(tables.under("rule", "available"), facts["groups"], strict=True):
        assert row[1][0] == one["rule"]
        keys = ("available", "size", "mean_probability", "mean_payments", "mean_amount")
        scales = (1, 1, 100, 1, 1)
        assert all(same(cell[0], one[key], scale) for cell, key, scale in zip(row[2:], keys, scales, strict=True))
    for row, one in zip(tables.under("least difference that would show, points"), facts["power"]["rows"], strict=True):
        assert same(row[1][0], one["size"])
        assert same(row[2][0], one["detectable"], 100)
    for row, one in zip(tables.under("benefit", "share"), facts["benefits"], strict=True):
        assert same(row[1][0], one["people"])
        assert same(row[2][0], one["share"], 100)
    ranges = ["0 – 20\u202f%", "30 – 40\u202f%", "20 – 30\u202f%", "20 – 30\u202f%"]
    for row, one, deck in zip(tables.under("the deck's range"), facts["segments"], ranges, strict=True):
        assert same(row[1][0], one["people"])
        assert same(row[2][0], one["share"], 100)
        assert row[3][0] == deck
    train, test = tables.under("AUC, the deck's")
    assert (train[3][0], test[3][0]) == ("0.81", "0.79")
    assert same_rate(train[2], trained.train_auc["joint"]._asdict(), 1.0)
    assert same_rate(test[1], trained.holdout.scores["bank_only"].auc._asdict(), 1.0)


def test_the_segment_map_has_every_cell(page, facts):
    words = re.search(r'<svg[^>]*aria-label="Segment map.*?</svg>', page, re.DOTALL)[0]
    cells = [people for row in facts["segment_map"]["people"] for people in row]
    shown_there = [int(text.replace("\u202f", "")) for text in re.findall(r">([\d\u202f]+) · ", words)]
    assert sorted(shown_there) == sorted(cells)


def test_the_sealed_measurement_is_that_of_the_file(page, facts):
    tables = Tables(page)
    for segment in facts["measured"]["segments"]:
        name = {"benefit": "benefit", "finance_activity": "internet-finance activity"}[segment["name"]]
        rows = tables.under(name, "contacted")
        expected = [(level, one) for level in segment["levels"] for one in level["groups"]]
        for row, (level, one) in zip(rows, expected, strict=True):
            assert row[0][0] == level["level"]
            assert same(row[0][1], level["people"])
            assert same(row[2][0], one["contacted"])
            assert same(row[3][0], one["activated"])
            assert same_rate(row[4], one["activation_rate"])
        lifts = [lift for level in segment["levels"] for lift in level["lift"]]
        for row, one in zip(tables.under(name, "difference, points"), lifts, strict=True):
            assert same_rate(row[2], one["difference"])
            assert same_rate(row[3], one["ratio"], 1.0)
    assert "added to others: video." in Page(page).text


def test_the_verdict_stands_first_and_synthetic_before_it(page, facts):
    text = Page(page).text
    high = facts["results"]["lift"][1]
    rate = facts["results"]["groups"][2]["activation_rate"]["value"]
    first = f"High group: {100 * rate:.1f} % activated, {high['ratio']['value']:.2f} times"
    places = [text.index(part) for part in (
        "Synthetic: every person", first, "Shown: more than the control group", "Contents", "1 How many were matched",
        "2 What drives activation", "3 How good the model is", "4 Whom to contact", "5 With what", "6 What it brought",
        "7 What each party learned", "8 What this report does not show",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "a program that was written to have outcomes depend on both parties' data" in text


def test_a_campaign_on_real_people_without_a_gain_and_unmeasured(trained, tmp_path):
    facts = campaign(sizes=SMALL, measured=False) | {"synthetic": False}
    facts["results"]["lift"][1]["shown"], facts["results"]["lift"][0]["shown"] = "lower", "not shown"
    text = Page(render_campaign(replace(trained, synthetic=False), read(facts, tmp_path))).text
    assert "ynthetic" not in text
    assert "Shown: less than the control group." in text
    assert "Not shown: the difference from the control group could be chance." in text
    assert "Shown: more" not in text
    assert "There was no sealed measurement in this campaign." in text
    del facts["measured"]
    names = load_workbook(io.BytesIO(workbook(trained, read(facts, tmp_path)))).sheetnames
    assert "Sealed measurement" not in names
    assert len(names) == 8


@pytest.mark.parametrize(("sizes", "lang"), [((300, 0, 250), "zh"), ((0, 0, 0), "en")])
def test_nothing_is_a_dash_and_never_nan(trained, sizes, lang, tmp_path):
    facts = campaign(sizes=sizes)
    text = render_campaign(trained, read(facts, tmp_path), lang)
    page = Page(text)
    assert not re.search(r"\bnan\b|None|\binf\b", page.text)
    empty = [at for at, size in enumerate(sizes) if size == 0]
    rows = next(table for table in Tables(text).tables if table[0][-1][0] in {"mean spend", "人均消费"})[1:]
    assert [at for at, row in enumerate(rows) if row[3] == ("-", "")] == empty
    assert [at for at, row in enumerate(rows) if row[4][0] == "-"] == empty
    sheets = load_workbook(io.BytesIO(workbook(trained, read(facts, tmp_path), lang))).worksheets
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "e" or cell.value in {"nan", "None", "inf"}]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_one_file_that_fetches_nothing(page, chinese, lang):
    text = {"en": page, "zh": chinese}[lang]
    read_back = Page(text)
    assert all(link.startswith("#") for link in read_back.links)
    assert {link[1:] for link in read_back.links} <= set(read_back.ids)
    assert len(read_back.ids) == len(set(read_back.ids))
    assert "script" not in read_back.tags
    assert read_back.tags.count("svg") == 16
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", text)


def test_each_language_speaks_itself_alone(page, chinese, trained, facts, tmp_path):
    text = Page(chinese).text
    assert not re.findall(r"[A-Za-z]{2,}(?: [a-z]{2,}){2,}", text)
    for word in ("促活率", "高分模型组", "行内对照组", "吃的开心", "鸡肋人群", "综合营销效果", "演示稿数值", "密态度量"):
        assert word in text
    assert "联合模型激活概率低于 30" in text  # the file's own rule is English and would not do
    assert facts["groups"][1]["rule"] in page
    assert not re.search("[\u4e00-\u9fff]", Page(page).text.replace("无记录", "").replace("休眠卡", ""))
    with pytest.raises(InputError, match="en or zh"):
        render_campaign(trained, read(facts, tmp_path), "fr")


def spoilt(facts):
    """The facts with something wild in every name and sentence of the file."""
    wild = copy.deepcopy(facts)
    wild["name"] = wild["made"] = wild["rule"]["control"] = WILD
    results = wild["results"]
    for groups in (wild["groups"], results["groups"]):
        groups[1]["name"] = WILD
        groups[1]["rule"] = WILD
    results["lift"][0]["group"] = results["lift"][0]["verdict"] = WILD
    for rows, key in ((results["by_segment"], "segment"), (results["by_benefit"], "benefit")):
        rows[0][key] = rows[0]["group"] = WILD
    wild["benefits"][0]["name"] = wild["segments"][0]["name"] = wild["power"]["rows"][0]["group"] = WILD
    cells = wild["segment_map"]
    cells["rows"][0] = cells["columns"][0] = cells["segment"][0][0] = WILD
    level = wild["measured"]["segments"][0]["levels"][0]
    wild["measured"]["contract"] = wild["measured"]["segments"][0]["name"] = level["level"] = level["groups"][0]["group"] = WILD
    return wild


def test_names_from_files_cannot_break_out_of_the_page(trained, facts, tmp_path):
    text = render_campaign(trained, read(spoilt(facts), tmp_path))
    page = Page(text)
    assert "script" not in page.tags
    assert "<script" not in text
    assert page.tags.count("svg") == 16
    assert page.text.count('alert("1")') > 20


def test_a_group_below_control_that_the_deck_has_above_is_said_so(trained, facts, tmp_path):
    low = copy.deepcopy(facts)
    one = low["results"]["lift"][0]
    one.update(shown="lower", ratio={"value": 0.63, "low": 0.54, "high": 0.73}, difference={"value": -0.1, "low": -0.14, "high": -0.07})
    text = Page(render_campaign(trained, read(low, tmp_path))).text
    assert "fewer than the control group's" in text
    told = re.search(r"the low group lay above control \(.*?1\.20\); here it lies below, so the deck's finding is not repeated", text)
    assert told is not None
    assert "activations fewer (18 to 35)" in text
    assert "not repeated" not in Page(render_campaign(trained, read(facts, tmp_path))).text


def test_gaps_in_the_sealed_measurement_are_explained_where_there_are_some(trained, facts, tmp_path):
    gaps = copy.deepcopy(facts)
    gaps["measured"]["segments"][0]["levels"][0]["groups"][0].update(activated=None, activation_rate=None)
    before, after = (render_campaign(trained, read(one, tmp_path)) for one in (facts, gaps))
    assert after.count("where a count was withheld") == 1
    whole = all(each["activated"] is not None and each["contacted"] is not None
                for one in facts["measured"]["segments"] for level in one["levels"] for each in level["groups"])  # fmt: skip
    assert ("where a count was withheld" in before) is not whole


def book(trained, facts, folder, lang="en"):
    return load_workbook(io.BytesIO(workbook(trained, read(facts, folder), lang)))


def below(sheet, head):
    """The rows under the header that begins with this, to the next blank line."""
    rows = list(sheet.iter_rows(values_only=True))
    at = next(number for number, row in enumerate(rows) if head in row)
    found = []
    for row in rows[at + 1 :]:
        if all(value is None for value in row):
            break
        found.append(row)
    return rows[at], found


def ends(rate, scale=1.0):
    return ("-",) * 3 if rate is None else tuple(pytest.approx(scale * rate[key]) for key in ("value", "low", "high"))


def test_the_workbooks_cells_are_the_files_numbers(trained, facts, tmp_path):
    made = book(trained, facts, tmp_path)
    assert made.sheetnames == [
        "Summary", "Matched", "Drivers", "Model", "Groups", "Benefits, segments", "Results", "Sealed measurement", "Learned, limits",
    ]  # fmt: skip
    results = facts["results"]
    _, rows = below(made["Results"], "mean spend")
    assert [row[:7] for row in rows] == [
        (one["name"], one["selected"], one["activated"], *ends(one["activation_rate"]), pytest.approx(one["spend_mean"]))
        for one in results["groups"]
    ]
    _, rows = below(made["Results"], "ratio, the deck's")
    assert [row[:12] for row in rows] == [
        (f"{one['group']} / control", *ends(one["difference"], 100), *ends(one["ratio"]), pytest.approx(deck),
         *ends(one["difference"], size), pytest.approx(one["p"]))
        for one, deck, size in zip(results["lift"], (1.2, 2.0), SMALL[1:], strict=True)
    ]  # fmt: skip
    _, rows = below(made["Sealed measurement"], "contacted")
    levels = facts["measured"]["segments"][0]["levels"]
    assert [row[:8] for row in rows[:12]] == [
        (level["level"], level["people"], one["group"], one["contacted"], one["activated"], *ends(one["activation_rate"]))
        for level in levels for one in level["groups"]
    ]  # fmt: skip
    _, rows = below(made["Benefits, segments"], "the deck's range: low")
    assert rows.pop()[0].startswith("Shares are of the ")
    assert [row[:5] for row in rows] == [
        (one["name"], one["people"], pytest.approx(one["share"]), one["deck_low"] or 0.0, one["deck_high"]) for one in facts["segments"]
    ]
    head, rows = below(made["Matched"], "of all customers")
    assert rows[3][:4] == ("candidate pool", 4111, pytest.approx(4111 / 17000), 0.2)
    assert head[0] == "stage"
    rate = results["groups"][0]["activation_rate"]["value"]
    formats = {cell.number_format for row in made["Results"].iter_rows() for cell in row if cell.value == pytest.approx(rate)}
    assert formats == {"0.0%"}
    for name in made.sheetnames[1:-1]:
        assert made[name].freeze_panes == "B3"
        assert all(one.width <= 48 for one in made[name].column_dimensions.values())


def test_a_formula_from_a_file_stays_a_text(trained, facts, tmp_path):
    planted = ["=1+1", "+1", "@SUM(A1)", '-1+cmd|" /C calc"!A0', "http://x.example/"]
    wild = copy.deepcopy(facts)
    for one, name in zip([*wild["benefits"], wild["segments"][0]], planted, strict=True):
        one["name"] = name
    data = workbook(trained, read(wild, tmp_path))
    cells = [cell for sheet in load_workbook(io.BytesIO(data)).worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.value for cell in cells if cell.value in planted} == set(planted)
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert data == workbook(trained, read(wild, tmp_path))


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("population", "matched"), None, "population.matched: "),
        (("population", "pool"), -1, "population.pool: "),
        (("population", "dormant"), 10**9, "population: "),
        (("rule", "threshold"), 1.3, "rule.threshold: "),
        (("results", "groups", 1, "activation_rate"), {"value": 0.2, "low": 0.3, "high": 0.4}, "results.groups.1.activation_rate: "),
        (("results", "groups", 1, "activation_rate"), {"value": 0.2, "low": 0.1, "high": 1.4}, "results.groups.1.activation_rate: "),
        (("results", "groups", 0, "activation_rate"), {"value": 0.2, "low": 0.1}, "results.groups.0.activation_rate.high: "),
        (("results", "groups", 0, "approved"), 10**6, "results.groups.0: "),
        (("results", "groups", 0, "spend_mean"), float("nan"), "results.groups.0.spend_mean: "),
        (("results", "lift", 0, "shown"), "perhaps", "results.lift.0.shown: "),
        (("results", "lift", 0, "against"), "nobody", "results.lift.0 names a group"),
        (("segment_map", "people"), [[1, 2], [3, 4]], "segment_map: "),
        (("measured", "segments", 0, "levels", 0, "people"), "many", "measured.segments.0.levels.0.people: "),
        (("as_of",), "yesterday", "as_of: "),
        (("format",), 2, "format: "),
        (("deck",), None, "deck: "),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_field(facts, place, value, told, tmp_path):
    wrong = copy.deepcopy(facts)
    into = wrong
    for key in place[:-1]:
        into = into[key]
    into[place[-1]] = value
    with pytest.raises(InputError, match=re.escape(told)) as refused:
        read(wrong, tmp_path)
    assert "campaign.json" in str(refused.value)


def test_a_file_that_is_no_campaign(tmp_path):
    (tmp_path / "campaign.json").write_text("{")
    with pytest.raises(InputError, match=r"campaign\.json is no campaign\.json of this version: the file: Invalid JSON"):
        load_campaign(tmp_path / "campaign.json")
    with pytest.raises(InputError, match="does not exist"):
        load_campaign(tmp_path / "absent.json")


def test_what_a_newer_writer_adds_is_passed_over(facts, tmp_path):
    assert read({**facts, "weather": "fine"}, tmp_path) == read(facts, tmp_path)


def test_odds_are_the_coefficient_over_the_woe_range(trained):
    (one,) = [each for each in trained.variables if each.name == "t1"]
    odds = odds_over_its_range(one)
    assert odds.value == pytest.approx(exp(one.coefficient * (one.woe_high - one.woe_low)))
    assert odds.low == pytest.approx(exp((one.coefficient - 1.959964 * one.se) * (one.woe_high - one.woe_low)))
    assert odds_over_its_range(replace(one, woe_coded=False)).value == pytest.approx(exp(one.coefficient))
    assert odds_over_its_range(replace(one, coefficient=None)) is None


def test_the_makers_rates_are_wilsons(facts):
    for one in facts["results"]["groups"]:
        assert tuple(one["activation_rate"].values()) == pytest.approx(tuple(wilson(one["activated"], one["selected"])))


def test_cells_read_well():
    rate = Interval(0.1234, 0.1, 0.15)
    assert shown(Column("", "share", "interval"), rate) == ("12.3\u202f%", "10.0 – 15.0\u202f%")
    assert shown(Column("", "points", "interval"), Interval(0.01, -0.02, 0.04)) == ("+1.0", "\u22122.0 … +4.0")
    assert shown(Column("", "times", "interval", digits=2), Interval(2.0, 1.5, 2.5)) == ("\u00d7\u202f2.00", "1.50 – 2.50")
    assert shown(Column("", "count", "interval"), Interval(32.4, -5.0, 69.0)) == ("32", "\u22125 … 69")
    assert shown(Column("", "share", "span"), (None, None)) == ("-", "")
    assert shown(Column("", form="note"), ("eat", 1214)) == ("eat", "1\u202f214")
    assert [shown(Column("", unit), None) for unit in ("text", "count", "share", "p")] == [("-", "")] * 4


def test_words_fill_the_same_blanks_and_all_are_used():
    study_words, own = pairs(WORDS), pairs(CAMPAIGN_WORDS)
    for english, chinese in own.values():
        assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", chinese))
    assert {key for key in own if key in study_words} == {f"{key}_marketing" for key in ("positives", "others", "rate", "one")}
    files = [path for path in (ROOT / "bank_party" / "reports").iterdir() if path.suffix in {".py", ".j2"}]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    made = ("group_", "benefit_", "segment_", "level_", "known_", "rule_group_", "claim_", "driver_", "shown_", "contract_", "sheet_",
            "step_", "by_")  # fmt: skip
    named = [key for key in own if not key.startswith(made) and key not in study_words]
    assert [key for key in named if not re.search(rf"\b{key}\b", source)] == []
    assert campaign_words("zh")("group_high") == "高分模型组"


def test_the_command_writes_the_campaigns_report_beside_its_facts(trained, facts, tmp_path, monkeypatch):
    read(facts, tmp_path)
    contract = signed()
    party = SimpleNamespace(config=SimpleNamespace(lang="en"), contract=contract, keys=SimpleNamespace(seed=b""))
    monkeypatch.setattr(main.Party, "open", lambda study: party)
    monkeypatch.setattr(main.reporting, "report", lambda *_: trained)
    (tmp_path / "scoring.toml").write_text(dumps(signed(**SCORING)))
    command = ["report", "study.toml", "--campaign", str(tmp_path / "campaign.json"), "--also", str(tmp_path / "scoring.toml")]
    done = CliRunner().invoke(main.app, command)
    assert done.exit_code == 0, done.output
    assert "report.html and" in done.output
    assert "High group: " in done.output
    assert "standard error" not in done.output
    assert "Scoring" in Page((tmp_path / "report.html").read_text(encoding="utf-8")).text
    again = workbook(trained, load_campaign(tmp_path / "campaign.json"), "en", [signed(**SCORING)])
    assert (tmp_path / "campaign.xlsx").read_bytes() == again
    assert all((tmp_path / name).stat().st_mode & 0o077 == 0 for name in ("report.html", "campaign.xlsx"))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here to look with")
def test_nothing_overflows_overlaps_or_is_empty_at_either_width(chinese, tmp_path):
    page = tmp_path / "report.html"
    page.write_text(chinese, encoding="utf-8")
    done = looked(page)
    assert done.returncode == 0, done.stdout
    assert "390 px: 16 figures" in done.stdout
    assert "1280 px: 16 figures" in done.stdout
    text = page.read_text(encoding="utf-8").replace("<h2 id=", '<div style="width: 2000px">x</div><h2 id=', 1)
    text = re.sub(r'(<svg[^>]*aria-label="已发送).*?</svg>', r'\1" viewBox="0 0 9 9"></svg>', text, flags=re.DOTALL)
    text = re.sub(r"(<text[^>]*>)(维持人群)</text>", r"\1\2\2\2\2\2\2\2\2</text>", text)
    page.write_text(text, encoding="utf-8")
    done = looked(page)
    assert done.returncode == 1
    for sign in ("the page is 20", "is empty", "lies on", "is cut off"):
        assert sign in done.stdout


def test_without_chromium_the_look_says_so(tmp_path):
    (tmp_path / "report.html").write_text("<p>")
    done = looked(tmp_path / "report.html", PATH=str(tmp_path))
    assert done.returncode == 2
    assert "there is no Chromium here" in done.stderr


def looked(page, **environment):
    return subprocess.run([sys.executable, LOOK, page], env=os.environ | environment, capture_output=True, text=True, check=False)
