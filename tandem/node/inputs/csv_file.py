"""Rows of a CSV file: UTF-8, with or without byte order mark, or GB18030 where that is declared. The encoding is never guessed.

Rows are numbered from 1 below the header, blank lines not counted; no cell is quoted in an error. The file is streamed.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import Literal

from tandem.errors import InputError
from tandem.node.inputs.cells import Known

CHUNK_ROWS = 2_000

Encoding = Literal["utf-8", "gb18030"]
_OTHER: dict[Encoding, Encoding] = {"utf-8": "gb18030", "gb18030": "utf-8"}


class CsvFile:
    """An open table (read.Rows). Raises InputError for a file that is missing, empty, torn, or not in its encoding."""

    def __init__(self, path: Path, encoding: Encoding = "utf-8") -> None:
        self.place = str(path)
        self.kinds: dict[str, Known] = {}
        self.floating: frozenset[str] = frozenset()
        self._path, self._encoding = path, encoding
        self._look()
        self.header = [cell.strip() for cell in next(self._rows(0), [])]

    def chunks(self, names: Sequence[str], _: frozenset[str] = frozenset()) -> Iterator[list[Sequence[str]]]:
        """Yield these columns' cells, chunk by chunk, from the first row. A row of another width than the header is refused."""
        places = [self.header.index(name) for name in names]
        rows = self._rows(1)
        width, done = len(self.header), 0
        while chunk := list(islice(rows, CHUNK_ROWS)):
            torn = [(done + i, len(row)) for i, row in enumerate(chunk, 1) if len(row) != width]
            if torn:
                row, cells = torn[0]
                told = f"row {row} has {cells} cells, the header {width} ({len(torn)} such rows near it)"
                raise InputError(f"{self.place}: {told}; mend the file")
            columns = list(zip(*chunk, strict=True))
            yield [columns[i] for i in places]
            done += len(chunk)

    def _look(self) -> None:
        """Refuse what can be told from the first bytes."""
        try:
            with self._path.open("rb") as file:
                start = file.read(4)
        except FileNotFoundError:
            raise InputError(f"{self.place}: there is no such file; check the path") from None
        except OSError as error:
            raise InputError(f"{self.place}: cannot be read ({error.strerror}); check the path and who may read it") from error
        if not start:
            raise InputError(f"{self.place}: the file is empty; it needs a header line and rows")
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in start:
            raise InputError(f"{self.place}: this is UTF-16 or no text at all; save it as CSV in UTF-8")
        if self._encoding != "utf-8" and start.startswith(codecs.BOM_UTF8):
            raise InputError(f'{self.place}: the file begins with the mark of UTF-8: take encoding = "{self._encoding}" out')

    def _rows(self, first: int) -> Iterator[list[str]]:
        """Yield the rows that are not blank, from row `first` on, the header being row 0."""
        row = 0
        try:
            with self._open(self._encoding) as file:
                for cells in csv.reader(file, strict=True):
                    if cells or not row:
                        if row >= first:
                            yield cells
                        row += 1
        except csv.Error as error:
            place = f"after row {row - 1} a row" if row else "the header"
            raise InputError(f"{self.place}: {place} is no CSV ({error}); look for an open quote or a zero byte") from error
        except UnicodeDecodeError:
            raise InputError(self._misread()) from None
        except OSError as error:
            raise InputError(f"{self.place}: reading stopped after row {row - 1} ({error.strerror})") from error

    def _open(self, encoding: Encoding, errors: str = "strict") -> TextIOWrapper:
        # utf-8-sig is UTF-8 that may begin with a byte order mark.
        return self._path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors=errors, newline="")

    def _misread(self) -> str:
        """Say where the file leaves its encoding, and whether the other one would do."""
        number = 0
        with self._open(self._encoding, "surrogateescape") as file, suppress(csv.Error):
            for cells in csv.reader(file):
                if any("\udc80" <= letter <= "\udcff" for cell in cells for letter in cell):
                    break
                number += bool(cells)
        place = f"row {number}" if number else "the header"
        told = f"{self.place}: {place} is not {self._encoding.upper()}"
        other = _OTHER[self._encoding]
        try:
            with self._open(other) as file:
                while file.read(1 << 20):
                    pass
        except UnicodeDecodeError:
            return f"{told}, nor is the file {other.upper()}; save it as CSV in UTF-8"
        return f'{told}; if the file is {other.upper()}, add encoding = "{other}" to [table], or save it as UTF-8'
