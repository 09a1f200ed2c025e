"""An experiment's file, one row a person, made into the lines of a lift table: every arm against control, whole and by segment.

Reading follows `tandem.node.inputs`; the arm stands in the place of an identifier, which such a file need not have.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bank_party.evaluation import BoolArray, FloatArray, Interval
from bank_party.labels import PAIRS, plain
from bank_party.lift import Comparison, Counts, compare_samples, levelled, together
from bank_party.lift_means import Amounts, amounts
from tandem.errors import InputError
from tandem.node.inputs.cells import MISSING, numbered
from tandem.node.inputs.csv_file import Encoding
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import Declared, TableSource
from tandem.tables import Column

MOST_LEVELS = 50
"""Most arms, and most segments: beyond it the column is no such thing, or wants to be binned."""
FEW = 50
"""People under whom a group is said to be small, and a segment is not judged."""


@dataclass(frozen=True)
class Columns:
    """What the user asked for. `arms`: those to compare, all others if empty."""

    group: str
    control: str
    outcomes: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    by: str = ""
    score: str = ""
    arms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Experiment:
    """Rows of a known arm: `arm` and `segment` (N,) are places in `arms`, control first, and `segments`; () where none were asked for.

    `score` (N,) is 0 where none was.
    """

    arms: tuple[str, ...]
    arm: NDArray[np.int64] = field(repr=False)
    measures: dict[str, BoolArray | FloatArray] = field(repr=False)
    segments: tuple[str, ...]
    segment: NDArray[np.int64] = field(repr=False)
    score: FloatArray = field(repr=False)
    left_out: int

    @property
    def sizes(self) -> list[int]:
        """People by arm."""
        return [int(size) for size in np.bincount(self.arm, minlength=len(self.arms))]


@dataclass(frozen=True)
class Line:
    """One arm of one table: its rate or mean, and how it compares with control; control's own line compares with nothing.

    `segment` is None in the table of all. `few`: this arm or its control has fewer people than asked for; in a segment it is not judged.
    """

    measure: str
    segment: str | None
    arm: str
    rows: int
    successes: int | None
    estimate: Interval | None
    comparison: Comparison | None
    few: bool

    @property
    def judged(self) -> bool:
        """Whether a verdict is given."""
        return self.comparison is not None and not (self.few and self.segment is not None)


def read(file: Path, asked: Columns, encoding: Encoding = "utf-8") -> Experiment:
    """Read the file; rows without an arm, or of an arm that was not asked for, are left out and counted.

    Raises InputError for a column that is absent or asked for twice, an outcome that is not two-valued, an amount that is missing, a
    control or arm that is not there, and what `read_table` refuses.
    """
    if not asked.outcomes and not asked.values:
        raise InputError("nothing to compare: name a two-valued column with --outcome, or amounts with --value")
    doubled = [name for name, times in Counter(_names(asked)).items() if times > 1]
    if doubled:
        raise InputError(f"column {', '.join(doubled)} is asked for twice: name each once")
    kinds: dict[str, Declared] = {**dict.fromkeys(asked.outcomes, "text"), **dict.fromkeys([*asked.values, *_named(asked.score)], "number")}
    if asked.by:
        kinds[asked.by] = "text"
    table = read_table(TableSource(source=str(file), id=asked.group, columns=kinds, encoding=encoding))
    found = Counter(name for name in table.ids if name not in MISSING)
    arms = _arms(asked, found)
    place = {name: i for i, name in enumerate(arms)}
    arm = np.array([place.get(name, -1) for name in table.ids], dtype=np.int64)
    kept = arm >= 0
    measures: dict[str, BoolArray | FloatArray] = {name: two_valued(table.columns[name], name, kept) for name in asked.outcomes}
    measures |= {name: whole(table.columns[name], name, kept) for name in asked.values}
    segments, segment = _segments(table.columns[asked.by], asked.by) if asked.by else ((), np.zeros(len(arm), dtype=np.int64))
    score = whole(table.columns[asked.score], asked.score, kept) if asked.score else np.zeros(int(kept.sum()))
    return Experiment(arms, arm[kept], measures, segments, segment[kept], score, int(np.sum(~kept)))


def overall(experiment: Experiment, level: float, few: int = FEW) -> list[Line]:
    """Return every arm against control for every measure, all judged together; arms of fewer than `few` people are marked."""
    everybody = np.ones(len(experiment.arm), dtype=np.bool_)
    return as_one([line for name in experiment.measures for line in _lines(experiment, name, None, everybody, levelled(level), few)])


def by_segment(experiment: Experiment, level: float, few: int = FEW) -> list[Line]:
    """Return the same by segment, judged together as a table of its own; what has fewer than `few` people on either side is not judged."""
    return as_one([
        line
        for name in experiment.measures
        for i, segment in enumerate(experiment.segments)
        for line in _lines(experiment, name, segment, experiment.segment == i, levelled(level), few)
    ])


def two_valued(column: Column, name: str, kept: BoolArray) -> BoolArray:
    """Return the outcome of the rows kept: True for 1, yes, true, 是 and the like (`labels.PAIRS`); one value of a pair alone is no error.

    Raises InputError where a cell is empty or the values are not of one pair.
    """
    numbers = (np.flatnonzero(kept) + 1).tolist()
    values = [plain(cell) for cell in column[kept].tolist()]
    empty = [row for row, value in zip(numbers, values, strict=True) if value is None]
    if empty:
        told = f"outcome {name!r} is empty in {len(empty)} of {len(values)} rows (rows {numbered(empty)})"
        raise InputError(f"{told}: write 0, or leave these people out")
    found = Counter(str(value) for value in values)
    pair = max(PAIRS, key=lambda one: sum(found[value] for value in one))
    others = found.keys() - pair
    if others:
        rows = [row for row, value in zip(numbers, values, strict=True) if value in others]
        beside = f"beside {' and '.join(sorted(pair))} it has" if len(others) < len(found) else "it has none of 0 and 1, yes and no, but"
        told = f"{beside} {len(others)} other {'value' if len(others) == 1 else 'values'} in {len(rows)} rows (rows {numbered(rows)})"
        raise InputError(f"outcome {name!r} is not two-valued: {told}; write 0 and 1, or name it with --value if it is an amount")
    return np.array([value == PAIRS[pair] for value in values], dtype=np.bool_)


def whole(column: Column, name: str, kept: BoolArray) -> FloatArray:
    """Return the amounts of the rows kept. Raises InputError where one is missing."""
    value = np.asarray(column, dtype=np.float64)
    empty = (np.flatnonzero(np.isnan(value) & kept) + 1).tolist()
    if empty:
        told = f"column {name!r} is empty in {len(empty)} of {int(kept.sum())} rows (rows {numbered(empty)})"
        raise InputError(f"{told}: write a number, which is 0 where nothing was spent")
    return value[kept]


def _names(asked: Columns) -> Sequence[str]:
    return [asked.group, *asked.outcomes, *asked.values, *_named(asked.by), *_named(asked.score)]


def _named(name: str) -> list[str]:
    return [name] if name else []


def _arms(asked: Columns, found: Counter[str]) -> tuple[str, ...]:
    """Return the arms to compare, control first, the others as asked for or by name."""
    if len(found) > MOST_LEVELS:
        raise InputError(f"column {asked.group!r} has {len(found)} values: arms are at most {MOST_LEVELS}; name the column of the arms")
    listed = ", ".join(f"{name!r}" for name in sorted(found)) or "none"
    absent = [name for name in (asked.control, *asked.arms) if name not in found]
    if absent:
        raise InputError(f"column {asked.group!r} has no row of {', '.join(map(repr, absent))}; its values are {listed}")
    others = asked.arms or tuple(sorted(found.keys() - {asked.control}))
    if not others or asked.control in others or len(set(others)) < len(others):
        raise InputError(f"column {asked.group!r}: there must be arms other than control, each once; its values are {listed}")
    return (asked.control, *others)


def _segments(column: Column, name: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the segments by name, and each row's place; an empty cell is a segment of its own, called ''."""
    levels, place = np.unique(np.array(["" if cell is None else str(cell) for cell in column.tolist()]), return_inverse=True)
    if len(levels) > MOST_LEVELS:
        raise InputError(f"column {name!r} has {len(levels)} values: --by takes at most {MOST_LEVELS}; bin it first")
    return tuple(str(level) for level in levels), place.astype(np.int64)


def _lines(experiment: Experiment, name: str, segment: str | None, here: BoolArray, level: float, few: int) -> Iterator[Line]:
    """Yield control's line and every other arm's, of the rows that are `here`; nothing is judged together yet."""
    values = experiment.measures[name]
    samples = [_sample(values[here & (experiment.arm == i)]) for i in range(len(experiment.arms))]
    sizes = np.bincount(experiment.arm[here], minlength=len(experiment.arms)).tolist()
    for i, (arm, sample) in enumerate(zip(experiment.arms, samples, strict=True)):
        successes = sample.successes if isinstance(sample, Counts) else None
        compared = compare_samples(sample, samples[0], level) if i else None
        yield Line(name, segment, arm, sizes[i], successes, sample.estimate(level), compared, small(sizes[i], sizes[0], few))


def _sample(values: BoolArray | FloatArray) -> Counts | Amounts:
    return Counts(int(values.sum()), len(values)) if values.dtype == np.bool_ else amounts(values.astype(np.float64))


def small(rows: int, control: int, few: int) -> bool:
    """Return whether a side has fewer people than `few`."""
    return min(rows, control) < few


def as_one(lines: list[Line]) -> list[Line]:
    """Return the lines of one table, judged together."""
    able = [(i, line.comparison) for i, line in enumerate(lines) if line.comparison is not None and line.judged]
    for (i, _), comparison in zip(able, together([comparison for _, comparison in able]), strict=True):
        lines[i] = replace(lines[i], comparison=comparison)
    return lines
