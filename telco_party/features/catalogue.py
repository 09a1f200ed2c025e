"""The catalogue of variables, read from the families' SQL files: adding a variable is adding one entry to one of them.

A file opens with `-- family NAME | English | Chinese`. `-- each WORD: level=Chinese, ...` makes an entry that says <WORD> one entry a
level.
A stage is a query that makes rows of raw records or of the stages above it:

    -- stage NAME by phone|person absent null|0 | when a variable over it is missing | the same in Chinese

and an entry an aggregate over a stage's rows, one value a phone or person:

    -- variable NAME of STAGE | Chinese name | unit | windows in months, or all
    -- Meaning.
    -- Chinese meaning.
    expression;

A window is a suffix of the variable's name: calls over 1, 3 and 6 months are calls_1m, calls_3m and calls_6m. In an expression `in_window`
tells whether a row lies in the window, `window_months` and `window_days` how long it is. A stage's `ago` is the row's month before the
as-of date, from 1. With `absent null` a variable is missing where the stage has no row of the window, with `absent 0` it is 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

FOLDER = Path(__file__).parent
FAMILIES = ("calls", "usage", "location", "spending", "identity", "portrait")
"""In the order in which they are derived: portrait reads the variables of the others."""
LONGEST = 6
"""Months of the longest window: older events are not read."""

_STAGE = re.compile(r"-- stage (\w+) by (phone|person) absent (null|0) \| (.+) \| (.+)")
_ENTRY = re.compile(r"-- variable ([\w<>]+) of (\w+) \| (.+) \| (.+) \| (all|[\d ]+)")
_EACH = re.compile(r"^-- each (\w+): (.+)$", re.MULTILINE)
_HEAD = re.compile(r"-- family (\w+) \| (.+) \| (.+)")


@dataclass(frozen=True)
class Stage:
    """Rows of a person or phone. `absent` is what a variable is where there are none, `missing` and `missing_zh` say when it is missing."""

    name: str
    key: Literal["phone", "person"]
    absent: Literal["null", "0"]
    missing: str
    missing_zh: str
    query: str


@dataclass(frozen=True)
class Variable:
    """One variable: what the catalogue tells of it. `window` is in months, None for all time before the as-of date."""

    name: str
    chinese: str
    meaning: str
    meaning_zh: str
    unit: str
    window: int | None
    family: str
    stage: Stage
    expression: str

    @property
    def is_text(self) -> bool:
        """Whether it holds names of levels."""
        return self.unit == "text"


@dataclass(frozen=True)
class Family:
    """One SQL file: its stages and its variables, in their order there."""

    name: str
    english: str
    chinese: str
    stages: tuple[Stage, ...]
    variables: tuple[Variable, ...]


@cache
def family(name: str) -> Family:
    """Return a family as its file has it. Raises ValueError for a file that does not follow the form above: a fault of ours."""
    return parse((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))


def catalogue(families: tuple[str, ...] = FAMILIES) -> tuple[Variable, ...]:
    """Return every variable of the families."""
    return tuple(variable for name in families for variable in family(name).variables)


def parse(text: str) -> Family:
    """Return the family that the text of an SQL file describes. Raises ValueError."""
    head = _HEAD.match(text)
    if not head:
        raise ValueError("the first line must be -- family NAME | English | Chinese")
    levels = {word: [part.split("=") for part in listed.split(", ")] for word, listed in _EACH.findall(text)}
    stages: dict[str, Stage] = {}
    variables: list[Variable] = []
    for block in re.split(r"\n\s*\n", text):
        first, *rest = block.strip().splitlines()
        said = [line.removeprefix("-- ") for line in rest if line.startswith("--")]
        sql = "\n".join(line for line in rest if not line.startswith("--")).strip().removesuffix(";")
        if found := _STAGE.fullmatch(first):
            name, key, absent, missing, missing_zh = found.groups()
            stages[name] = Stage(name, "phone" if key == "phone" else "person", "0" if absent == "0" else "null", missing, missing_zh, sql)
        elif found := _ENTRY.fullmatch(first):
            name, stage, chinese, unit, windows = found.groups()
            if len(said) != 2 or not sql or stage not in stages:
                raise ValueError(f"variable {name}: it needs a stage above it, a meaning in English and one in Chinese, and an expression")
            entry = Variable(name, chinese, said[0], said[1], unit, None, head[1], stages[stage], sql)
            variables += [_over(one, window) for one in _spread(entry, levels) for window in windows.split()]
        elif not _HEAD.match(first):
            raise ValueError(f"neither stage nor variable: {first}")
    return Family(head[1], head[2], head[3], tuple(stages.values()), tuple(variables))


def _spread(entry: Variable, levels: dict[str, list[list[str]]]) -> list[Variable]:
    """Return the entry once a level of the word that it says; as it is if it says none."""
    word = next((one for one in levels if f"<{one}>" in entry.name), None)
    if word is None:
        return [entry]
    mark = f"<{word}>"
    return [
        replace(
            entry, name=entry.name.replace(mark, level), chinese=entry.chinese.replace(mark, chinese),
            meaning=entry.meaning.replace(mark, level.replace("_", " ")), meaning_zh=entry.meaning_zh.replace(mark, chinese),
            expression=entry.expression.replace(mark, level.replace("_", " ")),
        )
        for level, chinese in levels[word]
    ]


def _over(entry: Variable, window: str) -> Variable:
    """Return the entry over one window, its expression ready to be run."""
    if window == "all":
        return entry
    words = {"in_window": f"ago <= {window}", "window_months": window, "window_days": f"days_of({window})"}
    expression = re.sub(r"\b(in_window|window_months|window_days)\b", lambda found: words[found[0]], entry.expression)
    return replace(entry, name=f"{entry.name}_{window}m", window=int(window), expression=expression)
