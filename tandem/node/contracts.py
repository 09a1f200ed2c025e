"""The contracts that a node has approved: the signed files in its folder, looked up by digest, live or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tandem.contract import Contract, loads
from tandem.errors import ContractError, TandemError
from tandem.node import disk


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Contracts:
    """A folder of *.toml contracts. It is read anew for each session: a new contract needs no restart, a removed one ends at once."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._folder, self._clock = folder, clock

    def live(self, digest: bytes) -> Contract:
        """Return the contract of this digest, complete, signed by all its parties and within its time. Raises ContractError."""
        unread = ""
        for path in self._paths():
            try:
                contract = loads(disk.read_text(path), str(path))
            except TandemError as failure:  # one bad file must not stop work under the others
                unread += f"; {failure}"
                continue
            if contract.digest == digest:
                contract.live(self._clock())
                return contract
        raise ContractError(f"no contract {digest.hex()[:16]} lies in {self._folder}: it was not approved here, or was altered{unread}")

    def all(self) -> list[Contract]:
        """Return every contract in the folder, live or not. Raises ContractError for a file that is none."""
        return [loads(disk.read_text(path), str(path)) for path in self._paths()]

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.toml"))

    def usable(self) -> list[Contract]:
        """Return the contracts that are live now."""
        found = []
        for contract in self.all():
            try:
                contract.live(self._clock())
            except ContractError:
                continue
            found.append(contract)
        return found


def live_contract(path: Path, clock: Callable[[], datetime] = utc_now) -> Contract:
    """Return the contract in a file, if it is live. Raises ContractError."""
    contract = loads(disk.read_text(path), str(path))
    contract.live(clock())
    return contract
