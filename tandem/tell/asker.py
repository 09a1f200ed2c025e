"""Telling levels, the side that asks. See the picture in `script`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tandem.errors import Malformed, Oversized
from tandem.session.session import Role
from tandem.tables import Codes
from tandem.wire.messages import Told


def ask(rows: int, levels: Sequence[int]) -> Role[Codes]:
    """Return (rows, columns) the number of each level; `levels[c]` is how many column c has, and that number stands for none of them.

    Raises Malformed for a column that is none or comes out of order, for a byte beyond its levels and for people left out; Oversized for
    more people than the roster has.
    """
    found: Codes = np.empty((rows, len(levels)), dtype=np.uint8)
    column = told = 0
    while part := (yield Told):
        if told == rows and part.column == column + 1 < len(levels):
            column, told = part.column, 0
        if part.column != column or not part.levels:
            raise Malformed(f"levels of column {part.column} where {rows - told} people of column {column} were due")
        codes = np.frombuffer(part.levels, dtype=np.uint8)
        if told + len(codes) > rows:
            raise Oversized(f"levels of more than the {rows} people of the roster")
        if int(codes.max()) > levels[column]:
            raise Malformed(f"column {column}: a level beyond the {levels[column]} that the contract names")
        found[told : told + len(codes), column] = codes
        told += len(codes)
    if (column, told) != (len(levels) - 1, rows):
        raise Malformed(f"levels of {told} people of column {column} where {len(levels)} columns of {rows} were due")
    return found
