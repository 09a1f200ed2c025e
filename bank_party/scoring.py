"""Scoring new customers with a card that the telco holds, under a scoring contract."""

from __future__ import annotations

import csv
import io
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
from tandem.tables import Table
from tandem.train.pooled import sigma

COLUMNS = ("row", "id", "matched", "probability", "bank_probability", "telco_points")


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
    if len(ids) > contract.caps.identifiers:
        raise ContractError(f"contract {contract.id}: {len(ids)} customers, caps.identifiers is {contract.caps.identifiers}")
    return model, customers.table, ids


async def score(conductor: Conductor, model: models.Model, ids: Identifiers, secret: SecretKey) -> tuple[Integers, Integers]:
    """Align and score; return the matched customers' rows in the file, and the telco's points of each."""
    found = await conductor.align(ids.values)
    points = await conductor.serve(secret, len(found.positions), found.positions, model.card_step)
    return ids.rows[found.rows], points[found.places]


def write(path: Path, model: models.Model, table: Table, rows: Integers, points: Integers) -> int:
    """Write one row a customer (0600): the card's probability where the telco knows the customer, the bank's own where not."""
    alone = sigma(model.alone_log_odds(table))
    p = alone.copy()
    p[rows] = sigma(model.log_odds(table.take(rows), points))
    known = dict(zip(rows.tolist(), points.tolist(), strict=True))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in range(table.rows):
        writer.writerow((row + 1, table.ids[row], int(row in known), f"{p[row]:.6f}", f"{alone[row]:.6f}", known.get(row, "")))
    disk.write(path, text.getvalue().encode())
    return int(np.size(rows))
