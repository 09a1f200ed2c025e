from __future__ import annotations

import json
import shlex
import stat
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from rich.cells import cell_len
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from bank_party.lift_command import _WORDS
from bank_party.lift_table import Columns, by_segment, overall, read
from tandem import cli

HILLSTROM = Path(__file__).parents[3] / "shared" / "data" / "hillstrom" / "hillstrom.csv"
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "measuring-lift.md"
WIDTH = 80
TINY = 1e-9


@pytest.fixture(autouse=True)
def _bank(monkeypatch):
    found = [EntryPoint("bank", "bank_party.main:app", cli.GROUP)]
    monkeypatch.setattr(cli, "entry_points", lambda group: found if group == cli.GROUP else [])
    monkeypatch.setenv("TANDEM_DEBUG", "0")


@pytest.fixture
def lift(capsys):
    """Run `tandem bank lift` with these arguments; return exit code, what was printed, and what went to stderr."""
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main(["bank", "lift", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert max(map(cell_len, out.splitlines()), default=0) <= WIDTH
        return ended.value.code or 0, out, err

    return run


def people(rows=1_200):
    """Arms a and b beside control c: of b more buy and spend more; x is the segment, of which `rare` has few people."""
    rng = np.random.default_rng(5)
    arm = np.array(["c", "a", "b"])[np.arange(rows) % 3]
    bought = (rng.random(rows) < np.where(arm == "b", 0.4, 0.2)).astype(int)
    segment = np.where(np.arange(rows) < rows * 0.05, "rare", np.where(rng.random(rows) < 0.5, "left", "right"))
    return pd.DataFrame({"arm": arm, "bought": bought, "spend": (bought * rng.lognormal(3, 1, rows)).round(2), "x": segment})


@pytest.fixture
def file(tmp_path):
    """Write the people, or columns of them changed, as CSV."""
    def make(**columns):
        path = tmp_path / "people.csv"
        people().assign(**columns).to_csv(path, index=False)
        return path

    return make


ASKED = ("--group", "arm", "--control", "c", "--outcome", "bought")


def test_the_table_fits_and_says_what_is_shown(lift, file):
    code, out, err = lift(file(), *ASKED, "--value", "spend")
    assert (code, err) == (0, "")
    assert "4 comparisons of the table, judged together (Holm)" in out
    assert out.count("higher") == 2
    assert out.count("not shown") == 2
    assert "nan" not in out.lower()


def test_one_comparison_is_plain(lift, file):
    _, out, _ = lift(file(), *ASKED, "--arm", "a")
    assert "One comparison: the verdict follows from the 95 % interval" in out
    assert "400 rows without an arm that is compared are left out." in out


def test_it_speaks_chinese(lift, file):
    _, out, _ = lift(file(), *ASKED, "--by", "x", "--lang", "zh")
    assert {"较高", "未显示差异", "未判断", "对照组"} <= {word for word in ("较高", "未显示差异", "未判断", "对照组") if word in out}
    assert not {word for word in ("higher", "shown", "people") if word in out}
    assert _WORDS["en"].keys() == _WORDS["zh"].keys()


def test_a_score_adds_its_slices_and_its_qini(lift, file, tmp_path):
    place = tmp_path / "lift.json"
    score = np.arange(1_200) % 7
    _, out, _ = lift(file(score=score), *ASKED, "--arm", "b", "--score", "score", "--json", place)
    assert "bought, score, slice 1/10 from the highest" in out
    assert "bought, Qini coefficient of score" in out
    assert "Qini: area between" in out
    found = json.loads(place.read_text())
    assert (found["score"], len(found["slices"]), len(found["qini"])) == ("score", 14, 1)
    _, out, _ = lift(file(score=score), *ASKED, "--score", "score", "--lang", "zh")
    assert "bought，score 的 Qini 系数" in out
    _, out, _ = lift(file(), *ASKED)
    assert "Qini" not in out


def test_the_json_has_every_figure_and_only_its_owner_reads_it(lift, file, tmp_path):
    place = tmp_path / "lift.json"
    lift(file(), *ASKED, "--value", "spend", "--by", "x", "--json", place, "--level", "0.9")
    found, table = json.loads(place.read_text()), people()
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert found["arms"] == [{"arm": arm, "rows": 400} for arm in "cab"]
    assert [(line["measure"], line["arm"]) for line in found["table"]] == [(name, arm) for name in ("bought", "spend") for arm in "cab"]
    counts = table.groupby("arm")["bought"].sum()
    line = found["table"][2]
    assert (line["successes"], line["rows"]) == (counts["b"], 400)
    compared = line["against_control"]
    expected = confint_proportions_2indep(counts["b"], 400, counts["c"], 400, "newcomb", "diff", 0.1)
    assert (compared["difference"]["low"], compared["difference"]["high"]) == pytest.approx(expected, abs=TINY)
    assert compared["shown"] == "higher"
    assert found["table"][0]["against_control"] is None
    spend = {arm: DescrStatsW(rows) for arm, rows in table.groupby("arm")["spend"]}
    means = found["table"][5]["against_control"]["difference"]
    expected = CompareMeans(spend["b"], spend["c"]).tconfint_diff(0.1, usevar="unequal")
    assert (means["low"], means["high"]) == pytest.approx(expected, rel=TINY)


def test_a_small_segment_is_marked_and_not_judged_and_counts_for_nothing(lift, file, tmp_path):
    place = tmp_path / "lift.json"
    _, out, _ = lift(file(), *ASKED, "--by", "x", "--json", place)
    assert "not judged: fewer than 50 people on one of the sides" in out
    assert "4 comparisons of the table by segment, judged together" in out
    lines = [line for line in json.loads(place.read_text())["segments"] if line["against_control"]]
    assert [line["few"] for line in lines if line["segment"] == "rare"] == [True, True]
    for line in lines:
        compared = line["against_control"]
        assert (compared["shown"] is None) == (compared["judged"] is None) == (line["segment"] == "rare")
        assert compared["difference"] is not None
    widest = max(line["against_control"]["judged_level"] or 0.0 for line in lines)
    assert widest == pytest.approx(1 - 0.05 / 4)
    _, out, _ = lift(file(), *ASKED, "--by", "x", "--min-rows", "5")
    assert "not judged" not in out
    assert "6 comparisons of the table by segment" in out


def test_a_segment_of_few_in_control_alone_is_not_judged(lift, file):
    segment = np.where((people()["arm"] == "c") & (np.arange(1_200) > 90), "right", "left")
    _, out, _ = lift(file(x=segment), *ASKED, "--arm", "b", "--by", "x")
    left, right = out.split("bought, x = left")[1].split("bought, x = right")
    assert next(line for line in left.splitlines() if line.startswith("b ")).split()[1] == "400"
    assert "not judged" in left
    assert "not judged" in next(line for line in right.splitlines() if line.startswith("b "))  # nobody of b is there


def test_a_segment_without_anybody_of_an_arm_shows_dashes(lift, file):
    segment = np.where(people()["arm"] == "c", "left", people()["x"])
    code, out, _ = lift(file(x=segment), *ASKED, "--by", "x")
    assert code == 0
    block = out.split("bought, x = rare")[1].split("bought, x = right")[0].splitlines()
    assert block[1].split() == ["c", "0", "-"]
    assert {line.split()[-1] for line in block[2:] if line.startswith(("a ", "b "))} == {"judged"}
    assert "p -" in out
    assert "nan" not in out.lower()


def test_an_arm_of_few_people_is_warned_of(lift, file):
    arm = people()["arm"].where(np.arange(1_200) % 30 != 1, "tiny")
    code, out, _ = lift(file(arm=arm), *ASKED)
    assert code == 0
    assert "WARNING: tiny has 40 people; under 50 little can be said." in out


def test_long_names_and_large_amounts_fold_and_keep_every_digit(lift, file):
    names = {"c": "[red]对照组：没有收到任何短信的客户", "a": "a group with a name that goes on and on", "b": "b" * 40}
    code, out, _ = lift(
        file(arm=people()["arm"].map(names), spend=people()["spend"] * 1e7),
        "--group", "arm", "--control", names["c"], "--outcome", "bought", "--value", "spend",
    )
    assert code == 0
    assert "[red]" in out
    assert "…" not in out
    mean = people().loc[people()["arm"] == "a", "spend"].mean() * 1e7
    assert f"{mean:,.1f}" in out


def test_an_outcome_that_never_came_is_no_error(lift, file):
    code, out, _ = lift(file(bought=0), *ASKED)
    assert code == 0
    assert out.count("not shown") == 2
    assert "p -" in out


def test_yes_and_no_and_parquet_give_the_same_table(lift, file, tmp_path):
    _, plain, _ = lift(file(), *ASKED, "--by", "x")
    _, spoken, _ = lift(file(bought=people()["bought"].map({0: "No", 1: "YES"})), *ASKED, "--by", "x")
    path = tmp_path / "people.parquet"
    duckdb.from_csv_auto(str(tmp_path / "people.csv")).project("arm, bought = 'YES' AS bought, x").write_parquet(str(path))
    _, columnar, _ = lift(path, *ASKED, "--by", "x")
    assert plain == spoken == columnar


def test_gb18030_is_read_where_it_is_declared(lift, tmp_path):
    path = tmp_path / "people.csv"
    people().rename(columns={"bought": "促活"}).to_csv(path, index=False, encoding="gb18030")
    code, out, _ = lift(path, "--group", "arm", "--control", "c", "--outcome", "促活", "--encoding", "gb18030")
    assert code == 0
    assert "促活" in out


def test_rows_without_an_arm_are_left_out_whatever_they_hold(lift, file):
    table = people()
    gone = np.arange(len(table)) % 3 == 1
    code, out, _ = lift(file(arm=table["arm"].where(~gone, ""), bought=table["bought"].astype("object").where(~gone, "?")), *ASKED)
    assert code == 0
    assert "400 rows without an arm" in out


@pytest.mark.parametrize(
    ("changed", "arguments", "told"),
    [
        ({}, ("--group", "armm", "--control", "c", "--outcome", "bought"), "no column armm; the columns are arm, bought, spend, x"),
        ({}, ("--group", "arm", "--control", "C", "--outcome", "bought"), "has no row of 'C'; its values are 'a', 'b', 'c'"),
        ({}, (*ASKED, "--arm", "d"), "has no row of 'd'"),
        ({}, (*ASKED, "--arm", "c"), "there must be arms other than control"),
        ({"arm": "c"}, ASKED, "there must be arms other than control"),
        ({}, ("--group", "arm", "--control", "c"), "nothing to compare"),
        ({}, (*ASKED, "--value", "bought"), "bought is asked for twice"),
        ({}, (*ASKED, "--by", "arm"), "arm is asked for twice"),
        ({"bought": [2, 7, *[0, 1] * 599]}, ASKED, "beside 0 and 1 it has 2 other values in 2 rows (rows 1, 2)"),
        ({"bought": [0, 1, 9] * 400}, (*ASKED, "--arm", "b"), "it has 1 other value in 400 rows (rows 3, 6, 9, 12, 15, ...)"),
        ({"bought": "maybe"}, ASKED, "none of 0 and 1, yes and no, but 1 other value in 1200 rows"),
        ({"bought": [None, *[0] * 1199]}, ASKED, "is empty in 1 of 1200 rows (rows 1)"),
        ({"spend": [1.0, None, *[0] * 1198]}, (*ASKED, "--value", "spend"), "in 1 of 1200 rows (rows 2): write a number"),
        ({"x": ""}, (*ASKED, "--score", "x"), "column 'x' is empty in 1200 of 1200 rows"),
        ({}, (*ASKED, "--score", "spend", "--value", "spend"), "spend is asked for twice"),
        ({"spend": "much"}, (*ASKED, "--value", "spend"), "of which each is no number"),
        ({"x": range(1200)}, (*ASKED, "--by", "x"), "--by takes at most 50; bin it first"),
        ({"arm": range(1200)}, ASKED, "has 1200 values: arms are at most 50"),
        ({}, (*ASKED, "--level", "95"), "give 0.95 for 95 %"),
        ({}, (*ASKED, "--lang", "de"), "en or zh"),
        ({}, (*ASKED, "--encoding", "latin-1"), "utf-8 or gb18030"),
    ],
)
def test_what_is_wrong_is_one_line(lift, file, changed, arguments, told):
    code, out, err = lift(file(**changed), *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line(lift, tmp_path):
    code, _, err = lift(tmp_path / "none.csv", *ASKED)
    assert code == 2
    assert "there is no such file" in err


def test_the_help_has_an_example(lift):
    code, out, _ = lift("--help")
    assert code == 0
    assert "Example: tandem bank lift sent.csv" in out


@pytest.fixture(scope="module")
def hillstrom():
    if not HILLSTROM.exists():
        pytest.skip("the Hillstrom data set is not beside the repository")
    return read(HILLSTROM, Columns("segment", "No E-Mail", ("visit", "conversion"), ("spend",), "channel"))


def test_hillstroms_mens_email_is_as_published_and_as_statsmodels_has_it(hillstrom):
    table = pd.read_csv(HILLSTROM)
    lines = {(line.measure, line.arm): line for line in overall(hillstrom, 0.95)}
    shown = {(name, arm): round(100 * lines[name, arm].estimate.value, 3) for name in ("visit", "conversion") for arm in hillstrom.arms[:2]}
    assert shown == {
        ("visit", "No E-Mail"): 10.617, ("visit", "Mens E-Mail"): 18.276,
        ("conversion", "No E-Mail"): 0.573, ("conversion", "Mens E-Mail"): 1.253,
    }
    for (name, arm), line in lines.items():
        rows, control = (table.loc[table["segment"] == one, name] for one in (arm, "No E-Mail"))
        if name == "spend":
            theirs = CompareMeans(DescrStatsW(rows), DescrStatsW(control))
            own, difference, ratio = theirs.d1.tconfint_mean(0.05), theirs.tconfint_diff(0.05, usevar="unequal"), None
        else:
            pair = (rows.sum(), len(rows), control.sum(), len(control))
            own = proportion_confint(*pair[:2], 0.05, "wilson")
            difference, ratio = (confint_proportions_2indep(*pair, *how) for how in (("newcomb", "diff"), ("score", "ratio")))
        assert line.estimate[1:] == pytest.approx(own, abs=TINY)
        if line.comparison is not None:
            assert line.comparison.difference[1:] == pytest.approx(difference, abs=TINY)
            assert line.comparison.ratio is ratio is None or line.comparison.ratio[1:] == pytest.approx(ratio, abs=TINY)
            assert line.comparison.shown == "higher"


def test_hillstroms_arms_drawn_by_chance_are_not_told_apart(hillstrom):
    silent = 0
    for seed in range(100):
        shuffled = replace(hillstrom, arm=np.random.default_rng(seed).permutation(hillstrom.arm))
        silent += all(line.comparison is None or line.comparison.shown == "not shown" for line in overall(shuffled, 0.95))
    assert silent >= 93


def test_hillstroms_segments_add_up_to_the_whole(hillstrom):
    whole, parts = overall(hillstrom, 0.95), by_segment(hillstrom, 0.95)
    assert {line.segment for line in parts} == {"Multichannel", "Phone", "Web"}
    for line in whole:
        if line.successes is not None:
            same = [part for part in parts if (part.measure, part.arm) == (line.measure, line.arm)]
            assert (sum(part.rows for part in same), sum(part.successes for part in same)) == (line.rows, line.successes)


def test_the_guide_shows_what_is_printed(hillstrom, lift, monkeypatch):
    page = GUIDE.read_text(encoding="utf-8")
    command = next(line for line in page.splitlines() if line.startswith("tandem bank lift hillstrom.csv"))
    monkeypatch.chdir(HILLSTROM.parent)
    _, out, _ = lift(*shlex.split(command)[3:])
    shown = page.split("```text\n")[1].split("```")[0]
    assert [line.rstrip() for line in out.splitlines()] == shown.splitlines()


def test_the_guides_lines_of_python_give_what_is_said_beside_them(capsys):
    lines = GUIDE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(lines, str(GUIDE), "exec"), {})  # noqa: S102 - our own page
    said = [line.split("# ")[1] for line in lines.splitlines() if line.startswith("print")]
    assert len(said) == 3
    assert capsys.readouterr().out.splitlines() == said
