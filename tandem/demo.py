"""`tandem demo`: bank, telco and, where it solves, a coordinator as processes on this machine, TLS between them, from files to report.

The demo prepares each party's folder as the organisations would, starts the nodes that listen, runs the bank's study, stops the nodes, and
then, as a rehearsal on one's own data may, fits the pooled model to compare with.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer
from rich.console import Console

from tandem import rehearsal
from tandem.city import generator
from tandem.contract import BANK, COORDINATOR, TELCO, Contract, Role, dumps
from tandem.contract.fields import MOMENT
from tandem.contract.words import Language, costs, language_of
from tandem.errors import InputError, PeerLost
from tandem.node import disk
from tandem.node.certificates import Party, make_parties
from tandem.node.chance import System
from tandem.node.inputs.read import read_table
from tandem.node.inputs.source import TableSource
from tandem.node.keys import alignment_key

MARKER = ".tandem-demo"
"""A folder with this file was made by a demo, and a demo may make it anew."""
RUNS = 3
"""Jobs that the demo's contract allows: the demo itself, and two by hand in three terminals."""
STARTING = 120.0
"""Seconds in which a node must begin to listen: it hashes the telco's table first."""
ENDING = 30.0
"""Seconds in which a process that was told to stop must have ended; then it is killed."""
_FOLLOWING = (sys.executable, "-m", "tandem.following")
"""What we start ends when we do: it reads the other end of a pipe that is closed by nobody but us."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the demo was asked for."""

    out: Path
    bank_file: Path
    telco_file: Path
    id_column: str = "phone"
    label: str
    positive: str | None = None
    identifier: str = "phone"
    drop: list[str] = field(default_factory=list)
    passes: int
    key_bits: int
    grain: str = "1/4"
    card_step: int = 1
    solver: str = COORDINATOR
    weights: str = "blind"
    ridge: str = "1"
    se: str = "approximate"
    workers: int
    lang: Language = "en"
    synthetic: bool


def demo(
    out: Annotated[Path, typer.Option(help="Folder for everything the demo writes.")] = Path("tandem-demo"),
    bank: Annotated[Path | None, typer.Option(help="Bank's CSV or Parquet instead of made-up data; needs --telco, --id, --label.")] = None,
    telco: Annotated[Path | None, typer.Option(help="The telco's CSV or Parquet.")] = None,
    id_column: Annotated[str, typer.Option("--id", help="Column of the identifier, in both files.")] = "phone",
    label: Annotated[str, typer.Option(help="The bank's column with the two-valued label.")] = "activated",
    positive: Annotated[str | None, typer.Option(help="The label value that counts as 1, if it is not 0/1, no/yes or the like.")] = None,
    identifier: Annotated[str, typer.Option(help="Form of identifier: phone, sha256, md5, sm3 or text.")] = "phone",
    drop: Annotated[list[str] | None, typer.Option(help="Column of the bank's file to leave out; may be repeated.")] = None,
    people: Annotated[int, typer.Option(help="People in the made-up city.", min=2000, max=5_000_000)] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the made-up city.")] = 1,
    passes: Annotated[int, typer.Option(help="Training passes.", min=1, max=4)] = 3,
    key_bits: Annotated[int, typer.Option(help="Length of the Paillier key.")] = 3072,
    grain: Annotated[str, typer.Option(help="Noise on training scores, log-odds.")] = "1/4",
    card_step: Annotated[int, typer.Option(help="Card points are multiples of it.", min=1, max=20)] = 1,
    solver: Annotated[str, typer.Option(help="coordinator; or bank: two parties, unchecked.")] = COORDINATOR,
    weights: Annotated[str, typer.Option(help="blind; or open: the telco holds its points, and what they say of labels.")] = "blind",
    ridge: Annotated[str, typer.Option(help="Penalty on coefficients; or auto: chosen in the first pass.")] = "1",
    se: Annotated[str, typer.Option(help="Standard errors: approximate; or exact: one more session.")] = "approximate",
    workers: Annotated[int, typer.Option(help="Worker processes of bank and telco each.", min=1, max=256)] = 2,
    lang: Annotated[str, typer.Option(help="Language of tables and report: en or zh.")] = "en",
    force: Annotated[bool, typer.Option("--force", help="Make the folder of an earlier demo anew.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Run bank, telco and coordinator on this machine, from two files to a report.

    Examples: tandem demo                            (made-up data, 20 000 people)

    tandem demo --bank bank.csv --telco telco.csv --id phone --label label --out DIR
    """
    if (bank is None) != (telco is None):
        raise InputError("--bank and --telco go together: give both files, or neither for made-up data")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _orderly)
    console = Console(soft_wrap=True)  # paths stay whole, to be copied
    _make_folder(out, force=force)
    if bank is None or telco is None:
        console.print(f"making a city of {people} people (synthetic data, seed {seed})")
        disk.make_private_folder(out / "city")
        bank, telco = generator.write(out / "city", people, seed)
        label, id_column = "activated", "phone"
    settings = Settings(
        out=out, bank_file=bank.absolute(), telco_file=telco.absolute(), id_column=id_column, label=label, positive=positive,
        identifier=identifier, drop=drop or [], passes=passes, key_bits=key_bits, grain=grain, card_step=card_step, solver=solver,
        weights=weights, ridge=ridge, se=se, workers=workers, lang=language_of(lang), synthetic=(out / "city").exists(),
    )
    contract = _prepare(settings)
    for cost in costs(contract, settings.lang):
        console.print(cost)
    told = f"`tandem contract show {out}/bank/contract.toml` tells what each will learn"
    console.print(f"contract {contract.id[:8]} signed by {len(contract.roles)}; {told}")
    with ExitStack() as nodes:
        for role in contract.roles:
            if role != BANK:
                nodes.enter_context(_node(out / role, role))
        _run("bank", "train", str(out / BANK / "study.toml"))
    pooled = rehearsal.rehearse(out / BANK, out / TELCO, contract)
    path = out / BANK / "out" / "rehearsal.json"
    rehearsal.write(path, pooled, {role: out / role for role in contract.roles}, contract)
    console.print("rehearsal: the nodes have exited; both files read by one process, pooled model fitted in the clear")
    _run("bank", "report", str(out / BANK / "study.toml"), "--rehearsal", str(path))
    for name in ("report.html", "result.json"):
        disk.write(out / name, (out / BANK / "out" / name).read_bytes())
    console.print(f"report: {out / 'report.html'}   figures: {out / 'result.json'}   ledgers: {out}/*/ledger.sqlite")


def _make_folder(out: Path, *, force: bool) -> None:
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            raise InputError(f"{out} is not empty and no earlier demo made it: choose another folder with --out")
        if not force:
            raise InputError(f"{out} holds an earlier demo: choose another folder with --out, or --force to make it anew")
        shutil.rmtree(out)
    disk.make_private_folder(out)
    disk.write(out / MARKER, b"")


def _prepare(settings: Settings) -> Contract:
    """Make keys, draft the contract, have each party sign it, and write each party's folder."""
    parties = make_parties(settings.out, chance=System())
    own = read_table(TableSource(source=str(settings.bank_file), id=settings.id_column, drop=settings.drop), label=settings.label)
    theirs = read_table(TableSource(source=str(settings.telco_file), id=settings.id_column))
    contract = _contract(settings, parties, own.rows, theirs.rows, len(own.names) - 1, len(theirs.names))
    for role in contract.roles:
        contract = contract.signed(parties[role].keys.signing)
    ports = {TELCO: _free_port(), COORDINATOR: _free_port()}
    addresses = {role: f"127.0.0.1:{port}" for role, port in ports.items()}
    source = {"id": settings.id_column}
    study: dict[str, Any] = {
        "name": "demo", "contract": "contract.toml", "telco": addresses[TELCO], "coordinator": addresses[COORDINATOR],
        "label": settings.label, "lang": settings.lang,
        "synthetic": settings.synthetic, "workers": settings.workers,
        "table": {"source": str(settings.bank_file), **source, "drop": settings.drop},
    }
    if settings.positive is not None:
        study["positive"] = settings.positive
    telco: dict[str, Any] = {
        "listen": addresses[TELCO], "coordinator": addresses[COORDINATOR], "workers": settings.workers,
        "table": {"source": str(settings.telco_file), **source},
    }
    text = dumps(contract).encode()
    disk.write(settings.out / BANK / "study.toml", tomli_w.dumps(study).encode())
    disk.write(settings.out / BANK / "contract.toml", text)
    disk.write(settings.out / TELCO / "node.toml", tomli_w.dumps(telco).encode())
    if COORDINATOR in contract.roles:
        disk.write(settings.out / COORDINATOR / "node.toml", tomli_w.dumps({"listen": addresses[COORDINATOR]}).encode())
    for role in contract.roles:
        if role != BANK:
            disk.make_private_folder(settings.out / role / "contracts")
            disk.write(settings.out / role / "contracts" / "study.toml", text)
    return contract


def _contract(settings: Settings, parties: dict[Role, Party], customers: int, subscribers: int, columns: int, variables: int) -> Contract:
    start = datetime.now(UTC) - timedelta(minutes=5)
    signers = (BANK, TELCO) if settings.solver == BANK else (BANK, TELCO, COORDINATOR)
    named: dict[str, Any] = {role: parties[role].card.party for role in signers}
    fields: dict[str, Any] = {
        "format": 1, "id": System().draw(16).hex(), "kind": "training", "purpose": "marketing",
        "description": "Demo on one machine: align, train, score", "identifier": settings.identifier,
        "start": start.strftime(MOMENT), "expiry": (start + timedelta(days=30)).strftime(MOMENT),
        **named,
        "caps": {
            "identifiers": RUNS * customers, "table": subscribers, "roster": min(customers, subscribers), "trainings": RUNS,
            "disclosure_bits": 10_000,
        },
        "layout": {
            "bank_columns": columns, "passes": settings.passes, "key_bits": settings.key_bits, "grain": settings.grain,
            "card_step": settings.card_step, "solver": settings.solver, "weights": settings.weights, "ridge": settings.ridge,
            "se": settings.se, "min_matched": 100,
        },
    }
    draft = Contract.read(fields, "the demo's contract")
    key = alignment_key(parties[TELCO].keys.seed, draft).public.hex()
    return draft.amended({"telco": {"oprf_key": key, "variables": variables}, "caps": {"disclosure_bits": RUNS * draft.job_bits}})


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextmanager
def _node(folder: Path, role: str) -> Iterator[None]:
    """Run a party's node while the context lasts. Raises PeerLost with the end of its log if it does not come up."""
    log = folder / "node.log"
    with log.open("w") as file:
        command = [*_FOLLOWING, role, "serve", "--config", str(folder / "node.toml")]
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.PIPE, start_new_session=True)
    try:
        deadline = time.monotonic() + STARTING
        while "listens at" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PeerLost(f"the {role}'s node did not start; the end of {log}: {_tail(log)}")
            time.sleep(0.1)
        yield
    finally:
        _end(process)


def _run(*command: str) -> None:
    """Run a command of ours in a process of its own; its output is ours, and so is its failure."""
    process = subprocess.Popen([*_FOLLOWING, *command], stdin=subprocess.PIPE)
    try:
        code = process.wait()
    except KeyboardInterrupt:  # a terminal told it too: let it say so and end by itself
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)
        raise
    finally:
        _end(process)
    if code:
        raise typer.Exit(code if code > 0 else 128 - code)


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:  # its standard input is closed last: it would take that as another SIGTERM
        process.terminate()
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _orderly(number: int, _: object) -> None:
    """Unwind on a signal that would end us at once: the nodes must not outlive the demo."""
    sys.exit(128 + number)


def _tail(log: Path) -> str:
    return " / ".join(log.read_text().strip().splitlines()[-3:])
