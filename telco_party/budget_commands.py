"""`tandem telco budget`: what every bank has used of this node within a year, and how to go on after the ledger was lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.errors import InputError
from tandem.node import keys
from tandem.node.config import read
from tandem.node.contracts import Contracts
from tandem.node.ledger_store import Ledger
from tandem.node.witness import Witness
from telco_party.budgets import SHARES, Budgets, Peer
from telco_party.config import TelcoConfig
from telco_party.limits import MEANINGS

app = typer.Typer(no_args_is_help=True, help="What banks have used of this node within a year, over all contracts.")

WIDTH = 80
"""Columns that the tables fit."""
_CONFIG = typer.Option(help="The node's configuration, TOML.", show_default=True)


@app.command("show")
def show_command(
    config: Annotated[Path, _CONFIG] = Path("node.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Print what each bank has used of each budget, what is left, and when the oldest of it frees. Persons are counted, never named.

    Example: tandem telco budget show --config telco/node.toml
    """
    settings = read(config, TelcoConfig)
    _require(settings)
    with Ledger(settings.ledger_place, witness=Witness(settings.at(settings.witness))) as ledger:
        peers = Budgets(ledger, settings.budget, keys.load(settings.at(settings.keys)).seed).shown()
    if as_json:
        typer.echo(json.dumps([_plain(peer) for peer in peers], ensure_ascii=False, indent=2))
        return
    console = Console(width=WIDTH, highlight=False)
    if not peers:
        console.print("No bank has used anything of this node yet.")
    for peer in peers:
        console.print(_table(peer))
        if sum(peer.persons):
            console.print(_histogram(peer))
        console.print()


@app.command("recover")
def recover_command(
    config: Annotated[Path, _CONFIG] = Path("node.toml"),
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Go on after the newest ledger was lost: count all that every contract in the node's folder allowed as spent. Stop the node first.

    Contracts of the last year that were taken out of the folder belong back into it before. Work goes on under new contracts.

    Example: tandem telco budget recover --config telco/node.toml
    """
    settings = read(config, TelcoConfig)
    contracts = Contracts(settings.at(settings.contracts)).all()
    if not contracts:
        raise InputError(f"{settings.at(settings.contracts)} holds no contract: put those of the last year there; what they allow is spent")
    seed = keys.load(settings.at(settings.keys)).seed
    for contract in contracts:
        typer.echo(f"contract {contract.id[:8]}, {contract.bank.name}: all of its caps count as spent")
    if not yes:
        typer.echo("Rosters that were told of since are not known: no new one is held against them.")
        typer.confirm("Is the newest ledger lost for good?", abort=True)
    with Ledger(settings.ledger_place) as ledger, ledger.together():
        budgets = Budgets(ledger, settings.budget, seed)
        for contract in contracts:
            budgets.lose(contract)
            ledger.exhaust(contract)
        ledger.adopt(Witness(settings.at(settings.witness)))
    typer.echo(f"{len(contracts)} contracts are used up; draft new ones. `tandem telco budget show` says what is left of a year")


def _require(settings: TelcoConfig) -> None:
    place = settings.ledger_place
    if isinstance(place, Path) and not place.exists():
        raise InputError(f"{place} does not exist: the node was never started")


def _table(peer: Peer) -> Table:
    keys_of = f", {peer.keys} keys that count as one" if peer.keys > 1 else ""
    table = Table(box=None, pad_edge=False, title=escape(f"{peer.name}{keys_of}"), title_justify="left")
    for head in ("within a year", "used", "limit", "left", "frees"):
        table.add_column(head, justify="left" if head == "within a year" else "right")
    for line in peer.lines:
        frees = "-" if line.frees is None else f"{line.frees:%Y-%m-%d}"
        table.add_row(MEANINGS[line.counter], f"{line.used:,}", f"{line.limit:,}", f"{line.left:,}", frees)
    return table


def _histogram(peer: Peer) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("bits used of the limit")
    table.add_column("persons", justify="right")
    for part, count in enumerate(peer.persons):
        table.add_row(f"{100 * part // SHARES} to {100 * (part + 1) // SHARES} %", f"{count:,}")
    return table


def _plain(peer: Peer) -> dict[str, object]:
    return {
        "peer": peer.name, "keys": peer.keys, "persons_by_share_of_bits": list(peer.persons),
        "counters": [
            {
                "counter": line.counter, "used": line.used, "limit": line.limit, "left": line.left,
                "frees": None if line.frees is None else f"{line.frees:%Y-%m-%dT%H:%M:%SZ}",
            }
            for line in peer.lines
        ],
    }
