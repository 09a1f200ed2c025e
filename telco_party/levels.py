"""Columns of the telco's table as the numbers of the levels that a contract names."""

from __future__ import annotations

import numpy as np

from tandem.contract.levels import Levelled
from tandem.errors import InputError
from tandem.tables import Codes, Table, is_text


def codes(table: Table, wanted: Levelled) -> Codes:
    """Return (N,) the number of each row's level; len(levels) where the value is missing or none of them.

    Raises InputError if the table has no such text column, or no row has any of the levels: then the contract means another column.
    """
    column = table.column(wanted.name)
    if not is_text(column):
        raise InputError(f"column {wanted.name!r} holds numbers, the contract names its levels: declare it as text")
    number = {level: at for at, level in enumerate(wanted.levels)}
    found: Codes = np.array([number.get(value, len(number)) for value in column.tolist()], dtype=np.uint8)
    if table.rows and bool((found == len(number)).all()):
        raise InputError(f"column {wanted.name!r}: none of {table.rows} rows has a level that the contract names; check their writing")
    return found
