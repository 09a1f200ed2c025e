"""Tables into Parquet: one part file a table and batch, written by DuckDB. Columns arrive as numbers and codes; texts are made in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tandem.errors import InputError

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1, "memory_limit": "768MB", "autoinstall_known_extensions": False, "autoload_known_extensions": False,
}
"""One thread: rows come out in the order they went in."""

_WRITTEN = """CASE written WHEN 0 THEN phone::VARCHAR WHEN 1 THEN '+86' || phone::VARCHAR
 WHEN 2 THEN substr(phone::VARCHAR, 1, 3) || '-' || substr(phone::VARCHAR, 4, 4) || '-' || substr(phone::VARCHAR, 8)
 WHEN 3 THEN '+86 ' || substr(phone::VARCHAR, 1, 3) || ' ' || substr(phone::VARCHAR, 4, 4) || ' ' || substr(phone::VARCHAR, 8)
 WHEN 4 THEN '0086' || phone::VARCHAR ELSE translate(phone::VARCHAR, '0123456789', '０１２３４５６７８９') END"""  # noqa: RUF001 - full width is meant
_SPELLED = "['', 'b', 'd', 'c'][{0}_kind + 1] || {0}_number::VARCHAR"
_KIND = "['phone', 'broadband', 'device', 'cookie'][{0}_kind + 1]"


def _text(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}::VARCHAR AS {name}" for name in names)


def _days(*names: str) -> tuple[str, ...]:
    return tuple(f"{name}::DATE AS {name}" for name in names)


def _as(kind: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{name}::{kind} AS {name}" for name in names)


_BORN = "nullif(birth_year, 0)::SMALLINT AS birth_year"
_PHONE = "phone::VARCHAR AS phone"
TABLES: dict[str, tuple[str, ...]] = {
    "telco/subscribers": (f"{_WRITTEN} AS phone", *_days("opened_on", "closed_on"), *_text("package"), _BORN, *_text("gender", "region")),
    "telco/identifiers": (
        f"{_KIND.format('one')} AS kind", f"{_SPELLED.format('one')} AS value", f"{_KIND.format('other')} AS other_kind",
        f"{_SPELLED.format('other')} AS other_value", *_days("seen_on"),
    ),
    "telco/calls": (
        *_as("BIGINT", "call_id"), _PHONE, *_as("TIMESTAMP", "started_at"), *_as("INTEGER", "seconds"), *_text("direction"),
        *_as("BIGINT", "counterpart"), *_text("special"), *_as("TIMESTAMP", "received_at"),
    ),
    "telco/usage": (
        *_as("BIGINT", "event_id"), f"{_KIND.format('id')} AS id_kind", f"{_SPELLED.format('id')} AS id_value", '"at"::TIMESTAMP AS "at"',
        *_text("channel", "category", "name"), *_as("INTEGER", "seconds"), *_as("BIGINT", "kbytes"), *_as("TIMESTAMP", "received_at"),
    ),
    "telco/cells": (*_as("INTEGER", "cell_id"), *_as("DOUBLE", "x_km", "y_km"), *_text("area")),
    "telco/visits": (
        *_as("BIGINT", "visit_id"), _PHONE, *_as("INTEGER", "cell_id"), '"at"::TIMESTAMP AS "at"', *_as("INTEGER", "minutes"),
        *_as("TIMESTAMP", "received_at"),
    ),
    "telco/bills": (
        _PHONE, *_days("month"), *_as("DOUBLE", "charge", "data_gb", "voice_minutes"), *_as("INTEGER", "sms"), *_days("paid_on"),
    ),
    "telco/suspensions": (_PHONE, *_days("suspended_on", "restored_on")),
    "telco/topups": (_PHONE, '"at"::TIMESTAMP AS "at"', *_as("DOUBLE", "amount")),
    "bank/customers": (
        *_as("BIGINT", "customer_id"), f"{_WRITTEN} AS phone", _BORN, *_text("gender", "region", "tier"), *_days("joined_on"),
    ),
    "bank/cards": (
        *_as("BIGINT", "card_id", "customer_id"), *_text("product"), *_days("issued_on"), *_as("DOUBLE", "credit_limit"),
        *_days("closed_on"),
    ),
    "bank/card_use": (*_as("BIGINT", "card_id"), *_days("month"), *_as("INTEGER", "payments"), *_as("DOUBLE", "amount")),
    "bank/balances": (*_as("BIGINT", "customer_id"), *_days("month"), *_as("DOUBLE", "debit_balance")),
    "bank/channel_use": (*_as("BIGINT", "customer_id"), *_days("month"), *_as("INTEGER", "logins", "transfers", "wealth_purchases")),
    "bank/campaigns": (*_as("INTEGER", "campaign_id"), *_text("name", "kind", "product"), *_days("sent_on")),
    "bank/contacts": (
        *_as("INTEGER", "campaign_id"), *_as("BIGINT", "customer_id"), "NULL::VARCHAR AS group_name", *_days("sent_on"),
        *(f"nullif({one}, -1)::TINYINT AS {one}" for one in ("responded", "applied", "approved", "first_card", "activated")),
        "nullif(spend, -1)::DOUBLE AS spend",
    ),
    "bank/loans": (*_as("BIGINT", "loan_id", "customer_id"), *_days("lent_on"), *_as("DOUBLE", "amount"), *_days("due_on", "repaid_on")),
    "hidden/people": (
        *_as("BIGINT", "person"), "phone::VARCHAR AS phone", *_as("BOOLEAN", "matched", "dormant"),
        *_as("DOUBLE", "wealth", "outgoing", "online", "orderly", "finance", "need", "strain", "loyal"), *_text("favourite"),
        *_as("DOUBLE", "logit_training", "logit_campaign"),
    ),
}
"""Columns of each table, as SQL over what a batch hands in."""


@dataclass
class PartFiles:
    """Writes part files below a folder, and counts rows by table."""

    folder: Path
    _database: duckdb.DuckDBPyConnection = field(repr=False)
    rows: dict[str, int] = field(default_factory=dict)

    def write(self, tables: Mapping[str, Mapping[str, Any]], part: int) -> None:
        """Write each table's columns as its part file. Raises InputError where the disk refuses."""
        for name, columns in tables.items():
            frame = pd.DataFrame(dict(columns))
            self._database.register("batch", frame)
            target = str(self.folder / f"{name}-{part:04d}.parquet").replace("'", "''")
            try:
                self._database.execute(
                    f"COPY (SELECT {', '.join(TABLES[name])} FROM batch) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608 - our own
                )
            except duckdb.IOException:
                raise InputError(f"cannot write below {self.folder}: the disk is full, or the folder may not be written") from None
            finally:
                self._database.unregister("batch")
            self.rows[name] = self.rows.get(name, 0) + len(frame)


@contextmanager
def part_files(folder: Path) -> Iterator[PartFiles]:
    """Make the folders below `folder` and give the writer."""
    try:
        for name in sorted({table.split("/")[0] for table in TABLES}):
            (folder / name).mkdir(mode=0o700, parents=True)
    except OSError as failure:
        raise InputError(f"cannot make folders below {folder}: {failure.strerror}") from None
    with duckdb.connect(config=_SETTINGS) as database:
        yield PartFiles(folder, database)


def coded(levels: tuple[str, ...], codes: Any) -> Any:
    """Return codes as a column of texts; -1 is a missing one."""
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(levels)))
