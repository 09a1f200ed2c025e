"""One row a customer with a dormant card at a date: phone, the catalogue's variables, and the label where what came after is on record.

A card is dormant at as_of if it is open, at least `dormant` months old, and had no payment in the `dormant` months before. A customer with
two such cards is one row; one who pays with another card is a row all the same, as that card is idle. The label `activated` is 1 where a
dormant card was paid with in [as_of, as_of + window months).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bank_party.history.catalogue import FAMILIES, SOURCES, select
from bank_party.history.output import DORMANT_MONTHS, LABEL, beside, format_of
from bank_party.history.raw import Database, opened
from tandem.errors import InputError
from tandem.node import disk

if TYPE_CHECKING:
    import pandas as pd  # DuckDB loads it where a frame is asked for

@dataclass(frozen=True)
class Counts:
    """customers: known at the date. dormant: with a dormant card. two_cards: of these, with several such cards. no_phone: not written."""

    customers: int
    dormant: int
    two_cards: int
    no_phone: int
    written: int
    activated: int | None
    """Of those written; None without a label."""


@dataclass(frozen=True)
class Derived:
    """What one derivation gave, while its tables are open."""

    as_of: date
    dormant_months: int
    window_months: int | None
    """Of the label; None without one."""
    counts: Counts
    _database: Database = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """Return the table, one row a customer by customer_id."""
        return self._database.execute("SELECT * FROM derived ORDER BY customer_id").df()

    def write(self, path: Path) -> None:
        """Write the table as CSV or Parquet by the path's ending, and beside it (.json) what it was made of (both 0600).

        Raises InputError as `format_of` does, or where writing fails.
        """
        how = format_of(path)
        try:
            room = tempfile.TemporaryDirectory(dir=path.parent)
        except OSError as failure:
            raise disk.explain(failure, path.parent, "write") from None
        with room as folder:  # 0700: DuckDB makes files that others can read
            made = Path(folder) / path.name
            quoted = str(made).replace("'", "''")
            self._database.execute(f"COPY (SELECT * FROM derived ORDER BY customer_id) TO '{quoted}' ({how})")  # noqa: S608 - a path of our own
            with disk.writing(path) as target, made.open("rb") as source:
                shutil.copyfileobj(source, target)
        disk.write(beside(path), json.dumps(self.facts(), ensure_ascii=False, indent=1).encode())

    def facts(self) -> dict[str, object]:
        """Return what the table was made of, as JSON values."""
        return {
            "format": 1, "as_of": self.as_of.isoformat(), "dormant_months": self.dormant_months, "window_months": self.window_months,
            "counts": asdict(self.counts), "variables": [one.name for family in FAMILIES for one in family.variables],
        }


@contextmanager
def derived(folder: Path, as_of: date, *, window: int | None = None, dormant: int = DORMANT_MONTHS) -> Iterator[Derived]:
    """Derive from the raw tables in `folder`; `window` in months asks for the label. Nothing at or after as_of enters a variable.

    Raises InputError: tables that are not as they must be, a date that is not the first of a month, months that the tables do not cover.
    """
    if as_of.day != 1:
        raise InputError(f"as-of {as_of}: card use is recorded by month: give the first of a month")
    with opened(folder) as database:
        for name, value in {"dormant_months": dormant, "window_months": window or 0}.items():
            database.execute(f"SET VARIABLE {name} = {value:d}")
        database.execute(f"SET VARIABLE as_of = DATE '{as_of.isoformat()}'")
        _covered(database, folder, as_of, -dormant, 0, "whether a card was dormant")
        if window is not None:
            _covered(database, folder, as_of, 0, window, "the label")
        database.execute(_sql("known") + SOURCES + _sql("dormant"))
        if window is not None:
            database.execute(_sql("outcome"))
        database.execute(f"CREATE TEMP TABLE derived AS {select(LABEL if window is not None else '')}")
        if not _one(database, "SELECT count(*) FROM derived"):
            raise InputError(f"{folder}: nobody has a dormant card and a phone at {as_of}: choose another date, or fewer months")
        yield Derived(as_of, dormant, window, _counts(database, labelled=window is not None), database)


def _sql(name: str) -> str:
    return (files("bank_party.history") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _covered(database: Database, folder: Path, as_of: date, first: int, end: int, what: str) -> None:
    """Raise InputError unless card use is on record in every month from as_of + first to as_of + end, the end left out."""
    place = f"DATE '{as_of.isoformat()}' + INTERVAL (m) MONTH"
    absent = database.execute(
        f"SELECT strftime({place}, '%Y-%m') FROM range({first:d}, {end:d}) AS months(m) "  # noqa: S608 - numbers and a date
        f"WHERE CAST({place} AS DATE) NOT IN (SELECT DISTINCT CAST(date_trunc('month', month) AS DATE) FROM raw_card_use) ORDER BY 1"
    ).fetchall()
    if absent:
        months = ", ".join(month for (month,) in absent)
        told = f"so {what} cannot be told at {as_of}: choose another date, or fewer months"
        raise InputError(f"{folder}: card_use has no record in {months}, {told}")


def _counts(database: Database, *, labelled: bool) -> Counts:
    several = "SELECT count(*) FROM (SELECT customer_id FROM dormant_cards GROUP BY customer_id HAVING count(*) > 1)"
    dormant, written = _one(database, "SELECT count(*) FROM dormant"), _one(database, "SELECT count(*) FROM derived")
    activated = _one(database, f"SELECT sum({LABEL}) FROM derived") if labelled else None  # noqa: S608 - a name of our own
    customers = _one(database, "SELECT count(*) FROM known_customers")
    return Counts(customers, dormant, _one(database, several), dormant - written, written, activated)


def _one(database: Database, statement: str) -> int:
    return int(database.execute(statement).fetchall()[0][0])
