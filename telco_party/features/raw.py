"""The telco's raw tables as views `known_NAME`: what was known at the as-of date, of the last six months, each record once.

Nothing at or after the as-of date is in them, nor a record received then or later, nor a date of payment, restoring or closing from then
on. A record that is there twice (same id) counts once, as it was received first. Ids there twice are found by a pass over the ids alone, in
slices: they are few, so that the views need no memory for the many.
"""

# ruff: noqa: S608 - names and dates in these statements are our own, paths are quoted

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal, TypeAlias

import duckdb

from tandem.errors import InputError
from telco_party.features.catalogue import LONGEST

Database: TypeAlias = duckdb.DuckDBPyConnection
Kind = Literal["number", "text", "time"]

TABLES: dict[str, dict[str, Kind]] = {
    "subscribers": {
        "phone": "text", "opened_on": "time", "closed_on": "time", "package": "text", "birth_year": "number", "gender": "text",
        "region": "text",
    },
    "identifiers": {"kind": "text", "value": "text", "other_kind": "text", "other_value": "text", "seen_on": "time"},
    "calls": {
        "call_id": "number", "phone": "text", "started_at": "time", "seconds": "number", "direction": "text", "counterpart": "number",
        "special": "text", "received_at": "time",
    },
    "usage": {
        "event_id": "number", "id_kind": "text", "id_value": "text", "at": "time", "channel": "text", "category": "text", "name": "text",
        "seconds": "number", "kbytes": "number", "received_at": "time",
    },
    "cells": {"cell_id": "number", "x_km": "number", "y_km": "number", "area": "text"},
    "visits": {"visit_id": "number", "phone": "text", "cell_id": "number", "at": "time", "minutes": "number", "received_at": "time"},
    "bills": {
        "phone": "text", "month": "time", "charge": "number", "data_gb": "number", "voice_minutes": "number", "sms": "number",
        "paid_on": "time",
    },
    "suspensions": {"phone": "text", "suspended_on": "time", "restored_on": "time"},
    "topups": {"phone": "text", "at": "time", "amount": "number"},
}
"""Columns that are read; others may be there."""
EVENTS = {"calls": ("call_id", "started_at"), "usage": ("event_id", "at"), "visits": ("visit_id", "at")}
"""Tables of many records: the id of a record, and when it happened."""
SLICE = 10_000_000
"""Ids that are looked through for doubles at once: about 500 MB."""
SLACK = 31
"""Days that the as-of date may lie after the newest event: later, the newest month would be empty."""
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE")

_PLAIN = "right(regexp_replace(translate(phone, '０１２３４５６７８９', '0123456789'), '[^0-9]', '', 'g'), 11)"  # noqa: RUF001 - full width is meant
"""A phone's eleven digits: the country code, signs and full-width digits go."""


def open_tables(database: Database, folder: Path, tables: tuple[str, ...] = tuple(TABLES)) -> None:
    """Make a view `raw_NAME` of each table's part files. Raises InputError: a table, column or type is not as it must be."""
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name the folder of the telco's raw tables")
    for table in tables:
        parts = sorted([*folder.glob(f"{table}.parquet"), *folder.glob(f"{table}-*.parquet")])
        if not parts:
            raise InputError(f"{folder}: there is no {table}.parquet or {table}-*.parquet: name the folder of the telco's raw tables")
        listed = ", ".join("'" + str(one).replace("'", "''") + "'" for one in parts)
        try:
            database.execute(f"CREATE TEMP VIEW raw_{table} AS SELECT * FROM read_parquet([{listed}])")
            found = {str(name): str(kind) for name, kind, *_ in database.execute(f"DESCRIBE raw_{table}").fetchall()}
        except duckdb.Error as failure:
            raise InputError(f"{folder}: table {table} cannot be read ({type(failure).__name__}): look for a damaged file") from None
        for column, kind in TABLES[table].items():
            if column not in found:
                raise InputError(f"{folder}: table {table} has no column {column!r}: it must hold {', '.join(TABLES[table])}")
            if not _fits(kind, found[column]):
                raise InputError(f"{folder}: column {column!r} of table {table} is {found[column]}, and must be a {kind}: write it as one")


def _fits(kind: Kind, found: str) -> bool:
    if kind == "number":
        return found in _NUMBERS or found.startswith("DECIMAL")
    return found == "VARCHAR" if kind == "text" else found in {"DATE", "TIMESTAMP"}


def check_date(database: Database, folder: Path, as_of: dt.date) -> None:
    """Raise InputError where no event lies before the as-of date, or the newest so long before it that the date cannot be meant."""
    spans = " UNION ALL ".join(f'SELECT min("{at}") AS first, max("{at}") AS last FROM raw_{table}' for table, (_, at) in EVENTS.items())
    first, last = database.execute(f"SELECT min(first)::DATE, max(last)::DATE FROM ({spans})").fetchall()[0]
    if first is None:
        raise InputError(f"{folder}: calls, usage and visits are empty: name the folder of the telco's raw tables")
    if not first < as_of <= last + dt.timedelta(days=SLACK):
        raise InputError(
            f"{folder}: events run from {first} to {last}, and the as-of date {as_of} does not follow them: "
            f"take one from {first + dt.timedelta(days=1)} to {last + dt.timedelta(days=1)}"
        )


def rows(database: Database) -> dict[str, int]:
    """Return the number of records in each table of many."""
    return {table: int(database.execute(f"SELECT count(*) FROM raw_{table}").fetchall()[0][0]) for table in EVENTS}


def know(database: Database, as_of: dt.date) -> None:
    """Make the macros of time, `subscriber` (a phone's newest owner that had opened it and not closed it) and the views but the events'."""
    day = f"DATE '{as_of.isoformat()}'"
    ages = " ".join(f"WHEN t >= {day} - INTERVAL {month} MONTH THEN {month}" for month in range(1, LONGEST + 1))
    database.execute(f"CREATE TEMP MACRO as_of() AS {day}")
    database.execute(f"CREATE TEMP MACRO months_ago(t) AS CASE {ages} ELSE {LONGEST + 1} END")
    database.execute(f"CREATE TEMP MACRO days_of(months) AS date_diff('day', ({day} - to_months(months))::DATE, {day})")
    database.execute(f"""
        CREATE TEMP TABLE subscriber AS
        SELECT DISTINCT ON (phone) * FROM (SELECT {_PLAIN} AS phone, opened_on::DATE AS opened_on, package, birth_year, gender, region
          FROM raw_subscribers WHERE opened_on < {day} AND (closed_on IS NULL OR closed_on >= {day}) AND phone IS NOT NULL)
        ORDER BY phone, opened_on DESC, package, birth_year, gender, region;
        CREATE TEMP VIEW known_identifiers AS
        SELECT kind, value, other_kind, other_value, seen_on::DATE AS seen_on FROM raw_identifiers
        WHERE seen_on < {day} AND value IS NOT NULL AND other_value IS NOT NULL;
        CREATE TEMP VIEW known_cells AS
        SELECT cell_id, any_value(x_km) AS x_km, any_value(y_km) AS y_km, any_value(area) AS area FROM raw_cells GROUP BY cell_id;
        CREATE TEMP VIEW known_bills AS
        SELECT phone, month::DATE AS month, max(charge) AS charge, max(data_gb) AS data_gb, max(voice_minutes) AS voice_minutes,
          max(sms) AS sms, min(paid_on) FILTER (paid_on < {day})::DATE AS paid_on,
          months_ago(month::DATE + INTERVAL 1 MONTH - INTERVAL 1 DAY) AS ago
        FROM raw_bills SEMI JOIN here USING (phone)
        WHERE month + INTERVAL 1 MONTH <= {day} AND months_ago(month + INTERVAL 1 MONTH - INTERVAL 1 DAY) <= {LONGEST}
        GROUP BY phone, month;
        CREATE TEMP VIEW known_suspensions AS
        SELECT phone, suspended_on::DATE AS suspended_on, min(restored_on) FILTER (restored_on < {day})::DATE AS restored_on,
          months_ago(suspended_on) AS ago
        FROM raw_suspensions SEMI JOIN here USING (phone)
        WHERE suspended_on < {day} AND months_ago(suspended_on) <= {LONGEST} GROUP BY phone, suspended_on;
        CREATE TEMP VIEW known_topups AS
        SELECT phone, "at", amount, months_ago("at") AS ago FROM raw_topups SEMI JOIN here USING (phone)
        WHERE "at" < {day} AND months_ago("at") <= {LONGEST};
    """)


def know_events(database: Database, table: str, records: int) -> None:
    """Make the view of one table of many records. `here` (phone, person) and `holding` say whose records are looked at."""
    key, at = EVENTS[table]
    known = f"""(SELECT *, months_ago("{at}") AS ago FROM raw_{table}
        WHERE "{at}" < as_of() AND "{at}" >= as_of() - INTERVAL {LONGEST} MONTH
        AND (received_at IS NULL OR received_at < as_of()))"""
    slices = records // SLICE + 1
    database.execute(f"CREATE TEMP TABLE twice_{table} ({key} BIGINT)")
    for part in range(slices):
        database.execute(
            f"INSERT INTO twice_{table} SELECT {key} FROM {known} WHERE abs({key} % {slices}) = {part} GROUP BY {key} HAVING count(*) > 1"
        )
    database.execute(f"""
        CREATE TEMP TABLE once_{table} AS
        SELECT DISTINCT ON ({key}) * FROM {known} SEMI JOIN twice_{table} USING ({key}) ORDER BY {key}, received_at
    """)
    once = f"(SELECT * FROM {known} ANTI JOIN twice_{table} USING ({key}) UNION ALL BY NAME SELECT * FROM once_{table})"
    if table == "usage":
        held = "(SELECT * FROM holding SEMI JOIN (SELECT DISTINCT person FROM here) USING (person))"
        database.execute(f"""
            CREATE TEMP VIEW known_usage AS SELECT held.person, events.* FROM {once} AS events
            JOIN {held} AS held ON id_kind = held.kind AND id_value = held.value AND "at" >= since AND "at" < until
        """)
    else:
        database.execute(f"CREATE TEMP VIEW known_{table} AS SELECT * FROM {once} SEMI JOIN here USING (phone)")
