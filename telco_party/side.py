"""The telco's configuration, for commands that serve every party."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tandem.contract import COORDINATOR, TELCO, Contract
from tandem.errors import ContractError
from tandem.node.config import read
from tandem.node.side import Holding, Side
from tandem.tables import Table
from telco_party import measuring
from telco_party.config import TelcoConfig
from telco_party.load import load


def side(path: Path) -> Side:
    """Return what node.toml says. Raises InputError."""
    config = read(path, TelcoConfig)
    source = config.table

    def table() -> Table:
        return load(source, config.folder)

    def fit(contract: Contract, found: Table) -> None:
        if contract.measurement is not None:
            measuring.code(found, np.arange(found.rows), contract.measurement)
            return
        offered, agreed = len(found.columns), contract.telco.variables
        if offered != agreed:
            told = f"the table offers {offered} variables, telco.variables is {agreed}"
            raise ContractError(f"contract {contract.id}: {told}: drop columns, or draft a new contract")

    contracts = tuple(sorted(config.at(config.contracts).glob("*.toml")))
    return Side(TELCO, config, contracts, {COORDINATOR: config.coordinator}, config.listen, Holding(source, table, fit))
