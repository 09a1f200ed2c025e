"""Rows of a PostgreSQL table or query, through a server-side cursor in one read-only snapshot, every cell cast to text by the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tandem.node.inputs.cells import Known
from tandem.node.inputs.csv_file import CHUNK_ROWS
from tandem.node.inputs.source import TableSource
from tandem.node.inputs.sql import look, relation, select
from tandem.node.postgres import Connection, Server

_KINDS: dict[int, Known] = {
    **dict.fromkeys((20, 21, 23, 26, 700, 701, 1700), "number"), **dict.fromkeys((1082, 1114, 1184), "date"),
}
"""By the server's type numbers: int8, int2, int4, oid, float4, float8, numeric; date, timestamp, timestamptz. All else is text."""
_FLOATING = (700, 701)


class PostgresQuery:
    """An open table (read.Rows)."""

    def __init__(self, connection: Connection, source: TableSource) -> None:
        self._connection, self._relation = connection, relation(source.query, source.name)
        connection.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.place = connection.place
        self.header, types, _ = connection.run(look(self._relation))
        of = dict(zip(self.header, types, strict=True))
        self.kinds: dict[str, Known] = {name: _KINDS.get(kind, "text") for name, kind in of.items()}
        self.floating = frozenset(name for name, kind in of.items() if kind in _FLOATING)

    def chunks(self, names: Sequence[str], whole: frozenset[str]) -> Iterator[list[Sequence[str]]]:
        """Yield the columns' cells, chunk by chunk."""
        self._connection.run(f"DECLARE tandem NO SCROLL CURSOR FOR {select(self._relation, names, 'TEXT', whole)}")
        while rows := self._connection.run(f"FETCH {CHUNK_ROWS} FROM tandem")[2]:
            yield list(zip(*rows, strict=True))
        self._connection.run("CLOSE tandem")


@contextmanager
def opened(source: TableSource, folder: Path) -> Iterator[PostgresQuery]:
    """Open the query; the connection is closed with the context. Raises InputError."""
    with Connection(Server.parse(source.source, folder)) as connection:
        yield PostgresQuery(connection, source)
