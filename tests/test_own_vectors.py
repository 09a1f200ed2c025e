"""The kit that we publish for other implementations: our code must say of every case what the file says."""

from __future__ import annotations

import json
import re
from collections import Counter

import kit
import pytest

from tandem import errors


@pytest.mark.parametrize("name", list(kit.CASES))
def test_every_case_ends_as_the_file_says(name):
    for case in kit.load(name):
        said = {key: case[key] for key in ("verdict", "gives", "failure") if key in case}
        assert kit.verdict(name, case) == said, case["name"]


def test_failures_are_named_as_our_errors_are_and_every_file_has_its_cases():
    failures = Counter(case["failure"] for name in kit.CASES for case in kit.load(name) if case["verdict"] == "refuse")
    assert [name for name in failures if not issubclass(getattr(errors, name), errors.TandemError)] == []
    wanted = {
        "Malformed", "Replayed", "Reflected", "OutOfTurn", "KeySwitched", "ForeignElement", "CrookedModulus", "FactorPlanted",
        "NakedCiphertext", "RandomiserRepeated", "RowAsSum", "ContractError",
    }
    assert set(failures) == wanted
    assert {path.stem for path in kit.FOLDER.glob("*.json")} == set(kit.CASES)


def test_names_of_cases_are_told_apart():
    for name in kit.CASES:
        names = [case["name"] for case in json.loads((kit.FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]]
        assert len(set(names)) == len(names)


def test_the_page_names_every_file():
    page = (kit.FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((\w+)\.json\)", page)) == set(kit.CASES)
