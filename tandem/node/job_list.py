"""What the jobs of one node stand at, read from its ledger's file beside a running node. Nothing sealed is opened: no key is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tandem.contract import Contract
from tandem.node.ledger_database import Database
from tandem.node.ledger_store import Ledger, caps_of


@dataclass(frozen=True)
class Standing:
    """One contract at one node. `contract`: its digest, hex."""

    contract: str
    job: str = ""
    """Id of the current job, hex: the same at all three. Empty where none is kept: none was begun, or the bank has written its results."""
    attempt: int = 0
    """The newest attempt number of the job: it counts sessions opened."""
    sealed: bool = False
    """A state is kept, sealed, to go on from."""
    steps: Mapping[str, int] = field(default_factory=dict)
    """How often each step of the job was begun, by name."""
    used: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)
    """Of each counter, how much is used up over the contract's life, and of how much; None where the contract is not at hand."""
    frames: int = 0
    last: str = ""
    """When the newest frame under the contract passed, UTC; empty before the first."""


def standings(ledger: Ledger, contracts: Iterable[Contract] = ()) -> list[Standing]:
    """Return a standing for each contract that the ledger or `contracts` knows, the one that was spoken under last coming first."""
    known = {contract.digest.hex(): contract for contract in contracts}
    with ledger.snapshot() as database:
        jobs = {row[0]: row[1:] for row in _rows(database, "jobs", "contract, job, attempt, length(sealed)")}
        steps: dict[str, dict[str, int]] = {}
        for name, step, number in _rows(database, "attempts", "contract, step, number"):
            steps.setdefault(name, {})[step] = number
        used: dict[str, dict[str, int]] = {}
        for name, counter, amount in ledger.usage():
            used.setdefault(name, {})[counter] = amount
        seen = {row[0]: row[1:] for row in database.execute("SELECT contract, MAX(time), COUNT(*) FROM entries GROUP BY contract")}
    found = []
    for name in {*known, *jobs, *used, *seen}:
        job, attempt, sealed = jobs.get(name, ("", 0, 0))
        caps: Mapping[Any, int] = caps_of(known[name]) if name in known else {}
        amounts = used.get(name, {})
        counted = {counter: (amount, caps.get(counter)) for counter, amount in sorted(amounts.items())}
        last, frames = seen.get(name, ("", 0))
        found.append(Standing(name, job, attempt, sealed > 0, dict(sorted(steps.get(name, {}).items())), counted, frames, last))
    return sorted(found, key=lambda one: (one.last, one.contract), reverse=True)


def _rows(database: Database, table: str, columns: str) -> Iterable[Any]:
    return database.execute(f"SELECT {columns} FROM {table}") if database.has(table) else ()  # noqa: S608 - constants
