"""`tandem bank`: the bank's side, which calls and is never called."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import gmpy2
import grpc
import typer
from rich.console import Console

import tandem
from bank_party import planning, registry_commands, reporting, scoring, studies
from bank_party.answering import answer_command
from bank_party.campaign.command import app as campaign_app
from bank_party.conduct import Caller, Conductor
from bank_party.feedback import feedback_command
from bank_party.history.command import derive_command
from bank_party.jobs import fingerprint
from bank_party.lift_command import lift_command
from bank_party.measuring import measure_command
from bank_party.party import Party
from bank_party.records import write_facts, write_scores
from bank_party.reports import campaign_page
from bank_party.reports.campaign import load_campaign
from bank_party.summary import print_claims, print_look, print_summary
from bank_party.versions import compare_command
from tandem.contract import Contract, loads
from tandem.contract.words import disclosures, language_of
from tandem.contract_commands import WIDTH, print_page
from tandem.engine.pool import Pool
from tandem.errors import ContractError
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.client import Stage
from tandem.node.ledger_store import Ledger
from tandem.node.serving import peaks
from tandem.node.watch import Watch
from tandem.plan.script import PLANNING
from tandem.probe.script import PROBES
from tandem.session.tap import Tap, untapped

app = typer.Typer(no_args_is_help=True, help="The bank's side: it holds customers, labels and the key.")
Study = Annotated[Path, typer.Argument(metavar="STUDY", help="The study's configuration, TOML.")]
Afresh = Annotated[bool, typer.Option("--afresh", help="Begin a new job, and forget one that was cut off.")]
T = TypeVar("T")

app.command("derive")(derive_command)
app.command("lift")(lift_command)
app.command("measure")(measure_command)
app.command("feedback")(feedback_command)
app.command("compare")(compare_command)
app.command("answer")(answer_command)
app.add_typer(campaign_app, name="campaign")
app.add_typer(registry_commands.app)


@app.command("train")
def train_command(study: Study, afresh: Afresh = False) -> None:  # noqa: FBT002 - a switch
    """Align, train and score under the contract that STUDY names; write model, scores, report and result.json.

    A study that was cut off goes on after its last finished step. Example: tandem bank train bank/study.toml
    """
    party = Party.open(study)
    console = Console()
    prepared = studies.prepare(party.config, party.contract)
    with ExitStack() as open_:
        open_.enter_context(party.alone())
        ledger = open_.enter_context(Ledger(party.config.ledger_place))
        pool = open_.enter_context(Pool(party.config.workers))
        began = time.monotonic()
        secret = studies.secret_key(party.state, party.contract, System())
        keyed = time.monotonic() - began
        watching = open_.enter_context(party.watching(console, secret))
        job = party.job("train", studies.inputs(party.config, prepared), ledger, watching, afresh=afresh)

        async def run(conductor: Conductor) -> studies.Trained:
            return await studies.train(party.config, party.contract, prepared, conductor, party.keys.seed, secret, watching.begin)

        trained = asyncio.run(party.converse(run, job, ledger, pool, watching.tap))
        trained.seconds["start"] = trained.seconds.get("start", 0.0) + keyed
        out = party.config.at(party.config.out)
        disk.make_private_folder(out)
        trained.model.save(out / "model.json")
        write_scores(out / "scores.csv", trained)
        write_facts(out / "study.json", _facts(trained, party, ledger, pool))
        job.end()
    made = reporting.report(party.config, party.contract, party.keys.seed)
    print_summary(console, made, party.config.lang)
    console.print(f"written to {out}: report.html, result.json, model.json, scores.csv", soft_wrap=True)


@app.command("score")
def score_command(study: Study, afresh: Afresh = False) -> None:  # noqa: FBT002 - a switch
    """Score new customers with the card that STUDY's model and scoring contract name; write scored.csv.

    Example: tandem bank score bank/score.toml
    """
    party = Party.open(study)
    console = Console()
    model, table, ids = scoring.prepare(party.config, party.contract)
    secret = studies.trained_key(party.state, model.contract)
    with (
        Ledger(party.config.ledger_place) as ledger,
        Pool(party.config.workers) as pool,
        party.watching(console, secret) as watching,
        party.alone(),
    ):
        job = party.job("score", fingerprint(ids, table, model.card), ledger, watching, afresh=afresh)
        watching.begin("serve", len(ids))
        for sentence in scoring.unlisted(model, table):
            watching.tell(sentence)
        scored = asyncio.run(
            party.converse(lambda conductor: scoring.score(conductor, model, ids, secret), job, ledger, pool, watching.tap)
        )
        out = party.config.at(party.config.out)
        disk.make_private_folder(out)
        matched = scoring.write(out / "scored.csv", model, table, scored, party.contract)
        job.end()
    told = f"{matched} of {table.rows} customers scored with the card, the others with the bank's own columns: {out / 'scored.csv'}"
    console.print(told, soft_wrap=True)


@app.command("describe")
def describe_command(study: Study, afresh: Afresh = False) -> None:  # noqa: FBT002 - a switch
    """Look at the telco's variables (match, WoE, IV under aliases) before training; choose in its section "choice" afterwards.

    Example: tandem bank describe bank/study.toml
    """
    party = Party.open(study)
    console = Console()
    prepared = studies.prepare(party.config, party.contract)
    with Ledger(party.config.ledger_place) as ledger, Pool(party.config.workers) as pool, party.alone():
        secret = studies.secret_key(party.state, party.contract, System())
        with party.watching(console, secret) as watching:
            job = party.job("describe", studies.inputs(party.config, prepared), ledger, watching, afresh=afresh)

            async def run(conductor: Conductor) -> studies.Looked:
                return await studies.look(party.config, party.contract, prepared, conductor, party.keys.seed, secret, watching.begin)

            looked = asyncio.run(party.converse(run, job, ledger, pool, watching.tap))
        print_look(console, looked)
        job.end()


@app.command("report")
def report_command(
    study: Study,
    rehearsal: Annotated[Path | None, typer.Option(help="What a rehearsal wrote: adds the pooled model.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh; the study's own if not given.")] = "",
    campaign: Annotated[Path | None, typer.Option(help="A campaign.json: write its report beside it as well.")] = None,
    also: Annotated[list[Path] | None, typer.Option(help="Other contracts of the campaign, for what each party learned.")] = None,
) -> None:
    """Write report.html and result.json again from the study's folder; with --campaign, report.html and campaign.xlsx beside campaign.json.

    Example: tandem bank report bank/study.toml --lang zh
    Example: tandem bank report bank/study.toml --campaign campaign/campaign.json --also measurement.toml
    """
    party = Party.open(study)
    found = None if rehearsal is None else reporting.Rehearsal.load(rehearsal)
    language = language_of(lang) if lang else party.config.lang
    made = reporting.report(party.config, party.contract, party.keys.seed, found, language)
    console = Console()
    if campaign is None:
        print_summary(console, made, language)
        return
    contracts, facts = [loads(disk.read_text(path), str(path)) for path in also or ()], load_campaign(campaign)
    places = campaign_page.write(campaign.parent, made, facts, language, contracts)
    print_claims(console, campaign_page.claims(facts, campaign_page.campaign_words(language)))
    console.print(f"written: {' and '.join(map(str, places))}", soft_wrap=True, markup=False)


def plan_command(
    study: Study,
    matched: Annotated[int, typer.Option(help="Customers who will match; all who can, if 0.", min=0)] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the plan there as well.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh; the study's own if not given.")] = "",
) -> None:
    """Say how long STUDY will take, what it sends and needs, and what each party will learn. All nodes are timed; nothing is spent.

    Example: tandem plan bank/study.toml --matched 80000
    """
    party = Party.open(study)
    language = language_of(lang) if lang else party.config.lang
    console, config = Console(width=WIDTH, highlight=False), party.config
    if party.contract.kind != "training":
        raise ContractError(f"contract {party.contract.id} is for {party.contract.kind}: plans are made for trainings")
    prepared = studies.prepare(config, party.contract)
    with Ledger(config.ledger_place) as ledger, Pool(config.workers) as pool, console.status("") as status:
        secret = studies.secret_key(party.state, party.contract, System())

        async def run(stage: Stage, tap: Callable[[bytes], Tap], watch: Watch) -> planning.Plan:
            addresses, caller = (config.telco, config.coordinator), Caller(stage, party.contract, pool, System(), tap, watch=watch)
            return await planning.ask(
                caller, party.contract, prepared, matched, pool, config.workers, secret, addresses, status.update, language
            )

        plan = asyncio.run(party.dialled(run, ledger, untapped))
    planning.show(console, plan, language)
    print_page(console, disclosures(party.contract, language))
    console.print(planning.spent(party.contract, language))
    if json_file is not None:
        disk.write(json_file, json.dumps(planning.facts(plan), ensure_ascii=False, indent=1).encode())


def _facts(trained: studies.Trained, party: Party, ledger: Ledger, pool: Pool) -> dict[str, Any]:
    """Return what the report needs beside scores and model."""
    described = [one.described for one in trained.own]
    return {
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "asked": len(trained.prepared.ids),
        "accepted": sum(trained.progress.accepted),
        "seconds": trained.seconds,
        "traffic": traffic(ledger, "bank", party.contract),
        "peak_memory": peaks("bank", pool.peaks()),
        "own": [{"groups": len(one.counts), "iv": one.iv, "woe": list(one.woe)} for one in described],
        "versions": {"tandem": tandem.__version__, "gmpy2": gmpy2.version(), "grpcio": grpc.__version__},
    }


def traffic(ledger: Ledger, party: str, contract: Contract) -> list[tuple[str, str, int]]:
    """Return (sender, receiver, bytes) of what one contract's frames weighed, from the ledger; plans and probes are left out."""
    sums: dict[tuple[str, str], int] = {}
    for entry in ledger.entries():
        if entry.contract == contract.digest.hex() and entry.script not in {*PLANNING, *PROBES}:
            way = (party, entry.peer) if entry.direction == "sent" else (entry.peer, party)
            sums[way] = sums.get(way, 0) + entry.size
    return [(sender, receiver, size) for (sender, receiver), size in sums.items()]
