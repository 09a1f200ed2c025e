"""The coordinator's configuration, node.toml."""

from __future__ import annotations

from pathlib import Path

from tandem.node.config import Address, NodeConfig


class CoordinatorConfig(NodeConfig):
    """Where the coordinator listens, and which contracts it approved. It has no table and dials nobody."""

    listen: Address = "127.0.0.1:7444"
    contracts: Path = Path("contracts")
