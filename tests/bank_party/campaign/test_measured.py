from __future__ import annotations

import json

import pytest
from bank_campaign import config, make, read_csv, write_csv
from campaigns import campaign
from statsmodels.stats.proportion import proportion_confint
from studies import Page, study

from bank_party.campaign.measured import measured_facts
from bank_party.campaign.plan import plan
from bank_party.campaign.results import COLUMNS, campaign_facts, write_campaign
from bank_party.reports.campaign import load_campaign
from bank_party.reports.campaign_page import render_campaign
from tandem.errors import InputError


def counts_alone():
    """What `tandem bank measure` writes: counts, null where withheld."""
    facts = campaign(sizes=(400, 400, 400))["measured"]
    for segment in facts["segments"]:
        for level in segment["levels"]:
            del level["lift"]
            for group in level["groups"]:
                del group["activation_rate"]
    last = facts["segments"][0]["levels"][3]
    last["level"], last["people"], last["groups"][0]["activated"], last["groups"][2]["contacted"] = "rest", None, None, None
    return facts


def written(folder, facts):
    path = folder / "measured.json"
    path.write_text(json.dumps(facts))
    path.chmod(0o600)
    return path


def test_rates_are_wilsons_and_each_level_is_compared_with_its_control(tmp_path):
    facts = counts_alone()
    found = measured_facts(written(tmp_path, facts), 0.95, "en")
    for segment, told in zip(found["segments"], facts["segments"], strict=True):
        for level, counts in zip(segment["levels"][:3], told["levels"], strict=False):
            for one, group in zip(level["groups"], counts["groups"], strict=True):
                k, n = group["activated"], group["contacted"]
                low, high = proportion_confint(k, n, method="wilson")
                assert tuple(one["activation_rate"].values()) == pytest.approx((k / n, low, high))
            assert [(one["group"], one["against"]) for one in level["lift"]] == [("low", "control"), ("high", "control")]
            rates = [one["activation_rate"]["value"] for one in level["groups"]]
            assert level["lift"][1]["difference"]["value"] == pytest.approx(rates[2] - rates[0])
            assert level["lift"][1]["ratio"]["value"] == pytest.approx(rates[2] / rates[0])


def test_what_was_withheld_has_no_rate_and_no_lift(tmp_path):
    last = measured_facts(written(tmp_path, counts_alone()), 0.95, "en")["segments"][0]["levels"][3]
    assert [one["activation_rate"] is None for one in last["groups"]] == [True, False, True]
    assert last["lift"] == []


@pytest.mark.parametrize("facts", [{"segments": []}, {"contract": "ab", "segments": [{"levels": [1]}]}, {"contract": "ab", "segments": 3}])
def test_a_file_that_is_no_measurement(facts, tmp_path):
    with pytest.raises(InputError, match=r"is no measured\.json"):
        measured_facts(written(tmp_path, facts), 0.95, "en")


@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("High, held back", "none of them")), ("zh", ("高分模型组（留存）", "按运营商分群的密态度量")),
])  # fmt: skip
def test_a_campaign_from_draw_to_report(lang, words, tmp_path):
    plan(config(make(tmp_path), sizes={"detect": 0.1, "holdback": 0.3})).write(tmp_path / "campaign")
    rows = []
    for name, contacted in (("contacts", 1), ("heldback", 0)):
        drawn = read_csv(tmp_path / "campaign" / f"{name}.csv")
        every = 4 if contacted else 9
        rows += [(one["phone"], one["group"], contacted, *(0,) * 4, int(at % every == 0), 0) for at, one in enumerate(drawn)]
    write_csv(tmp_path / "results.csv", COLUMNS, rows)
    sealed = counts_alone()
    sealed["segments"][0]["levels"][2]["level"] = "none of them"
    facts = campaign_facts(tmp_path / "campaign", tmp_path / "results.csv", written(tmp_path, sealed))
    write_campaign(tmp_path / "campaign.json", facts)
    text = Page(render_campaign(study(2000), load_campaign(tmp_path / "campaign.json"), lang)).text
    for word in words:
        assert word.lower() in text.lower()
    assert "held back by lot alone" in text or lang == "zh"
