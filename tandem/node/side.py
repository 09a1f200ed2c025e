"""What a party's package tells of its own configuration to commands that serve all three and import none of them.

Each package names a function under the entry point `tandem.sides`, by role: path of its configuration file in, `Side` out.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path

from tandem.contract import BANK, COORDINATOR, TELCO, Contract, Role
from tandem.errors import InputError
from tandem.node import disk
from tandem.node.config import NodeConfig
from tandem.node.inputs.source import TableSource
from tandem.tables import Table
from tandem.train.exposure import Exposure

GROUP = "tandem.sides"


@dataclass(frozen=True)
class Holding:
    """A party's table. `read` returns it as the party reads it; `fit` holds it against a contract. Both raise TandemErrors."""

    source: TableSource
    read: Callable[[], Table] = field(repr=False)
    fit: Callable[[Contract, Table], None] = field(repr=False)
    name: str = "table"
    """Its section in the configuration."""
    serves: Callable[[Contract], bool] = field(default=lambda _: True, repr=False)
    """Whether it is the table of this contract."""
    named: tuple[str, ...] = ()
    """How the ids begin of the contracts that it was given to, where it is not for all."""
    expose: Callable[[Contract, Table], Exposure] | None = field(default=None, repr=False)
    """A telco's: what share of its rows the scores of a contract would expose. Raises TandemErrors."""


@dataclass(frozen=True)
class Side:
    """One party as its configuration file describes it."""

    role: Role
    config: NodeConfig
    contracts: tuple[Path, ...]
    """The files of the contracts that it honours."""
    dials: Mapping[Role, str]
    """Address of each party that it calls."""
    listen: str = ""
    """Where it is called; "" for a party that is not."""
    holdings: tuple[Holding, ...] = ()


def side(path: Path) -> Side:
    """Return the side that the configuration in `path` describes. Raises InputError for a file that is none, or a package not installed."""
    try:
        fields = tomllib.loads(disk.read_text(path))
    except tomllib.TOMLDecodeError as failure:
        raise InputError(f"{path}: not TOML: {failure}: correct that line") from None
    role = BANK if "listen" not in fields else TELCO if {"table", "tables"} & set(fields) else COORDINATOR
    for point in entry_points(group=GROUP):
        if point.name == role:
            found: Side = point.load()(path)
            return found
    raise InputError(f"{path} is the file of a {role}, but the package of that party is not installed here")
