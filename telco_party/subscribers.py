"""The telco's table behind one contract: identifiers, tags in shuffled order, and which row of the file each tag is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tandem.align.cover import disguise
from tandem.align.identifiers import normalise
from tandem.align.tags import WIDTH, make_tags, shuffle, take
from tandem.arguments import Engine
from tandem.contract import Contract
from tandem.crypto.voprf import KeyPair
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.inputs.source import TableSource
from tandem.node.keys import alignment_key, derive
from tandem.tables import Positions, Table
from telco_party import companions


@dataclass(frozen=True)
class Subscribers:
    """`tags` in the order in which they are sent; `rows[position]` is the row of the file behind a tag. `note`: for the operator."""

    key: KeyPair = field(repr=False)
    tags: bytes = field(repr=False)
    rows: Positions = field(repr=False)
    people: bytes = field(repr=False)
    """Digest of who they are, in whatever order: a table of other people has another."""
    note: str = ""

    def __len__(self) -> int:
        return len(self.rows)


def hashed(table: Table, options: TableSource, contract: Contract, seed: bytes, engine: Engine, shelf: Path) -> Subscribers:
    """Return the tags of the table under the contract's key, made once and kept in `shelf` until the contract ends.

    The order is drawn from seed, contract and identifiers, so it is the same whenever the node is started again, in whatever order a
    database gives the rows; with cover, group by group. Raises InputError for identifiers that are empty, malformed or repeated and not to
    be dropped, and for other identifiers than the tags were made of; ContractError if our seed is not the one behind the pinned key, the
    table is larger than the contract allows, or the bank's cover groups are of another kind (see `companions`).
    """
    key = alignment_key(seed, contract)
    if key.public.hex() != contract.telco.oprf_key:
        raise ContractError(f"contract {contract.id}: telco.oprf_key does not come from this node's seed: use the keys that signed it")
    ids = normalise(table.ids, contract.identifier, options.keep, drop_bad=options.drop_bad)
    order, empty, note = _arranged(ids.values, contract, seed, shelf)
    if len(order) > contract.caps.table:
        raise ContractError(f"contract {contract.id}: the table has {len(order)} subscribers, caps.table is {contract.caps.table}")
    path, stamp = shelf / f"tags-{contract.digest.hex()[:16]}.bin", _stamp(ids.values, order, empty)
    if path.exists():
        data = disk.read_private(path)
        tags = data[: -len(stamp)]
        if data[len(tags) :] != stamp or len(tags) != len(order) * WIDTH:
            raise InputError(f"{path} was made of another table: move it away, and draft a new contract for the new table")
    else:
        tags = disguise(take(make_tags(key, ids.values, engine), order), empty, derive(seed, "empty seats", contract.digest))
        disk.write(path, tags + stamp)
    return Subscribers(key, tags, np.asarray(ids.rows)[order], hashlib.sha256(b"\n".join(sorted(ids.values))).digest(), note)


def _stamp(ids: list[bytes], order: Positions, empty: NDArray[np.bool_]) -> bytes:
    """Return SHA-256 over who is behind each tag: a tag kept from another table would be taken for somebody else's."""
    digest = hashlib.sha256(empty.tobytes())
    for row in order:
        digest.update(len(ids[row]).to_bytes(4, "big") + ids[row])
    return digest.digest()


def _arranged(ids: list[bytes], contract: Contract, seed: bytes, shelf: Path) -> tuple[Positions, NDArray[np.bool_], str]:
    """Return who is behind each tag in the order in which tags are sent, which of them are empty seats, and a note for the operator."""
    if contract.layout.cover == 1:
        by_value = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
        order = by_value[shuffle(bytes(len(ids) * WIDTH), derive(seed, "order", contract.digest))]
        return order, np.zeros(len(order), dtype=np.bool_), ""
    seating = companions.seated(ids, contract, seed, shelf)
    return seating.rows, seating.empty, companions.told(seating)
