"""The bank's table: one row a customer, an identifier column, the label (when there is one), and the bank's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bank_party.labels import two_valued
from tandem.errors import InputError
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource
from tandem.tables import Table


@dataclass(frozen=True)
class Customers:
    """The bank's table, and the labels (N,) uint8, 1 = bad or responder, where the table has them."""

    table: Table
    labels: NDArray[np.uint8] | None = field(default=None, repr=False)


def load(
    source: TableSource,
    folder: Path,
    label_column: str | None = None,
    *,
    positive: str | None = None,
    numeric: Sequence[str] = (),
    text: Sequence[str] = (),
) -> Customers:
    """Read the table (see `read_table`) and its label (see `two_valued`). Without `label_column` the customers are to be scored only.

    Raises InputError also where the label is the identifier or is declared otherwise.
    """
    if label_column is None:
        return Customers(read_table(source, folder, numeric=numeric, text=text))
    if label_column == source.id or label_column in (*source.numeric, *source.drop):
        raise InputError(f"column {label_column!r} is the label: it cannot be the identifier, be dropped or be declared numeric as well")
    whole = read_table(source, folder, label=label_column, numeric=numeric, text=text)
    columns = dict(whole.columns)
    labels = two_valued(columns.pop(label_column), label_column, positive)
    return Customers(Table(whole.ids, columns), labels)
