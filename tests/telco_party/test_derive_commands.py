from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import raw_telco
from typer.testing import CliRunner

from tandem.errors import InputError
from telco_party.derive_commands import day
from telco_party.features.catalogue import FAMILIES, catalogue, parse
from telco_party.main import app

ROOT = Path(__file__).parents[2]


def run(*arguments):
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})
    assert done.exception is None, done.exception
    return done.output


def test_deriving_printing_coverage_and_the_catalogue_with_it(tmp_path):
    folder = raw_telco.write(raw_telco.raw(), tmp_path / "telco")
    out = tmp_path / "out.csv"
    said = run("derive", str(folder), "--as-of", "2025-07-15", "--out", str(out), "--families", "calls, spending")
    assert f"{len(catalogue(('calls', 'spending')))} variables as of 2025-07-15" in said.replace("\n", " ")
    table = run("coverage", str(folder), "--as-of", "2025-07-15")
    assert {"eat", "finance", "coverage"} <= set(table.split())
    listed = run("variables", "--data", str(out) + ".json")
    assert "100.0%" in listed
    with pytest.raises(InputError, match="not the side file"):
        CliRunner().invoke(app, ["variables", "--data", str(ROOT / "pyproject.toml")], catch_exceptions=False)


@pytest.mark.parametrize(("lang", "words"), [("en", ["missing where", "Location"]), ("zh", ["缺失规则", "通话次数"])])
def test_the_catalogue_is_printed_in_both_languages(lang, words):
    said = run("variables", "--lang", lang)
    assert all(one.name in said for one in catalogue())
    assert all(word in said for word in words)


def test_a_day_that_is_none_is_told():
    with pytest.raises(InputError, match="write the day as 2025-07-01"):
        day("July")


def test_every_entry_says_what_it_is_in_both_languages():
    for one in catalogue():
        assert one.meaning.endswith(".")
        assert one.meaning_zh.endswith("。")
        assert one.name.isidentifier()
        assert "<" not in one.name + one.chinese + one.meaning
    assert {one.family for one in catalogue()} == set(FAMILIES)


@pytest.mark.parametrize("text", [
    "-- famly calls", "-- family a | A | 甲\n\n-- variable x of nothing | 变量 | calls | 3\n-- Meaning.\n-- 含义。\ncount(*);",
    "-- family a | A | 甲\n\nSELECT 1;",
])
def test_a_file_of_another_form_is_told(text):
    with pytest.raises(ValueError, match=r"first line|needs a stage|neither"):
        parse(text)


def test_adding_a_variable_is_adding_one_entry():
    text = (ROOT / "telco_party" / "features" / "calls.sql").read_text(encoding="utf-8")
    entry = "-- variable call_longest of call | 最长通话 | seconds | 1 3\n-- Longest.\n-- 最长。\nmax(seconds) FILTER (in_window);\n"
    more = parse(f"{text}\n{entry}")
    assert [one.name for one in more.variables[-2:]] == ["call_longest_1m", "call_longest_3m"]
    assert more.variables[-1].expression == "max(seconds) FILTER (ago <= 3)"


def test_the_page_of_the_variables_is_fresh():
    script = str(ROOT / "scripts" / "list_variables")
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
