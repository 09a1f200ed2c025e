"""The telco's variables as bins: cut on the roster's rows, without labels, and frozen. Names stay in the telco's own file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tandem.describe.cuts import cut
from tandem.errors import InputError
from tandem.tables import Binning, CodedTable, Column, Outline, Positions, Table, digest


@dataclass(frozen=True)
class Cuts:
    """Frozen cuts of every offered column; `binnings[j]`, alias t01, t02, ..., cuts `columns[j]`."""

    columns: tuple[str, ...]
    binnings: tuple[Binning, ...]

    @property
    def outlines(self) -> list[Outline]:
        """What may be told about the variables."""
        return [binning.outline for binning in self.binnings]

    @property
    def numeric(self) -> list[str]:
        """Columns to declare as numbers when a file for these cuts is read."""
        return [name for name, binning in zip(self.columns, self.binnings, strict=True) if binning.kind == "ordered"]

    @property
    def text(self) -> list[str]:
        """Columns to declare as text when a file for these cuts is read."""
        return [name for name, binning in zip(self.columns, self.binnings, strict=True) if binning.kind == "levels"]

    def code(self, table: Table, rows: Positions | None = None) -> CodedTable:
        """Code `rows` (all if None), column by column; columns not cut are ignored.

        Raises InputError if a column is absent or of the other kind.
        """
        return CodedTable.of(self.binnings, (_of(table.column(name), rows) for name in self.columns))

    def unlisted(self, table: Table, rows: Positions) -> list[tuple[str, int]]:
        """Return (alias, rows) of the columns in which some rows hold a level that has no bin of its own."""
        counts = ((b.alias, b.unlisted(_of(table.column(name), rows))) for name, b in zip(self.columns, self.binnings, strict=True))
        return [(alias, count) for alias, count in counts if count]

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, for the telco's own disk."""
        return {"columns": list(self.columns), "binnings": [binning.to_dict() for binning in self.binnings]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Cuts:
        """Return what `to_dict` wrote; raises InputError if it is damaged."""
        try:
            columns, binnings = tuple(str(c) for c in data["columns"]), tuple(Binning.from_dict(b) for b in data["binnings"])
        except (KeyError, TypeError) as error:
            raise InputError("the file of frozen cuts is damaged: columns or binnings are missing; take it from its backup") from error
        if len(columns) != len(binnings):
            raise InputError("the file of frozen cuts is damaged: as many columns as cuts are needed; take it from its backup")
        return cls(columns, binnings)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the cuts without the column names, 32 bytes."""
        return digest([binning.to_dict() for binning in self.binnings])


def fit(table: Table, rows: Positions | None = None, bins: int = 8, min_bin: int = 50) -> tuple[Cuts, CodedTable]:
    """Cut every column of the roster's `rows` (all if None) into at most `bins` bins of at least `min_bin` rows (see `cut`); code them.

    A column of one bin stays, constant, so that the number of variables is the contract's.
    """
    columns = table.columns.values()
    binnings = tuple(cut(f"t{j:02}", _of(column, rows), bins, min_bin) for j, column in enumerate(columns, 1))
    cuts = Cuts(tuple(table.columns), binnings)
    return cuts, cuts.code(table, rows)


def _of(column: Column, rows: Positions | None) -> Column:
    return column if rows is None else column[rows]
