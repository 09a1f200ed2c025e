"""One study of the demo: nodes up, the bank's command, nodes down, and, as a rehearsal on one's own data may, the pooled fit beside it."""

from __future__ import annotations

from contextlib import ExitStack

from rich.console import Console

from tandem import rehearsal
from tandem.contract import BANK, TELCO, Contract
from tandem.contract.words import costs
from tandem.demo.processes import node, run
from tandem.demo.site import Settings, Site, prepare


def train(settings: Settings, console: Console) -> tuple[Site, Contract]:
    """Run the study from alignment to scores, and write beside it what the pooled fit gives."""
    site, contract = prepare(settings)
    for cost in costs(contract, settings.lang):
        console.print(cost)
    out = settings.out
    told = f"`tandem contract show {out}/bank/contract.toml` tells what each will learn"
    console.print(f"contract {contract.id[:8]} signed by {len(contract.roles)}; {told}")
    with ExitStack() as nodes:
        listening(nodes, site, contract)
        run("bank", "train", str(out / BANK / "study.toml"))
    pooled = rehearsal.rehearse(out / BANK, out / TELCO, contract)
    rehearsal.write(out / BANK / "out" / "rehearsal.json", pooled, {role: out / role for role in contract.roles}, contract)
    console.print("rehearsal: the nodes have exited; both files read by one process, pooled model fitted in the clear")
    return site, contract


def listening(nodes: ExitStack, site: Site, contract: Contract) -> None:
    """Start the nodes that this contract needs, until the stack is left."""
    for role in contract.roles:
        if role != BANK:
            nodes.enter_context(node(site.settings.out / role, role))
