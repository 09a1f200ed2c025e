"""The telco's half of a model: frozen cuts and the signed table of points, sealed, or open where the contract says so."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tandem.contract import Contract
from tandem.crypto.paillier import PublicKey
from tandem.errors import ContractError, InputError, Malformed
from tandem.node import disk, kept
from tandem.score.open_weights import OpenTable, open_table
from tandem.score.statement import Scale, table_digest
from telco_party.bins import Cuts

VERSION = 2


@dataclass(frozen=True)
class Card:
    """One card: the contract it was trained under, roster digest, the bank's public key, cuts, and the sealed table's bytes or points."""

    contract: str
    roster: str
    card_step: int
    key: PublicKey
    cuts: Cuts
    table: bytes | OpenTable = field(repr=False)

    @property
    def name(self) -> str:
        """Digest of the table, hex: what a scoring contract calls it."""
        return (self.table.digest if isinstance(self.table, OpenTable) else table_digest(self.key, self.table)).hex()

    @property
    def weights(self) -> str:
        """Whether the telco reads the points, as contracts say it: blind or open."""
        return "open" if isinstance(self.table, OpenTable) else "blind"

    def save(self, folder: Path) -> Path:
        """Write the card into the telco's model folder (0600), whole or not at all; return its path."""
        disk.make_private_folder(folder)
        path = folder / f"card-{self.name[:16]}.json"
        content = {
            "version": VERSION, "kind": "tandem-telco-card", "card": self.name, "contract": self.contract, "roster": self.roster,
            "card_step": self.card_step, "modulus": self.key.to_bytes().hex(), "cuts": self.cuts.to_dict(),
            **self._table(),
        }
        kept.write(path, content)
        return path

    def _table(self) -> dict[str, Any]:
        if isinstance(self.table, OpenTable):
            return {"points": Scale.card(self.card_step).points(self.table.points).tolist()}
        return {"table": base64.b64encode(self.table).decode()}


def load(folder: Path, contract: Contract) -> Card:
    """Return the card that a scoring contract names. Raises ContractError if we do not hold it, InputError if the file is damaged."""
    path = folder / f"card-{contract.card[:16]}.json"
    if not path.exists():
        raise ContractError(f"contract {contract.id}: card {contract.card[:16]} is not among the models in {folder}")
    try:
        card = _read(kept.read(path))
    except (KeyError, TypeError, ValueError, Malformed):
        raise InputError(f"{path} is damaged or of another version: restore it from its backup") from None
    if card.name != contract.card or card.contract != contract.training:
        raise ContractError(f"contract {contract.id}: {path} holds another card, or one trained under another contract")
    if card.weights != contract.layout.weights:
        raise ContractError(f'contract {contract.id}: layout.weights is "{contract.layout.weights}", the card\'s are {card.weights}')
    return card


def _read(data: Mapping[str, Any]) -> Card:
    if data["version"] != VERSION:
        raise ValueError(data["version"])
    key, cuts, step = PublicKey.load(bytes.fromhex(data["modulus"])), Cuts.from_dict(data["cuts"]), int(data["card_step"])
    table: bytes | OpenTable
    if "points" in data:
        scale = Scale.card(step)
        units = tuple(int(point) << scale.noise_bits for point in data["points"])
        table = open_table(tuple(outline.bins for outline in cuts.outlines), scale, units)
    else:
        table = base64.b64decode(data["table"], validate=True)
    return Card(str(data["contract"]), str(data["roster"]), step, key, cuts, table)
