"""The label column as 0 and 1. Errors count; they never print a label's value."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from tandem.errors import InputError
from tandem.tables import Column

PAIRS = {
    frozenset({"0", "1"}): "1",
    frozenset({"no", "yes"}): "yes",
    frozenset({"n", "y"}): "y",
    frozenset({"false", "true"}): "true",
    frozenset({"f", "t"}): "t",
    frozenset({"good", "bad"}): "bad",
    frozenset({"否", "是"}): "是",
    frozenset({"好", "坏"}): "坏",
}
"""Pairs of values, lower case, whose 1 is understood without `positive`."""
SHOWN = 5


def two_valued(column: Column, name: str, positive: str | None = None) -> NDArray[np.uint8]:
    """Return the labels (N,): 1 where the cell is `positive`, or the 1 of a known pair. Case and the writing of numbers do not matter.

    Raises InputError where a label is missing, where there are not exactly two values, where the pair is unknown and `positive` not given,
    or where `positive` is none of the two.
    """
    values = [plain(cell) for cell in column.tolist()]
    empty = [i for i, value in enumerate(values, 1) if value is None]
    if empty:
        rows = ", ".join(map(str, empty[:SHOWN])) + (", ..." if len(empty) > SHOWN else "")
        where = f"{len(empty)} of {len(values)} rows (rows {rows})"
        raise InputError(f"label {name!r} is missing in {where}: fill them or leave these customers out")
    found = Counter(values)
    if len(found) != 2:
        what = "one value in all" if len(found) == 1 else f"{len(found)} different values in"
        raise InputError(f"label {name!r} has {what} {len(values)} rows: exactly two are needed; name the right label column")
    one = PAIRS.get(frozenset(str(value) for value in found)) if positive is None else plain(positive)
    if one is None:
        counts = " and ".join(str(count) for count in sorted(found.values()))
        raise InputError(f"label {name!r} has two values, in {counts} rows, and it is not plain which is 1: say so with positive")
    if one not in found:
        raise InputError(f"label {name!r}: the value given as positive stands in none of {len(values)} rows; check its writing")
    return np.array([value == one for value in values], dtype=np.uint8)


def plain(cell: object) -> str | None:
    """Return the cell in lower case, numbers in their shortest writing; None for a missing one."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN is the one value that differs from itself
        return None
    text = str(cell).strip().casefold()
    try:
        number = float(text)
    except ValueError:
        return text or None
    return str(int(number)) if number.is_integer() else repr(number)
