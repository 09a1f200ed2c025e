"""The ledger: append-only, hash-chained, with counters of what each contract has used up.

By default one SQLite file a node (0600): every append is one transaction, in write-ahead mode with synchronous = NORMAL: about 0.1 ms. It
survives the death of the process at any point; a power cut may lose the last moments, never the order. What a contract has used up, and
what a job stands at (`checkpoints`), is written with synchronous = FULL: it survives a power cut too. Or a schema in PostgreSQL, which
syncs as that server is set. Appends may come from several threads, or processes, of one node. With a `Witness`, every step of what was used
up and of jobs is counted outside it too, and a ledger that is older than its witness is refused.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple
from types import TracebackType
from typing import Any, Literal, Self

from tandem.contract import Contract
from tandem.errors import ContractError, Enumeration, InputError, ScoreBudgetSpent, TandemError
from tandem.ledger.chain import GENESIS, Break, Entry, first_break, link
from tandem.ledger.disclosure import Disclosed
from tandem.node.chance import System
from tandem.node.ledger_database import Database, Place, open_database
from tandem.node.witness import Mark, Witness

Counter = Literal["identifiers", "bits", "jobs"]
"""What a contract uses up: identifiers asked, bits of score a person, jobs begun."""


def caps_of(contract: Contract) -> dict[Counter, int]:
    """Return what a contract allows of each counter."""
    return {"identifiers": contract.caps.identifiers, "bits": contract.caps.disclosure_bits, "jobs": contract.jobs}


_TABLES = f"""
CREATE TABLE entries (
  number INTEGER PRIMARY KEY, time TEXT NOT NULL, contract TEXT NOT NULL, session TEXT NOT NULL, direction TEXT NOT NULL,
  peer TEXT NOT NULL, script TEXT NOT NULL, message TEXT NOT NULL, size INTEGER NOT NULL, frame TEXT NOT NULL,
  disclosed TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE TABLE used (contract TEXT NOT NULL, counter TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (contract, counter));
INSERT INTO head VALUES (1, 0, '{GENESIS}');
"""  # noqa: S608 - a constant
_WITNESSED = (
    "CREATE TABLE IF NOT EXISTS witnessed (one INTEGER PRIMARY KEY CHECK (one = 1), name TEXT NOT NULL, number INTEGER NOT NULL)"
)
_COLUMNS = "time, contract, session, direction, peer, script, message, size, frame, disclosed, number, previous, hash"
_VERSION = 1


class Ledger:
    """An open ledger. Use it as a context; `read_only` for showing and verifying while a node may be writing."""

    def __init__(self, place: Place, *, read_only: bool = False, witness: Witness | None = None) -> None:
        """Open it, or make it. Raises InputError; RolledBack where it is older than its `witness` saw it."""
        self._lock = threading.RLock()
        self._together = False
        self._witness = witness
        self._database = open_database(place, _TABLES, _VERSION, read_only=read_only)
        self.place = self._database.place
        if witness is not None:
            try:
                self._meet(witness)
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close it. Everything appended is in it."""
        with self._lock:
            self._database.close()

    def append(self, entry: Entry) -> Entry:
        """Record one frame; return the entry with its number and hashes. Raises InputError where it cannot be written: then do not send."""
        with self._writing():
            number, previous = self._head()
            bound = link(entry, number + 1, previous)
            row = (*astuple(bound)[:9], _pack(bound.disclosed), bound.number, bound.previous, bound.hash)
            self._database.execute(f"INSERT INTO entries ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", row)  # noqa: S608 - a constant
            self._database.execute("UPDATE head SET number = ?, hash = ?", (bound.number, bound.hash))
        return bound

    def use(self, contract: str, counter: Counter, amount: int, cap: int) -> int:
        """Add `amount` to what the contract (digest, hex) has used and return the sum; refuse, and add nothing, if it would exceed `cap`.

        Raises Enumeration (identifiers), ScoreBudgetSpent (bits), ContractError (jobs). Ask before the first element is evaluated.
        """
        if amount < 0:
            raise ValueError(f"a counter does not run backwards: {amount}")
        with self.together():
            total = self.used(contract, counter) + amount
            if total > cap:
                raise _spent(counter, total, cap)
            self._database.execute(
                "INSERT INTO used VALUES (?, ?, ?) ON CONFLICT (contract, counter) DO UPDATE SET amount = excluded.amount",
                (contract, counter, total),
            )
        return total

    def exhaust(self, contract: Contract) -> None:
        """Count all that the contract allows as used: what was really used under it was lost."""
        with self.together():
            name = contract.digest.hex()
            for counter, cap in caps_of(contract).items():
                self.use(name, counter, max(0, cap - self.used(name, counter)), cap)

    @contextmanager
    def together(self) -> Iterator[Database]:
        """Make all that is used and kept in this context one transaction, on the disk before it ends; an exception undoes all of it.

        Raises RolledBack if the ledger is older than its witness: nothing was read or written then.
        """
        with self._lock:
            if self._together:  # part of what an outer context began, in this thread
                yield self._database
                return
            with self._writing(durable=True):
                self._together = True
                try:
                    mark, before = self._required(), self._database.changes
                    yield self._database
                    begun = mark is not None and self._database.changes > before
                    if mark is not None and begun:
                        self._step(Mark(mark.name, mark.number + 1))
                finally:
                    self._together = False
            if begun and self._witness is not None:
                self._witness.end()

    def adopt(self, witness: Witness) -> None:
        """Begin anew with this witness, under another name: no copy of what was before passes for this ledger."""
        with self.together() as database:
            database.execute(_WITNESSED)
            database.execute("DELETE FROM witnessed")
            found = Mark(System().draw(16).hex(), witness.seen + 1)
            database.execute("INSERT INTO witnessed VALUES (1, ?, ?)", (found.name, found.number))
            witness.begin(found)

    def _meet(self, witness: Witness) -> None:
        with self._writing(durable=True):
            mark = self._mark() if self._database.has("witnessed") else None
            witness.require(mark, self.place)
        if mark is None:
            self._witness = None
            self.adopt(witness)
            self._witness = witness

    def _mark(self) -> Mark | None:
        row = self._database.execute("SELECT name, number FROM witnessed").fetchone()
        return None if row is None else Mark(str(row[0]), int(row[1]))

    def _required(self) -> Mark | None:
        """Return the newest step; read within the transaction, so that no other process takes one meanwhile."""
        if self._witness is None:
            return None
        mark = self._mark()
        self._witness.require(mark, self.place)
        return mark

    def _step(self, mark: Mark) -> None:
        self._database.execute("UPDATE witnessed SET number = ?", (mark.number,))
        if self._witness is not None:
            self._witness.begin(mark)

    def used(self, contract: str, counter: Counter) -> int:
        """Return how much the contract (digest, hex) has used so far."""
        with self._database.explained():
            row = self._database.execute("SELECT amount FROM used WHERE contract = ? AND counter = ?", (contract, counter)).fetchone()
        return 0 if row is None else int(row[0])

    def usage(self) -> list[tuple[str, str, int]]:
        """Return (contract, counter, amount) of everything used so far."""
        found = self._database.execute("SELECT contract, counter, amount FROM used ORDER BY contract, counter")
        return [(row[0], row[1], row[2]) for row in found]

    def __len__(self) -> int:
        return self._head()[0]

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the newest entry: the anchor of the chain."""
        return self._head()

    def classes(self, contract: str = "") -> list[tuple[str, str, str, str, int]]:
        """Return (direction, peer, script, message, frames) of every class of frames, of all contracts or of one (digest, hex)."""
        found = self._database.execute(
            "SELECT direction, peer, script, message, count(*) FROM entries WHERE ? IN ('', contract) GROUP BY 1, 2, 3, 4", (contract,)
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in found]

    @contextmanager
    def snapshot(self) -> Iterator[Database]:
        """See the ledger as it is now until the end of the block, whatever a node appends meanwhile."""
        with self._database.explained(), self._database.reading():
            yield self._database

    def entries(self, contract: str = "") -> Iterator[Entry]:
        """Yield the entries in order, of all contracts or of one (digest, hex), without loading them all."""
        query = f"SELECT {_COLUMNS} FROM entries WHERE ? IN ('', contract) ORDER BY number"  # noqa: S608 - a constant
        for row in self._database.rows(query, (contract,)):
            fields: list[Any] = [*row[:9], _unpack(row[9]), *row[10:]]
            yield Entry(*fields)

    def verify(self) -> Break | None:
        """Return the first place where the chain does not hold, None if it holds up to the recorded head."""
        with self.snapshot():
            return first_break(self.entries(), self._head())

    def _head(self) -> tuple[int, str]:
        row = self._database.execute("SELECT number, hash FROM head").fetchone()
        if row is None:
            raise InputError(f"ledger {self.place}: its head is missing: restore the file from a backup, and say so to the other side")
        if (type(row[0]), type(row[1])) != (int, str):  # of the columns' own types, unless the file is damaged
            raise InputError(f"ledger {self.place}: its head is damaged: restore the file from a backup, and say so to the other side")
        return row[0], row[1]

    @contextmanager
    def _writing(self, *, durable: bool = False) -> Iterator[None]:
        with self._lock, self._database.explained(), self._database.writing(durable=durable):
            yield


def _pack(disclosed: tuple[Disclosed, ...]) -> str:
    return json.dumps([astuple(each) for each in disclosed], separators=(",", ":"))


def _unpack(text: Any) -> tuple[Disclosed, ...]:
    """Return the disclosures in a column. What we did not write comes back as one disclosure that no hash fits, its text to be seen."""
    try:
        disclosed = tuple(Disclosed(*each) for each in json.loads(text))
        if _pack(disclosed) == text and all((type(e.to), type(e.what), type(e.bits)) == (str, str, int) for e in disclosed):
            return disclosed
    except (ValueError, TypeError, RecursionError):
        pass
    foreign: Any = "?"
    return (Disclosed(foreign, repr(text)),)


def _spent(counter: Counter, total: int, cap: int) -> TandemError:
    if counter == "identifiers":
        return Enumeration(f"{total} identifiers would have been asked under this contract, whose caps.identifiers is {cap}: refused")
    if counter == "bits":
        return ScoreBudgetSpent(f"scores would have disclosed {total} bits a person, caps.disclosure_bits is {cap}: nothing was sent")
    return ContractError(f"{total} jobs would have been begun under this contract, which allows {cap}: draft a new contract")
