"""From results.csv to campaign.json, against pandas and statsmodels; every file that does not fit is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import tomli_w
from bank_campaign import BENEFITS, config, make, read_csv, write_csv
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from typer.testing import CliRunner

from bank_party.campaign.plan import plan
from bank_party.campaign.results import COLUMNS, campaign_facts
from bank_party.main import app
from tandem.errors import InputError


def answers(contacts, seed=3, rates=(("control", 0.1), ("low", 0.12), ("high", 0.35))):
    """One row of results a contact, steps nested."""
    chance, rate, rows = np.random.default_rng(seed), dict(rates), []
    for one in contacts:
        contacted = int(chance.random() < 0.97)
        steps = [contacted]
        for likely in (0.4, 0.5, 0.7, 0.6):
            steps.append(int(steps[-1] and chance.random() < likely))
        activated = int(chance.random() < rate[one["group"]])
        rows.append((one["phone"], one["group"], *steps, activated, round(float(chance.gamma(2, 100)), 2) * activated))
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make(tmp_path_factory.mktemp("bank"))
    plan(config(folder)).write(folder / "campaign")
    write_csv(folder / "results.csv", COLUMNS, answers(read_csv(folder / "campaign" / "contacts.csv")))
    return folder


@pytest.fixture(scope="module")
def facts(folder):
    return campaign_facts(folder / "campaign", folder / "results.csv")


@pytest.fixture(scope="module")
def joined(folder):
    contacts = pd.read_csv(folder / "campaign" / "contacts.csv", dtype={"phone": str}, keep_default_na=False)
    return contacts.merge(pd.read_csv(folder / "results.csv", dtype={"phone": str}), on=["phone", "group"], validate="1:1")


def test_the_funnel_of_each_group(facts, joined):
    assert [one["name"] for one in facts["results"]["groups"]] == ["control", "low", "high"]
    for one in facts["results"]["groups"]:
        rows = joined[joined.group == one["name"]]
        sums = rows[["contacted", "responded", "applied", "approved", "first_card", "activated"]].sum()
        assert {name: one[name] for name in sums.index} == sums.to_dict()
        assert one["selected"] == len(rows)
        for name, count, base in [
            ("response_rate", "responded", sums.contacted), ("application_rate", "applied", sums.responded),
            ("approval_rate", "approved", sums.applied), ("first_card_rate", "first_card", sums.approved),
            ("overall_effect", "first_card", sums.contacted), ("activation_rate", "activated", len(rows)),
        ]:
            limits = proportion_confint(sums[count], base, method="wilson")
            np.testing.assert_allclose(list(one[name].values()), [sums[count] / base, *limits], atol=1e-9)
        assert one["spend_mean"] == pytest.approx(rows.spend.mean())


def test_lift_against_the_control_group(facts, joined):
    counts = joined.groupby("group").activated.agg(["sum", "size"])
    control = counts.loc["control"]
    for one in facts["results"]["lift"]:
        group = counts.loc[one["group"]]
        limits = confint_proportions_2indep(*group, *control, method="newcomb", compare="diff")
        np.testing.assert_allclose([one["difference"]["low"], one["difference"]["high"]], limits, atol=1e-9)
        assert one["ratio"]["value"] == pytest.approx((group["sum"] / group["size"]) / (control["sum"] / control["size"]))
    shown = {one["group"]: one["shown"] for one in facts["results"]["lift"]}
    assert shown == {"low": "not shown", "high": "higher"}
    assert [one["verdict"].split(":")[0].split(" ")[0] for one in facts["results"]["lift"]] == ["not", "higher"]
    assert "no randomised experiment" in facts["results"]["compared"]


def test_segments_and_benefits(facts, joined):
    results = facts["results"]
    assert sum(one["selected"] for one in results["by_segment"]) == (joined.segment != "").sum()
    for kind in ("segment", "benefit"):
        for one in results[f"by_{kind}"]:
            rows = joined[(joined[kind] == one[kind]) & (joined.group == one["group"])]
            assert (one["selected"], one["activated"]) == (len(rows), rows.activated.sum())
            assert one["activation_rate"]["value"] == pytest.approx(rows.activated.mean())
    assert [(one["benefit"], one["group"]) for one in results["by_benefit"]] == [(name, to) for name in BENEFITS for to in ("low", "high")]


def test_what_was_planned_and_measured_stands_beside_it(folder, facts, tmp_path):
    kept = json.loads((folder / "campaign" / "plan.json").read_text())
    assert {name: facts[name] for name in kept} == kept
    assert facts["measured"] is None
    for name, content in (("measured.json", {"contract": "ab", "segments": []}), ("other.json", {"segments": []})):
        (tmp_path / name).write_text(json.dumps(content))
        (tmp_path / name).chmod(0o600)
    assert campaign_facts(folder / "campaign", folder / "results.csv", tmp_path / "measured.json")["measured"]["contract"] == "ab"
    with pytest.raises(InputError, match=r"is no measured\.json"):
        campaign_facts(folder / "campaign", folder / "results.csv", tmp_path / "other.json")


def test_a_denominator_of_zero_is_no_rate(folder, tmp_path):
    contacts = read_csv(folder / "campaign" / "contacts.csv")
    write_csv(tmp_path / "none.csv", COLUMNS, [(one["phone"], one["group"], *(0,) * 7) for one in contacts])
    results = campaign_facts(folder / "campaign", tmp_path / "none.csv")["results"]
    for one in results["groups"]:
        rates = [one[name] for name in ("response_rate", "application_rate", "approval_rate", "first_card_rate", "overall_effect")]
        assert rates == [None] * 5
        assert one["activation_rate"]["value"] == 0.0
    for one in results["lift"]:
        assert (one["ratio"], one["p"], one["shown"]) == (None, None, "not shown")


@pytest.mark.parametrize(("change", "text"), [
    (lambda rows: rows[1:], "1 of 960 contacts have no result"),
    (lambda rows: [*rows, rows[0]], "row 961: this person has a result already"),
    (lambda rows: [*rows, ("13999999999", *rows[0][1:])], "row 961: this person is no contact"),
    (lambda rows: [(rows[0][0], "high", *rows[0][2:]), *rows[1:]], "row 1: the group is not the one that was drawn"),
    (lambda rows: [(*rows[0][:2], 2, *rows[0][3:]), *rows[1:]], "row 1: contacted is neither 0 nor 1"),
    (lambda rows: [(*rows[0][:2], 1, 0, 1, *rows[0][5:]), *rows[1:]], "row 1: applied without responded"),
    (lambda rows: [*rows[:-1], (*rows[-1][:8], -5)], "row 960: spend is no amount"),
    (lambda rows: [*rows[:-1], (*rows[-1][:8], "nan")], "row 960: spend is no amount"),
    (lambda rows: [], "has no row"),
])
def test_results_that_cannot_be_are_refused_by_row(folder, tmp_path, change, text):
    rows = answers(read_csv(folder / "campaign" / "contacts.csv"))
    write_csv(tmp_path / "results.csv", COLUMNS, change(rows))
    with pytest.raises(InputError, match=text) as told:
        campaign_facts(folder / "campaign", tmp_path / "results.csv")
    assert "138000" not in str(told.value)
    write_csv(tmp_path / "short.csv", COLUMNS[:-1], [row[:-1] for row in rows])
    with pytest.raises(InputError, match="there is no column spend"):
        campaign_facts(folder / "campaign", tmp_path / "short.csv")


def test_contact_itself_is_measured_against_those_held_back(tmp_path):
    drawn = plan(config(make(tmp_path), sizes={"detect": 0.1, "holdback": 0.3}))
    drawn.write(tmp_path / "campaign")
    contacts, held = read_csv(tmp_path / "campaign" / "contacts.csv"), read_csv(tmp_path / "campaign" / "heldback.csv")
    rows = answers(contacts)
    write_csv(tmp_path / "results.csv", COLUMNS, rows)
    alone = campaign_facts(tmp_path / "campaign", tmp_path / "results.csv")["results"]
    assert len(alone["lift"]) == 2
    chance = np.random.default_rng(1)
    quiet = [(one["phone"], one["group"], *(0,) * 5, int(chance.random() < 0.02), 0) for one in held]
    write_csv(tmp_path / "results.csv", COLUMNS, [*rows, *quiet])
    both = campaign_facts(tmp_path / "campaign", tmp_path / "results.csv")["results"]
    assert [(one["group"], one["against"]) for one in both["lift"]] == [
        ("low", "control"), ("high", "control"), ("low", "low, held back"), ("high", "high, held back"),
    ]
    assert both["lift"][3]["shown"] == "higher"
    assert [one["name"] for one in both["groups"]] == ["control", "low", "high", "high, held back", "low, held back"]
    assert both["by_segment"] == alone["by_segment"]
    assert "chosen by lot" in both["compared"]
    called = [(*quiet[0][:2], 1, *quiet[0][3:])]
    write_csv(tmp_path / "results.csv", COLUMNS, [*rows, *called])
    with pytest.raises(InputError, match="was to be held back, and was contacted"):
        campaign_facts(tmp_path / "campaign", tmp_path / "results.csv")


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("control", "not shown", "no randomised")), ("zh", ("对照组", "未显示差异", "不是随机试验")),
])
def test_the_commands_from_configuration_to_verdict(tmp_path, lang, words):
    make(tmp_path)
    toml = {
        "name": "autumn", "as_of": "2025-10-01", "scored": "scored.csv", "lang": lang, "table": {"source": "bank.csv", "id": "phone"},
        "sizes": {"detect": 0.1},
    }
    (tmp_path / "campaign.toml").write_text(tomli_w.dumps(toml))
    runner, wide = CliRunner(), {"COLUMNS": "160"}
    said = runner.invoke(app, ["campaign", "draw", str(tmp_path / "campaign.toml")], env=wide, catch_exceptions=False)
    assert said.exit_code == 0
    assert words[0] in said.output
    rows = answers(read_csv(tmp_path / "campaign" / "contacts.csv"), rates=(("control", 0.2), ("low", 0.2), ("high", 0.2)))
    write_csv(tmp_path / "results.csv", COLUMNS, [(*row[:2], 1, 0, 0, 0, 0, *row[7:]) for row in rows])
    arguments = ["campaign", "results", str(tmp_path / "campaign.toml"), "--results", str(tmp_path / "results.csv")]
    said = runner.invoke(app, arguments, env=wide, catch_exceptions=False)
    assert said.exit_code == 0
    assert [word for word in words if word not in said.output] == []
    assert " - " in said.output  # approved of nobody who applied
    facts = json.loads((tmp_path / "campaign" / "campaign.json").read_text())
    assert (facts["lang"], facts["results"]["groups"][0]["approval_rate"]) == (lang, None)
    assert (tmp_path / "campaign" / "campaign.json").stat().st_mode & 0o777 == 0o600
