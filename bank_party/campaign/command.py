"""`tandem bank campaign`: draw the groups, and say what they brought."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bank_party.campaign.config import CampaignConfig
from bank_party.campaign.plan import plan
from bank_party.campaign.results import campaign_facts, write_campaign
from bank_party.campaign.show import show_plan, show_results
from tandem.node.config import read

app = typer.Typer(no_args_is_help=True, help="An activation campaign: whom to contact with what, and what it brought.")
Campaign = Annotated[Path, typer.Argument(metavar="CAMPAIGN", help="The campaign's configuration, TOML.")]


@app.command("draw")
def draw_command(campaign: Campaign) -> None:
    """Draw control, low and high from the scored customers; write contacts.csv and plan.json. The same seed gives the same groups.

    Example: tandem bank campaign draw bank/campaign.toml
    """
    config, console = read(campaign, CampaignConfig), Console()
    with console.status("drawing"):
        drawn = plan(config)
        drawn.write(config.at(config.out))
    show_plan(console, drawn.facts())
    console.print(f"written to {config.at(config.out)}: contacts.csv, plan.json", soft_wrap=True, markup=False)


@app.command("results")
def results_command(
    campaign: Campaign,
    results: Annotated[Path, typer.Option(help="One row a contact: phone, group, its steps as 0 and 1, spend.")],
    measured: Annotated[Path | None, typer.Option(help="What `tandem bank measure` wrote.")] = None,
) -> None:
    """Say what the contacts brought: funnel, lift and verdict by group, segment and benefit; write campaign.json.

    Example: tandem bank campaign results bank/campaign.toml --results results.csv
    """
    config, console = read(campaign, CampaignConfig), Console()
    out = config.at(config.out)
    facts = campaign_facts(out, results, measured)
    write_campaign(out / "campaign.json", facts)
    show_results(console, facts)
    console.print(f"written to {out / 'campaign.json'}", soft_wrap=True, markup=False)
