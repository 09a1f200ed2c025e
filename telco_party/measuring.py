"""The telco in a measurement: its segments as the contract's levels, and the summer's part."""

from __future__ import annotations

import numpy as np

from tandem.arguments import Chance, Engine
from tandem.contract import Contract
from tandem.contract.measurement import Measurement
from tandem.errors import ContractError
from tandem.measure import summer
from tandem.measure.script import MEASURE
from tandem.measure.terms import Terms
from tandem.node.casting import Cast
from tandem.tables import CodedTable, Positions, Table
from tandem.wire.messages import Opening
from telco_party import levels
from telco_party.bins import Cuts

NO_CUTS = Cuts((), ())
"""A measurement cuts nothing: the contract names every level."""


def code(table: Table, rows: Positions, asked: Measurement) -> CodedTable:
    """Return the levels of these rows, a column a segment. Raises InputError where the table has no such column or levels."""
    # Held against the whole table: a small roster may well have none of the levels.
    codes = np.column_stack([levels.codes(table, one)[rows] for one in asked.segments])
    return CodedTable(codes, asked.levels, tuple(f"s{j:02}" for j in range(1, len(asked.segments) + 1)))


def play(contract: Contract, opening: Opening, table: CodedTable, engine: Engine, chance: Chance) -> Cast:
    """Return the summer of a measurement. Raises ContractError for any other script: nothing else is done under such a contract."""
    if opening.script != MEASURE.name:
        raise ContractError(f"contract {contract.id} is for measurement: nothing else can be done under it")
    return Cast(MEASURE, "summer", summer.measure(table, Terms.of(contract), engine, chance))
