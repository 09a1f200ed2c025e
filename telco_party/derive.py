"""One row a phone, one column a variable: the telco's raw tables as they were known on a day, through the catalogue.

People are looked at in slices, so that memory does not grow with the records; DuckDB spills beside the output what does not fit.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

import duckdb

from tandem.errors import InputError
from tandem.node import disk
from telco_party import persons
from telco_party.features import raw
from telco_party.features.catalogue import FAMILIES, Family, Stage, Variable, catalogue, family
from telco_party.features.raw import Database

MEMORY = "3GB"
PEOPLE_SLICE = 25_000_000
"""Records of the fullest table to a slice of people, on average."""
DIGITS = 6
"""Decimal places of a value: sums of fractions added up in another order by another thread must not show."""
READS = {"portrait": ("usage", "location")}
"""Families over the variables of others."""
_COVERAGE_WINDOW = 3


@dataclass(frozen=True)
class Derived:
    """What the side file tells: subscribers and persons, the share of rows with a value by variable, cut-offs, versions."""

    as_of: str
    rows: int
    people: int
    families: tuple[str, ...]
    coverage: dict[str, float]
    cutoffs: dict[str, float | None] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Behaviour:
    """People with an event of a category in three months, of all people."""

    category: str
    people: int
    of: int

    @property
    def share(self) -> float | None:
        """The coverage; None where there are no people."""
        return self.people / self.of if self.of else None


def derive(
    folder: Path, as_of: dt.date, out: Path, families: tuple[str, ...] = FAMILIES, *, memory: str = MEMORY, threads: int = 2,
    tell: Callable[[str, float], None] = lambda _family, _share: None,
) -> Derived:
    """Write the variables of every subscriber to `out` (.parquet, otherwise CSV) and what is told of them to OUT.json, both 0600.

    `tell` hears of the step at work, and of the share of the work done before it. Raises InputError: a family that does not exist, a table
    that is not as it must be, an as-of date outside the data, no subscriber, too little memory, a disk that refuses.
    """
    wanted = _wanted(families)
    with _database(folder, out.parent, memory, threads) as (database, scratch):
        tell("identifiers", 0.0)
        slices = _prepare(database, folder, as_of)
        count, people = database.execute("SELECT count(*), count(DISTINCT person) FROM member").fetchall()[0]
        sliced = [family(name) for name in wanted if name not in READS]
        for part in range(slices):
            _look_at(database, f"WHERE abs(person) % {slices} = {part}")
            for number, each in enumerate(sliced):
                tell(each.name, (part + number / len(sliced)) / slices)
                _run(database, each)
            columns = _joined(sliced, "here")
            database.execute(f"CREATE TEMP TABLE wide AS {columns}" if part == 0 else f"INSERT INTO wide {columns}")
        _look_at(database, "")
        cutoffs = _cut_offs(database, wanted)
        late = [family(name) for name in wanted if name in READS]
        for each in late:
            tell(each.name, 0.99)
            _run(database, each)
        columns = _joined(late, "wide")
        database.execute(f"CREATE TEMP TABLE done AS {columns}")
        variables = catalogue(wanted)
        shares = ", ".join(f'count("{one.name}") / count(*)' for one in variables)
        coverage = database.execute(f"SELECT {shares} FROM done").fetchall()[0]  # noqa: S608 - names of our own
        made = scratch / "made"
        kind = "FORMAT parquet, COMPRESSION zstd" if out.suffix in {".parquet", ".pq"} else "FORMAT csv, HEADER"
        columns = ", ".join(f'"{one.name}"' for one in variables)
        database.execute(f"COPY (SELECT phone, {columns} FROM done ORDER BY phone) TO '{_quoted(made)}' ({kind})")  # noqa: S608 - as above
        told = Derived(
            as_of.isoformat(), int(count), int(people), wanted,
            {one.name: round(share, DIGITS) for one, share in zip(variables, coverage, strict=True)}, cutoffs,
            {"tandem": version("tandem-fusion"), "duckdb": duckdb.__version__},
        )
        with made.open("rb") as source, disk.writing(out) as target:
            shutil.copyfileobj(source, target)
    disk.write(out.with_name(out.name + ".json"), (json.dumps(asdict(told), indent=1, ensure_ascii=False) + "\n").encode())
    return told


def coverage(folder: Path, as_of: dt.date, *, memory: str = MEMORY, threads: int = 2) -> list[Behaviour]:
    """Return the coverage by category of behaviour, fullest first: people with an event of it in three months, of all people.

    Raises InputError as `derive` does.
    """
    with tempfile.TemporaryDirectory(prefix="tandem-") as scratch, _database(folder, Path(scratch), memory, threads) as (database, _):
        _prepare(database, folder, as_of)
        _look_at(database, "")
        people = int(database.execute("SELECT count(DISTINCT person) FROM member").fetchall()[0][0])
        found = database.execute(
            "SELECT category, count(DISTINCT person) FROM known_usage WHERE ago <= $window AND category IS NOT NULL GROUP BY category "
            "ORDER BY 2 DESC, 1", {"window": _COVERAGE_WINDOW},
        ).fetchall()
    return [Behaviour(str(category), int(number), people) for category, number in found]


def _wanted(families: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in families if name not in FAMILIES]
    if unknown or not families:
        raise InputError(f"no such family: {', '.join(unknown) or 'none named'}; there are {', '.join(FAMILIES)}")
    for name in set(families) & set(READS):
        if not set(READS[name]) <= set(families):
            raise InputError(f"family {name} is made of variables of {' and '.join(READS[name])}: name these too")
    return tuple(name for name in FAMILIES if name in families)


@contextmanager
def _database(folder: Path, beside: Path, memory: str, threads: int) -> Iterator[tuple[Database, Path]]:
    """Open a database in memory that spills into a folder of its own, which goes with it, and turn its failures into ours."""
    try:
        scratch = tempfile.TemporaryDirectory(prefix=".tandem-derive-", dir=beside)
    except OSError as failure:
        raise disk.explain(failure, beside, "write") from None
    with scratch as name:
        try:
            database = duckdb.connect(config={
                "memory_limit": memory, "threads": threads, "temp_directory": name, "preserve_insertion_order": False,
                "autoinstall_known_extensions": False, "autoload_known_extensions": False,
            })
        except duckdb.Error:
            raise InputError(f"memory {memory!r} with {threads} threads: give a size such as 3GB, and at least one thread") from None
        try:
            with database:
                yield database, Path(name)
        except duckdb.OutOfMemoryException:
            raise InputError(f"{folder}: {memory} of memory do not suffice, or the disk is full: give more with --memory") from None
        except duckdb.Error as failure:  # its words may quote a value
            raise InputError(f"{folder}: reading failed on the data ({type(failure).__name__}): look for a damaged file") from None


def _prepare(database: Database, folder: Path, as_of: dt.date) -> int:
    """Open the tables, fold persons, make every view of what is known; return the number of slices."""
    raw.open_tables(database, folder)
    raw.check_date(database, folder, as_of)
    database.execute("CREATE TEMP TABLE here (phone VARCHAR, person BIGINT)")
    raw.know(database, as_of)
    if not database.execute("SELECT 1 FROM subscriber LIMIT 1").fetchall():
        raise InputError(f"{folder}: no subscriber on {as_of}: look into opened_on and closed_on of table subscribers")
    persons.fold(database)
    database.execute(
        "CREATE TEMP TABLE member AS SELECT subscriber.*, person FROM subscriber JOIN holding ON kind = 'phone' AND value = phone"
    )
    records = raw.rows(database)
    _look_at(database, "")
    for table, number in records.items():
        raw.know_events(database, table, number)
    return max(records.values()) // PEOPLE_SLICE + 1


def _look_at(database: Database, where: str) -> None:
    """Let the views give the records of these people alone."""
    database.execute(f"CREATE OR REPLACE TEMP TABLE here AS SELECT * FROM member {where}")  # noqa: S608 - our own condition


def _run(database: Database, each: Family) -> None:
    """Make the stages of a family, and a table `of_STAGE` of the variables over each."""
    for number, stage in enumerate(each.stages):
        later = " ".join(other.query for other in each.stages[number + 1 :])
        kind = "TABLE" if re.search(rf"\b{stage.name}\b", later) else "VIEW"  # what is read again is made once
        database.execute(f"CREATE OR REPLACE TEMP {kind} {stage.name} AS {stage.query}")
        over = [one for one in each.variables if one.stage == stage]
        if over:
            columns = ", ".join(f'{_value(one)} AS "{one.name}"' for one in over)
            database.execute(
                f"CREATE OR REPLACE TEMP TABLE of_{stage.name} AS SELECT {stage.key}, {columns} FROM {stage.name} GROUP BY {stage.key}"  # noqa: S608 - the catalogue's
            )


def _value(one: Variable) -> str:
    value = one.expression if one.is_text else f"round(({one.expression})::DOUBLE, {DIGITS})"
    if one.stage.absent == "0":
        return f"coalesce({value}, 0)"
    return value if one.window is None else f"CASE WHEN min(ago) <= {one.window} THEN {value} END"


def _joined(families: list[Family], base: str) -> str:
    """Return the query that joins the variables of the families to `base`, which has phone and person."""
    columns, joins = [f"{base}.*" if base == "wide" else "here.phone, here.person"], []
    for each in families:
        for stage in each.stages:
            over = [one for one in each.variables if one.stage == stage]
            if over:
                columns += [_column(stage, one) for one in over]
                joins.append(f"LEFT JOIN of_{stage.name} ON of_{stage.name}.{stage.key} = {base}.{stage.key}")
    return f"SELECT {', '.join(columns)} FROM {base} {' '.join(joins)}"  # noqa: S608 - names of our own


def _column(stage: Stage, one: Variable) -> str:
    name = f'of_{stage.name}."{one.name}"'
    return f'coalesce({name}, 0) AS "{one.name}"' if stage.absent == "0" else name


def _cut_offs(database: Database, families: tuple[str, ...]) -> dict[str, float | None]:
    """Make the macros of the portrait's cut-offs: thirds of the days with finance among all subscribers with usage."""
    if "portrait" not in families:
        return {}
    thirds = "SELECT quantile_disc(finance_days_3m, 1 / 3), quantile_disc(finance_days_3m, 2 / 3) FROM wide"
    low, high = database.execute(thirds).fetchall()[0]
    for name, value in (("finance_low", low), ("finance_high", high)):
        database.execute(f"CREATE TEMP MACRO {name}() AS {'NULL' if value is None else value}")
    return {"finance_low": low, "finance_high": high}


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
