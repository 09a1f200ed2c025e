"""The pooled twin: what one party could fit if it held both tables. Only where both tables are one's own, after the nodes have exited.

bank folder    study.toml, its table, out/model.json, out/scores.csv           every step is done again from the files:
telco folder   node.toml, its table, state/models/card-*.json                  join, codes by the frozen cuts, WoE, then an exact fit
"""

from __future__ import annotations

import csv
import io
import json
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.align.identifiers import normalise
from tandem.contract import Contract, loads
from tandem.describe.woe import NEUTRAL, Described
from tandem.errors import CheckFailed, InputError
from tandem.node import disk
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource
from tandem.node.ledger_store import Ledger
from tandem.tables import Binning, Codes, Table, coding_from_dict
from tandem.train.newton import FloatArray
from tandem.train.pooled import Fit, fit


@dataclass(frozen=True)
class Pooled:
    """Matched customers in the order of the bank's file: ids as written there, log-odds of the pooled fit; the fit; the comparison.

    joint: log-odds that the released coefficients give on both tables, without any dither.
    """

    ids: list[str] = field(repr=False)
    log_odds: FloatArray = field(repr=False)
    joint: FloatArray = field(repr=False)
    fit: Fit
    released: FloatArray
    """The sealed study's coefficients, in the pooled fit's order."""
    max_se_difference: float
    """Largest |released - pooled| in the pooled fit's standard errors."""
    se_ratios: tuple[float, float]
    """Smallest and largest of the study's standard errors over the pooled fit's."""
    seconds: float


def rehearse(bank: Path, telco: Path, contract: Contract) -> Pooled:
    """Fit the pooled model on the study's own bins and rows. Raises CheckFailed if the files do not give the statistics released."""
    began = time.monotonic()
    model = json.loads(disk.read_private(bank / "out" / "model.json"))
    card = json.loads(disk.read_private(telco / "state" / "models" / f"card-{model['card'][:16]}.json"))
    described = [Described.from_dict(one) for one in model["described"]]
    scores = _scores(bank / "out" / "scores.csv")
    customers, own = _bank_table(bank, contract, model)
    subscribers, codes = _telco_codes(telco, contract, card)
    place = {value: row for row, value in enumerate(subscribers)}
    rows = [row for row in range(len(customers)) if customers[row] in place]
    if rows != [row for row, one in enumerate(scores) if one["matched"] == "1"]:
        raise CheckFailed("the files join to other people than the study matched: were they changed since?")
    y = np.array([int(scores[row]["label"]) for row in rows])
    train = np.array([scores[row]["part"] == "train" for row in rows])
    coded = codes[[place[customers[row]] for row in rows]]
    _check_statistics(described, coded[train], y[train])
    kept = [j for j, one in enumerate(described) if one.alias in model["aliases"]]
    x_t = np.column_stack([described[j].values[coded[:, j]] for j in kept])
    X = np.column_stack((np.ones(len(rows)), own[rows], x_t))
    pooled = fit(X[train], y[train], float(model["ridge"]))
    released = np.array(model["theta"])
    worst = float(np.max(np.abs(released - pooled.theta) / pooled.se))
    ratios = np.array(model["se_exact"] if "se_exact" in model else model["se_approximate"]) / pooled.se
    ids = [scores[row]["id"] for row in rows]
    apart = float(ratios.min()), float(ratios.max())
    return Pooled(ids, X @ pooled.theta, X @ released, pooled, released, worst, apart, time.monotonic() - began)


def write(path: Path, pooled: Pooled, folders: Mapping[str, Path], contract: Contract) -> None:
    """Write what the bank's report takes in: the pooled log-odds, and what the other processes used (0600)."""
    peaks: dict[str, int] = {}
    traffic: list[dict[str, Any]] = []
    for folder in folders.values():
        usage = folder / "state" / "usage.json"
        if usage.exists():
            peaks |= json.loads(disk.read_text(usage))
    if "coordinator" in folders:
        sizes = {"sent": 0, "received": 0}
        with Ledger(folders["telco"] / "ledger.sqlite", read_only=True) as ledger:
            for entry in ledger.entries():
                if entry.peer == "coordinator" and entry.contract == contract.digest.hex():
                    sizes[entry.direction] += entry.size
        traffic.append({"sender": "telco", "receiver": "coordinator", "bytes": sizes["sent"]})
        traffic.append({"sender": "coordinator", "receiver": "telco", "bytes": sizes["received"]})
    content = {
        "ids": pooled.ids, "log_odds": pooled.log_odds.tolist(), "joint": pooled.joint.tolist(),
        "max_se_difference": pooled.max_se_difference, "se_ratios": list(pooled.se_ratios),
        "theta": pooled.fit.theta.tolist(), "se": pooled.fit.se.tolist(), "seconds": pooled.seconds,
        "peak_memory": peaks, "traffic": traffic,
    }
    disk.write(path, json.dumps(content, ensure_ascii=False).encode())


def read_contract(bank: Path) -> Contract:
    """Return the contract of the study in this folder."""
    study = tomllib.loads(disk.read_text(bank / "study.toml"))
    path = bank / study.get("contract", "contract.toml")
    return loads(disk.read_text(path), str(path))


def _scores(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(disk.read_private(path).decode())))


def _bank_table(bank: Path, contract: Contract, model: Mapping[str, Any]) -> tuple[list[bytes | None], FloatArray]:
    """Return each row's identifier (None where it was dropped) and its own columns, coded by the frozen codings (N, d_b)."""
    codings = [coding_from_dict(one) for one in model["codings"]]
    source = TableSource.model_validate(tomllib.loads(disk.read_text(bank / "study.toml"))["table"])
    table = read_table(
        source, bank, numeric=[one.column for one in codings if not one.text], text=[one.column for one in codings if one.text],
    )
    return _identifiers(table, contract, source), np.concatenate([one.code(table.column(one.column)) for one in codings], axis=1)


def _telco_codes(telco: Path, contract: Contract, card: Mapping[str, Any]) -> tuple[list[bytes | None], Codes]:
    """Return each row's identifier and its bin numbers by the frozen cuts (N, d_t)."""
    columns, binnings = card["cuts"]["columns"], [Binning.from_dict(one) for one in card["cuts"]["binnings"]]
    source = TableSource.model_validate(tomllib.loads(disk.read_text(telco / "node.toml"))["table"])
    kinds = dict(zip(columns, (one.kind for one in binnings), strict=True))
    table = read_table(
        source, telco, numeric=[name for name in columns if kinds[name] == "ordered"],
        text=[name for name in columns if kinds[name] == "levels"],
    )
    codes = np.column_stack([one.code(table.column(name)) for name, one in zip(columns, binnings, strict=True)])
    return _identifiers(table, contract, source), codes


def _identifiers(table: Table, contract: Contract, source: TableSource) -> list[bytes | None]:
    ids = normalise(table.ids, contract.identifier, source.keep, drop_bad=source.drop_bad)
    spread: list[bytes | None] = [None] * table.rows
    for row, value in zip(ids.rows, ids.values, strict=True):
        spread[row] = value
    return spread


def _check_statistics(described: list[Described], codes: Codes, y: NDArray[np.int64]) -> None:
    """Count every released group again in the clear. Raises CheckFailed naming the alias where the sealed sums said otherwise."""
    for j, one in enumerate(described):
        group = np.array(one.group)
        of_row = np.where(group == NEUTRAL, one.host, group)[codes[:, j]]
        counts = np.bincount(of_row, minlength=len(one.counts))
        bads = np.bincount(of_row, weights=y, minlength=len(one.counts))
        if not (np.array_equal(counts, one.counts) and np.array_equal(bads, one.bads)):
            raise CheckFailed(f"variable {one.alias}: counted in the clear, rows and bads by group are not what was released")


def require_finished(bank: Path) -> None:
    """Raise InputError unless a study has ended in this folder."""
    if not (bank / "out" / "model.json").exists():
        raise InputError(f"{bank}: no finished study lies here: run `tandem bank train` first")
