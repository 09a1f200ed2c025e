"""`tandem contract new|sign|verify|show`: draft, complete, sign and read a contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.contract import BANK, COORDINATOR, TELCO, Contract, PartyCard, Role, dumps, loads, loads_auditor, loads_card, public_hex
from tandem.contract.fields import MOMENT
from tandem.contract.measurement import OUTCOMES
from tandem.contract.measurement import segment as segment_of
from tandem.contract.words import Language, Page, costs, language_of, pages, role_name
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.keys import Keys, alignment_key, load
from tandem.node.side import side
from tandem.train.exposure import Exposure

app = typer.Typer(name="contract", no_args_is_help=True, rich_markup_mode="rich")
WIDTH = 80
"""Columns that every table fits."""
_ALL = {2: "Both have signed.", 3: "All three have signed."}

File = Annotated[Path, typer.Argument(metavar="FILE", help="The contract, a TOML file.")]
Lang = Annotated[str, typer.Option("--lang", help="Language of the screen: en or zh.")]


@app.callback()
def _contract() -> None:
    """Draft, sign, check and read contracts between bank, telco and coordinator."""


@app.command(epilog="Example: tandem contract new contract.toml --bank bank.toml --telco telco.toml --coordinator coordinator.toml "
             "--identifiers 100000 --table 1000000 --bank-columns 12 --description 'Dormant cards'")
def new(
    file: File,
    bank: Annotated[Path, typer.Option(help="Public card of the bank (made by `tandem init`).")],
    telco: Annotated[Path, typer.Option(help="Public card of the telco.")],
    description: Annotated[str, typer.Option(help="What the study is for, in one line.")],
    identifiers: Annotated[int, typer.Option(help="Most identifiers that the bank may ask for.")],
    table: Annotated[int, typer.Option(help="Most people in the telco's table.")],
    bank_columns: Annotated[int, typer.Option(help="Columns of the bank's file that enter the model; none to measure.")] = 0,
    coordinator: Annotated[Path | None, typer.Option(help="Public card of the coordinator; none with --solver bank.")] = None,
    purpose: Annotated[str, typer.Option(help="marketing or credit.")] = "marketing",
    licence: Annotated[str, typer.Option(help="Licence number, needed for credit.")] = "",
    kind: Annotated[str, typer.Option(help="training, scoring or measurement.")] = "training",
    groups: Annotated[int, typer.Option(help="Measurement: groups of the campaign.")] = 0,
    segment: Annotated[list[str] | None, typer.Option(help="Measurement: column=level,level of the telco's; may be repeated.")] = None,
    outcomes: Annotated[str, typer.Option(help="Measurement: outcomes in funnel order.")] = ",".join(OUTCOMES),
    spend_band: Annotated[list[int] | None, typer.Option(help="Measurement: count who spent so much or more; may be repeated.")] = None,
    card: Annotated[str, typer.Option(help="Scoring: digest of the card.")] = "",
    training: Annotated[str, typer.Option(help="Scoring: digest of the training contract.")] = "",
    identifier: Annotated[str, typer.Option(help="phone, sha256, md5, sm3 or text.")] = "phone",
    start: Annotated[str, typer.Option(help="First moment, UTC, as 2027-01-31T00:00:00Z; now if not given.")] = "",
    expiry: Annotated[str, typer.Option(help="Moment it ends, UTC; --days after start if not given.")] = "",
    days: Annotated[int, typer.Option(help="Days from start to expiry.", min=1, max=3650)] = 90,
    epoch: Annotated[int, typer.Option(help="Epoch of the telco's key.")] = 1,
    roster: Annotated[int, typer.Option(help="Most rows, with cover; the smaller of --identifiers * --cover and --table if 0.")] = 0,
    disclosure_bits: Annotated[int, typer.Option(help="Bits of score a person in all; what --trainings jobs use if 0.")] = 0,
    trainings: Annotated[int, typer.Option(help="Jobs allowed.")] = 1,
    labels: Annotated[int, typer.Option(help="Labels; 1 in this version.")] = 1,
    value_bits: Annotated[int, typer.Option(help="Bits of a sealed value.")] = 16,
    bins: Annotated[int, typer.Option(help="Most bins of a telco variable.")] = 8,
    min_bin: Annotated[int, typer.Option(help="Rows below which a bin is merged.")] = 50,
    min_class: Annotated[int, typer.Option(help="Bads or goods below which a bin is withheld.")] = 20,
    min_matched: Annotated[int, typer.Option(help="Fewest matches for a study.")] = 1000,
    passes: Annotated[int, typer.Option(help="Training passes, 1 to 4.")] = 3,
    key_bits: Annotated[int, typer.Option(help="Length of the Paillier key.")] = 3072,
    grain: Annotated[str, typer.Option(help="Dither of training scores, log-odds.")] = "1/4",
    card_step: Annotated[int, typer.Option(help="Card points are multiples of it.")] = 1,
    solver: Annotated[str, typer.Option(help="coordinator; or bank: two parties, unchecked.")] = "coordinator",
    weights: Annotated[str, typer.Option(help="blind; or open: the telco holds its weights in the clear.")] = "blind",
    ridge: Annotated[str, typer.Option(help="Penalty on coefficients; or auto: chosen in the first pass.")] = "1",
    se: Annotated[str, typer.Option(help="Standard errors: approximate, or exact for one more session.")] = "approximate",
    hold_out: Annotated[str, typer.Option(help="Share kept for evaluation.")] = "3/10",
    cover: Annotated[int, typer.Option(help="People in a cover group, 1 to 16; 1 is no cover. Rows grow up to so many times.")] = 1,
    epsilon: Annotated[str, typer.Option(help="Telco's noise on what the solver is told; with --passes 1 --bank-columns 1.")] = "",
    delta: Annotated[str, typer.Option(help="Odds beside --epsilon.")] = "0.000001",
    max_exposure: Annotated[str, typer.Option(help="Most rows whose bins the bank may find, as 1/2; the telco's node predicts it.")] = "1",
    auditor: Annotated[Path | None, typer.Option(help="Card of an auditor, who may have sealed rows opened afterwards.")] = None,
    tell: Annotated[list[str] | None, typer.Option(help="Scoring: a column told of each person, NAME=LEVEL,LEVEL; repeatable.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,  # noqa: FBT002 - a switch of the command line
) -> None:
    """Draft a contract. The bank does this, then sends FILE to the telco, which completes and signs it first."""
    begin = start or datetime.now(UTC).strftime(MOMENT)
    layout = {
        "bank_columns": bank_columns or int(kind == "measurement"), "labels": labels, "value_bits": value_bits, "bins": bins,
        "min_bin": min_bin, "min_class": min_class,
        "min_matched": min_matched, "passes": passes, "key_bits": key_bits, "grain": grain, "card_step": card_step, "solver": solver,
        "weights": weights, "ridge": ridge, "se": se, "hold_out": hold_out, "cover": cover,
        "epsilon": epsilon, "delta": delta, "max_exposure": max_exposure,
    }
    caps = {
        "identifiers": identifiers, "table": table, "roster": roster or min(identifiers * cover, table), "trainings": trainings,
        "disclosure_bits": disclosure_bits or 10_000,
    }
    fields: dict[str, Any] = {
        "format": 1, "id": System().draw(16).hex(), "epoch": epoch, "kind": kind, "purpose": purpose, "licence": licence,
        "description": description, "training": training, "card": card, "identifier": identifier, "start": begin,
        "expiry": expiry or _later(begin, days), "caps": caps, "layout": layout,
        "tells": [_levelled(text) for text in tell or ()],
    }
    if kind == "measurement":
        fields["measurement"] = {
            "groups": groups, "outcomes": outcomes.split(","), "spend_bands": spend_band or [],
            "segments": [segment_of(text) for text in segment or []],
        }
    elif groups or segment or spend_band:
        raise InputError("--groups, --segment and --spend-band go with --kind measurement: leave them out, or say so")
    if (coordinator is None) != (solver == BANK):
        raise InputError("--coordinator is needed unless --solver is bank, and then there is none: give one of the two")
    cards: dict[Role, Path | None] = {BANK: bank, TELCO: telco, COORDINATOR: coordinator}
    if auditor is not None:
        fields["auditor"] = loads_auditor(disk.read_text(auditor), str(auditor)).model_dump()
    fields |= {role: _card(path, role).party for role, path in cards.items() if path is not None}
    draft = Contract.read(fields, "draft")
    if not disclosure_bits:
        draft = draft.amended({"caps": {"disclosure_bits": max(1, trainings * draft.job_bits)}})
    disk.write(file, dumps(draft).encode(), disk.PUBLIC, replace=force)
    for cost in costs(draft):
        typer.echo(f"Note: {cost}")
    number = "" if draft.measurement else "--variables D "
    typer.echo(f"{file}: draft {draft.id}. Next: the telco runs `tandem contract sign --keys keys {number}{file}`")


@app.command(epilog="Example: tandem contract sign --keys keys contract.toml (the telco adds --variables 24)")
def sign(
    file: File,
    keys: Annotated[Path, typer.Option(help="Your keys folder.")],
    variables: Annotated[int, typer.Option(help="Telco only: how many variables it offers.")] = 0,
    config: Annotated[Path | None, typer.Option(help="Telco only: node.toml, for max_exposure; beside --keys if not given.")] = None,
    lang: Lang = "en",
    yes: Annotated[bool, typer.Option("--yes", help="Sign without asking; a person must have read it.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Show what the contract means, ask, and sign it with your key. Your role follows from the key."""
    contract, secrets = read(file), load(keys)
    role = contract.role_of_key(public_hex(secrets.signing))
    if secrets.pin not in contract.party(role).tls_pin:
        raise ContractError(f"{file}: {role}.tls_pin does not name the certificate in {keys}: have the draft made with your present card")
    if datetime.now(UTC).strftime(MOMENT) >= contract.expiry:
        raise ContractError(f"{file}: expiry was {contract.expiry}: draft a new contract")
    if role == TELCO:
        contract = _completed(contract, secrets, variables, file)
        if contract.layout.exposure_limit < 1 and contract.measurement is None:
            typer.echo(_require_hidden(contract, config or keys.absolute().parent / "node.toml").sentence(language_of(lang)))
    elif variables:
        raise InputError("--variables is for the telco: it says how many variables the telco offers")
    signed, language = contract.signed(secrets.signing), language_of(lang)
    _print(contract, language)
    if not yes and not typer.confirm(f"Sign as {role_name(role, language)}?"):
        raise ContractError("not signed: nothing was written")
    disk.write(file, dumps(signed).encode(), disk.PUBLIC)
    missing = [other for other in signed.roles if signed.signature_fault(other)]
    typer.echo(f"{file}: signed as {role}. " + (f"Still to sign: {', '.join(missing)}" if missing else _ALL[len(signed.roles)]))


@app.command(epilog="Example: tandem contract verify contract.toml")
def verify(file: File) -> None:
    """Check signatures and dates. Exit 0 if the contract is live now, 2 if not."""
    contract = read(file)
    contract.live(datetime.now(UTC))
    typer.echo(f"{file}: live until {contract.expiry}; digest {contract.digest.hex()}")


@app.command(epilog="Example: tandem contract show contract.toml --lang zh")
def show(file: File, lang: Lang = "en") -> None:
    """Print in sentences what each party will learn, the caps, and what is not prevented."""
    _print(read(file), language_of(lang))


def read(file: Path) -> Contract:
    """Return the contract in `file`. Raises InputError (no such file) or ContractError (a field is wrong)."""
    return loads(disk.read_text(file), str(file))


def _card(path: Path, role: Role) -> PartyCard:
    card = loads_card(disk.read_text(path), str(path))
    if card.role != role:
        raise ContractError(f"{path}: role is {card.role}, but it was given as --{role}: give each party's own card")
    return card


def _completed(contract: Contract, secrets: Keys, variables: int, file: Path) -> Contract:
    if contract.measurement is not None and not variables:
        variables = len(contract.measurement.segments)
    if not variables and not contract.telco.variables:
        raise InputError("--variables is needed: say how many variables the telco offers")
    public = alignment_key(secrets.seed, contract).public.hex()
    if contract.telco.oprf_key not in {"", public}:
        raise ContractError(f"{file}: telco.oprf_key is not the key that your seed gives here: refuse it, or use the right keys")
    return contract.amended({"telco": {"oprf_key": public, "variables": variables or contract.telco.variables}})


def _require_hidden(contract: Contract, config: Path) -> Exposure:
    """Return what the telco's own table would expose. Raises ContractError if that is more than the contract allows."""
    limit = contract.layout.exposure_limit
    if not config.exists():
        raise InputError(f"layout.max_exposure is {contract.layout.max_exposure}: name your node.toml with --config; its table is tried")
    holding = next((one for one in side(config).holdings if one.serves(contract)), None)
    if holding is None or holding.expose is None:
        raise InputError(f"{config}: it names no table for contract {contract.id}, and layout.max_exposure is to be held against one")
    found = holding.expose(contract, holding.read())
    if found.share > limit:
        raise ContractError(
            f"not signed: the bank is predicted to find the bins of {found.share:.1%} of rows, layout.max_exposure is {float(limit):.1%}: "
            "ask for a draft with fewer trainings or passes, a larger grain or card_step, or fewer bins; or offer other variables"
        )
    return found


def _levelled(text: str) -> dict[str, Any]:
    name, equals, levels = text.partition("=")
    if not equals:
        raise InputError(f"--tell {text!r} is no NAME=LEVEL,LEVEL,...: name the column and the levels of it that may be told")
    return {"name": name.strip(), "levels": [level.strip() for level in levels.split(",")]}


def _later(begin: str, days: int) -> str:
    try:
        return (datetime.strptime(begin, MOMENT).replace(tzinfo=UTC) + timedelta(days=days)).strftime(MOMENT)
    except ValueError:
        raise InputError(f"--start {begin!r} is no moment in UTC such as 2027-01-31T00:00:00Z") from None


def print_page(console: Console, page: Page) -> None:
    """Print one part of the screen: its heading, and a row a sentence, fit for 80 columns."""
    console.print(escape(page.heading), style="bold")
    table = Table(show_header=False, box=None, pad_edge=False, width=WIDTH)
    labelled = any(label for label, _ in page.rows)
    if labelled:
        table.add_column(no_wrap=True, style="cyan")
    else:
        table.add_column(width=1)
    table.add_column(overflow="fold", ratio=1)
    before = ""
    for label, text in page.rows:
        mark = escape(label) if labelled else "-"
        table.add_row("" if labelled and mark == before else mark, escape(text))
        before = mark
    console.print(table)
    console.print()


def _print(contract: Contract, language: Language) -> None:
    console = Console(width=WIDTH, highlight=False)
    for page in pages(contract, language):
        print_page(console, page)
