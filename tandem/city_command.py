"""`tandem city`: invented people for a machine that has no data: make them, and let them answer a campaign."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tandem.city import make as making
from tandem.city import respond as responding
from tandem.errors import InputError
from tandem.node import disk

app = typer.Typer(help="Invent a city for telco and bank, and let it answer a campaign. All of it is synthetic.", no_args_is_help=True)
OURS = {"telco", "bank", "hidden", "city.json"}
"""What a city's folder holds."""


@app.command("make")
def make(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the city.")],
    people: Annotated[int, typer.Option(help="How many people.")] = 20_000,
    months: Annotated[int, typer.Option(help="Months of the telco's events, from 2025-01-01.")] = 9,
    seed: Annotated[int, typer.Option(help="The same seed gives the same city.")] = 1,
    telco_effect: Annotated[float, typer.Option(help="1 as invented; 0: outcomes depend on nothing but the bank's own tables.")] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Make an earlier city's folder anew.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Make raw tables of a telco and a bank of partly the same people (Parquet), for exercise. Every figure on them is synthetic.

    Example: tandem city make --people 20000 --seed 1 city
    """
    plan = making.Plan(people, months, seed, telco_effect)
    _make_folder(out, force=force)
    console = Console(soft_wrap=True, highlight=False)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("people", total=people)
        rows = making.make(out, plan, lambda done: bar.advance(task, done))
    table = Table("table", "rows", box=None)
    table.columns[1].justify = "right"
    for name in sorted(rows):
        table.add_row(name, f"{rows[name]:,}")
    console.print(table)
    console.print(f"written to {out}: synthetic; `hidden` is the simulator's own truth, for nobody but `tandem city respond`", markup=False)


@app.command("respond")
def respond(
    city: Annotated[Path, typer.Argument(metavar="CITY", help="A folder made by `tandem city make`.")],
    contacts: Annotated[Path, typer.Argument(metavar="CONTACTS", help="contacts.csv, as `tandem bank campaign draw` writes it.")],
    out: Annotated[Path, typer.Option(help="Where to write results.csv.")],
    seed: Annotated[int, typer.Option(help="Chance of the answers.", min=0)] = 1,
) -> None:
    """Let the city answer a campaign: one row a contact, from contacted to activated. Every figure on it is synthetic.

    Example: tandem city respond city contacts.csv --out results.csv
    """
    answers = responding.respond(city, contacts, seed)
    disk.write(out, answers.results.to_csv(index=False, lineterminator="\n").encode())
    console = Console(soft_wrap=True, highlight=False)
    stages = ["contacted", "responded", "applied", "approved", "first_card", "activated"]
    table = Table("group", "selected", "unknown phone", *(one.replace("_", " ") for one in stages), box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for group in responding.GROUPS:
        own = answers.results[answers.results["group"] == group]
        table.add_row(group, f"{len(own)}", str(answers.unknown[group]), *(f"{own[one].sum()}" for one in stages))
    console.print(table)
    console.print(f"written to {out} (synthetic); a contact of unknown phone stays a row, and is not contacted", markup=False)


def _make_folder(out: Path, *, force: bool) -> None:
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file: name a folder")
    if out.exists() and any(out.iterdir()):
        if {one.name for one in out.iterdir()} - OURS:
            raise InputError(f"{out} is not empty and holds more than a city: choose another folder")
        if not force:
            raise InputError(f"{out} holds an earlier city: choose another folder, or --force to make it anew")
        shutil.rmtree(out)
    disk.make_private_folder(out)
