"""Cells of text, chunk by chunk, made into one column: numbers, text or dates, with the missing ones among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np

from tandem.errors import InputError
from tandem.tables import Column, Floats, Texts

MISSING = frozenset({"", "NA", "na", "Na", "NaN", "nan", "NAN", "Nan", "null", "NULL", "Null", "无记录"})
"""Cells that stand for no value, after blanks around them are cut off."""
SHOWN = 5
"""Row numbers named in one error."""

Known = Literal["number", "text", "date"]
"""What a column is declared to hold. A date becomes days since 1970-01-01."""
Kind = Known | Literal[""]
""""" is not declared: numbers if every cell is one, else text."""

_DATE = re.compile(r"(\d{4})(?:-(\d\d?)-(\d\d?)|/(\d\d?)/(\d\d?)|(\d\d)(\d\d))(?:[ T]\d\d:.*)?")
_EPOCH = date(1970, 1, 1).toordinal()


class Building:
    """One column while its table is read. `late`: rows had been taken for numbers before text came, so they must be read again as text."""

    def __init__(self, name: str, kind: Kind) -> None:
        self.name, self.kind = name, kind
        self.late = False
        self.parts: list[Column] = []
        self.same: dict[str, str | None] = dict.fromkeys(MISSING)
        self.days: dict[str, float] = dict.fromkeys(MISSING, float("nan"))
        self.wrong: list[int] = []
        self.infinite: list[int] = []

    def add(self, cells: Sequence[str], before: int) -> None:
        """Take the next rows' cells; `before` rows came earlier."""
        if self.late:
            return
        if self.kind == "text":
            self.parts.append(self._texts(cells))
        elif self.kind == "date":
            self.parts.append(self._dates(cells, before))
        elif (numbers := _numbers(cells)) is not None:
            self.infinite += [before + int(i) + 1 for i in np.flatnonzero(np.isinf(numbers))]
            self.parts.append(numbers)
        elif self.kind == "number":
            self.wrong += [before + i for i, cell in enumerate(cells, 1) if _numbers([cell]) is None]
        elif all(bool(np.isnan(np.asarray(part, dtype=np.float64)).all()) for part in self.parts):
            self.kind = "text"
            self.parts = [np.full(len(part), None, dtype=np.object_) for part in self.parts]
            self.infinite = []
            self.parts.append(self._texts(cells))
        else:
            self.late = True
            self.parts = []

    def _texts(self, cells: Sequence[str]) -> Texts:
        """One string object a level, so that a column of few levels costs a pointer a row."""
        column: Texts = np.empty(len(cells), dtype=np.object_)
        column[:] = [self.same.setdefault(cell, cell) for cell in map(str.strip, cells)]
        return column

    def _dates(self, cells: Sequence[str], before: int) -> Floats:
        """Days since 1970-01-01; each distinct date is worked out once."""
        column = np.empty(len(cells), dtype=np.float64)
        for i, cell in enumerate(map(str.strip, cells)):
            if (days := self.days.get(cell)) is None:
                days = _days(cell)
                if days is None:
                    self.wrong.append(before + i + 1)
                    continue
                self.days[cell] = days
            column[i] = days
        return column

    def finish(self, place: str) -> Column:
        """Return the column. Raises InputError naming the rows whose cell is not what was declared, or infinite."""
        for rows, what in ((self.wrong, f"is no {self.kind}"), (self.infinite, "is infinite")):
            if rows:
                told = f"column {self.name!r}: {len(rows)} cells of which each {what} (rows {numbered(rows)})"
                raise InputError(f"{place}: {told}; mend or empty them")
        if self.kind == "text":
            return np.concatenate(self.parts, dtype=np.object_)
        return np.concatenate(self.parts, dtype=np.float64)


def numbered(rows: Sequence[int]) -> str:
    """Return the first row numbers as an error names them."""
    return ", ".join(map(str, rows[:SHOWN])) + (", ..." if len(rows) > SHOWN else "")


def _numbers(cells: Sequence[str]) -> Floats | None:
    """Return the cells as numbers, NaN for a missing one; None if one of them is no number."""
    if "_" in "".join(cells):  # Python reads 1_000 as a number; nobody else does
        return None
    try:
        return np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
    except ValueError:  # most columns have no missing value: look for them only here
        pass
    try:
        return np.array([float("nan" if cell in MISSING else cell) for cell in map(str.strip, cells)], dtype=np.float64)
    except ValueError:
        return None


def _days(cell: str) -> float | None:
    """Return days since 1970-01-01 of `2024-01-31`, `2024/1/31` or `20240131`, with or without a time of day; None if it is no date."""
    found = _DATE.fullmatch(cell)
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return float(date(year, month, day).toordinal() - _EPOCH)
    except ValueError:
        return None
