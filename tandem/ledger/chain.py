"""The ledger's entries and the chain that binds them: each hash covers its entry and the hash before, so nothing in between can change.

A chain shows changes, gaps and swaps. It does not show that the newest entries were cut off: for that the store keeps its head, and the
other side's ledger, which names the same frames, is the witness.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from tandem.ledger.disclosure import Disclosed

Direction = Literal["sent", "received"]

GENESIS = hashlib.sha256(b"tandem-ledger-v1").hexdigest()
"""The hash before the first entry."""


@dataclass(frozen=True)
class Entry:
    """One frame, as it is recorded. Digests in hex; `size` in bytes; `time` in UTC. Holds no content."""

    time: str
    contract: str
    session: str
    direction: Direction
    peer: str
    script: str
    message: str
    size: int
    frame: str
    disclosed: tuple[Disclosed, ...] = ()
    number: int = 0
    previous: str = ""
    hash: str = ""


def digest(entry: Entry) -> str:
    """Return the hash of everything in `entry` but its own hash: SHA-256 of canonical JSON, in hex."""
    fields: dict[str, Any] = asdict(entry)
    del fields["hash"]
    # `default`: a foreign type, put into the file by someone, must fail the hash and not the check
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr)
    return hashlib.sha256(b"tandem-ledger-entry-v1\0" + text.encode()).hexdigest()


def link(entry: Entry, number: int, previous: str) -> Entry:
    """Return `entry` as number `number` (from 1) of the chain whose last hash is `previous` (GENESIS for the first)."""
    bound = replace(entry, number=number, previous=previous)
    return replace(bound, hash=digest(bound))


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold, and how."""

    number: int
    reason: str


def first_break(entries: Iterable[Entry], head: tuple[int, str] | None = None) -> Break | None:
    """Return the first place where the chain does not hold, None if it holds to the end and ends at `head` (number, hash) if given."""
    number, previous = 0, GENESIS
    for entry in entries:
        number += 1
        if entry.number != number:
            return Break(number, f"entry {number} is missing: entry {entry.number} stands in its place")
        if entry.previous != previous:
            return Break(number, f"entry {number} does not follow the one before: one of the two was put in later")
        if entry.hash != digest(entry):
            return Break(number, f"entry {number} was changed after it was written")
        previous = entry.hash
    if head is not None and head != (number, previous):
        return Break(number + 1, f"the ledger ends at entry {number}, but {head[0]} were written: the newest were cut off")
    return None
