"""The telco's file: one row a subscriber, an identifier column, and the variables it offers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tandem.errors import InputError
from tandem.node.csv_file import read_table
from tandem.tables import Table


def load(path: Path, id_column: str, *, numeric: Sequence[str] = (), text: Sequence[str] = (), drop: Sequence[str] = ()) -> Table:
    """Read the file (see `read_table`); `drop` names columns that are not offered. Raises InputError if no variable is left."""
    table = read_table(path, id_column, numeric=numeric, text=text, drop=drop)
    if not table.columns:
        raise InputError(f"{path}: beside {id_column!r} no column is left to offer; add variables or drop fewer")
    return table
