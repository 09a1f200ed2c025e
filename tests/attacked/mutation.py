"""The mutation table: each defence is taken out of a copy of the tree, once, and the tests named beside it must notice.

`mutants.toml` says for each its name, the file, the text that is the defence (it must stand there exactly once), what is put in its place,
and the tests. Those tests pass on the copy as it is; that is looked at first, since a test that fails anyway notices nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

TABLE = Path(__file__).with_name("mutants.toml")
COPIED = ("tandem", "telco_party", "bank_party", "coordinator", "tests", "scripts", "docs", "proto", ".ci")
LONGEST = 600
"""Seconds after which tests count as hung; a mutant that hangs its tests is noticed."""


@dataclass(frozen=True)
class Mutant:
    """One defence and how it is taken out."""

    name: str
    file: str
    find: str
    put: str
    tests: tuple[str, ...]

    def apply(self, root: Path) -> str:
        """Take the defence out of the tree at `root`; return the text that was there. Raises ValueError if the text is not there once."""
        path = root / self.file
        whole = path.read_text(encoding="utf-8")
        if whole.count(self.find) != 1:
            raise ValueError(f"mutant {self.name!r}: {self.file} has its text {whole.count(self.find)} times, not once: {self.find!r}")
        path.write_text(whole.replace(self.find, self.put), encoding="utf-8")
        return whole


def mutants(path: Path = TABLE) -> list[Mutant]:
    """Return the table."""
    read = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(one["name"], one["file"], one["find"], one["put"], tuple(one["tests"])) for one in read]


def copy(root: Path, place: Path) -> Path:
    """Copy the tree of the project to `place`, as far as tests need it."""
    for name in COPIED:
        shutil.copytree(root / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))
    for path in root.iterdir():
        if path.is_file():
            shutil.copy2(path, place / path.name)
    return place


def failed(root: Path, tests: Sequence[str]) -> str:
    """Run the tests on the tree at `root`; return the first that failed, or "" if all passed."""
    settings = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "CI": "true"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    try:
        done = subprocess.run(command, cwd=root, env=settings, capture_output=True, text=True, timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired:
        return f"{tests[0]} (did not end)"
    if done.returncode == 0:
        return ""
    if found := re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE):
        return found[1].split("[")[0]
    raise ValueError(f"pytest ended with {done.returncode} and named no test:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def run_all(root: Path, workers: int = 2, only: Sequence[str] = ()) -> Iterator[Mapping[str, Any]]:
    """Yield for each mutant its name, file, whether a test noticed, and which, in the order of the table.

    Raises ValueError for a mutant whose text is gone, and for tests that fail without any mutant.
    """
    table = [one for one in mutants() if not only or one.name in only]
    with tempfile.TemporaryDirectory() as folder:
        if (beside := root.parent / "shared").is_dir():  # vectors and public data, where they are; tests look for them there
            (Path(folder) / beside.name).symlink_to(beside.resolve())
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(workers):
            trees.put(copy(root, Path(folder) / str(number)))

        def clean(tests: tuple[str, ...]) -> str:
            tree = trees.get()
            try:
                return failed(tree, tests)
            finally:
                trees.put(tree)

        def noticed(one: Mutant) -> Mapping[str, Any]:
            tree = trees.get()
            try:
                was = one.apply(tree)
                try:
                    by = failed(tree, one.tests)
                finally:
                    (tree / one.file).write_text(was, encoding="utf-8")
            finally:
                trees.put(tree)
            return {"name": one.name, "file": one.file, "killed": bool(by), "by": by}

        with ThreadPoolExecutor(workers) as pool:
            tests = sorted({test for one in table for test in one.tests})
            parts = [tuple(tests[at::workers]) for at in range(workers) if tests[at::workers]]
            if broken := [by for by in pool.map(clean, parts) if by]:
                raise ValueError(f"{broken[0]} fails on the tree as it is: mutants say nothing")
            yield from pool.map(noticed, table)
