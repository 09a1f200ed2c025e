"""What a run has found so far, in a file that grows line by line: a run of hours that was cut off goes on where it stood."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from attacked.catalogue import Line
from attacked.results import Result
from attacked.running import Tried


class Kept:
    """Lines and mutants that have ended, by name, each with the commit that it ran at.

    `path` None keeps nothing. A record of another size counts as none. Raises ValueError for a file that is not ours.
    """

    def __init__(self, path: Path | None, size: str, commit: str) -> None:
        self._path, self._size, self._commit = path, size, commit
        self._found: dict[tuple[str, str], dict[str, Any]] = {}
        if path is not None and path.exists():
            for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                self._take(path, number, text)

    def _take(self, path: Path, number: int, text: str) -> None:
        try:
            one = json.loads(text)
            key, size = (one["kind"], one["name"]), one["size"]
        except (ValueError, KeyError, TypeError) as fault:
            raise ValueError(f"{path} line {number}: not a record of scripts/attack; name another file, or take this line out") from fault
        if size == self._size:
            self._found[key] = one

    def add(self, name: str, weakened: Result, shipped: Result, sentence: str) -> None:
        """Keep a line that has ended, by its id."""
        self._write("line", name, {"weakened": asdict(weakened), "shipped": asdict(shipped), "sentence": sentence})

    def add_mutant(self, found: Mapping[str, Any]) -> None:
        """Keep a mutant that has ended."""
        self._write("mutant", str(found["name"]), dict(found))

    def _write(self, kind: str, name: str, found: dict[str, Any]) -> None:
        one = {"kind": kind, "name": name, "size": self._size, "commit": self._commit, "found": found}
        self._found[kind, name] = one
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(one, ensure_ascii=False) + "\n")

    def tried(self, lines: Iterable[Line]) -> dict[str, Tried]:
        """Return those of the lines that have ended, by id."""
        found = {}
        for line in lines:
            if one := self._found.get(("line", line.id)):
                results = (_result(one["found"][which]) for which in ("weakened", "shipped"))
                found[line.id] = Tried(line, *results, one["found"]["sentence"], one["commit"])
        return found

    def mutants(self, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Return those of the mutants that have ended, by name."""
        return {name: {**one["found"], "commit": one["commit"]} for name in names if (one := self._found.get(("mutant", name)))}


def _result(found: dict[str, Any]) -> Result:
    return Result(**{**found, "seeds": tuple(found["seeds"])})
