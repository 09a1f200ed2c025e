"""The contracts that a node has approved: the signed files in its folder, looked up by digest, live or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tandem.contract import Contract, loads
from tandem.errors import ContractError
from tandem.node import disk


def utc_now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


class Contracts:
    """A folder of *.toml contracts. It is read again whenever an unknown digest is named, so a new contract needs no restart."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._folder, self._clock = folder, clock
        self._known: dict[bytes, Contract] = {}

    def live(self, digest: bytes) -> Contract:
        """Return the contract of this digest, complete, signed by all three and within its time. Raises ContractError."""
        if digest not in self._known:
            self._known = {contract.digest: contract for contract in self.all()}
        if digest not in self._known:
            raise ContractError(f"no contract {digest.hex()[:16]} lies in {self._folder}: it was not approved here, or was altered")
        contract = self._known[digest]
        contract.live(self._clock())
        return contract

    def all(self) -> list[Contract]:
        """Return every contract in the folder, live or not. Raises ContractError for a file that is none."""
        return [loads(disk.read_text(path), str(path)) for path in sorted(self._folder.glob("*.toml"))]

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
