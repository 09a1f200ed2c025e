"""`tandem coordinator`: the coordinator's node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coordinator.casting import Coordinator
from coordinator.config import CoordinatorConfig
from tandem.node import disk, keys
from tandem.node.chance import System
from tandem.node.config import read
from tandem.node.contracts import Contracts
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import recorder
from tandem.node.server import Server
from tandem.node.serving import report, serve, write_usage

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
    with Ledger(settings.ledger_place) as ledger:
        node = Coordinator(Contracts(settings.at(settings.contracts)), party, ledger, System(), report)

        def make() -> Server:
            return Server(
                node, party, lambda contract, session: recorder(ledger, contract, session, "coordinator"), report,
                patience=settings.patience,
            )

        serve(make, settings.listen, "coordinator")
        write_usage(state / "usage.json", "coordinator")
