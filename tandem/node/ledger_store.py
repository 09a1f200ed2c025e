"""The ledger on disk: one SQLite file a node (0600), append-only, hash-chained, with counters of what each contract has used up.

Every append is one transaction, in write-ahead mode with synchronous = NORMAL: about 0.1 ms. It survives the death of the process at any
point; a power cut may lose the last moments, never the order. What a contract has used up, and what a job stands at (`checkpoints`), is
written with synchronous = FULL: it survives a power cut too. Appends may come from several threads, or processes, of one node.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from tandem.errors import ContractError, Enumeration, InputError, ScoreBudgetSpent, TandemError
from tandem.ledger.chain import GENESIS, Break, Entry, first_break, link
from tandem.ledger.disclosure import Disclosed
from tandem.node import disk

Counter = Literal["identifiers", "bits", "jobs"]
"""What a contract uses up: identifiers asked, bits of score a person, jobs begun."""

_WAIT = 30.0
"""Seconds to wait while another process of this node writes."""

_TABLES = """
CREATE TABLE entries (
  number INTEGER PRIMARY KEY, time TEXT NOT NULL, contract TEXT NOT NULL, session TEXT NOT NULL, direction TEXT NOT NULL,
  peer TEXT NOT NULL, script TEXT NOT NULL, message TEXT NOT NULL, size INTEGER NOT NULL, frame TEXT NOT NULL,
  disclosed TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, hash TEXT NOT NULL);
CREATE TABLE used (contract TEXT NOT NULL, counter TEXT NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (contract, counter));
CREATE TRIGGER no_change BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER no_removal BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_COLUMNS = "time, contract, session, direction, peer, script, message, size, frame, disclosed, number, previous, hash"
_VERSION = 1


class Ledger:
    """An open ledger. Use it as a context; `read_only` for showing and verifying while a node may be writing."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._together = False
        if not path.exists():
            if read_only:
                raise InputError(f"{path} does not exist: name the ledger.sqlite of a node")
            self._create()
        disk.require_private(path)
        with self._explained():
            self._database = self._connect(read_only=read_only)
            try:
                self._check()
            except BaseException:
                self._database.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Everything appended is in it."""
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

    @contextmanager
    def together(self) -> Iterator[sqlite3.Connection]:
        """Make all that is used and kept in this context one transaction, on the disk before it ends; an exception undoes all of it."""
        with self._lock:
            if self._together:  # part of what an outer context began, in this thread
                yield self._database
                return
            with self._writing(durable=True):
                self._together = True
                try:
                    yield self._database
                finally:
                    self._together = False

    def used(self, contract: str, counter: Counter) -> int:
        """Return how much the contract (digest, hex) has used so far."""
        row = self._database.execute("SELECT amount FROM used WHERE contract = ? AND counter = ?", (contract, counter)).fetchone()
        return 0 if row is None else int(row[0])

    def usage(self) -> list[tuple[str, str, int]]:
        """Return (contract, counter, amount) of everything used so far."""
        return [(row[0], row[1], row[2]) for row in self._database.execute("SELECT * FROM used ORDER BY contract, counter")]

    def __len__(self) -> int:
        return self._head()[0]

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order, without loading them all."""
        for row in self._database.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY number"):  # noqa: S608 - a constant
            try:
                disclosed = tuple(Disclosed(*each) for each in json.loads(row[9]))
            except (ValueError, TypeError):
                disclosed = ()  # someone wrote there; the hash will not hold
            fields: list[Any] = [*row[:9], disclosed, *row[10:]]
            yield Entry(*fields)

    def verify(self) -> Break | None:
        """Return the first place where the chain does not hold, None if it holds up to the recorded head."""
        with self._explained():
            self._database.execute("BEGIN")  # one snapshot, while a node may be appending
            try:
                return first_break(self.entries(), self._head())
            finally:
                self._database.execute("ROLLBACK")

    def _head(self) -> tuple[int, str]:
        number, last = self._database.execute("SELECT number, hash FROM head").fetchone()
        return int(number), str(last)

    def _create(self) -> None:
        # The file exists with its rights before SQLite opens it; SQLite gives the same rights to the files beside it.
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, disk.PRIVATE))
        except OSError as failure:
            raise disk.explain(failure, self.path, "make") from None
        try:
            with self._explained(), closing(self._connect(read_only=False)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                database.executescript(f"BEGIN;{_TABLES}")
                database.execute("INSERT INTO head VALUES (1, 0, ?)", (GENESIS,))
                database.execute(f"PRAGMA user_version = {_VERSION}")
                database.execute("COMMIT")
        except InputError:
            self.path.unlink(missing_ok=True)
            raise

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        address = f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        return sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)

    def _check(self) -> None:
        self._database.execute("PRAGMA synchronous = NORMAL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version != _VERSION:
            raise InputError(f"{self.path} is no ledger of this version ({version}, not {_VERSION}): name a ledger.sqlite of this version")

    @contextmanager
    def _writing(self, *, durable: bool = False) -> Iterator[None]:
        with self._lock, self._explained():
            if durable:
                self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
            finally:
                if durable:
                    self._database.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as failure:
            advice = {
                sqlite3.SQLITE_FULL: "the disk is full: nothing was recorded; free some space and start again",
                sqlite3.SQLITE_NOTADB: "it is no ledger: name a node's ledger.sqlite",
                sqlite3.SQLITE_CORRUPT: "the file is damaged: restore it from a backup, and say so to the other side",
                sqlite3.SQLITE_BUSY: "another process holds it: stop that one first",
                sqlite3.SQLITE_READONLY: "it cannot be written: run as its owner, on a disk that is not read-only",
            }.get(_code(failure) & 0xFF, str(failure))
            raise InputError(f"ledger {self.path}: {advice}") from None


def _code(failure: sqlite3.Error) -> int:
    code: Any = getattr(failure, "sqlite_errorcode", 0)
    return int(code)


def _pack(disclosed: tuple[Disclosed, ...]) -> str:
    return json.dumps([astuple(each) for each in disclosed], separators=(",", ":"))


def _spent(counter: Counter, total: int, cap: int) -> TandemError:
    if counter == "identifiers":
        return Enumeration(f"{total} identifiers would have been asked under this contract, whose caps.identifiers is {cap}: refused")
    if counter == "bits":
        return ScoreBudgetSpent(f"scores would have disclosed {total} bits a person, caps.disclosure_bits is {cap}: nothing was sent")
    return ContractError(f"{total} jobs would have been begun under this contract, which allows {cap}: draft a new contract")
