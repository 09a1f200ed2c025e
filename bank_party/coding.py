"""The bank's own columns as numbers x_b, fitted on its labels over training rows only, and frozen.

"woe": one number a column. "numeric": a number column centred, scaled and cut to 4 standard deviations, with a second number for missing
where the file has missing values; text stays WoE.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tandem.describe.cuts import cut
from tandem.describe.woe import Described, Rule, release
from tandem.errors import InputError
from tandem.tables import WIDEST_WOE, Binning, Coding, Column, Floats, NumericCoding, Table, WoeCoding, is_text

Style = Literal["woe", "numeric"]


@dataclass(frozen=True)
class Coded:
    """One bank column: its frozen coding, and the bins, counts, bads, WoE and IV over training rows for the variable table."""

    coding: Coding
    binning: Binning
    described: Described

    @property
    def iv(self) -> float:
        """IV over training rows; 0 for a column of one bin."""
        return self.described.iv


def columns_out(table: Table, style: Style = "woe") -> int:
    """Return d_b, the numbers that `fit` on this table will give for a row: known from the file, before any label is looked at."""
    return sum(2 if style == "numeric" and _flagged(column) else 1 for column in table.columns.values())


def fit(
    table: Table, labels: NDArray[np.uint8], train: NDArray[np.bool_], style: Style = "woe", *, bins: int = 8, rule: Rule | None = None
) -> list[Coded]:
    """Fit a coding for each column of the whole file `table` on the rows where `train` holds; labels and train have shape (N,).

    Bins are cut without labels, then merged until each has `rule`'s rows, bads and goods, as for the other side's variables.
    Raises InputError if the training rows are fewer than `rule` needs.
    """
    rule = rule or Rule()
    rows = np.flatnonzero(train)
    bad = int(labels[rows].sum())
    if rows.size < rule.min_bin or min(bad, rows.size - bad) < rule.min_class:
        needed = f"at least {rule.min_bin} rows and {rule.min_class} of each label are needed"
        raise InputError(f"{rows.size} training rows with {bad} of label 1: {needed}; bring more customers")
    columns = enumerate(table.columns.items(), 1)
    return [_fit(f"b{j:02}", name, column, labels[rows], rows, style, bins, rule) for j, (name, column) in columns]


def apply(codings: Sequence[Coding], table: Table) -> Floats:
    """Return x_b (N, d_b) of any table that has the columns; raises InputError where one is absent or of the other kind."""
    parts = [coding.code(table.column(coding.column)) for coding in codings]
    return np.concatenate(parts, axis=1) if parts else np.empty((table.rows, 0), dtype=np.float64)


def names_out(codings: Sequence[Coding]) -> list[str]:
    """Return the name of each of the d_b numbers."""
    return [name for coding in codings for name in coding.names]


def _fit(
    alias: str, name: str, column: Column, labels: NDArray[np.uint8], rows: NDArray[np.intp], style: Style, bins: int, rule: Rule
) -> Coded:
    training = column[rows]
    binning = cut(alias, training, bins, rule.min_bin)
    codes = binning.code(training)
    counts = np.bincount(codes, minlength=binning.bins)
    bads = np.bincount(codes, weights=labels, minlength=binning.bins).astype(np.int64)
    described = release(binning.outline, counts.tolist(), bads.tolist(), rule)
    if style == "numeric" and not is_text(column):
        return Coded(_numeric(name, training, flag=_flagged(column)), binning, described)
    woe = tuple(float(value) for value in np.clip(described.values, -WIDEST_WOE, WIDEST_WOE))
    return Coded(WoeCoding(name, binning, woe), binning, described)


def _numeric(name: str, training: Column, *, flag: bool) -> NumericCoding:
    numbers = np.asarray(training, dtype=np.float64)
    present = numbers[~np.isnan(numbers)]
    centre = float(present.mean()) if present.size else 0.0
    scale = float(present.std()) if present.size else 0.0
    # Values that are all the same deviate by rounding alone: they are coded as 0.
    return NumericCoding(name, centre, scale if scale > 1e-12 * max(1.0, abs(centre)) else max(1.0, abs(centre)), flag)


def _flagged(column: Column) -> bool:
    return not is_text(column) and bool(np.isnan(np.asarray(column, dtype=np.float64)).any())
