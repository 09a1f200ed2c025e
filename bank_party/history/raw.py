"""The bank's raw tables as DuckDB relations `raw_NAME`: Parquet, one file or several a table (NAME.parquet, NAME-0001.parquet, ...)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, TypeAlias

import duckdb

from tandem.errors import InputError

Kind = Literal["number", "text", "date"]
Database: TypeAlias = duckdb.DuckDBPyConnection

TABLES: dict[str, dict[str, Kind]] = {
    "customers": {
        "customer_id": "number", "phone": "text", "birth_year": "number", "gender": "text", "region": "text", "tier": "text",
        "joined_on": "date",
    },
    "cards": {
        "card_id": "number", "customer_id": "number", "product": "text", "issued_on": "date", "credit_limit": "number", "closed_on": "date",
    },
    "card_use": {"card_id": "number", "month": "date", "payments": "number", "amount": "number"},
    "balances": {"customer_id": "number", "month": "date", "debit_balance": "number"},
    "channel_use": {"customer_id": "number", "month": "date", "logins": "number", "transfers": "number", "wealth_purchases": "number"},
}
"""Columns that are read; others may be there."""

KEYS = {
    "customers": ("customer_id",), "cards": ("card_id",), "card_use": ("card_id", "month"), "balances": ("customer_id", "month"),
    "channel_use": ("customer_id", "month"),
}
"""What one row of a table stands for: a second row of the same would count twice."""

MAY_MISS = frozenset({"phone", "birth_year", "gender", "region", "tier", "product", "credit_limit", "closed_on", "debit_balance"})
"""Columns in which a value may be missing; in any other its row could not be placed."""

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False, "autoload_known_extensions": False, "threads": 1,
}
"""One thread, so that sums are added up in one order and the same tables give the same digits."""
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(.*\)")


@contextmanager
def opened(folder: Path) -> Iterator[Database]:
    """Open the tables in a folder, checked; closed with the context. Raises InputError: a table, column or type is not as it must be."""
    with duckdb.connect(config=_SETTINGS) as database:
        try:
            for table in TABLES:
                _open(database, folder, table)
            yield database
        except duckdb.Error as failure:  # its words may quote a value
            raise InputError(f"{folder}: reading failed on the data ({type(failure).__name__}): look for a damaged file") from None


def _open(database: Database, folder: Path, table: str) -> None:
    parts = sorted([*folder.glob(f"{table}.parquet"), *folder.glob(f"{table}-*.parquet")])
    if not parts:
        raise InputError(f"{folder}: there is no {table}.parquet or {table}-*.parquet: name the folder of the bank's raw tables")
    listed = ", ".join("'" + str(one).replace("'", "''") + "'" for one in parts)
    database.execute(f"CREATE TEMP VIEW raw_{table} AS SELECT * FROM read_parquet([{listed}])")  # noqa: S608 - paths, quoted
    found = {str(name): str(kind) for name, kind, *_ in database.execute(f"DESCRIBE raw_{table}").fetchall()}
    for column, kind in TABLES[table].items():
        if column not in found:
            raise InputError(f"{folder}: table {table} has no column {column!r}: it must hold {', '.join(TABLES[table])}")
        if not _fits(kind, found[column]):
            raise InputError(f"{folder}: column {column!r} of table {table} is {found[column]}, and must be a {kind}: write it as one")
        if column not in MAY_MISS and (absent := _count(database, f"SELECT count(*) - count({column}) FROM raw_{table}")):  # noqa: S608 - ours
            raise InputError(f"{folder}: {absent} rows of table {table} have no {column}: fill it in, or leave these rows out")
    key = ", ".join(KEYS[table])
    repeated = _count(database, f"SELECT count(*) - count(DISTINCT ({key})) FROM raw_{table}")  # noqa: S608 - names of our own
    if repeated:
        raise InputError(f"{folder}: {repeated} rows of table {table} repeat another's {key}: keep one row of each")


def _fits(kind: Kind, found: str) -> bool:
    if kind == "number":
        return _NUMBER.fullmatch(found) is not None
    return found == "VARCHAR" if kind == "text" else found == "DATE" or found.startswith("TIMESTAMP")


def _count(database: Database, statement: str) -> int:
    return int(database.execute(statement).fetchall()[0][0])
