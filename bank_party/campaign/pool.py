"""Who may be contacted: the scored customers with what the groups are drawn by, and the pool of candidates among them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bank_party.campaign.config import LEVELS, CampaignConfig
from bank_party.campaign.recalibration import Recalibration, recalibration
from bank_party.load import load
from bank_party.records import read_scores
from tandem.align.identifiers import normalise
from tandem.errors import InputError
from tandem.node import disk
from tandem.sums.terms import Reals
from tandem.tables import Table

Mask = NDArray[np.bool_]
NEEDED = ("row", "id", "matched", "probability", "bank_probability")
TOLD = ("benefit", "finance_activity")
"""Columns that the telco tells of scoreable people, where the contract says so; without them nothing was told."""


@dataclass(frozen=True)
class People:
    """One entry a row of the scored table. Text is empty where the telco told nothing.

    contactable: the identifier is well formed, and no earlier row's. scoreable: the telco scored this person.
    """

    ids: tuple[str, ...] = field(repr=False)
    contactable: Mask = field(repr=False)
    scoreable: Mask = field(repr=False)
    probability: Reals = field(repr=False)
    bank_probability: Reals = field(repr=False)
    payments: Reals = field(repr=False)
    amount: Reals = field(repr=False)
    balance: Reals = field(repr=False)
    own_use: Reals = field(repr=False)
    benefit: tuple[str, ...] = field(repr=False)
    finance: tuple[str, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.ids)


def read_people(config: CampaignConfig) -> People:
    """Read the table and its scored.csv. Raises InputError: missing, damaged, of another table, or a level that was not to be told."""
    wanted = config.columns
    names = [wanted.payments, wanted.amount, wanted.balance, wanted.own_use]
    source = config.table if config.table.columns else config.table.model_copy(update={"numeric": [*config.table.numeric, *names]})
    table = load(source, config.folder).table
    columns = {name: _numbers(table, name, config) for name in names}
    path = config.at(config.scored)
    rows = list(csv.DictReader(io.StringIO(disk.read_private(path).decode())))
    if not rows or not set(NEEDED) <= set(rows[0]):
        raise InputError(f"{path}: columns {', '.join(NEEDED)} must be there: score the customers again with this version")
    if [row["id"] for row in rows] != list(table.ids):
        raise InputError(f"{path} is not of {config.table.source}: its {len(rows)} identifiers differ from that table's {table.rows}")
    good = normalise(table.ids, config.identifier, "first", drop_bad=True)
    contactable = np.zeros(table.rows, dtype=np.bool_)
    contactable[good.rows] = True
    return People(
        tuple(row["id"] for row in rows), contactable, np.array([row["matched"] == "1" for row in rows]),
        _shares(rows, "probability", path), _shares(rows, "bank_probability", path), columns[wanted.payments], columns[wanted.amount],
        columns[wanted.balance], columns[wanted.own_use], _told(rows, TOLD[0], config.benefits.names, path),
        _told(rows, TOLD[1], LEVELS, path),
    )


@dataclass(frozen=True)
class Calibrated:
    """People with calibrated probabilities, how that was found, and the study's rate of positives."""

    people: People
    joint: Recalibration
    alone: Recalibration
    base_rate: float


def calibrated(people: People, config: CampaignConfig) -> Calibrated:
    """Return people with probabilities that the training study's hold-out bears out. Raises InputError if there is no hold-out to ask."""
    scores = read_scores(config.at(config.study) / "scores.csv")
    out, y = scores.hold_out, scores.labels[scores.hold_out]
    joint = recalibration(scores.p["joint_card"][out], y, config.recalibrate)
    alone = recalibration(scores.p["bank_only"][out], y, config.recalibrate)
    bank = alone.apply(people.bank_probability)
    probability = np.where(people.scoreable, joint.apply(people.probability), bank)
    return Calibrated(replace(people, probability=probability, bank_probability=bank), joint, alone, float(scores.all_labels.mean()))


def pool(people: People, floor: float) -> Mask:
    """Return the candidates (N,): contactable, scoreable, and of a joint probability at or above the floor."""
    candidates: Mask = people.contactable & people.scoreable & (people.probability >= floor)
    return candidates


def _numbers(table: Table, name: str, config: CampaignConfig) -> Reals:
    if name not in table.columns:
        raise InputError(f"{config.table.source} has no column {name!r}: name the right one in [columns] of the campaign")
    return np.asarray(table.columns[name], dtype=np.float64)


def _shares(rows: Sequence[dict[str, str]], name: str, path: Path) -> Reals:
    try:
        shares = np.array([float(row[name]) for row in rows])
    except (TypeError, ValueError):
        raise InputError(f"{path}: column {name} holds what is no number: score the customers again") from None
    if not ((shares >= 0.0) & (shares <= 1.0)).all():
        raise InputError(f"{path}: column {name} holds a number outside 0 to 1: score the customers again")
    return shares


def _told(rows: Sequence[dict[str, str]], name: str, levels: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return what was told. Raises InputError for a level that is none of those known, by row."""
    told = tuple(row.get(name) or "" for row in rows)
    if strange := [number for number, value in enumerate(told, 1) if value and value not in levels]:
        raise InputError(f"{path}: row {strange[0]} and {len(strange) - 1} others have a {name} that is none of {', '.join(levels)}")
    return told
