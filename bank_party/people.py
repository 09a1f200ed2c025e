"""A file of people as text: its cells as they are written, and each person in one spelling, so that files can be laid side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.align.identifiers import Form, normalise
from tandem.errors import InputError
from tandem.node.inputs.read import open_source
from tandem.node.inputs.source import TableSource


@dataclass(frozen=True)
class People:
    """Cells by column, in file order; `place`: row of each person, by identifier in one spelling."""

    name: str
    columns: Mapping[str, Sequence[str]] = field(repr=False)
    place: Mapping[bytes, int] = field(repr=False)

    def flags(self, column: str) -> NDArray[np.bool_]:
        """Return a column of 0 and 1. Raises InputError naming the first row that holds anything else."""
        cells = [cell.strip() for cell in self.columns[column]]
        wrong = next((row for row, cell in enumerate(cells, 1) if cell not in {"0", "1"}), 0)
        if wrong:
            raise InputError(f"{self.name}: column {column} must hold 0 or 1 in every row, and row {wrong} holds something else: mend it")
        return np.array([cell == "1" for cell in cells])


def read_people(path: Path, id_column: str, needed: Sequence[str], form: Form) -> People:
    """Read CSV, Parquet or DuckDB. Raises InputError for a file that cannot be read, lacks a column or rows, or names a person twice."""
    source = TableSource(source=str(path), id=id_column)
    with open_source(source, Path()) as rows:
        header = list(rows.header)
        absent = [name for name in (id_column, *needed) if name not in header]
        if absent:
            raise InputError(f"{path}: there is no column {', '.join(absent)}; the columns are {', '.join(header)}")
        columns: dict[str, list[str]] = {name: [] for name in header}
        if len(columns) < len(header):
            raise InputError(f"{path}: a column stands twice in the header: rename one")
        for chunk in rows.chunks(header, rows.floating & {id_column}):
            for name, cells in zip(header, chunk, strict=True):
                columns[name] += cells
    if not columns[id_column]:
        raise InputError(f"{path}: there are columns and no row below them")
    try:
        found = normalise(columns[id_column], form)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return People(str(path), columns, {value: int(row) for value, row in zip(found.values, found.rows, strict=True)})
