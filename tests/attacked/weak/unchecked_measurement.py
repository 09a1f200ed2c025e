"""A measurement in which totals are held against nothing, or one that withholds each small level by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tandem.crypto.slots import Layout, signed_digits
from tandem.describe.merging import Pile
from tandem.measure import solver, withholding


def _read(layout: Layout, plain: list[int], _rows: int) -> list[int]:
    parts = (signed_digits(number, layout.width, len(layout.part(part))) for part, number in enumerate(plain))
    return [total for part in parts for total in part]


@contextmanager
def unchecked() -> Iterator[None]:
    """Have every solver take totals outside all ranges, whatever was declared."""
    with patch.object(Layout, "unpack", _read), patch.object(solver, "check", lambda *_: None):
        yield


@contextmanager
def each_alone() -> Iterator[None]:
    """Have every solver join no levels, and withhold a small one alone."""

    def hidden(people: Any, before: set[int], enough: Any) -> set[int]:
        return before | {at for at in range(len(people)) if not enough([at])}

    def join(people: Any, _least: int) -> list[Pile]:
        return [Pile((at,), count) for at, count in enumerate(people)]

    with patch.object(withholding, "_hidden", hidden), patch.object(withholding, "join_levels", join):
        yield
