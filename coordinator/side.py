"""The coordinator's configuration, for commands that serve every party."""

from __future__ import annotations

from pathlib import Path

from coordinator.config import CoordinatorConfig
from tandem.contract import COORDINATOR
from tandem.node.config import read
from tandem.node.side import Side


def side(path: Path) -> Side:
    """Return what node.toml says. Raises InputError."""
    config = read(path, CoordinatorConfig)
    return Side(COORDINATOR, config, tuple(sorted(config.at(config.contracts).glob("*.toml"))), {}, config.listen)
