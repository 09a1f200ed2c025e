"""The telco's configuration, node.toml."""

from __future__ import annotations

from pathlib import Path

from tandem.node.config import Address, NodeConfig
from tandem.node.inputs.source import TableSource


class TelcoConfig(NodeConfig):
    """Where the telco listens, whom it dials, which table it offers, and which contracts it approved."""

    listen: Address = "127.0.0.1:7443"
    coordinator: Address = "127.0.0.1:7444"
    contracts: Path = Path("contracts")
    """Folder of the signed contracts that this node honours."""
    table: TableSource
