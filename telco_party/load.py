"""The telco's table: one row a subscriber, an identifier column, and the variables it offers."""

from __future__ import annotations

from pathlib import Path

from tandem.errors import InputError
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource
from tandem.tables import Table


def load(source: TableSource, folder: Path) -> Table:
    """Read the table (see `read_table`). Raises InputError if no variable is left, or a column is declared a label."""
    if source.label:
        raise InputError(f"column {source.label!r} is declared a label: the telco's table has none; declare what the column holds")
    table = read_table(source, folder)
    if not table.columns:
        raise InputError(f"{source.source}: beside {source.id!r} no column is left to offer; add variables or drop fewer")
    return table
