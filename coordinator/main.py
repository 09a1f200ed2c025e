"""`tandem coordinator`: the coordinator's node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coordinator.casting import Coordinator
from coordinator.config import CoordinatorConfig
from tandem.contract import COORDINATOR
from tandem.node import disk, keys
from tandem.node.chance import System
from tandem.node.config import read
from tandem.node.contracts import Contracts
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import recorder
from tandem.node.server import Server
from tandem.node.serving import serve, write_usage
from tandem.node.watch import outlets

app = typer.Typer(no_args_is_help=True, help="The coordinator's node: it solves for the model from totals and sees no row.")


@app.callback()
def coordinator() -> None:
    """Group the coordinator's commands."""


@app.command("serve")
def serve_command(
    config: Annotated[Path, typer.Option(help="The node's configuration, TOML.", show_default=True)] = Path("node.toml"),
) -> None:
    """Listen for bank and telco under the contracts in the node's folder, until Ctrl-C.

    Example: tandem coordinator serve --config coordinator/node.toml
    """
    settings = read(config, CoordinatorConfig)
    party = keys.load(settings.at(settings.keys))
    state = settings.at(settings.state)
    disk.make_private_folder(state)
    contracts = Contracts(settings.at(settings.contracts))
    with Ledger(settings.ledger_place) as ledger, outlets(settings, COORDINATOR, ledger, contracts.usable) as watch:
        node = Coordinator(contracts, party, ledger, System(), watch.report, watch)

        def make() -> Server:
            return Server(
                node, party, lambda contract, session: recorder(ledger, contract, session, COORDINATOR), watch.report,
                patience=settings.patience, watch=watch,
            )

        serve(make, settings.listen, watch)
        write_usage(state / "usage.json", COORDINATOR)
