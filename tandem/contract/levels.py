"""A column with a few named levels, as a contract names it: what the telco may tell of a person, or tell people apart by."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from tandem.contract.fields import Line, Value

MOST_LEVELS = 16
"""Levels that one column may have; a further code stands for none of them."""


def _tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if not 2 <= len(names) <= MOST_LEVELS or len(set(names)) != len(names):
        raise ValueError(f"must hold 2 to {MOST_LEVELS} different levels")
    return names


def _once(columns: tuple[Levelled, ...]) -> tuple[Levelled, ...]:
    if len({column.name for column in columns}) != len(columns):
        raise ValueError("must name each column once")
    return columns


class Levelled(Value):
    """A column of the telco's table by its name there, and its levels in the order in which they are numbered from 0.

    A value that is missing or none of the levels has the number len(levels).
    """

    name: Line = Field(min_length=1)
    levels: Annotated[tuple[Line, ...], BeforeValidator(_tuple), AfterValidator(_distinct)]

    @property
    def bits(self) -> int:
        """Bits a person that telling the column discloses: log2 of (levels + 1), rounded up, since none of them is an answer too."""
        return len(self.levels).bit_length()


Columns = Annotated[tuple[Levelled, ...], BeforeValidator(_tuple), AfterValidator(_once)]
"""Columns of different names."""
