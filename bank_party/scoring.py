"""Scoring new customers with a card that the telco holds, under a scoring contract."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bank_party import models
from bank_party.conduct import Conductor
from bank_party.config import StudyConfig
from bank_party.load import load
from tandem.align.identifiers import Identifiers, normalise
from tandem.contract import Contract
from tandem.crypto.opening import SecretKey
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.sums.terms import Integers
from tandem.tables import Codes, Table, WoeCoding
from tandem.train.pooled import sigma

COLUMNS = ("row", "id", "matched", "probability", "bank_probability", "telco_points")
"""Of scored.csv; the contract's told columns follow."""


@dataclass(frozen=True)
class Scored:
    """The matched customers' rows in the file, the telco's points of each, and (rows, columns) the levels that it told."""

    rows: Integers = field(repr=False)
    points: Integers = field(repr=False)
    levels: Codes = field(repr=False)


def prepare(config: StudyConfig, contract: Contract) -> tuple[models.Model, Table, Identifiers]:
    """Read model and customers. Raises InputError, ContractError where model, file and contract do not fit each other."""
    if contract.kind != "scoring":
        use = {"training": "train", "measurement": "measure"}[contract.kind]
        raise ContractError(f"contract {contract.id} is for {contract.kind}: use `tandem bank {use}`")
    if config.model is None:
        raise InputError('the study names no model: add model = "out/model.json" to it')
    model = models.load(config.at(config.model))
    if (model.card, model.contract) != (contract.card, contract.training):
        raise ContractError(f"contract {contract.id} names another card or training than {config.model} comes from")
    source = config.table
    customers = load(source, config.folder, numeric=model.numbers, text=model.texts)
    ids = normalise(customers.table.ids, contract.identifier, source.keep, drop_bad=source.drop_bad)
    clash = sorted({*COLUMNS} & {column.name for column in contract.tells})
    if clash:
        raise ContractError(f"contract {contract.id}: tells names {', '.join(clash)}, which scored.csv has already: agree on another name")
    if len(ids) > contract.caps.identifiers:
        raise ContractError(f"contract {contract.id}: {len(ids)} customers, caps.identifiers is {contract.caps.identifiers}")
    return model, customers.table, ids


def unlisted(model: models.Model, table: Table) -> Iterator[str]:
    """Yield a sentence for each column in which some customers have a level that the model has no bin for."""
    for coding in model.codings:
        count = coding.binning.unlisted(table.column(coding.column)) if isinstance(coding, WoeCoding) else 0
        if count:
            yield f"column {coding.column!r}: {count} of {table.rows} rows hold a level that the model has no bin for: coded as the rest"


async def score(conductor: Conductor, model: models.Model, ids: Identifiers, secret: SecretKey) -> Scored:
    """Align and score, and be told the levels that the contract names."""
    found = await conductor.align(ids.values)
    points = await conductor.serve(secret, len(found.positions), found.positions, model.card_step)
    levels = await conductor.tell(found.positions)
    return Scored(ids.rows[found.rows], points[found.places], levels[found.places])


def write(path: Path, model: models.Model, table: Table, scored: Scored, contract: Contract) -> int:
    """Write one row a customer (0600): the card's probability where the telco knows the customer, the bank's own where not.

    A told column is empty for those whom the telco does not know, and where a value is none of its levels.
    """
    rows, points = scored.rows, scored.points
    alone = sigma(model.alone_log_odds(table))
    p = alone.copy()
    p[rows] = sigma(model.log_odds(table.take(rows), points))
    known = dict(zip(rows.tolist(), points.tolist(), strict=True))
    names = [(*column.levels, "") for column in contract.tells]
    told = {
        row: [levels[code] for levels, code in zip(names, codes, strict=True)]
        for row, codes in zip(rows.tolist(), scored.levels.tolist(), strict=True)
    }
    blank = [""] * len(names)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow((*COLUMNS, *(column.name for column in contract.tells)))
    for row in range(table.rows):
        shown = (f"{p[row]:.6f}", f"{alone[row]:.6f}", known.get(row, ""))
        writer.writerow((row + 1, table.ids[row], int(row in known), *shown, *told.get(row, blank)))
    disk.write(path, text.getvalue().encode())
    return int(np.size(rows))
