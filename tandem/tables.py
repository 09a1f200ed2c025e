"""The nouns that stages share: a loaded table, frozen cuts of a variable, coded rows, frozen codings of a column.

    Table       what a file held: identifiers and columns             stays at its owner
    Binning     frozen cuts of one variable                           stays at its owner
    Outline     alias, number of bins, which of them are ordered      may be told
    CodedTable  one uint8 bin number a row and variable               stays at its owner
    Coding      frozen numbers that stand for one column's values     stays at its owner

Column names are in `Table` and in the codings of one's own columns only: all others speak of aliases.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tandem.errors import InputError

Floats: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = NDArray[np.object_]
Column: TypeAlias = Floats | Texts
"""Numbers with NaN for missing, or an object array of text with None for missing."""
Codes: TypeAlias = NDArray[np.uint8]
Positions: TypeAlias = NDArray[np.int64]
"""Places in a table, counted from 0."""

MOST_BINS = 32
"""Bins of one variable, all told (protocols.md, Notation)."""
WIDEST_WOE = 8.0
"""A WoE beyond this (odds 3000 times those of all rows) is cut to it, so that a coded column has a range that a contract can declare."""
WIDEST_NUMBER = 4.0
"""A numeric column is cut to this many standard deviations from its mean."""


def digest(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Return SHA-256 of `value` as JSON with sorted keys and no spaces: 32 bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).digest()


def is_text(column: Column) -> bool:
    """Say whether a column holds text, not numbers."""
    return column.dtype == np.object_


@dataclass(frozen=True)
class Table:
    """Identifiers as written in the file and the columns beside them, all of the same length; row i of the file is position i - 1."""

    ids: list[str] = field(repr=False)
    columns: dict[str, Column] = field(repr=False)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.ids)

    @property
    def names(self) -> list[str]:
        """Column names in file order."""
        return list(self.columns)

    def column(self, name: str) -> Column:
        """Return one column; raises InputError if the table has no such column."""
        if name not in self.columns:
            raise InputError(f"there is no column {name!r}; the columns are {', '.join(self.columns)}: name one of them or add it")
        return self.columns[name]

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | Sequence[int]) -> Table:
        """Return the table of these rows, in this order."""
        index = np.asarray(rows)
        index = np.flatnonzero(index) if index.dtype == np.bool_ else index.astype(np.intp)
        return Table([self.ids[i] for i in index], {name: values[index] for name, values in self.columns.items()})


@dataclass(frozen=True)
class Outline:
    """What may be told about a variable. Codes run: value bins (ordered or levels), then the missing bin, then the rest bin."""

    alias: str
    bins: int
    ordered: int
    missing: bool
    rest: bool

    def __post_init__(self) -> None:
        levels = self.bins - self.missing - self.rest
        if not 1 <= self.bins <= MOST_BINS or self.ordered not in (0, levels) or levels < 0 or (self.ordered and self.rest):
            raise InputError(f"variable {self.alias}: {self.bins} bins, {self.ordered} of them ordered, make no outline")

    @property
    def constant(self) -> bool:
        """True if one bin is left: the variable tells nothing, and stays so that the number of variables is the contract's."""
        return self.bins == 1


@dataclass(frozen=True)
class Binning:
    """Frozen cuts of one variable.

    Ordered: value bin b holds edges[b-1] < value <= edges[b]; there are len(edges) + 1. Levels: value bin b holds levels[b].
    Missing values have a bin of their own (`missing`), else go to the rest bin, else to the commonest bin. A level not listed goes to the
    rest bin, else to the missing bin, else to the commonest.
    """

    alias: str
    kind: Literal["ordered", "levels"]
    edges: tuple[float, ...] = field(default=(), repr=False)
    levels: tuple[str, ...] = field(default=(), repr=False)
    missing: bool = False
    rest: bool = False
    commonest: int = 0

    def __post_init__(self) -> None:
        ascending = all(a < b for a, b in zip(self.edges, self.edges[1:], strict=False)) and all(np.isfinite(self.edges))
        fitting = not self.levels if self.kind == "ordered" else not self.edges
        known = self.kind == "levels" or (self.kind == "ordered" and not self.rest)
        if not (ascending and fitting and known and len(set(self.levels)) == len(self.levels)):
            raise InputError(f"variable {self.alias}: edges do not ascend, a level stands twice, or the kind is unknown; fit again")
        if not (1 <= self.bins <= MOST_BINS and 0 <= self.commonest < self.bins):
            raise InputError(f"variable {self.alias}: {self.bins} bins; 1 to {MOST_BINS} are possible; fit the cuts again")

    @property
    def values(self) -> int:
        """Number of value bins."""
        return len(self.edges) + 1 if self.kind == "ordered" else len(self.levels)

    @property
    def bins(self) -> int:
        """Number of bins in all."""
        return self.values + self.missing + self.rest

    @property
    def missing_code(self) -> int:
        """The bin of a missing value."""
        if self.missing:
            return self.values
        return self.bins - 1 if self.rest else self.commonest

    @property
    def rest_code(self) -> int:
        """The bin of a level that is not listed."""
        if self.rest:
            return self.bins - 1
        return self.values if self.missing else self.commonest

    @property
    def outline(self) -> Outline:
        """What may be told about this variable."""
        return Outline(self.alias, self.bins, self.values if self.kind == "ordered" else 0, self.missing, self.rest)

    def code(self, column: Column) -> Codes:
        """Return the bin number of each value, shape (N,). Raises InputError if numbers come where text was cut, or the reverse."""
        if is_text(column) != (self.kind == "levels"):
            held, wanted = ("text", "numbers") if is_text(column) else ("numbers", "text")
            raise InputError(f"variable {self.alias} holds {held} and was cut as {wanted}: declare the column as {wanted} when reading")
        if self.kind == "ordered":
            numbers = np.asarray(column, dtype=np.float64)
            codes = np.searchsorted(np.array(self.edges, dtype=np.float64), numbers, side="left").astype(np.uint8)
            codes[np.isnan(numbers)] = self.missing_code
            return codes
        known: dict[object, int] = {level: code for code, level in enumerate(self.levels)}
        known[None] = self.missing_code
        rest, missing = self.rest_code, self.missing_code
        # A NaN is the one value that differs from itself; tables made by hand may hold it for None.
        return np.array([known.get(v, rest if v == v else missing) for v in column.tolist()], dtype=np.uint8)  # noqa: PLR0124 - NaN test

    def unlisted(self, column: Column) -> int:
        """Return how many values are levels without a bin of their own: rare when the cuts were made, or never seen then."""
        if self.kind == "ordered" or not is_text(column):
            return 0
        known = {*self.levels, None}
        return sum(value not in known and value == value for value in column.tolist())  # noqa: PLR0124 - NaN is a missing value

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "edges": list(self.edges), "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Binning:
        """Return the cuts that `to_dict` wrote; raises InputError if they are damaged."""
        try:
            return cls(
                alias=str(data["alias"]),
                kind=data["kind"],
                edges=tuple(float(edge) for edge in data["edges"]),
                levels=tuple(str(level) for level in data["levels"]),
                missing=bool(data["missing"]),
                rest=bool(data["rest"]),
                commonest=int(data["commonest"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("frozen cuts are damaged: a field is missing or of another type; take the backup or fit again") from error

    @property
    def digest(self) -> bytes:
        """SHA-256 of the cuts, 32 bytes."""
        return digest(self.to_dict())


@dataclass(frozen=True)
class CodedTable:
    """Bin numbers: codes (N, d) uint8, one column a variable, each below its number of bins."""

    codes: Codes = field(repr=False)
    bins: tuple[int, ...]
    aliases: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.codes.ndim != 2 or self.codes.shape[1] != len(self.bins) or len(self.bins) != len(self.aliases):
            raise InputError(f"codes of shape {self.codes.shape} do not fit {len(self.bins)} variables under {len(self.aliases)} aliases")
        if self.codes.dtype != np.uint8 or (self.rows and (self.codes.max(axis=0) >= np.array(self.bins)).any()):
            raise InputError("a code is not below its variable's number of bins; code the table again with the frozen cuts")

    @property
    def rows(self) -> int:
        """Number of rows N."""
        return int(self.codes.shape[0])

    @property
    def counts(self) -> list[NDArray[np.int64]]:
        """Rows of each bin, one array a variable."""
        return [np.bincount(self.codes[:, j], minlength=bins).astype(np.int64) for j, bins in enumerate(self.bins)]

    def take(self, rows: NDArray[np.intp] | Sequence[int]) -> CodedTable:
        """Return these rows, in this order."""
        return CodedTable(self.codes[np.asarray(rows, dtype=np.intp)], self.bins, self.aliases)

    @classmethod
    def of(cls, binnings: Sequence[Binning], columns: Iterable[Column]) -> CodedTable:
        """Code one column with each binning."""
        codes = np.empty((0, len(binnings)), dtype=np.uint8)
        for j, (binning, column) in enumerate(zip(binnings, columns, strict=True)):
            if j == 0:
                codes = np.empty((len(column), len(binnings)), dtype=np.uint8)
            codes[:, j] = binning.code(column)  # into place: a list of coded columns would be the table a second time
        return cls(codes, tuple(b.bins for b in binnings), tuple(b.alias for b in binnings))


@dataclass(frozen=True)
class WoeCoding:
    """A column as one number: the WoE of its bin (0 where the bin was too small to have one), within +-WIDEST_WOE."""

    column: str
    binning: Binning
    woe: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.woe) != self.binning.bins or not all(abs(w) <= WIDEST_WOE for w in self.woe):
            raise InputError(f"column {self.column!r}: {len(self.woe)} values for {self.binning.bins} bins, or one too large: fit again")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers that come out."""
        return (self.column,)

    @property
    def limit(self) -> float:
        """The largest absolute value that can come out."""
        return WIDEST_WOE

    @cached_property
    def text(self) -> bool:
        """Whether the column is read as text."""
        return self.binning.kind == "levels"

    def code(self, column: Column) -> Floats:
        """Return shape (N, 1)."""
        return np.array(self.woe, dtype=np.float64)[self.binning.code(column)][:, None]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"coding": "woe", "column": self.column, "binning": self.binning.to_dict(), "woe": list(self.woe)}


@dataclass(frozen=True)
class NumericCoding:
    """A column as (value - centre) / scale cut to +-WIDEST_NUMBER, missing as 0, with a second number 1 for missing where `flag`."""

    column: str
    centre: float = field(repr=False)
    scale: float = field(repr=False)
    flag: bool

    def __post_init__(self) -> None:
        if not (np.isfinite(self.centre) and np.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"column {self.column!r}: centre or scale is no usable number; fit again")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the numbers that come out."""
        return (self.column, f"{self.column} missing") if self.flag else (self.column,)

    @property
    def limit(self) -> float:
        """The largest absolute value that can come out."""
        return WIDEST_NUMBER

    @property
    def text(self) -> bool:
        """Whether the column is read as text."""
        return False

    def code(self, column: Column) -> Floats:
        """Return shape (N, 1), or (N, 2) with the flag."""
        if is_text(column):
            raise InputError(f"column {self.column!r} holds text and was coded as numbers: declare it as numbers when reading the file")
        numbers = np.asarray(column, dtype=np.float64)
        absent = np.isnan(numbers)
        coded = np.where(absent, 0.0, np.clip((numbers - self.centre) / self.scale, -WIDEST_NUMBER, WIDEST_NUMBER))
        return np.column_stack([coded, absent.astype(np.float64)]) if self.flag else coded[:, None]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"coding": "numeric", **{f.name: getattr(self, f.name) for f in fields(self)}}


Coding: TypeAlias = WoeCoding | NumericCoding


def coding_from_dict(data: Mapping[str, Any]) -> Coding:
    """Return the coding that `to_dict` wrote; raises InputError if it is damaged."""
    try:
        if data["coding"] == "woe":
            return WoeCoding(str(data["column"]), Binning.from_dict(data["binning"]), tuple(float(w) for w in data["woe"]))
        if data["coding"] == "numeric":
            return NumericCoding(str(data["column"]), float(data["centre"]), float(data["scale"]), bool(data["flag"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError("a frozen coding is damaged: a field is missing or of another type; take the backup or fit again") from error
    raise InputError("a frozen coding is of a kind that this version does not know; it was written by a newer one, or damaged")
