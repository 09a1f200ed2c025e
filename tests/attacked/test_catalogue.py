"""Every line of the catalogue on every change, and what holds the harness itself to its rules."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from attacked.catalogue import NAMED, NOT_LANDED
from attacked.results import ALL, CHANGE, NONE, area, at_guess, at_least, at_most, gain, rate
from attacked.running import LINES, run

ATTACKS = sorted((Path(__file__).parents[1] / "attacks").glob("*.py"))
MAY_IMPORT = {
    "numpy", "scipy", "sklearn", "gmpy2", "hashlib", "itertools", "math", "functools", "collections", "dataclasses", "typing", "__future__",
    "tandem.arguments", "tandem.crypto", "tandem.wire", "tandem.errors", "tandem.session", "tandem.score.decoding",
    "attacked.views", "attacks",
}
"""What an attacker has: mathematics, the published code of group and key, the messages. No loader, no party, no scorer, no fixture."""


@pytest.mark.parametrize("line", [line for line in LINES if not line.nightly], ids=lambda line: line.id)
def test_the_fixture_falls_and_the_shipped_code_holds(line):
    assert run(line, CHANGE).faults == ()


def test_ids_are_those_of_the_list_once_each_and_in_its_order():
    names = [line.id for line in LINES]
    assert len(set(names)) == len(names)
    bare = [re.sub(r"[a-z]$", "", name) for name in names]
    assert set(bare) == set(NAMED) - set(NOT_LANDED)
    assert bare == sorted(bare, key=NAMED.index)


@pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)
def test_an_attack_imports_nothing_that_knows_the_truth(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        plain = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names = [node.module] if isinstance(node, ast.ImportFrom) else plain
        for name in names:
            assert any(name == allowed or name.startswith(allowed + ".") for allowed in MAY_IMPORT), f"{path.name} imports {name}"


def test_gates_read_the_limit_that_is_against_them():
    assert NONE.holds(rate("read", 0, 200))
    assert not NONE.holds(rate("read", 1, 200))
    assert ALL.holds(rate("read", 200, 200))
    assert not ALL.holds(rate("read", 199, 200))
    assert 0.018 < rate("read", 0, 200).high < 0.0184
    assert not at_most(0.02).holds(rate("read", 0, 100))
    assert at_most(0.02).holds(rate("read", 0, 200))
    assert at_least(0.9).holds(rate("read", 100, 100))
    assert not at_least(0.9).holds(rate("read", 19, 20))
    assert at_guess().holds(rate("found", 530, 1000, 0.5))
    assert not at_guess().holds(rate("found", 560, 1000, 0.5))


def test_areas_have_limits_that_hold_what_they_measure():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 600)
    chance, told = rng.normal(size=600), truth + rng.normal(size=600)
    found = area("labels", chance, truth)
    assert found.low < 0.5 < found.high
    assert area("labels", told, truth).low > 0.65
    assert gain("labels", told, chance, truth).low > 0.1
    assert gain("labels", chance, chance, truth).high == 0
