"""`tandem telco derive`, `coverage` and `variables`: from raw records to the table that the node offers."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tandem.errors import InputError
from tandem.node import disk
from telco_party.features.catalogue import FAMILIES, Variable, catalogue, family

_FOLDER = typer.Argument(metavar="TELCO_FOLDER", help="The folder of the raw tables, Parquet.")
_AS_OF = typer.Option("--as-of", help="The day, 2025-07-01: what happened or was received from then on is not read.")
_MEMORY = typer.Option(help="Memory of the database; what does not fit is spilled beside the output.")
_THREADS = typer.Option(help="Threads of the database.", min=1)


def derive_command(
    folder: Annotated[Path, _FOLDER],
    as_of: Annotated[str, _AS_OF],
    out: Annotated[Path, typer.Option(help="The table to write: .parquet, otherwise CSV. Beside it OUT.json tells of it.")],
    families: Annotated[str, typer.Option(help="Families of variables, with commas.")] = ",".join(FAMILIES),
    memory: Annotated[str, _MEMORY] = "3GB",
    threads: Annotated[int, _THREADS] = 2,
) -> None:
    """Derive the variables of every subscriber from the raw tables: one row a phone.

    Example: tandem telco derive city/telco --as-of 2025-07-01 --out telco.parquet
    """
    from telco_party.derive import derive  # noqa: PLC0415 - a node that serves never loads DuckDB

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description:<12}"), BarColumn(bar_width=24), TaskProgressColumn(), TimeElapsedColumn(), console=console,
        transient=True, disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=1.0)
        told = derive(
            folder, day(as_of), out, tuple(name.strip() for name in families.split(",") if name.strip()), memory=memory, threads=threads,
            tell=lambda step, share: bar.update(task, description=step, completed=share),
        )
    typer.echo(f"{told.rows} phones of {told.people} people with {len(told.coverage)} variables as of {told.as_of}: {out}, {out}.json")


def coverage_command(
    folder: Annotated[Path, _FOLDER],
    as_of: Annotated[str, _AS_OF],
    memory: Annotated[str, _MEMORY] = "3GB",
    threads: Annotated[int, _THREADS] = 2,
) -> None:
    """Print the coverage by category of behaviour: people with an event of it in the last three months, of all people.

    Example: tandem telco coverage city/telco --as-of 2025-07-01
    """
    from telco_party.derive import coverage  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False)
    for head in ("category", "people", "of", "coverage"):
        table.add_column(head, justify="left" if head == "category" else "right")
    for one in coverage(folder, day(as_of), memory=memory, threads=threads):
        table.add_row(escape(one.category), f"{one.people:,}", f"{one.of:,}", "-" if one.share is None else f"{one.share:.1%}")
    Console(highlight=False).print(table)


def variables_command(
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    data: Annotated[Path | None, typer.Option(help="OUT.json of a derived table: its coverage is printed too.")] = None,
) -> None:
    """Print the catalogue: every variable that derive makes, by family.

    Example: tandem telco variables --lang zh --data telco.parquet.json
    """
    if lang not in {"en", "zh"}:
        raise InputError(f"--lang {lang}: there are en and zh")
    shares = _shares(data)
    console = Console(highlight=False)
    heads = ("name", "meaning", "unit", "window", "missing where") if lang == "en" else ("变量", "含义", "单位", "窗口", "缺失规则")
    for name in FAMILIES:
        one = family(name)
        table = Table(box=None, pad_edge=False, title=one.english if lang == "en" else one.chinese, title_justify="left")
        for head in (*heads, *((("coverage" if lang == "en" else "覆盖率"),) if shares is not None else ())):
            table.add_column(head, overflow="fold")
        for variable in one.variables:
            share = () if shares is None else (f"{shares[variable.name]:.1%}" if variable.name in shares else "-",)
            table.add_row(*(escape(cell) for cell in (*told(variable, lang), *share)))
        console.print(table)
        console.print()
    console.print(f"{len(catalogue())} variables" if lang == "en" else f"共 {len(catalogue())} 个变量")


def told(variable: Variable, lang: str) -> tuple[str, str, str, str, str]:
    """Return what a row of the catalogue tells of a variable: name, meaning, unit, window, when it is missing."""
    if lang == "zh":
        window = "全部" if variable.window is None else f"{variable.window} 个月"
        return variable.name, f"{variable.chinese}：{variable.meaning_zh}", variable.unit, window, variable.stage.missing_zh
    window = "all" if variable.window is None else f"{variable.window} mo"
    return variable.name, variable.meaning, variable.unit, window, variable.stage.missing


def day(written: str) -> dt.date:
    """Return the day that was written as 2025-07-01. Raises InputError."""
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        raise InputError(f"--as-of {written}: write the day as 2025-07-01") from None


def _shares(data: Path | None) -> dict[str, float] | None:
    if data is None:
        return None
    try:
        found = json.loads(disk.read_text(data))["coverage"]
        return {str(name): float(share) for name, share in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{data}: not the side file of a derived table: name OUT.json") from None
