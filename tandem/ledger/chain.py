"""The ledger's entries and the chain that binds them: each hash covers its entry and the hash before, so nothing in between can change.

A chain shows changes, gaps and swaps. It does not show that the newest entries were cut off: for that the store keeps its head, and the
other side's ledger, which names the same frames, is the witness.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
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


def canonical(entry: Entry, *, bound: bool = False) -> str:
    """Return everything in `entry` but its own hash as JSON: keys sorted, no spaces. `bound`: with the hash, as an export holds it."""
    fields: dict[str, Any] = {**vars(entry), "disclosed": [vars(each) for each in entry.disclosed]}
    if not bound:
        del fields["hash"]
    # `default`: a foreign type, put into the file by someone, must fail the hash and not the check
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr)


def digest(entry: Entry) -> str:
    """Return the hash of everything in `entry` but its own hash: SHA-256 of canonical JSON, in hex."""
    # `errors`: half a character, put there by someone, must fail the hash and not the check
    return hashlib.sha256(b"tandem-ledger-entry-v1\0" + canonical(entry).encode(errors="backslashreplace")).hexdigest()


def link(entry: Entry, number: int, previous: str) -> Entry:
    """Return `entry` as number `number` (from 1) of the chain whose last hash is `previous` (GENESIS for the first)."""
    bound = replace(entry, number=number, previous=previous)
    return replace(bound, hash=digest(bound))


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold, and how."""

    number: int
    reason: str


class Follower:
    """Follows a chain entry by entry and remembers where it first did not hold. `gaps`: entries of one contract, whose numbers may leap."""

    def __init__(self, *, gaps: bool = False) -> None:
        self.number = 0
        """The last entry's number."""
        self.previous = GENESIS
        """The last entry's hash."""
        self.found: Break | None = None
        """The first place where the chain did not hold."""
        self._gaps = gaps

    def take(self, entry: Entry) -> None:
        """Follow one entry further."""
        if self.found is not None:
            return
        number, previous = self.number + 1, self.previous
        if self._gaps and isinstance(entry.number, int) and entry.number > number:
            number, previous = entry.number, entry.previous  # what came between belongs to other contracts and is not here
        if entry.number != number:
            self.found = Break(number, f"entry {number} is missing: entry {entry.number} stands in its place")
        elif entry.previous != previous:
            self.found = Break(number, f"entry {number} does not follow the one before: one of the two was put in later")
        elif entry.hash != digest(entry):
            self.found = Break(number, f"entry {number} was changed after it was written")
        self.number, self.previous = number, entry.hash

    def end(self, head: tuple[int, str]) -> Break | None:
        """Return the first place where the chain does not hold, None if it holds and ends at `head` (number, hash)."""
        if self.found is None and head != (self.number, self.previous) and not (self._gaps and self.number < head[0]):
            return Break(self.number + 1, f"the ledger ends at entry {self.number}, but {head[0]} were written: the newest were cut off")
        return self.found


def first_break(entries: Iterable[Entry], head: tuple[int, str] | None = None) -> Break | None:
    """Return the first place where the chain does not hold, None if it holds to the end and ends at `head` (number, hash) if given."""
    chain = Follower()
    for entry in entries:
        chain.take(entry)
        if chain.found is not None:
            break
    return chain.found if head is None else chain.end(head)
