"""Case 2 of the demo, dormant cards: from raw tables of a made-up city to a campaign's report.

    T0   dormant then, and what they did in the three months after     train one model on both parties' variables
    T1   dormant now                                                   score, draw three groups, contact, measure, report

Each party derives its variables from its own raw tables, as they were known on the day. The response is made up, like the people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import tomli_w
from rich.console import Console

from tandem.contract import BANK, TELCO, Contract
from tandem.contract.words import Language
from tandem.demo import study
from tandem.demo.processes import run
from tandem.demo.site import RUNS, Settings, Site
from tandem.node import disk
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource

OFFERED = (
    "finance_days_3m", "finance_trend_3m", "usage_events_3m", "online_shopping_days_3m", "shopping_days_3m", "eat_days_3m", "play_days_3m",
    "searches_3m", "data_gb_mean_3m", "charge_mean_6m", "calls_bank_3m", "contacts_3m", "call_silent_days_3m", "airport_visits_6m",
)
"""The telco's variables in the demo's contract, of all that it derives: as many as leave 50 training rows a total at 20 000 people."""
BENEFIT: dict[str, Any] = {"name": "benefit", "levels": ["eat", "play", "online shopping", "shopping"]}
FINANCE: dict[str, Any] = {"name": "finance_activity", "levels": ["low", "middle", "high"]}
TOLD = (BENEFIT, FINANCE)
"""What the telco tells of each person that is scored."""
SEGMENTS = (BENEFIT, FINANCE)
"""By what a campaign is measured."""
NAMES: dict[Language, str] = {"en": "dormant cards", "zh": "休眠卡促活"}
"""What the campaign is called."""
GROUPS = ("control", "low", "high")
FEWEST_EACH = 5
"""People with and without an outcome below which a count is withheld: some thousand a group leave few of the middle of a funnel else."""


@dataclass(frozen=True)
class City:
    """A made-up city: its folder, and the two days up to which data are known."""

    folder: Path
    before: str
    now: str

    @classmethod
    def make(cls, folder: Path, people: int, seed: int, telco_effect: float) -> City:
        """Make the city's raw tables."""
        run("city", "make", str(folder), "--people", str(people), "--seed", str(seed), "--telco-effect", str(telco_effect))
        told = json.loads((folder / "city.json").read_text())
        return cls(folder, told["training_as_of"], told["campaign_as_of"])


def derive(city: City, out: Path) -> None:
    """Have both parties derive their variables as of both days."""
    for role in (BANK, TELCO):
        disk.make_private_folder(out / role)
    for as_of, label in ((city.before, ["--label", "activation"]), (city.now, [])):
        run(TELCO, "derive", str(city.folder / TELCO), "--as-of", as_of, "--out", str(out / TELCO / f"subscribers-{as_of}.parquet"))
        run(BANK, "derive", str(city.folder / BANK), "--as-of", as_of, *label, "--out", str(out / BANK / f"dormant-{as_of}.csv"))


def tables(city: City, out: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the sources of the training's tables, the bank's and the telco's."""
    offered = dict.fromkeys(OFFERED, "number")
    return _dormant(out, city.before), _subscribers(out, city.before, offered)


def _dormant(out: Path, as_of: str) -> dict[str, Any]:
    return {"source": str((out / BANK / f"dormant-{as_of}.csv").absolute()), "id": "phone", "drop": ["customer_id"]}


def _subscribers(out: Path, as_of: str, columns: Mapping[str, str]) -> dict[str, Any]:
    source = str((out / TELCO / f"subscribers-{as_of}.parquet").absolute())
    return {"source": source, "id": "phone", "columns": {"phone": "id", **columns}}


def run_case(settings: Settings, city: City, console: Console) -> None:
    """Train, score, draw, contact, measure and report. Every command is run as a user would."""
    out, bank = settings.out, settings.out / BANK
    site, training = study.train(settings, console)
    scoring = _later_contracts(site, training, city)
    with ExitStack() as nodes:
        study.listening(nodes, site, scoring)
        run("bank", "score", str(bank / "score.toml"))
        run("bank", "campaign", "draw", str(bank / "campaign.toml"))
        contacts = bank / "campaign" / "contacts.csv"
        run("city", "respond", str(city.folder), str(contacts), "--out", str(bank / "campaign" / "results.csv"))
        run("bank", "measure", str(bank / "measure.toml"))
    found = ("--results", str(bank / "campaign" / "results.csv"), "--measured", str(bank / "measured" / "measured.json"))
    run("bank", "campaign", "results", str(bank / "campaign.toml"), *found)
    contracts = (part for name in ("scoring", "measurement") for part in ("--also", str(bank / f"{name}.toml")))
    facts, pooled = str(bank / "campaign" / "campaign.json"), str(bank / "out" / "rehearsal.json")
    run("bank", "report", str(bank / "study.toml"), "--rehearsal", pooled, "--campaign", facts, *contracts)
    run("bank", "models", "add", str(bank / "study.toml"), "--as-of", city.before)
    for path in (bank / "campaign" / "report.html", bank / "campaign" / "campaign.xlsx", bank / "out" / "result.json"):
        disk.write(out / path.name, path.read_bytes())
    console.print(f"report: {out / 'report.html'}   tables: {out / 'campaign.xlsx'}   figures: {out / 'result.json'}")
    console.print(f"the study's own report: {bank / 'out' / 'report.html'}   ledgers: {out}/*/ledger.sqlite")


def _later_contracts(site: Site, training: Contract, city: City) -> Contract:
    """Have all sign what the campaign needs, configure bank and telco for it, and return the scoring contract."""
    out, settings = site.settings.out, site.settings
    bank, customers = out / BANK, _dormant(out, city.now)
    columns = {**dict.fromkeys(OFFERED, "number"), **{str(one["name"]): "text" for one in (*TOLD, *SEGMENTS)}}
    now = _subscribers(out, city.now, columns)
    model = json.loads(disk.read_private(bank / "out" / "model.json"))
    asked, held = (read_table(TableSource(**one)).rows for one in (customers, now))
    caps = {"identifiers": RUNS * asked, "table": held, "roster": min(asked, held)}
    layout = {"bank_columns": training.layout.bank_columns, "weights": settings.weights, "card_step": settings.card_step}
    scoring = site.contract(
        "Score dormant customers; benefit and finance activity told of each", caps, layout, training.telco.variables, RUNS,
        kind="scoring", card=model["card"], training=model["contract"], tells=list(TOLD),
    )
    measurement = site.contract(
        "Measure the campaign by the telco's segments", caps, {"bank_columns": 1, "min_class": FEWEST_EACH}, len(SEGMENTS), RUNS,
        kind="measurement", measurement={"groups": len(GROUPS), "segments": list(SEGMENTS)},
    )
    site.hand_out(scoring, "scoring.toml", "scoring.toml")
    site.hand_out(measurement, "measurement.toml", "measurement.toml")
    site.write_study("score.toml", "scoring.toml", customers, model="out/model.json", out="scored")
    site.write_study(
        "measure.toml", "measurement.toml", customers, results="campaign/results.csv", groups=list(GROUPS), out="measured"
    )
    campaign = {
        "name": NAMES[settings.lang], "as_of": date.fromisoformat(city.now), "table": customers, "lang": settings.lang,
        "synthetic": settings.synthetic,
    }
    disk.write(bank / "campaign.toml", tomli_w.dumps(campaign).encode())
    site.write_nodes({"table": dict(settings.telco), "tables": {"campaign": {**now, "contracts": [scoring.id, measurement.id]}}})
    return scoring
