"""The table of defences that are taken out fits the tree as it is: the run itself takes an hour, and is not on every change."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from attacked.mutation import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("one", mutants(), ids=lambda one: one.name)
def test_the_text_of_a_mutant_stands_once_and_its_tests_are_there(one: Mutant):
    assert (ROOT / one.file).read_text(encoding="utf-8").count(one.find) == 1
    assert one.put != one.find
    assert one.tests
    assert all((ROOT / test.partition("::")[0]).exists() for test in one.tests)


def test_no_two_mutants_have_one_name():
    assert [name for name, count in Counter(one.name for one in mutants()).items() if count > 1] == []
