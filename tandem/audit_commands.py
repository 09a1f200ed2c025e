"""`tandem audit key|ask|open`: an auditor draws rows that a bank sealed, and checks what the bank opens of them."""

from __future__ import annotations

import json
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
from tandem.audit.answer import Answer
from tandem.audit.export import LedgerBroken
from tandem.audit.findings import audit as read_through
from tandem.audit.opening import NO_ROW, Verdict, audit
from tandem.audit.received import Sealing, sealings, terms_of, trains_of
from tandem.audit.sources import opened
from tandem.audit.waiting import waiting
from tandem.contract import TELCO, Contract, loads, loads_auditor, public_hex
from tandem.contract.auditor_words import CRAFTED
from tandem.contract.words import Language, language_of
from tandem.errors import ContractError, InputError, TandemError
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.keys import read_signing
from tandem.node.recorder import now
from tandem.pages import Words

app = typer.Typer(name="audit", no_args_is_help=True, rich_markup_mode="rich")
WIDTH = 80
"""Columns that every table fits."""
MOST = 50
"""Findings that the screen lists."""
WORDS = Path(__file__).parent / "audit" / "opening_words.toml"

ContractFile = Annotated[Path, typer.Argument(metavar="CONTRACT", help="The signed contract.")]
Ledger = Annotated[Path, typer.Argument(metavar="LEDGER", help="The telco's signed export of its ledger.")]
Key = Annotated[Path, typer.Option(help="The auditor's folder, made by `tandem audit key`.")]


class RowsFound(TandemError):
    """Rows that no honest bank's answer has."""


@app.callback()
def _audit() -> None:
    """Have rows that a bank sealed opened afterwards, and check them: for the auditor whom a contract names."""


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
