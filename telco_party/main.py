"""`tandem telco`: the telco's node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tandem.contract import COORDINATOR, TELCO, Contract
from tandem.engine.pool import Pool
from tandem.node import disk, keys, machine
from tandem.node.chance import System
from tandem.node.client import Dialler
from tandem.node.config import read
from tandem.node.contracts import Contracts
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import recorder
from tandem.node.server import Server
from tandem.node.serving import serve, write_usage
from tandem.node.watch import outlets
from tandem.node.witness import Witness
from telco_party.budget_commands import app as budget_app
from telco_party.casting import Telco
from telco_party.config import TelcoConfig
from telco_party.derive_commands import coverage_command, derive_command, variables_command
from telco_party.exposing import exposure_command
from telco_party.tables import Read, Tables

app = typer.Typer(no_args_is_help=True, help="The telco's node: it holds subscribers, answers alignments and sums sealed rows.")
app.command("derive")(derive_command)
app.command("coverage")(coverage_command)
app.command("variables")(variables_command)
app.command("exposure")(exposure_command)
app.add_typer(budget_app, name="budget")


@app.callback()
def telco() -> None:
    """Group the telco's commands."""


@app.command("serve")
def serve_command(
    config: Annotated[Path, typer.Option(help="The node's configuration, TOML.", show_default=True)] = Path("node.toml"),
) -> None:
    """Listen for banks under the contracts in the node's folder, until Ctrl-C.

    Example: tandem telco serve --config telco/node.toml
    """
    settings = read(config, TelcoConfig)
    party = keys.load(settings.at(settings.keys))
    state = settings.at(settings.state)
    disk.make_private_folder(state)
    pem = settings.at(settings.peers) / "coordinator.pem"
    contracts = Contracts(settings.at(settings.contracts))
    with (
        Ledger(settings.ledger_place, witness=Witness(settings.at(settings.witness))) as ledger,
        outlets(settings, TELCO, ledger, contracts.usable) as watch,
    ):
        def told(read: Read) -> None:
            machine.give_back()
            watch.note("table_read", rows=read.table.rows)
            watch.report(f"[{read.section}] {read.table.rows} subscribers with {len(read.table.columns)} columns read from {read.source}")

        tables = Tables(settings, contracts.usable, told)
        tables.begin()
        with Pool(settings.workers) as pool:
            node = Telco(settings, party, tables, ledger, pool, System(), watch.report, watch)
            if any(contract.solver == COORDINATOR for contract in node.prepare()):
                disk.read_text(pem)  # if it is missing, now is the time to say so

            def dialler(contract: Contract) -> Dialler:
                return Dialler(party, contract, {COORDINATOR: (settings.coordinator, disk.read_text(pem).encode())})

            def make() -> Server:
                return Server(
                    node, party, lambda contract, session: recorder(ledger, contract, session, TELCO), watch.report,
                    dialler, settings.patience, watch=watch,
                )

            serve(make, settings.listen, watch)
            write_usage(state / "usage.json", TELCO, pool.peaks())
