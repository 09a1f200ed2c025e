"""The telco's table behind one contract: identifiers, tags in shuffled order, and which row of the file each tag is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

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


@dataclass(frozen=True)
class Subscribers:
    """`tags` in the order in which they are sent; `rows[position]` is the row of the file behind a tag."""

    key: KeyPair = field(repr=False)
    tags: bytes = field(repr=False)
    rows: Positions = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)


def hashed(table: Table, options: TableSource, contract: Contract, seed: bytes, engine: Engine, shelf: Path) -> Subscribers:
    """Return the tags of the table under the contract's key, made once and kept in `shelf` until the contract ends.

    The order is drawn from seed, contract and identifiers, so it is the same whenever the node is started again, in whatever order a
    database gives the rows. Raises InputError for identifiers that are empty, malformed or repeated and not to be dropped, and for other
    identifiers than the tags were made of; ContractError if our seed is not the one behind the pinned key, or the table is larger than the
    contract allows.
    """
    key = alignment_key(seed, contract)
    if key.public.hex() != contract.telco.oprf_key:
        raise ContractError(f"contract {contract.id}: telco.oprf_key does not come from this node's seed: use the keys that signed it")
    ids = normalise(table.ids, contract.identifier, options.keep, drop_bad=options.drop_bad)
    if len(ids) > contract.caps.table:
        raise ContractError(f"contract {contract.id}: the table has {len(ids)} subscribers, caps.table is {contract.caps.table}")
    by_value = np.array(sorted(range(len(ids)), key=ids.values.__getitem__), dtype=np.int64)
    order = by_value[shuffle(bytes(len(ids) * WIDTH), derive(seed, "order", contract.digest))]
    made_of = _digest(ids.values[row] for row in by_value.tolist())
    path = shelf / f"tags-{contract.id}.bin"
    if path.exists():
        kept = disk.read_private(path)
        tags = kept[len(made_of) :]
        if not kept.startswith(made_of) or len(tags) != len(ids) * WIDTH:
            raise InputError(f"{path} was made of other identifiers: move it away, and draft a new contract for the new table")
    else:
        tags = take(make_tags(key, ids.values, engine), order)
        disk.write(path, made_of + tags)
    return Subscribers(key, tags, np.asarray(ids.rows)[order])


def _digest(values: Iterable[bytes]) -> bytes:
    """Return SHA-256 of the identifiers in this order, each after its length: 32 bytes."""
    state = hashlib.sha256()
    for value in values:
        state.update(len(value).to_bytes(4, "big") + value)
    return state.digest()
