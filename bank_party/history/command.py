"""`tandem bank derive`: the bank's variables from its own raw tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bank_party.history.catalogue import FAMILIES
from bank_party.history.output import DORMANT_MONTHS, LABEL, WINDOW_MONTHS, format_of
from tandem.errors import InputError


class Label(Enum):
    """What --label may ask for."""

    ACTIVATION = "activation"


def derive_command(
    folder: Annotated[Path | None, typer.Argument(metavar="BANK_FOLDER", help="The folder of the bank's raw tables, Parquet.")] = None,
    as_of: Annotated[str, typer.Option(help="First of a month, such as 2025-07-01: nothing at or after it is read.")] = "",
    out: Annotated[Path | None, typer.Option(help="Where to write: .csv or .parquet.")] = None,
    label: Annotated[Label | None, typer.Option(help="Add what came after: did the dormant card pay?")] = None,
    window: Annotated[int, typer.Option(help="Months in which the label looks for a payment.", min=1, max=24)] = WINDOW_MONTHS,
    dormant: Annotated[int, typer.Option(help="Months without payment that make a card dormant.", min=1, max=60)] = DORMANT_MONTHS,
    list_: Annotated[bool, typer.Option("--list", help="Print the variables and end.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Derive the bank's variables: one row a customer with a dormant card at a date, with the label where --label asks for it.

    Example: tandem bank derive city/bank --as-of 2025-07-01 --label activation --out bank-T0.csv
    """
    console = Console()
    if list_:
        print_catalogue(console)
        return
    if folder is None or not as_of or out is None:
        raise InputError("name the folder of the raw tables, --as-of and --out; --list prints the variables")
    from bank_party.history.derive import derived  # noqa: PLC0415 - the bank's other commands never load DuckDB

    format_of(out)  # before the work
    with console.status("deriving"), derived(folder, _date(as_of), window=None if label is None else window, dormant=dormant) as made:
        made.write(out)
    _print_counts(console, made.as_of, asdict(made.counts), window)
    named = f', label = "{LABEL}"' if label else ""
    console.print(f'written to {out}; in a study: id = "phone", drop = ["customer_id"]{named}', soft_wrap=True, markup=False)


def print_catalogue(console: Console) -> None:
    """Print every variable with its family, unit and meaning."""
    table = Table("variable", "中文", "family", "unit", "meaning", box=None)
    for family in FAMILIES:
        for one in family.variables:
            table.add_row(one.name, one.chinese, family.name, one.unit, one.meaning)
    console.print(table)


def _print_counts(console: Console, as_of: date, counts: Mapping[str, int | None], window: int) -> None:
    table = Table(f"at {as_of.isoformat()}", "customers", box=None)
    table.columns[1].justify = "right"
    rows = {
        "known": "customers", "with a dormant card": "dormant", "of these with several": "two_cards", "left out, no phone": "no_phone",
        "written": "written", f"activated within {window} months": "activated",
    }
    for told, name in rows.items():
        if counts[name] is not None:
            table.add_row(told, str(counts[name]))
    console.print(table)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--as-of {text!r} is no date: write it as 2025-07-01") from None
