"""What came of a campaign, results.csv: one row a person, with the group, an outcome a column as 0 or 1, and what was spent.

Errors count, and name rows by number; they never print a person, a group's size or a value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bank_party.config import StudyConfig
from tandem.align.identifiers import normalise
from tandem.contract import Contract
from tandem.contract.measurement import Measurement
from tandem.errors import ContractError, InputError
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import Declared, TableSource
from tandem.sums.terms import Integers
from tandem.tables import Table

GROUP, SPEND = "group", "spend"
SHOWN = 5
"""Rows named in an error."""


@dataclass(frozen=True)
class Results:
    """`outcomes` (n, groups * outcomes): the 0/1 numbers of each person, by normalised identifier (`ids`); zeros for one not contacted."""

    ids: list[bytes] = field(repr=False)
    groups: tuple[str, ...]
    outcomes: Integers = field(repr=False)
    apart: int = 0
    """People not contacted who reached the end of the funnel, or spent, all the same: no outcome of the campaign, and not counted."""


def read_results(config: StudyConfig, contract: Contract, asked: Measurement) -> Results:
    """Read the file that the study names as `results`.

    Raises InputError for what is missing, doubled or impossible in it, ContractError where it has not the contract's number of groups.
    """
    if config.results is None:
        raise InputError('the study names no results: add results = "results.csv" to it')
    source = _source(config, config.results, asked)
    table = read_table(source, config.folder)
    where = str(config.results)
    ids = normalise(table.ids, contract.identifier, source.keep, drop_bad=source.drop_bad)
    flags = np.stack([_flags(table, name, where) for name in asked.outcomes], axis=1)
    bands = [np.asarray(_spend(table, where) >= edge, dtype=np.int64) for edge in asked.spend_bands]
    if asked.spend_bands:
        flags = np.column_stack((flags, *bands))
    end = len(asked.outcomes) - 1
    _refuse(where, flags[:, 1:end].any(axis=1) & (flags[:, 0] == 0), "have a step of the funnel without contact")
    apart = (flags[:, 0] == 0) & flags.any(axis=1)
    flags[apart] = 0
    names, at = _groups(config, table, where)
    _refuse(where, (flags[:, 0] == 1) & (at < 0), "are of people contacted, and name no group")
    if len(names) != asked.groups:
        told = f"measurement.groups is {asked.groups}, {where} has {len(names)}"
        raise ContractError(f"contract {contract.id}: {told}: correct the file, or draft another contract")
    outcomes = np.zeros((table.rows, asked.groups, flags.shape[1]), dtype=np.int64)
    held = np.flatnonzero(at >= 0)
    outcomes[held, at[held]] = flags[held]
    for group, name in enumerate(names):
        if not outcomes[:, group, 0].any():
            raise InputError(f"{where}: nobody in group {name!r} was contacted: there is nothing to measure; take the group out")
    return Results([ids.values[i] for i in range(len(ids))], names, outcomes.reshape(table.rows, -1)[ids.rows], int(apart.sum()))


def _source(config: StudyConfig, place: Path, asked: Measurement) -> TableSource:
    """Return how the file is read: the columns that are asked for, and no other."""
    columns: dict[str, Declared] = {config.table.id: "id", GROUP: "text"}
    columns |= dict.fromkeys((*asked.outcomes, *((SPEND,) if asked.spend_bands else ())), "number")
    return TableSource.model_validate({
        "source": str(place), "columns": columns, "keep": config.table.keep, "drop_bad": config.table.drop_bad,
    })


def _flags(table: Table, name: str, where: str) -> Integers:
    values = np.asarray(table.column(name), dtype=np.float64)
    _refuse(where, ~np.isin(values, (0.0, 1.0)), f"have neither 0 nor 1 in column {name!r}")
    return values.astype(np.int64)


def _spend(table: Table, where: str) -> NDArray[np.float64]:
    values = np.asarray(table.column(SPEND), dtype=np.float64)
    _refuse(where, ~(values >= 0.0), f"have nothing, or less than nothing, in column {SPEND!r}")
    return values


def _groups(config: StudyConfig, table: Table, where: str) -> tuple[tuple[str, ...], Integers]:
    """Return the names of the groups, and each row's: -1 for none."""
    written = [None if value is None else str(value).strip() or None for value in table.column(GROUP).tolist()]
    names = tuple(config.groups) or tuple(sorted({value for value in written if value is not None}))
    at = {name: number for number, name in enumerate(names)}
    found = np.array([-1 if value is None else at.get(value, len(names)) for value in written], dtype=np.int64)
    _refuse(where, found == len(names), "name a group that the study's `groups` do not")
    return names, found


def _refuse(where: str, wrong: NDArray[np.bool_], what: str) -> None:
    rows: Sequence[int] = (np.flatnonzero(wrong) + 1).tolist()
    if rows:
        named = ", ".join(map(str, rows[:SHOWN])) + (", ..." if len(rows) > SHOWN else "")
        raise InputError(f"{where}: {len(rows)} of {len(wrong)} rows (rows {named}) {what}: correct them")
