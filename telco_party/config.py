"""The telco's configuration, node.toml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from tandem.contract import Contract
from tandem.errors import ContractError
from tandem.node.config import Address, NodeConfig
from tandem.node.inputs.source import TableSource
from telco_party.limits import Limits


def _beginning(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{8,32}", text):
        raise ValueError("must be a contract's id, or its first 8 or more hex digits, in lower case")
    return text


Beginning = Annotated[str, AfterValidator(_beginning)]
"""A contract's id, or its first 8 or more hex digits."""


class ContractTable(TableSource):
    """A table for the contracts that it names."""

    contracts: tuple[Beginning, ...] = Field(min_length=1)

    def named(self, contract: Contract) -> bool:
        """Whether this table is for that contract."""
        return contract.id.startswith(self.contracts)


class TelcoConfig(NodeConfig):
    """Where the telco listens, whom it dials, which tables it offers, and which contracts it approved."""

    listen: Address = "127.0.0.1:7443"
    coordinator: Address = "127.0.0.1:7444"
    contracts: Path = Path("contracts")
    """Folder of the signed contracts that this node honours."""
    table: TableSource | None = None
    """For every contract that no other table names."""
    tables: Mapping[str, ContractTable] = {}
    """Tables for contracts that they name, by a name of the telco's own."""
    budget: Limits = Limits()
    """What one bank may have within a year."""
    witness: Path = Path("ledger.witness")
    """The ledger's counter: put it where no backup of the ledger reaches."""

    @model_validator(mode="after")
    def _one_each(self) -> Self:
        if self.table is None and not self.tables:
            raise ValueError("table is missing: add a section [table] that says where the subscribers lie")
        seen: dict[str, str] = {}
        for name, one in self.tables.items():
            for text in one.contracts:
                twin = next((known for known in seen if known.startswith(text) or text.startswith(known)), None)
                if twin is not None:
                    raise ValueError(f"tables.{name}: contract {text} is named twice, also in tables.{seen[twin]}: name it in one")
                seen[text] = name
        return self

    def section(self, contract: Contract) -> str:
        """Return the section of the contract's table: "table", or "tables." and its name. Raises ContractError where there is none."""
        for name, one in self.tables.items():
            if one.named(contract):
                return f"tables.{name}"
        if self.table is None:
            raise ContractError(f"contract {contract.id}: no section of tables names it, and there is no [table]: add one of the two")
        return "table"

    def source(self, section: str) -> TableSource:
        """Return what a section says; it must be one that `section` returned."""
        found = self.table if section == "table" else self.tables[section.removeprefix("tables.")]
        if found is None:
            raise ContractError("there is no [table] in this configuration: add it")
        return found

    @property
    def sections(self) -> tuple[str, ...]:
        """All sections there are."""
        return (*(("table",) if self.table else ()), *(f"tables.{name}" for name in self.tables))

    def idle(self, contracts: list[Contract]) -> list[tuple[str, str]]:
        """Return (section, id) of what is named and is none of these contracts."""
        return [
            (f"tables.{name}", text)
            for name, one in self.tables.items()
            for text in one.contracts
            if not any(contract.id.startswith(text) for contract in contracts)
        ]
