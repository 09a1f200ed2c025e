"""Rows of Parquet files or of a DuckDB database, opened to be read only; nothing is fetched from a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from tandem.errors import InputError
from tandem.node.inputs.cells import Known
from tandem.node.inputs.csv_file import CHUNK_ROWS
from tandem.node.inputs.source import TableSource
from tandem.node.inputs.sql import look, quoted, relation, select

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE"}
)
_FLOATING = ("FLOAT", "DOUBLE")


class DuckRows:
    """An open table (read.Rows)."""

    def __init__(self, database: Any, place: str, asked: str) -> None:
        self._database, self._asked = database, asked
        self.place = place
        self._run("SET TimeZone = 'UTC'")
        of = {str(name): str(kind).upper() for name, kind, *_ in self._run(f"DESCRIBE {look(asked)}").fetchall()}
        self.header = list(of)
        self.kinds: dict[str, Known] = {name: _kind(type_) for name, type_ in of.items()}
        self.floating = frozenset(name for name, type_ in of.items() if type_ in _FLOATING)

    def chunks(self, names: Sequence[str], whole: frozenset[str]) -> Iterator[list[Sequence[str]]]:
        """Yield the columns' cells, chunk by chunk."""
        result = self._run(select(self._asked, names, "VARCHAR", whole))
        while rows := self._fetch(result):
            yield list(zip(*rows, strict=True))

    def _fetch(self, result: Any) -> list[tuple[str, ...]]:
        with _explained(self.place):
            rows: list[tuple[str, ...]] = result.fetchmany(CHUNK_ROWS)
            return rows

    def _run(self, statement: str) -> Any:
        with _explained(self.place):
            return self._database.execute(statement)


def _kind(type_: str) -> Known:
    if type_ in _NUMBERS or type_.startswith("DECIMAL"):
        return "number"
    return "date" if type_ == "DATE" or type_.startswith("TIMESTAMP") else "text"


@contextmanager
def opened(source: TableSource, folder: Path) -> Iterator[DuckRows]:
    """Open the file or files; closed with the context. Raises InputError."""
    path = folder / source.source
    place = str(path)
    if source.format == "parquet":
        with duckdb.connect(config=_SETTINGS) as database:
            listed = ", ".join("'" + str(one).replace("'", "''") + "'" for one in _parts(path))
            # Writers without a mark for text (older Spark, Impala) leave plain bytes.
            yield DuckRows(database, place, f"read_parquet([{listed}], binary_as_string = true)")
        return
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; check the path")
    with _explained(place):
        database = duckdb.connect(path, read_only=True, config=_SETTINGS)
    with database:
        asked = relation(source.query, source.name) if source.query or source.name else _only(database, path)
        yield DuckRows(database, place, asked)


def _parts(path: Path) -> list[Path]:
    """Return the files that the path names, in the order of their names."""
    parts = sorted(path.parent.glob(path.name)) if "*" in path.name else [path]
    if not parts or not parts[0].is_file():
        raise InputError(f"{path}: there is no such file; check the path")
    return parts


def _only(database: Any, path: Path) -> str:
    """Return the database's one table. Raises InputError if it has none or several."""
    found = [str(name) for (name,) in database.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()]
    if len(found) != 1:
        raise InputError(f"{path}: it holds {len(found)} tables ({', '.join(found[:20])}): say which with name, or query")
    return quoted(found[0])


@contextmanager
def _explained(place: str) -> Iterator[None]:
    """Turn DuckDB's failures into ours. Its words may quote a value unless they speak of names, syntax or the file."""
    telling = (duckdb.BinderException, duckdb.CatalogException, duckdb.IOException, duckdb.ParserException, duckdb.PermissionException)
    try:
        yield
    except telling as failure:
        raise InputError(f"{place}: {str(failure).strip().splitlines()[0]}") from None
    except duckdb.Error as failure:
        raise InputError(f"{place}: reading failed on the data ({type(failure).__name__}): look for a cast, or a damaged file") from None
