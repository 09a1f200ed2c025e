"""The telco's tables in memory: each source is read once, and kept while a live contract needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tandem.contract import Contract
from tandem.errors import ContractError, InputError
from tandem.tables import Codes, Table
from telco_party import measuring
from telco_party.bins import Cuts
from telco_party.config import TelcoConfig
from telco_party.levels import codes
from telco_party.load import load


@dataclass(frozen=True)
class Read:
    """A table that was just read, for those who tell the operator: where from, and the table."""

    section: str
    source: str
    table: Table


def read(config: TelcoConfig, section: str) -> Table:
    """Read the table of one section. Raises InputError, which names the section unless it is [table]."""
    try:
        return load(config.source(section), config.folder)
    except InputError as failure:
        if section == "table":
            raise
        raise InputError(f"[{section}] {failure}") from None


class Tables:
    """The table of each contract."""

    def __init__(self, config: TelcoConfig, live: Callable[[], list[Contract]], told: Callable[[Read], None] = lambda _: None) -> None:
        """`live` gives the contracts that may still need a table; `told` hears of each table that is read."""
        self._config, self._live, self._told = config, live, told
        self._read: dict[str, Table] = {}
        self._lock = threading.Lock()

    def of(self, contract: Contract) -> Table:
        """Return the table of the contract. Raises InputError for what cannot be read, ContractError where no section is for it."""
        section = self._config.section(contract)
        with self._lock:
            if self._key(section) not in self._read:
                self._let_go()
                self._load(section)
            return self._read[self._key(section)]

    def begin(self) -> None:
        """Read the table of every live contract; [table] if there is none. Raises InputError, ContractError."""
        live = self._live()
        for contract in live:
            self.of(contract)
        if not live and self._config.table is not None:
            self._load("table")

    @property
    def held(self) -> int:
        """How many tables are in memory."""
        return len(self._read)

    def _load(self, section: str) -> None:
        table = read(self._config, section)
        self._read[self._key(section)] = table
        self._told(Read(section, self._config.source(section).source, table))

    def _let_go(self) -> None:
        """Forget the tables that no live contract needs."""
        try:
            live = self._live()
        except ContractError:  # a file in the folder is no contract: work under the others goes on, and nothing is forgotten
            return
        needed = {self._key(self._config.section(one)) for one in live if self._served(one)}
        self._read = {key: table for key, table in self._read.items() if key in needed}

    def _served(self, contract: Contract) -> bool:
        return self._config.table is not None or any(one.named(contract) for one in self._config.tables.values())

    def _key(self, section: str) -> str:
        return self._config.source(section).model_dump_json(exclude={"contracts"})


def fit(contract: Contract, table: Table, cuts: Cuts | None, where: str) -> tuple[Codes, ...]:
    """Return `told`, if the table has what the contract names: as many variables, those of the card's `cuts`, or segments; told columns.

    Raises ContractError or InputError that says what is missing.
    """
    if contract.measurement is not None:
        measuring.code(table, np.arange(table.rows), contract.measurement)
        return ()
    offered, agreed = len(table.columns if cuts is None else cuts.columns), contract.telco.variables
    if offered != agreed:
        who = "the table offers" if cuts is None else "the card has"
        told_so = f"[{where}]: {who} {offered} variables, telco.variables is {agreed}"
        raise ContractError(f"contract {contract.id}: {told_so}: drop columns, or draft a new contract")
    if cuts is not None:
        cuts.code(table, np.arange(min(1, table.rows)))  # every column is there, and of its kind
    return told(contract, table)


def told(contract: Contract, table: Table) -> tuple[Codes, ...]:
    """Return (N,) the level's number of every row of the table, by told column. Raises InputError (see `codes`)."""
    return tuple(codes(table, column) for column in contract.tells)
