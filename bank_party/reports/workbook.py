"""The report's tables as an Excel workbook: one sheet a section, numbers as numbers, texts as texts.

A text that begins with = + - or @ came from somebody's file and stays a text: no formula is ever written. A rate with its limits takes
three columns. Where a page says "-" the cell is empty text "-" too, so that nothing reads as zero.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from unicodedata import east_asian_width

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from bank_party.evaluation import Interval
from bank_party.reports.tables import WORDY, Column, Table, Unit, Value
from tandem.pages import NONE, Words

NARROWEST, WIDEST = 8, 46
"""Columns' widths in characters; longer texts wrap."""
ACROSS, BESIDE = 10, 10
"""Columns that a sentence goes across, and their width where no table sets it; so a line has about their product in characters."""
PLAIN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
COUNT = Column("", "count")
"""How a count beside a text is written."""
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True)
class Sentences:
    """A heading and the sentences below it."""

    title: str
    sentences: Sequence[str]


def write_workbook(sheets: Sequence[tuple[str, Sequence[Table | Sentences]]], made: date, words: Words) -> bytes:
    """Return the workbook's bytes; `made` stands as its date, so that the same facts give the same bytes."""
    file = io.BytesIO()
    book = Workbook(file, PLAIN)
    book.set_properties({"created": datetime.combine(made, time(), UTC).replace(tzinfo=None)})
    formats = _Formats(book)
    for name, parts in sheets:
        sheet = book.add_worksheet(FORBIDDEN.sub(" ", name)[:31])
        _fill(sheet, parts, formats, words)
    book.close()
    return file.getvalue()


class _Formats:
    """The workbook's few formats, each made once."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._made: dict[str, Format] = {}
        self.title = book.add_format({"bold": True, "font_size": 13})
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1, "bg_color": "#F1F4F7"})
        self.text = book.add_format({"valign": "top"})
        self.long = book.add_format({"valign": "top", "text_wrap": True})

    def of(self, column: Column) -> Format:
        """Return the format of a column's numbers."""
        zeros = f".{'0' * column.digits}" if column.digits else ""
        patterns: dict[Unit, str] = {
            "count": "#,##0", "share": f"0{zeros}%", "points": f"+0{zeros};-0{zeros};0{zeros}", "gap": f"0{zeros}", "number": f"0{zeros}",
            "signed": f"+0{zeros};-0{zeros};0{zeros}", "times": f"0{zeros}", "p": "0.000", "seconds": "0.0", "size": "#,##0",
        }
        pattern = patterns[column.unit]
        if pattern not in self._made:
            self._made[pattern] = self._book.add_format({"num_format": pattern, "valign": "top"})
        return self._made[pattern]


def _fill(sheet: Worksheet, parts: Sequence[Table | Sentences], formats: _Formats, words: Words) -> None:
    """Write the parts one under the other; the first part's header stays in sight."""
    row, widths, frozen = 0, dict[int, int](), False
    for part in parts:
        sheet.write_string(row, 0, part.title, formats.title)
        row += 1
        if isinstance(part, Sentences):
            for at in range(ACROSS):
                widths.setdefault(at, BESIDE)
            for sentence in part.sentences:
                row = _sentence(sheet, row, sentence, formats)
        else:
            heads = [head for column in part.columns for head in _heads(column, words)]
            for at, head in enumerate(heads):
                sheet.write_string(row, at, head, formats.head)
                widths[at] = max(widths.get(at, NARROWEST), min(18, _wide(head)))
            if not frozen:
                sheet.freeze_panes(row + 1, 1)
            row = _rows(sheet, row + 1, part, formats, widths)
            if part.note:
                row = _sentence(sheet, row, part.note, formats)
        frozen = True
        row += 1
    for at, width in widths.items():
        sheet.set_column(at, at, min(width, WIDEST) + 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _rows(sheet: Worksheet, row: int, table: Table, formats: _Formats, widths: dict[int, int]) -> int:
    for cells in table.rows:
        at = 0
        for column, value in zip(table.columns, cells, strict=True):
            for cell, own in _cells(column, value):
                if cell is None or cell == "":
                    sheet.write_string(row, at, NONE if own else "", formats.text)
                elif isinstance(cell, str):
                    sheet.write_string(row, at, cell, formats.long if column.unit == "long" else formats.text)
                    widths[at] = max(widths.get(at, NARROWEST), _wide(cell))
                else:
                    sheet.write_number(row, at, cell, formats.of(column if own else COUNT))
                at += 1
        row += 1
    return row


def _sentence(sheet: Worksheet, row: int, sentence: str, formats: _Formats) -> int:
    sheet.merge_range(row, 0, row, ACROSS - 1, "", formats.long)
    sheet.write_string(row, 0, sentence, formats.long)
    sheet.set_row(row, 15.5 * (1 + _wide(sentence) // (ACROSS * BESIDE - 10)))
    return row + 1


def _heads(column: Column, words: Words) -> list[str]:
    """Return the headings of the columns that this one takes in a sheet."""
    if column.form in {"interval", "span"}:
        ends = [f"{column.head}: {words('low')}", f"{column.head}: {words('high')}"]
        return [column.head, *ends] if column.form == "interval" else ends
    return [column.head, column.sub] if column.form == "note" else [column.head]


def _cells(column: Column, value: Value) -> list[tuple[Any, bool]]:
    """Return what one value takes in a sheet, cell by cell: (value, whether "-" stands for nothing there)."""
    factor = 100.0 if column.unit in {"points", "gap"} else 1.0

    def scaled(each: Any) -> Any:
        return each if each is None or column.unit in WORDY else factor * each

    if column.form == "interval":
        found = value if isinstance(value, Interval) else (None, None, None)
        return [(scaled(each), True) for each in found]
    if column.form == "span":
        found_span = value if isinstance(value, tuple) else (None, None)
        return [(scaled(each), True) for each in found_span]
    if column.form == "note" and isinstance(value, tuple):
        return [(scaled(value[0]), True), (value[1], False)]
    return [(scaled(value), True)]


def _wide(text: str) -> int:
    """Return a text's width in characters; Chinese ones take two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
