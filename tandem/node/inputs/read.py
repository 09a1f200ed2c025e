"""A party's table, read from its source as its schema says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tandem.errors import InputError
from tandem.node.inputs.cells import Building, Kind, Known, numbered
from tandem.node.inputs.csv_file import CsvFile
from tandem.node.inputs.source import TableSource
from tandem.tables import Table

_TEXT: Kind = "text"
_NUMBER: Kind = "number"


class Rows(Protocol):
    """An open source. `kinds`: what it knows of its columns (a CSV file knows nothing); `floating`: columns kept as binary fractions."""

    @property
    def place(self) -> str:
        """What an error calls it; no password is in it."""

    @property
    def header(self) -> Sequence[str]:
        """The columns it has, in order."""

    @property
    def kinds(self) -> Mapping[str, Known]:
        """Kinds by column, where they are known."""

    @property
    def floating(self) -> frozenset[str]:
        """Columns whose whole numbers may have lost digits."""

    def chunks(self, names: Sequence[str], whole: frozenset[str]) -> Iterator[list[Sequence[str]]]:
        """Yield the cells of these columns, chunk by chunk, from the first row; NULL is the empty cell.

        `whole`: those of `floating` whose whole numbers are to be written without point or exponent.
        """


def read_table(
    source: TableSource, folder: Path = Path(), *, label: str = "", numeric: Sequence[str] = (), text: Sequence[str] = ()
) -> Table:
    """Read the table; a relative path starts at `folder`. The label's column, if named, comes among the others, as text.

    With `source.columns` those columns and no others, in that order. Otherwise all but `source.drop`: numbers or text by the source's own
    type, or, in a CSV file, by what they hold; `source.numeric` and `source.text` declare columns whose content would mislead. `numeric`
    and `text` are what frozen cuts or a model ask for. Raises InputError for what cannot be read, for doubled or missing columns, for a
    declared number that is none, and for infinities.
    """
    with open_source(source, folder) as rows:
        kinds = _declared(source, label, numeric, text)
        _check_header(rows, [source.id, *kinds, *source.drop])
        names = list(kinds) if source.columns else [name for name in rows.header if name != source.id and name not in source.drop]
        chosen: dict[str, Kind] = {name: kinds.get(name) or rows.kinds.get(name) or "" for name in names}
        found = _read(rows, source.id, chosen)
        if isinstance(found, set):  # these looked like numbers for a while: their first rows are read again as text
            again: dict[str, Kind] = {name: "text" if name in found else kind for name, kind in chosen.items()}
            found = _read(rows, source.id, again)
        if isinstance(found, set):
            raise InputError(f"{rows.place}: the table changed while it was read; read it again when nobody writes to it")
        return found


def read_header(source: TableSource, folder: Path = Path()) -> list[str]:
    """Return the names of the table's columns, and read nothing below them. Raises InputError as `read_table` does."""
    with open_source(source, folder) as rows:
        return list(rows.header)


@contextmanager
def open_source(source: TableSource, folder: Path) -> Iterator[Rows]:
    """Open the source for reading. Raises InputError if it is absent, is not what its name says, or its library is not installed."""
    if source.format == "csv":
        yield CsvFile(folder / source.source, source.encoding)
    elif source.format == "postgresql":
        from tandem.node.inputs.postgres_query import opened as query  # noqa: PLC0415 - the driver is an extra

        with query(source, folder) as rows:
            yield rows
    else:
        from tandem.node.inputs.duckdb_file import opened as file  # noqa: PLC0415 - a node that reads CSV never loads it

        with file(source, folder) as rows:
            yield rows


def _declared(source: TableSource, label: str, numeric: Sequence[str], text: Sequence[str]) -> dict[str, Kind]:
    """Return the declared kinds by column, in the schema's order; the identifier is not among them."""
    if not source.columns:
        both = sorted(set(numeric or source.numeric) & set(text or source.text))
        if both:
            raise InputError(f"columns {', '.join(both)} are declared both numeric and text: choose one")
        as_text, as_number = dict.fromkeys([*source.text, *text], _TEXT), dict.fromkeys([*source.numeric, *numeric], _NUMBER)
        asked = dict.fromkeys([*text, *([label] if label else [])], _TEXT) | dict.fromkeys(numeric, _NUMBER)
        return as_text | as_number | asked
    kinds: dict[str, Kind] = {}
    for name, kind in source.columns.items():
        if name == label:
            kinds[name] = "text"
        elif kind != "id" and kind != "label":  # noqa: PLR1714 - so that mypy sees what is left
            kinds[name] = kind
    absent = [name for name in (*numeric, *text, *([label] if label else [])) if name not in kinds]
    if absent:
        raise InputError(f"[table.columns] lacks {', '.join(absent)}: declare what the model or study needs")
    other = [name for name in numeric if kinds[name] == "text"] + [name for name in text if kinds[name] != "text"]
    if other:
        raise InputError(f"[table.columns] declares {', '.join(other)} otherwise than the model does: take its kind, or train anew")
    return kinds


def _check_header(rows: Rows, needed: Sequence[str]) -> None:
    header = list(rows.header)
    empty = [str(i) for i, name in enumerate(header, 1) if not name]
    if not header or empty:
        raise InputError(f"{rows.place}: the header is empty or lacks the name of column {', '.join(empty) or '1'}; name every column")
    doubled = sorted(name for name, times in Counter(header).items() if times > 1)
    if doubled:
        raise InputError(f"{rows.place}: columns {', '.join(doubled)} stand more than once in the header; rename them")
    absent = [name for name in needed if name not in header]
    if absent:
        other = len(header) == 1 and any(c in header[0] for c in ";\t")
        hint = "; the header seems to be parted by semicolons or tabs: save with commas" if other else ""
        raise InputError(f"{rows.place}: there is no column {', '.join(absent)}; the columns are {', '.join(header)}{hint}")


def _read(rows: Rows, id_column: str, kinds: Mapping[str, Kind]) -> Table | set[str]:
    """Return the table, or the names of columns that turned out to be text after rows of them had been read as numbers."""
    building = [Building(name, kind) for name, kind in kinds.items()]
    ids: list[str] = []
    whole = frozenset(name for name in rows.floating if name == id_column or kinds.get(name) == "text")
    for first, *columns in rows.chunks([id_column, *kinds], whole):
        for one, cells in zip(building, columns, strict=True):
            one.add(cells, len(ids))
        ids += map(str.strip, first)
    if not ids:
        raise InputError(f"{rows.place}: there are columns and no row below them")
    if id_column in rows.floating:
        _whole(rows.place, id_column, ids)
    if late := {one.name for one in building if one.late}:
        return late
    return Table(ids, {one.name: one.finish(rows.place) for one in building})


def _whole(place: str, name: str, ids: Sequence[str]) -> None:
    lost = [row for row, value in enumerate(ids, 1) if value and not value.isdecimal()]
    if lost:
        told = f"identifier {name!r} is kept as binary fractions; {len(lost)} values lost digits or have a fraction (rows {numbered(lost)})"
        raise InputError(f"{place}: {told}: store it as text or integers")
