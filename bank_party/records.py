"""What a finished study leaves in its folder: scores by customer, the study's facts, and the report made from them.

scores.csv   one row a customer of the bank's file        study.json   facts of the run, for `tandem bank report`
model.json   the bank's half of the model                 report.html, result.json
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bank_party.studies import Trained
from tandem.errors import InputError
from tandem.node import disk
from tandem.sums.terms import Reals
from tandem.train.pooled import sigma

COLUMNS = ("row", "id", "matched", "part", "label", "bank_only", "joint", "joint_card", "points")
MODELS = ("bank_only", "joint", "joint_card")


@dataclass(frozen=True)
class Scores:
    """scores.csv, read back: matched customers in file order. part: "train" or "hold-out". p: probabilities by model."""

    ids: list[str] = field(repr=False)
    hold_out: NDArray[np.bool_]
    labels: NDArray[np.int64]
    p: Mapping[str, Reals]
    all_labels: NDArray[np.int64]
    matched: NDArray[np.bool_]


def write_scores(path: Path, trained: Trained) -> None:
    """Write scores.csv (0600). Customers whom the telco does not know have the bank's own score alone."""
    table, labels = trained.prepared.customers.table, trained.prepared.labels
    place = {int(row): at for at, row in enumerate(trained.rows)}
    alone = sigma(trained.model.alone_log_odds(table))
    joint, card = sigma(trained.log_odds["joint"]), sigma(trained.log_odds["joint_card"])
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in range(table.rows):
        at = place.get(row)
        matched = at is not None
        part = "" if at is None else "hold-out" if trained.hold_out[at] else "train"
        scored = ("", "", "") if at is None else (f"{joint[at]:.6f}", f"{card[at]:.6f}", int(trained.points[at]))
        writer.writerow((row + 1, table.ids[row], int(matched), part, int(labels[row]), f"{alone[row]:.6f}", *scored))
    disk.write(path, text.getvalue().encode())


def read_scores(path: Path) -> Scores:
    """Return what `write_scores` wrote. Raises InputError if it is missing or damaged."""
    rows = list(csv.DictReader(io.StringIO(disk.read_private(path).decode())))
    if not rows or tuple(rows[0]) != COLUMNS:
        raise InputError(f"{path} is no scores.csv of this version: run the study again")
    matched = [row for row in rows if row["matched"] == "1"]
    return Scores(
        [row["id"] for row in matched],
        np.array([row["part"] == "hold-out" for row in matched]),
        np.array([int(row["label"]) for row in matched]),
        {name: np.array([float(row[name]) for row in matched]) for name in MODELS},
        np.array([int(row["label"]) for row in rows]),
        np.array([row["matched"] == "1" for row in rows]),
    )


def write_facts(path: Path, facts: Mapping[str, Any]) -> None:
    """Write study.json (0600)."""
    disk.write(path, json.dumps(dict(facts), ensure_ascii=False, indent=1).encode())


def read_facts(path: Path) -> dict[str, Any]:
    """Return a JSON object from a file. Raises InputError if it is missing or damaged."""
    try:
        facts: dict[str, Any] = json.loads(disk.read_private(path))
    except ValueError:
        raise InputError(f"{path} is damaged: restore it from its backup, or run the study again") from None
    return facts
