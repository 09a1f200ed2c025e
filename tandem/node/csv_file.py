"""A CSV file as a `Table`: the identifier column as text, every other column as numbers or text by what it holds.

UTF-8, with or without byte order mark, or GB18030. Whatever cannot be read is an InputError with the row: rows are numbered from 1 below
the header, blank lines not counted; no cell is quoted. The file is streamed: beside the table, memory holds one chunk of rows.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from tandem.errors import InputError
from tandem.tables import Column, Floats, Table, Texts

MISSING = frozenset({"", "NA", "na", "Na", "NaN", "nan", "NAN", "Nan", "null", "NULL", "Null", "无记录"})
"""Cells that stand for no value, after blanks around them are cut off."""
CHUNK_ROWS = 20_000
SHOWN = 5
"""Row numbers named in one error."""


def read_table(path: Path, id_column: str, *, numeric: Sequence[str] = (), text: Sequence[str] = (), drop: Sequence[str] = ()) -> Table:
    """Read a file. `numeric` and `text` declare columns whose content would mislead (codes that look like numbers); `drop` are not read.

    Without declaration a column whose every value is a number is numeric. Raises InputError for a file that is missing, empty, in another
    encoding or torn, for doubled or missing columns, for a declared number that is none, and for infinities.
    """
    encoding = _encoding(path)
    kinds = dict.fromkeys(text, "text") | dict.fromkeys(numeric, "declared")
    both = sorted(set(numeric) & set(text))
    if both:
        raise InputError(f"columns {', '.join(both)} are declared both numeric and text: choose one")
    found = _read(path, encoding, id_column, kinds, frozenset(drop))
    if isinstance(found, set):  # these looked like numbers for a while: their first rows are read again as text
        found = _read(path, encoding, id_column, kinds | dict.fromkeys(found, "text"), frozenset(drop))
    if isinstance(found, set):
        raise InputError(f"{path}: the file changed while it was read; read it again when nobody writes to it")
    return found


def read_header(path: Path) -> list[str]:
    """Return the names of a file's columns, and read nothing below them. Raises InputError as `read_table` does."""
    with path.open(encoding=_encoding(path), newline="") as file:
        return _header(path, csv.reader(file, strict=True), ())


def _encoding(path: Path) -> str:
    """Return the first of UTF-8 and GB18030 in which the whole file can be read."""
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and who may read it") from error
    if not start:
        raise InputError(f"{path}: the file is empty; it needs a header line and rows")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start:
        raise InputError(f"{path}: this is UTF-16 or no text at all; save it as CSV in UTF-8")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            continue
        return encoding
    raise InputError(f"{path}: neither UTF-8 nor GB18030; save it as CSV in UTF-8")


def _read(path: Path, encoding: str, id_column: str, kinds: dict[str, str], drop: frozenset[str]) -> Table | set[str]:
    """Return the table, or the names of columns that turned out to be text after rows of them had been read as numbers."""
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        header = _header(path, reader, [id_column, *kinds, *drop])
        at = header.index(id_column)
        building = {i: _Building(name, kinds.get(name, "")) for i, name in enumerate(header) if i != at and name not in drop}
        ids: list[str] = []
        for chunk in _chunks(path, reader, len(header)):
            columns = list(zip(*chunk, strict=True))
            for i, column in building.items():
                column.add(columns[i], len(ids))
            ids += [cell.strip() for cell in columns[at]]
    if not ids:
        raise InputError(f"{path}: there is a header and no row below it")
    again = {column.name for column in building.values() if column.late}
    if again:
        return again
    for column in building.values():
        column.complain(path)
    return Table(ids, {column.name: column.finish() for column in building.values()})


def _header(path: Path, reader: Iterator[list[str]], needed: Sequence[str]) -> list[str]:
    try:
        header = [cell.strip() for cell in next(reader, [])]
    except csv.Error as error:
        raise InputError(f"{path}: the header is no CSV ({error})") from error
    empty = [str(i) for i, name in enumerate(header, 1) if not name]
    if not header or empty:
        raise InputError(f"{path}: the header is empty or lacks the name of column {', '.join(empty) or '1'}; name every column in line 1")
    doubled = sorted(name for name, times in Counter(header).items() if times > 1)
    if doubled:
        raise InputError(f"{path}: columns {', '.join(doubled)} stand more than once in the header; rename them")
    absent = [name for name in needed if name not in header]
    if absent:
        other = len(header) == 1 and any(c in header[0] for c in ";\t")
        hint = "; the header seems to be parted by semicolons or tabs: save with commas" if other else ""
        raise InputError(f"{path}: there is no column {', '.join(absent)}; the columns are {', '.join(header)}{hint}")
    return header


def _chunks(path: Path, reader: Iterator[list[str]], width: int) -> Iterator[list[list[str]]]:
    """Yield the rows in chunks; a row of another width than the header is refused."""
    done = 0
    while True:
        try:
            chunk = [row for row in islice(reader, CHUNK_ROWS) if row]
        except csv.Error as error:
            raise InputError(f"{path}: after row {done} a row is no CSV ({error}); look for an open quote or a zero byte") from error
        except OSError as error:
            raise InputError(f"{path}: reading stopped after row {done} ({error.strerror})") from error
        torn = [(done + i, len(row)) for i, row in enumerate(chunk, 1) if len(row) != width]
        if torn:
            row, cells = torn[0]
            raise InputError(f"{path}: row {row} has {cells} cells, the header {width} ({len(torn)} such rows near it); mend the file")
        if chunk:
            yield chunk
        elif next(reader, None) is None:  # a chunk of blank lines only is not yet the end
            return
        else:
            raise InputError(f"{path}: more than {CHUNK_ROWS} blank lines after row {done}; remove them")
        done += len(chunk)


class _Building:
    """One column while the file is read. Kind: "" (not declared; numbers so far), "declared" (must be numbers), "text"."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.late = False
        self.parts: list[Column] = []
        self.same: dict[str, str | None] = dict.fromkeys(MISSING)
        self.wrong: list[int] = []
        self.infinite: list[int] = []

    def add(self, cells: Sequence[str], before: int) -> None:
        if self.late:
            return
        if self.kind == "text":
            self.parts.append(self._texts(cells))
            return
        numbers = _numbers(cells)
        if numbers is not None:
            self.infinite += [before + int(i) + 1 for i in np.flatnonzero(np.isinf(numbers))]
            self.parts.append(numbers)
        elif self.kind == "declared":
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

    def complain(self, path: Path) -> None:
        for rows, what in ((self.wrong, "is no number"), (self.infinite, "is infinite")):
            if rows:
                named = ", ".join(map(str, rows[:SHOWN])) + (", ..." if len(rows) > SHOWN else "")
                raise InputError(f"{path}: column {self.name!r}: {len(rows)} cells of which each {what} (rows {named}); mend or empty them")

    def finish(self) -> Floats | Texts:
        if self.kind == "text":
            return np.concatenate(self.parts, dtype=np.object_)
        return np.concatenate(self.parts, dtype=np.float64)


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
