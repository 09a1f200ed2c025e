"""The telco's configuration, for commands that serve every party."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tandem.contract import COORDINATOR, TELCO, Contract
from tandem.node.chance import System
from tandem.node.config import read
from tandem.node.side import Holding, Side
from tandem.tables import Table
from tandem.train.exposure import Exposure
from telco_party import cards, exposing, tables
from telco_party.config import TelcoConfig


def side(path: Path) -> Side:
    """Return what node.toml says. Raises InputError."""
    config = read(path, TelcoConfig)

    def holding(section: str) -> Holding:
        def fit(contract: Contract, found: Table) -> None:
            card = cards.load(config.at(config.state) / "models", contract) if contract.kind == "scoring" else None
            tables.fit(contract, found, None if card is None else card.cuts, section)

        def expose(contract: Contract, found: Table) -> Exposure:
            fit(contract, found)
            return exposing.predict(contract, found, config.at(config.state) / "models", System())

        def serves(contract: Contract) -> bool:
            return _section(config, contract) == section

        named = () if section == "table" else config.tables[section.removeprefix("tables.")].contracts
        return Holding(config.source(section), partial(tables.read, config, section), fit, section, serves, named, expose)

    contracts = tuple(sorted(config.at(config.contracts).glob("*.toml")))
    holdings = tuple(holding(section) for section in config.sections)
    return Side(TELCO, config, contracts, {COORDINATOR: config.coordinator}, config.listen, holdings)


def _section(config: TelcoConfig, contract: Contract) -> str:
    return next((f"tables.{name}" for name, one in config.tables.items() if one.named(contract)), "table")
