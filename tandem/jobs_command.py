"""`tandem jobs`: what this node's jobs stand at."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.audit.sources import named
from tandem.contract import Contract, loads
from tandem.errors import InputError, TandemError
from tandem.node import disk
from tandem.node.job_list import Standing, standings
from tandem.node.ledger_database import Place
from tandem.node.ledger_store import Ledger
from tandem.node.side import side

WIDTH = 80
"""Columns that the table fits."""
LOOKED_FOR = ("node.toml", "study.toml", "ledger.sqlite")


def jobs(
    place: Annotated[
        str, typer.Argument(metavar="FILE", help="node.toml, study.toml, or a ledger (file or URL); looked for here if not given.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with contracts and jobs in full.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Print this node's jobs: newest attempt, steps begun, budgets used up and when a frame last passed. The node may be running.

    A job's id is the same at all three parties. Example: tandem jobs telco/node.toml
    """
    where, contracts, unread = _found(place or _here())
    with Ledger(where, read_only=True) as ledger:
        found = standings(ledger, contracts)
    if as_json:
        typer.echo(json.dumps([asdict(each) for each in found], indent=1))
        return
    console = Console(width=WIDTH, highlight=False)
    if found:
        console.print(_table(found))
    else:
        console.print("no job was begun here")
    for line in unread:
        console.print(f"caps not shown: {line}", markup=False)


def _here() -> str:
    for name in LOOKED_FOR:
        if Path(name).exists():
            return name
    raise InputError(f"none of {', '.join(LOOKED_FOR)} lies in this folder: name one, such as tandem jobs telco/node.toml")


def _found(place: str) -> tuple[Place, list[Contract], list[str]]:
    """Return where the ledger lies, the contracts at hand, and what was wrong with those that could not be read."""
    if not place.endswith(".toml"):
        return named(place), [], []
    own = side(Path(place))
    contracts, unread = [], []
    for path in own.contracts:
        try:
            contracts.append(loads(disk.read_text(path), str(path)))
        except TandemError as failure:
            unread.append(str(failure))
    return own.config.ledger_place, contracts, unread


def _table(found: list[Standing]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH)
    for head, width, right in (
        ("contract", 8, False), ("job", 8, False), ("state", 6, False), ("attempt", 7, True), ("steps begun", 13, False),
        ("used up", 22, False), ("last frame", 10, False),
    ):
        table.add_column(head, width=width, overflow="fold", justify="right" if right else "left")
    for one in found:
        steps = [f"{step} x{number}" for step, number in one.steps.items()]
        used = [f"{counter} {amount:,}" + ("" if cap is None else f" of {cap:,}") for counter, (amount, cap) in one.used.items()]
        job = (one.job[:8], "sealed" if one.sealed else "-", str(one.attempt)) if one.job else ("-", "no job", "-")
        row = (one.contract[:8], *job, "\n".join(steps) or "-", "\n".join(used) or "-", one.last[:16].replace("T", "\n") or "-")
        table.add_row(*(escape(cell) for cell in row))
    return table
