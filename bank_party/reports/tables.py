"""A table of a report, as values: the page and the workbook both show it, each in its own way, so that they cannot differ.

A column's `unit` says how a value is written: text, name (text that is cut short), long (text that may wrap), count, share (per
cent), points (a difference of shares, in hundredths; gap is one without a sign), number, signed, times (a ratio), p, seconds, size
(bytes). Its `form` says what stands in a cell:

    plain       one value
    interval    an Interval: the value with its limits beside it
    span        a pair (low, high)
    note        a pair (value, words or a count)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bank_party.evaluation import Interval
from tandem.pages import NONE, count, size

Unit = Literal["text", "name", "long", "count", "share", "points", "gap", "number", "signed", "times", "p", "seconds", "size"]
WORDY = frozenset({"text", "name", "long"})
"""Units that are words."""
TIMES, PER_CENT = "\u00d7\u202f", "\u202f%"
Form = Literal["plain", "interval", "span", "note"]
Value = str | int | float | Interval | tuple[Any, Any] | None


@dataclass(frozen=True)
class Column:
    """One column: its heading, the words under it (of the limits, or of the note), and how values are written."""

    head: str
    unit: Unit = "text"
    form: Form = "plain"
    sub: str = ""
    digits: int = 1
    before: str = ""
    """Stands before every number, for instance of an estimate."""

    @property
    def css(self) -> str:
        """The class of the column's cells."""
        return self.unit if self.unit in WORDY else ""


@dataclass(frozen=True)
class Table:
    """One table. strong, off: places of rows that stand out, or back. name: of its picture or sheet, where it has one."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    strong: frozenset[int] = frozenset()
    off: frozenset[int] = frozenset()
    dense: bool = False
    grouped: bool = False
    """Rows that begin alike belong together: the page writes their first cell once."""
    note: str = field(default="")
    """A sentence below."""


def shown(column: Column, value: Value) -> tuple[str, str]:
    """Return what a cell says, and what stands small below it."""
    if isinstance(value, Interval):
        return _write(column, value.value), _between(column, value.low, value.high)
    if isinstance(value, tuple):
        first, second = value
        if column.form == "note":
            return _write(column, first), second if isinstance(second, str) else count(second)
        return (NONE if first is None or second is None else _between(column, first, second)), ""
    return _write(column, value), ""


def number(value: float | None, digits: int = 3) -> str:
    """Return the number with so many decimals."""
    return NONE if value is None else f"{value:.{digits}f}".replace("-", "\u2212")


def signed(value: float | None, digits: int = 3) -> str:
    """Return the number with its sign, a true minus included."""
    return NONE if value is None else f"{value:+.{digits}f}".replace("-", "\u2212")


def share(value: float | None, digits: int = 1) -> str:
    """Return the share in per cent."""
    return NONE if value is None else f"{number(100 * value, digits)}{PER_CENT}"


def p_value(value: float | None) -> str:
    """Return a p value; below a thousandth it says so."""
    return NONE if value is None else "<\u202f0.001" if value < 0.001 else f"{value:.3f}"


def seconds(value: float) -> str:
    """Return a duration in seconds, or in minutes and seconds."""
    if value < 99.95:
        return f"{value:.1f}\u202fs"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}\u202fmin {rest:02d}\u202fs"


def _between(column: Column, low: float, high: float) -> str:
    """Return both ends; where they may be below zero, a dash between them would be read as a minus."""
    dash = "\u2026" if column.unit in {"signed", "points"} or low < 0.0 else "\u2013"
    return f"{_write(column, low, bare=True)} {dash} {_write(column, high, bare=column.unit == 'times')}"


def _write(column: Column, value: Any, *, bare: bool = False) -> str:
    """Return one value as text; `bare` leaves the sign of the unit to the value that follows."""
    if value is None or value == "":
        return NONE
    if column.unit in WORDY:
        return str(value)
    writing: dict[Unit, Callable[[Any], str]] = {
        "count": lambda each: count(round(each)).replace("-", "\u2212"),
        "share": lambda each: share(each, column.digits),
        "points": lambda each: signed(100 * each, column.digits),
        "gap": lambda each: number(100 * each, column.digits),
        "number": lambda each: number(each, column.digits),
        "signed": lambda each: signed(each, column.digits),
        "times": lambda each: f"{TIMES}{number(each, column.digits)}",
        "p": p_value,
        "seconds": seconds,
        "size": size,
    }
    text = writing[column.unit](value)
    return column.before + (text.removesuffix(PER_CENT).removeprefix(TIMES) if bare else text)
