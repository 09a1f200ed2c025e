"""`tandem audit key|ask|open|report`: an auditor checks rows that a bank sealed; a node's operator, what attacks meet under a contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tomli_w
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.audit import request as requests
from tandem.audit import standing_page, trying
from tandem.audit.answer import Answer
from tandem.audit.export import LedgerBroken
from tandem.audit.findings import audit as read_through
from tandem.audit.opening import NO_ROW, Verdict, audit
from tandem.audit.received import Sealing, sealings, terms_of, trains_of
from tandem.audit.sources import opened
from tandem.audit.standing import standings
from tandem.audit.waiting import waiting
from tandem.contract import TELCO, Contract, loads, loads_auditor, public_hex
from tandem.contract.auditor_words import CRAFTED
from tandem.contract.words import Language, language_of, role_name
from tandem.errors import ContractError, InputError, TandemError
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.contracts import live_contract
from tandem.node.keys import read_signing
from tandem.node.ledger_store import Ledger as NodeLedger
from tandem.node.recorder import now
from tandem.node.side import Side, side
from tandem.pages import Words

app = typer.Typer(name="audit", no_args_is_help=True, rich_markup_mode="rich")
WIDTH = 80
"""Columns that every table fits."""
MOST = 50
"""Findings that the screen lists."""
WORDS = Path(__file__).parent / "audit" / "opening_words.toml"
_IN_A_WHEEL = Path(__file__).parent / "audit" / "attacks.json"
RECORDED = _IN_A_WHEEL if _IN_A_WHEEL.exists() else Path(__file__).parents[1] / "docs" / "security" / "attacks.json"
"""The release's recorded run of the attacks: a wheel has it beside this module, a source tree among its documents."""

ContractFile = Annotated[Path, typer.Argument(metavar="CONTRACT", help="The signed contract.")]
Ledger = Annotated[Path, typer.Argument(metavar="LEDGER", help="The telco's signed export of its ledger.")]
Key = Annotated[Path, typer.Option(help="The auditor's folder, made by `tandem audit key`.")]


class RowsFound(TandemError):
    """Rows that no honest bank's answer has."""


class GotThrough(TandemError):
    """An attack that was mounted on this node was not refused."""


@app.callback()
def _audit() -> None:
    """Check rows that a bank sealed, as the auditor whom a contract names; see what attacks meet on this node."""


@app.command(epilog='Example: tandem audit key auditor --name "Example Auditors"')
def key(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    name: Annotated[str, typer.Option(help="Name in contracts.")],
    rows: Annotated[int, typer.Option(help="Most persons whose rows are opened under a contract.", min=1)] = 500,
) -> None:
    """Make the auditor's key, and the card that the bank drafts a contract with (`tandem contract new --auditor`)."""
    secret = Ed25519PrivateKey.from_private_bytes(System().draw(32))
    card = tomli_w.dumps({"name": name, "signing_key": public_hex(secret), "rows": rows})
    loads_auditor(card, "the card of these options")
    disk.make_private_folder(folder)
    pem = secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    disk.write(folder / "sign.key", pem, replace=False)
    disk.write(folder / "auditor.toml", card.encode(), disk.PUBLIC, replace=False)
    typer.echo(f"{folder / 'auditor.toml'}: hand it to the bank, which drafts; the key stays in {folder}")


@app.command(epilog="Example: tandem audit ask contract.toml telco.json --rows 500 --key auditor --out request.json")
def ask(
    contract_file: ContractFile,
    ledger: Ledger,
    key: Key,
    out: Annotated[Path, typer.Option(help="The request to write.")],
    rows: Annotated[int, typer.Option(help="Persons to draw; what the contract allows if 0.", min=0)] = 0,
) -> None:
    """Draw persons of the roster, the same in every session of a job, and sign the request; it goes to the bank and to nobody else."""
    contract = loads(disk.read_text(contract_file), str(contract_file))
    auditor, secret = requests.auditor_of(contract), read_signing(key / "sign.key")
    if public_hex(secret) != auditor.signing_key:
        raise ContractError(f"contract {contract.id}: its auditor is {auditor.name}, and {key} holds another key")
    there, count = _received(contract, ledger), rows or auditor.rows
    made = requests.ask(contract, there, count, System().draw(requests.SEED_WIDTH), secret, now())
    disk.write(out, made, replace=False)
    typer.echo(f"{out}: {count} persons in each of {len(there)} sealings. Next: the bank runs `tandem bank answer {out.name} STUDY`")


@app.command("open", epilog="Example: tandem audit open contract.toml telco.json request.json answer.zip --json findings.json")
def open_(
    contract_file: ContractFile,
    ledger: Ledger,
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="The request that was signed.")],
    answer: Annotated[Path, typer.Argument(metavar="ANSWER", help="What the bank gave for it.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the findings there as well.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language: en or zh.")] = "en",
) -> None:
    """Check every drawn row: sent as shown, nothing beside the declared slots, numbers of one score. Exit 0 if all holds, 2 if not."""
    language = language_of(lang)
    contract = loads(disk.read_text(contract_file), str(contract_file))
    asked = requests.read(disk.read_text(request).encode(), contract, str(request))
    given = Answer(answer, contract, asked.digest)
    try:
        with waiting("opening", sum(min(asked.rows, one) for *_, one in asked.sealings)) as tick:
            verdict = audit(contract.digest, terms_of(contract), trains_of(contract), _received(contract, ledger), asked, given, tick)
    finally:
        given.close()
    if json_file is not None:
        disk.write(json_file, json.dumps(facts(contract, asked, verdict), indent=1).encode())
    _print(verdict, asked.rows, language)
    if not verdict.clean:
        raise RowsFound(f"{answer}: {len(verdict.findings)} findings in rows of contract {contract.id}")


@app.command(epilog="Example: tandem audit report telco/node.toml --html attacks.html --lang zh")
def report(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A bank's study.toml, or the node.toml of telco or coordinator.")],
    contract_file: Annotated[Path | None, typer.Option("--contract-file", help="Which contract; the node's only one if not given.")] = None,
    recorded: Annotated[Path, typer.Option(help="A recorded run of the attacks.", show_default="the release's")] = RECORDED,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the report there as well.")] = None,
    html_file: Annotated[Path | None, typer.Option("--html", help="Write it there as one page.")] = None,
    lang: Annotated[str, typer.Option("--lang", help="Language: en or zh.")] = "en",
) -> None:
    """Say of each named attack what a contract's settings block, bound or do not prevent; mount on this node what needs no peer.

    Looks at own files, ledger and port, and sends nothing to others. Exit 0, or 2 if something that was tried got through.
    """
    language, found = language_of(lang), side(config)
    contract, words = _its_contract(found, contract_file), Words(standing_page.WORDS, language)
    console = Console(width=WIDTH, highlight=False)
    with console.status(""):
        tried = [*trying.on_the_code(), *trying.on_the_files(found.config)]
        port = trying.on_the_port(found.role, found.listen) if found.listen else None
    tried += [port] if port else []
    used = _used(found, contract)
    lines = standing_page.rows(standings(contract, used, language), tried, standing_page.recorded(recorded), words)
    left_out = [*standing_page.below("" if port else found.listen, "" if recorded.exists() else str(recorded), words)]
    head, made = words("title", id=contract.id[:8]), now()[:16].replace("T", " ")
    who = words("who", role=role_name(found.role, language), made=made)
    if json_file is not None:
        told = standing_page.facts(contract, found.role, made, lines, tried)
        disk.write(json_file, json.dumps(told, ensure_ascii=False, indent=1).encode())
    if html_file is not None:
        disk.write(html_file, standing_page.page(head, who, lines, tried, left_out, words).encode())
    console.print(head, style="bold")
    console.print(f"{who}\n")
    _show(console, lines, words)
    for text in (*left_out, standing_page.verdict(tried, words)):
        console.print(escape(text))
    if any(not one.whole for one in tried):
        raise GotThrough(standing_page.verdict(tried, words))


def _show(console: Console, lines: Sequence[standing_page.Row], words: Words) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH)
    for head, width in (("", 3), (words("attack"), 22), (words("stands"), 25), (words("here"), 12), (words("recorded"), 14)):
        table.add_column(head, width=width, overflow="fold")
    styles = {"blocked": "green", "bounded": "", "printed": "yellow", "absent": "dim"}
    for one in lines:
        stands = f"[{styles[one.outcome] or 'bold'}]{words(one.outcome)}[/]" + (f": {escape(one.says)}" if one.says else "")
        table.add_row(one.id, escape(one.title), stands, escape(one.here), escape(one.recorded))
    console.print(table)
    console.print()


def _its_contract(found: Side, named: Path | None) -> Contract:
    """Return the contract that was named, or the node's only live one. Raises InputError."""
    if named is not None:
        return loads(disk.read_text(named), str(named))
    live = []
    for path in found.contracts:
        try:
            live.append(live_contract(path))
        except ContractError:
            continue
    if len(live) != 1:
        raise InputError(f"this node has {len(live)} live contracts: name one with --contract-file")
    return live[0]


def _used(found: Side, contract: Contract) -> dict[str, int]:
    place = found.config.ledger_place
    if isinstance(place, Path) and not place.exists():
        return {}
    with NodeLedger(place, read_only=True) as ledger:
        return {counter: amount for name, counter, amount in ledger.usage() if name == contract.digest.hex()}


def facts(contract: Contract, asked: requests.Request, verdict: Verdict) -> dict[str, object]:
    """Return what was found, for other programs."""
    return {
        "contract": contract.digest.hex(), "request": asked.digest, "drawn": asked.rows, "clean": verdict.clean,
        "sealings": [{"name": name, "rows": rows, "opened": count} for name, rows, count in verdict.opened],
        "findings": [{"sealing": one.sealing, "row": None if one.row == NO_ROW else one.row, "what": one.what} for one in verdict.findings],
    }


def _received(contract: Contract, path: Path) -> list[Sealing]:
    """Return what the telco received. Raises LedgerBroken, InputError unless it is the telco's own, whole and signed."""
    with opened(path) as source:
        with waiting("reading", source.rows) as tick:
            (read,) = read_through([source], [contract], compare=False, tick=tick).read
        if read.broken is not None:
            raise LedgerBroken(f"{path}: the chain breaks at entry {read.broken.number}: {read.broken.reason}")
        if source.party != TELCO or read.signed != "named":
            raise InputError(
                f"{path} is not signed by the telco of contract {contract.id}: have it made there with `tandem ledger export --keys`"
            )
        return sealings(source.entries(), contract.digest, terms_of(contract))


def _print(verdict: Verdict, drawn: int, language: Language) -> None:
    words, console = Words(WORDS, language), Console(width=WIDTH, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head, justify in (("sealing", False), ("received", True), ("opened", True), ("faults", True)):
        table.add_column(words(head), justify="right" if justify else "left")
    for name, rows, count in verdict.opened:
        faults = sum(one.sealing == name for one in verdict.findings)
        table.add_row(escape(name), f"{rows:,}", f"{count:,}", f"{faults:,}", style="red" if faults else "")
    console.print(table)
    console.print()
    if verdict.clean:
        missed = f"{(1 - CRAFTED) ** drawn:.2g}"
        console.print(words("clean", drawn, rows=f"{sum(one[2] for one in verdict.opened):,}", share=f"{CRAFTED:.0%}", missed=missed))
        return
    listed = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for head in ("sealing", "row", "what"):
        listed.add_column(words(head), overflow="fold")
    for one in verdict.findings[:MOST]:
        row = words("whole") if one.row == NO_ROW else f"{one.row}"
        listed.add_row(escape(one.sealing), row, words(f"what_{one.what}"))
    console.print(listed)
    if len(verdict.findings) > MOST:
        console.print(words("more", len(verdict.findings) - MOST))
    console.print(words("found", len(verdict.findings)))
