"""The bank's configuration, for commands that serve every party."""

from __future__ import annotations

from pathlib import Path

from bank_party import measuring, scoring, studies
from bank_party.config import StudyConfig
from bank_party.load import load
from tandem.contract import BANK, COORDINATOR, TELCO, Contract
from tandem.node.config import read
from tandem.node.side import Holding, Side
from tandem.tables import Table


def side(path: Path) -> Side:
    """Return what study.toml says. Raises InputError."""
    config = read(path, StudyConfig)
    source = config.table

    def table() -> Table:
        return load(source, config.folder, config.label or None, positive=config.positive).table

    def fit(contract: Contract, _: Table) -> None:
        """Prepare the study as `train` or `score` would: it says itself what does not fit."""
        if contract.kind == "training":
            studies.prepare(config, contract)
        elif contract.kind == "measurement":
            measuring.prepare(config, contract)
        else:
            scoring.prepare(config, contract)

    dials = {TELCO: config.telco, COORDINATOR: config.coordinator}
    return Side(BANK, config, (config.at(config.contract),), dials, holdings=(Holding(source, table, fit),))
