"""Where a ledger's tables lie: an SQLite file of the node's own (0600), or a schema of a PostgreSQL database.

The ledger speaks SQL that both understand, with ? for parameters and TEXT, INTEGER (64 bits) and BLOB for types; what differs is here:
how a place is made and opened, how one writer at a time is let in, and how a failure is told.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from itertools import count
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from tandem.errors import InputError
from tandem.node import disk
from tandem.node.inputs.sql import quoted
from tandem.node.postgres import SCHEMES, Connection, Server

Place: TypeAlias = Path | Server
Row: TypeAlias = Sequence[Any]

SCHEMA = "tandem"
"""Schema of a ledger in PostgreSQL whose URL names none."""
_WAIT = 30.0
"""Seconds to wait while another process of this node writes to the file."""
_CHANGING = ("INSERT", "UPDATE", "DELETE")
_FETCHED = 1000
"""Rows brought from a server at a time."""

_SQLITE_APPEND_ONLY = """
CREATE TRIGGER no_change BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER no_removal BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
_POSTGRES_APPEND_ONLY = """
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER no_removal BEFORE TRUNCATE ON entries EXECUTE FUNCTION append_only();
"""


class Result(Protocol):
    """What a statement gave."""

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Database(Protocol):
    """An open place. What goes wrong within `explained` is raised as InputError."""

    place: str
    """What errors call it."""
    changes: int
    """Statements so far that put in, altered or removed something."""

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Result:
        """Run one statement."""

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield what a SELECT gives, without loading it all."""

    def has(self, table: str) -> bool:
        """Say whether there is a table of this name: those of `checkpoints` come with a node's first start."""

    def writing(self, *, durable: bool = False) -> AbstractContextManager[None]:
        """Make what is executed in this context one transaction that no other writer, in any process, runs beside.

        `durable`: it is on the disk when the context ends.
        """

    def reading(self) -> AbstractContextManager[None]:
        """See one moment in this context."""

    def explained(self) -> AbstractContextManager[None]:
        """Turn the library's failures into InputErrors."""

    def close(self) -> None:
        """Close it."""


def place_of(text: str, folder: Path = Path()) -> Place:
    """Return the place that a setting names; relative paths start at `folder`. Raises ValueError for a URL that cannot be."""
    if text.startswith(SCHEMES):
        return Server.parse(text, folder)
    if "://" in text:
        raise ValueError("a ledger is a file or a postgresql:// URL: mend it")
    return folder / text


def open_database(place: Place, tables: str, version: int, *, read_only: bool) -> Database:
    """Open a ledger's place; make it, with these tables, where there is none and it may be written. Raises InputError."""
    if isinstance(place, Server):
        return _Postgres(place, tables, version, read_only=read_only)
    return _Sqlite(place, tables, version, read_only=read_only)


class _Sqlite:
    def __init__(self, path: Path, tables: str, version: int, *, read_only: bool) -> None:
        self.place, self._path, self.changes = str(path), path, 0
        if not path.exists():
            if read_only:
                raise InputError(f"{path} does not exist: name the ledger.sqlite of a node")
            self._create(tables, version)
        disk.require_private(path)
        with self.explained():
            self._connection = self._connect(read_only=read_only)
            try:
                self._connection.text_factory = _lenient
                self._connection.execute("PRAGMA synchronous = NORMAL")
                (found,) = self._connection.execute("PRAGMA user_version").fetchone()
                _require_version(self.place, found, version)
            except BaseException:
                self._connection.close()
                raise

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Result:
        self.changes += statement.startswith(_CHANGING)
        return self._connection.execute(statement, parameters)

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        yield from self._connection.execute(statement, parameters)

    def has(self, table: str) -> bool:
        return self.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone() is not None

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[None]:
        if durable:
            self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            if durable:
                self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def reading(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def explained(self) -> Iterator[None]:
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
            raise InputError(f"ledger {self.place}: {advice}") from None
        except UnicodeDecodeError:  # SQLite quotes a damaged schema in its error, and Python cannot read that
            raise InputError(f"ledger {self.place}: the file is damaged: restore it from a backup, and say so to the other side") from None

    def _create(self, tables: str, version: int) -> None:
        # The file exists with its rights before SQLite opens it; SQLite gives the same rights to the files beside it.
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, disk.PRIVATE))
        except OSError as failure:
            raise disk.explain(failure, self._path, "make") from None
        try:
            with self.explained(), closing(self._connect(read_only=False)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(f"BEGIN;{tables}{_SQLITE_APPEND_ONLY}PRAGMA user_version = {version};COMMIT")
        except InputError:
            self._path.unlink(missing_ok=True)
            raise

    def _connect(self, *, read_only: bool) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
        return sqlite3.connect(address, uri=True, timeout=_WAIT, isolation_level=None, check_same_thread=False)


class _Postgres:
    """One session, of one thread at a time: others wait until a transaction is over. Outside one, a session that was lost is begun anew."""

    def __init__(self, server: Server, tables: str, version: int, *, read_only: bool) -> None:
        self.place, self.changes = str(server), 0
        self._server, self._schema, self._read_only = server, quoted(server.schema or SCHEMA), read_only
        self._busy = threading.RLock()
        self._within = False
        self._cursors = count()
        self._connection = self._connect()
        try:
            if self._version() is None and not read_only:
                self._create(tables, version)
            _require_version(self.place, self._version(), version)
        except BaseException:
            self.close()
            raise

    def execute(self, statement: str, parameters: Sequence[Any] = (), /) -> Result:
        with self._busy:
            self.changes += statement.startswith(_CHANGING)
            statement = _numbered(statement)
            try:
                return _Fetched(self._connection.run(statement, parameters)[2])
            except InputError:
                if self._within or not self._connection.lost:
                    raise
            self._connection.close()
            self._connection = self._connect()
            return _Fetched(self._connection.run(statement, parameters)[2])

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        name = f"rows_{next(self._cursors)}"
        self.execute(f"DECLARE {name} NO SCROLL CURSOR WITH HOLD FOR {statement}", parameters)
        while fetched := self.execute(f"FETCH {_FETCHED} FROM {name}").fetchall():
            yield from fetched
        self.execute(f"CLOSE {name}")

    def has(self, table: str) -> bool:
        return self.execute("SELECT to_regclass(?)", (f"{self._schema}.{table}",)).fetchone()[0] is not None

    def writing(self, *, durable: bool = False) -> AbstractContextManager[None]:  # noqa: ARG002 - as durable as the server is set
        # Readers pass this lock and every other writer waits for it: what is read after it still holds when the sum is written.
        return self._transaction("BEGIN", "LOCK TABLE head IN EXCLUSIVE MODE")

    def reading(self) -> AbstractContextManager[None]:
        return self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def close(self) -> None:
        with self._busy:
            self._connection.close()

    def explained(self) -> AbstractContextManager[None]:
        return nullcontext()  # the connection speaks plainly by itself

    @contextmanager
    def _transaction(self, begin: str, *first: str) -> Iterator[None]:
        with self._busy:
            self.execute(begin)
            self._within = True
            try:
                for statement in first:
                    self.execute(statement)
                yield
                self.execute("COMMIT")
            except BaseException:
                if not self._connection.lost:
                    self.execute("ROLLBACK")
                raise
            finally:
                self._within = False

    def _connect(self) -> Connection:
        connection = Connection(self._server)
        connection.run(f"SET search_path = {self._schema}")
        if self._read_only:
            connection.run("SET default_transaction_read_only = on")
        return connection

    def _version(self) -> int | None:
        """Return the version of the ledger there, None if there is none."""
        if not self.has("version"):
            return None
        return int(self.execute("SELECT number FROM version").fetchone()[0])

    def _create(self, tables: str, version: int) -> None:
        with self._transaction("BEGIN", "SELECT pg_advisory_xact_lock(hashtext('tandem ledger'))"):
            if self._version() is not None:
                return  # another process made it while we waited
            if self.execute("SELECT to_regnamespace(?)", (self._schema,)).fetchone()[0] is None:
                self.execute(f"CREATE SCHEMA {self._schema}")  # where an administrator made it, we need no right to
            self.execute(f"{tables}{_POSTGRES_APPEND_ONLY}CREATE TABLE version (number INTEGER)")
            self.execute("INSERT INTO version VALUES (?)", (version,))


class _Fetched:
    """Rows that were brought, as a cursor gives them."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = iter(rows)

    def fetchone(self) -> Row | None:
        return next(self._rows, None)

    def fetchall(self) -> list[Row]:
        return list(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return self._rows


def _numbered(statement: str) -> str:
    """Return the statement in PostgreSQL's writing: $1, $2, ... for ?, and its names of the types in a CREATE TABLE."""
    if "CREATE TABLE" in statement:
        return statement.replace("INTEGER", "BIGINT").replace("BLOB", "BYTEA")
    first, *rest = statement.split("?")
    return first + "".join(f"${i}{part}" for i, part in enumerate(rest, 1))


def _require_version(place: str, found: int | None, version: int) -> None:
    if found is None:
        raise InputError(f"{place}: that schema holds no ledger: name the schema of a node's ledger, with ?schema=")
    if found != version:
        raise InputError(f"{place} is no ledger of this version ({found}, not {version}): name a ledger of this version")


def _lenient(text: bytes) -> str:
    """Return a column's text; bytes that are no UTF-8 come back escaped, so that the hash fails and the row can be named."""
    return text.decode(errors="backslashreplace")


def _code(failure: sqlite3.Error) -> int:
    code: Any = getattr(failure, "sqlite_errorcode", 0)
    return int(code)
