"""A run that was cut off goes on: what has ended is read back as it was, of its own size only, and a broken file is named."""

from __future__ import annotations

import importlib.util
import json
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

from attacked.kept import Kept
from attacked.results import rate
from attacked.running import LINES

LINE = LINES[0]
FELL, HELD = rate("keys taken", 3, 3).timed(1.5, (1, 2)), rate("keys taken", 0, 200, note="of 512 bits").timed(2.0, (1, 2))

MUTANT = {"name": "short exponents", "file": "a.py", "killed": True, "by": "tests/test_a.py::test_it"}


@pytest.fixture(scope="module")
def script():
    path = Path(__file__).resolve().parents[2] / "scripts" / "attack"
    loader = SourceFileLoader("attack", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("attack", loader))
    loader.exec_module(module)
    return module


def test_what_has_ended_is_read_back_as_it_was(tmp_path):
    path = tmp_path / "kept.jsonl"
    kept = Kept(path, "change", "0123456")
    kept.add(LINE.id, FELL, HELD, "A sentence.")
    kept.add_mutant(MUTANT)
    for one in (kept, Kept(path, "change", "89abcde")):
        found = one.tried(LINES)
        assert list(found) == [LINE.id]
        tried = found[LINE.id]
        assert (tried.weakened, tried.shipped, tried.sentence, tried.commit) == (FELL, HELD, "A sentence.", "0123456")
        assert one.mutants(["another", MUTANT["name"]]) == {MUTANT["name"]: {**MUTANT, "commit": "0123456"}}


def test_a_record_of_another_size_is_none(tmp_path):
    path = tmp_path / "kept.jsonl"
    Kept(path, "change", "0123456").add(LINE.id, FELL, HELD, "")
    assert Kept(path, "nightly", "0123456").tried(LINES) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"kind": "line", "name": "K4"})])
def test_a_file_that_is_not_ours_is_named_with_its_line(tmp_path, text):
    path = tmp_path / "kept.jsonl"
    Kept(path, "change", "").add(LINE.id, FELL, HELD, "")
    path.write_text(path.read_text(encoding="utf-8") + text + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 2"):
        Kept(path, "change", "")


def test_lines_that_are_kept_are_not_tried_again_and_a_fault_loses_no_other(tmp_path, script, monkeypatch):
    """Two families, one of which ends in an exception: the other is kept, and the next run tries only what is missing."""
    tried = []

    class Here:
        """Stand in for the pool: the same process, in order."""

        def __init__(self, workers):
            assert workers == 2

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return False

        def submit(self, call, members, *, nightly):
            future = script.Future()
            try:
                future.set_result(call(members, nightly=nightly))
            except OSError as fault:
                future.set_exception(fault)
            return future

    def family(members, *, nightly):
        tried.append(tuple(members))
        if broken and "K4" in members[0]:
            raise OSError("no room")
        return [(name, FELL, HELD, "") for name in members]

    monkeypatch.setattr(script, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(script, "family", family)
    names = [line.id for line in LINES if line.id.startswith(("K4", "K5"))]
    broken = True
    path = tmp_path / "kept.jsonl"
    with pytest.raises(OSError, match="no room"):
        script._try(names, 2, Kept(path, "change", "a"), nightly=False)
    fives = [name for name in names if name.startswith("K5")]
    assert list(Kept(path, "change", "a").tried(LINES)) == fives
    broken = False
    tried.clear()
    script._try(names, 2, Kept(path, "change", "a"), nightly=False)
    assert tried == [tuple(name for name in names if name not in fives)]
    assert list(Kept(path, "change", "a").tried(LINES)) == names


def test_mutants_that_are_kept_are_not_run_again_and_each_tells_its_commit(tmp_path, script, monkeypatch):
    monkeypatch.setattr(script.mutation, "run_all", lambda _root, _workers, names: ({**MUTANT, "name": name} for name in names))
    names = [one.name for one in script.mutation.mutants()]
    path = tmp_path / "kept.jsonl"
    assert [one["commit"] for one in script._watched(2, Kept(path, "nightly", "a"), names[:3])] == ["a"] * 3
    found = list(script._watched(2, Kept(path, "nightly", "b")))
    assert [one["name"] for one in found] == names
    assert [one["commit"] for one in found] == ["a"] * 3 + ["b"] * (len(names) - 3)
