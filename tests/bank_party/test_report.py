from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from studies import Page, study

from bank_party.evaluation import Difference
from bank_party.reports.html import WORDS, render, write_report
from bank_party.reports.model import Learned, iv_band, measure
from bank_party.reports.result import result, write_result
from bank_party.reports.tables import number, p_value, seconds, share
from bank_party.summary import print_summary
from tandem.arguments import Seeded
from tandem.errors import InputError
from tandem.pages import Words, count, pairs, size


@pytest.fixture(scope="module")
def report():
    return study()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_one_file_that_fetches_nothing(report, lang):
    page = Page(render(report, lang))
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.tags
    assert page.tags.count("svg") == 6
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", render(report, lang))
    assert "nan" not in re.findall(r"[a-z]+", page.text.lower())
    assert "None" not in page.text


def test_it_says_first_what_a_banker_asks_first(report):
    text = Page(render(report)).text
    gain = report.holdout.difference
    assert f"17 321 of 20 000 customers were matched (86.6 %). Adding the telco's data raises AUC by {gain.value:.3f}" in text
    assert "Gain shown" in text
    assert "made by a program" in text
    parts = ["Who was matched", "How well each model ranks", "Where the responders are", "Do the probabilities hold", "Variables",
             "What each party learned", "Time, traffic, memory", "What this report does not show"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    for figure in (
        "pooled",
        "rehearsal only",
        "0.08 standard errors",
        "≈ 0.061",
        "sign!",
        "correlated with t2 (0.83)",
        "48.3 MB",
        "3072-bit",
        "training pass 2",
    ):
        assert figure in text


def test_it_speaks_chinese(report):
    page = Page(render(report, "zh"))
    assert "匹配率" in page.text
    assert "有值" in page.text
    assert "增益成立" in page.text
    assert "无值" in page.text
    assert "误判率 FPR" in page.text  # words in the pictures stay words
    assert "训练第 2 轮" in page.text
    assert "Who was" not in page.text


def test_credit_speaks_of_bads():
    text = Page(render(study(3000, purpose="credit"))).text
    assert "bad rate" in text
    assert "respon" not in text


def test_a_gain_that_is_not_shown_is_called_so():
    with_nothing = study(gain=0.0)
    text = Page(render(with_nothing)).text
    assert with_nothing.verdict == "not_shown"
    assert "Gain not shown" in text
    assert "raises AUC" not in text
    worse = replace(with_nothing, holdout=replace(with_nothing.holdout, difference=Difference(-0.02, -0.03, -0.01, 0.001)))
    assert worse.verdict == "loss"
    assert "ranks worse" in Page(render(worse)).text


def test_outside_a_rehearsal_nothing_is_pooled():
    real = replace(study(3000, rehearsal=False), synthetic=False, outcomes=None)
    page = Page(render(real))
    assert "pooled" not in page.text.lower()
    assert "synthetic" not in page.text.lower()
    assert "2 679" in page.text  # asked less matched
    assert result(real)["auc"]["pooled"] is None


def test_the_ridge_is_shown_and_who_chose_it(report):
    assert "card step 1, ridge 8 (chosen in the first pass)." in Page(render(report)).text
    fixed = replace(report, ridge=1.0, ridge_chosen=False)
    assert "card step 1, ridge 1." in Page(render(fixed)).text
    assert [(one["ridge"], one["ridge_chosen"]) for one in map(result, (report, fixed))] == [(8.0, True), (1.0, False)]


def test_names_cannot_break_out_of_the_page(report):
    wild = '--></svg><script>alert("1")</script>$x_1$ & "q" url(#a) id="b"'
    bars = [replace(report.variables[0], name=wild), replace(report.variables[1], reason=wild, kept=False)]
    spoilt = replace(report, study=wild, data_note=wild, variables=bars, learned=[Learned(wild, [wild])], more_limits=[wild])
    page = Page(render(spoilt))
    assert "script" not in page.tags
    assert page.tags.count("svg") == 6
    assert 'alert("1")' in page.text


def test_the_same_report_gives_the_same_bytes(report):
    assert render(report) == render(report)
    assert measure(*holdout_of(3), Seeded(b"1")).scores == measure(*holdout_of(3), Seeded(b"1")).scores


def holdout_of(seed):
    rng = np.random.default_rng(seed)
    y = (rng.random(400) < 0.3).astype(int)
    return y, {"bank_only": rng.random(400), "joint": rng.random(400) * 0.5 + y * 0.3}


def test_measuring_needs_both_models():
    y, p = holdout_of(1)
    with pytest.raises(InputError, match="no hold-out scores of joint"):
        measure(y, {"bank_only": p["bank_only"]}, Seeded(b"1"))


def test_a_file_is_written_whole_or_not_at_all(report, tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    write_report(target, report, "zh")
    before = target.read_text(encoding="utf-8")
    assert before == render(report, "zh")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="the disk is full"):
        write_report(target, report, "en")
    assert target.read_text(encoding="utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(InputError, match="does not exist"):
        write_report(tmp_path / "absent" / "report.html", report)
    with pytest.raises(InputError, match="en or zh"):
        render(report, "fr")


def test_the_result_holds_what_its_schema_says(report, tmp_path):
    write_result(tmp_path / "result.json", report)
    read = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    schema = (Path(__file__).parents[2] / "docs" / "result-schema.md").read_text(encoding="utf-8")
    for name in read:
        assert f"`{name}`" in schema
    assert read["auc"]["joint"] == pytest.approx(list(report.holdout.scores["joint"].auc))
    assert set(read["ks"]) == {"bank_only", "joint", "joint_card", "pooled"}
    assert read["bytes"]["bank to telco"] == 48_301_222
    assert (read["asked"], read["matched"], read["passes"], read["key_bits"]) == (20000, 17321, 3, 3072)
    assert read["coefficients_max_se_difference"] == 0.081
    assert read["se_ratios"] == [0.994, 1.003]


def test_only_a_coefficient_on_woe_has_a_wrong_sign(report):
    (one,) = [each for each in report.variables if each.wrong_sign]
    number = replace(one, woe_coded=False)
    assert not number.wrong_sign
    assert not replace(one, coefficient=0.1).wrong_sign
    others = [number if each is one else each for each in report.variables]
    assert "sign!" not in Page(render(replace(report, variables=others))).text


@pytest.mark.parametrize(("language", "sides"), [("en", {"bank", "telco"}), ("zh", {"银行", "运营商"})])
def test_the_summary_names_both_sides_in_its_language(report, language, sides):
    console = Console(file=io.StringIO(), width=80)
    print_summary(console, report, language)
    assert {word for word in re.findall(r"\w+", console.file.getvalue()) if word in {"bank", "telco", "银行", "运营商"}} >= sides
    assert language == "en" or not re.search(r"\b(bank|telco)\b", console.file.getvalue())


def test_a_result_that_is_not_finite_is_not_written(report, tmp_path):
    with pytest.raises(InputError, match="not a finite number"):
        write_result(tmp_path / "result.json", replace(report, coefficients_max_se_difference=float("nan")))
    assert list(tmp_path.iterdir()) == []


def test_both_languages_fill_the_same_blanks():
    for english, chinese in pairs(WORDS).values():
        assert set(re.findall(r"\{(\w+)\}", english)) == set(re.findall(r"\{(\w+)\}", chinese))
    assert Words(WORDS, "zh").known("reason_vif", "x").startswith("共线")
    assert Words(WORDS, "en").known("reason_own_words", "own words") == "own words"


def test_numbers_read_well():
    assert [iv_band(value) for value in (0, 0.019, 0.02, 0.1, 0.3, 0.5)] == ["useless", "useless", "weak", "medium", "strong", "suspicious"]
    assert (count(1234567), share(None), number(-0.5, 1), p_value(1e-9)) == ("1\u202f234\u202f567", "-", "\u22120.5", "<\u202f0.001")
    assert [seconds(value) for value in (0.04, 99.94, 185.2)] == ["0.0\u202fs", "99.9\u202fs", "3\u202fmin 05\u202fs"]
    assert [size(value) for value in (12, 1500, 999_600, 48_301_222, 7_200_000_000_000)] == [
        "12\u202fB", "1.5\u202fkB", "1.0\u202fMB", "48.3\u202fMB", "7200\u202fGB",
    ]  # fmt: skip
