"""`tandem ledger show|verify|compare|export|page`: what a node exchanged, what that disclosed, and whether the record was touched."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.audit import page as pages
from tandem.audit import telling
from tandem.audit.export import LedgerBroken, write
from tandem.audit.findings import Audit, audit, unchanged_since
from tandem.audit.sources import Source, named, opened
from tandem.audit.waiting import waiting
from tandem.contract import Contract, loads
from tandem.contract.words import Language, language_of, role_name
from tandem.errors import InputError, TandemError
from tandem.ledger.comparison import Comparison
from tandem.ledger.disclosure import sentence
from tandem.ledger.tally import Line, lines
from tandem.node import disk
from tandem.node.keys import load
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import now
from tandem.pages import Words

app = typer.Typer(name="ledger", no_args_is_help=True, rich_markup_mode="rich")
WIDTH = 80
"""Columns that every table fits."""
MOST = 50
"""Differences of two ledgers that the screen lists."""

File = Annotated[str, typer.Argument(metavar="FILE", help="A node's ledger: an SQLite file, or the URL of a PostgreSQL database.")]
Either = Annotated[str, typer.Argument(metavar="FILE", help="A node's ledger (file or URL), or an export.")]
Several = Annotated[list[str], typer.Argument(metavar="FILE...", help="Ledgers (files or URLs) or exports, one a party.")]
ContractFiles = Annotated[
    list[Path] | None, typer.Option("--contract-file", help="A signed contract: whose key must have signed. May be repeated."),
]
Lang = Annotated[str, typer.Option("--lang", help="Language: en or zh.")]
Frames = Annotated[bool, typer.Option("--frames", help="One line a frame instead of one a message class.")]

_HEADS = {"en": ("first", "peer", "message", "frames", "bytes", "disclosed"), "zh": ("首次", "对方", "消息", "帧", "字节", "披露")}
_USED = {"en": ("contract", "used up", "amount"), "zh": ("合约", "用量", "数量")}
_BITS = {"en": " ({} bits a person)", "zh": " [每人 {} 比特]"}
_DIGEST = re.compile("[0-9a-f]{64}")


class LedgersDiffer(TandemError):
    """Two parties' ledgers do not say the same."""


@app.callback()
def _ledger() -> None:
    """Read, check, compare and export a node's ledger: every frame, and what it disclosed to whom."""


@app.command(epilog="Example: tandem ledger show telco/ledger.sqlite --lang zh")
def show(file: File, lang: Lang = "en", frames: Frames = False) -> None:  # noqa: FBT002 - a switch of the command line
    """Print what was sent (->) and received (<-), what that disclosed, and what each contract has used up."""
    language = language_of(lang)
    words = telling.words_in(language)
    console = Console(width=WIDTH, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH)
    heads = _HEADS[language]
    for head, width, justify in zip(heads, (10, 14, 10, 6, 11, 24), ("left", "left", "left", "right", "right", "left"), strict=True):
        table.add_column(head, width=width, overflow="fold", justify="right" if justify == "right" else "left")
    used = Table(box=None, pad_edge=False)
    for head in _USED[language]:
        used.add_column(head)
    with Ledger(named(file), read_only=True) as ledger:
        for line in lines(ledger.entries(), each=frames):
            table.add_row(*(escape(cell) for cell in _cells(line, language)))
        for contract, counter, amount in ledger.usage():
            used.add_row(escape(contract[:16]), escape(words.known(f"counter_{counter}", counter)), f"{amount:,}")
    console.print(table)
    if used.row_count:
        console.print()
        console.print(used)


@app.command(epilog="Example: tandem ledger verify telco/ledger.sqlite --against telco-2027-03.json")
def verify(
    file: Either,
    against: Annotated[str | None, typer.Option(help="An earlier export of the same ledger: all of it must still stand.")] = None,
    contract_file: ContractFiles = None,
) -> None:
    """Check the chain of hashes and an export's signature; print the head, to be noted down. Exit 0 if all holds, 2 if not."""
    with _audited([file], contract_file, compare=False) as found:
        _require_sound(found)
        (read,) = found.read
        number, last = read.source.head
        typer.echo(f"{file}: {read.source.rows:,} entries, the chain holds. Head: {number} {last}")
        if read.source.made:
            signature = telling.signature(read, telling.words_in("en"))
            typer.echo(f"{file}: exported by the {read.source.party} at {read.source.made}; signature {signature}")
    if against is not None:
        _verify_against(file, against, contract_file)


@app.command(epilog="Example: tandem ledger compare bank/ledger.sqlite telco.json coordinator.json --contract-file contract.toml")
def compare(files: Several, contract_file: ContractFiles = None, lang: Lang = "en") -> None:
    """Hold two or three parties' ledgers against each other, frame by frame. Exit 0 if they agree, 2 if a row differs."""
    if len(files) < 2:
        raise InputError("one ledger cannot be compared: name a second, of another party, as a ledger or as an export")
    words = telling.words_in(language_of(lang))
    console = Console(width=WIDTH, highlight=False)
    with _audited(files, contract_file) as found:
        for comparison in found.comparisons:
            _print(console, comparison, words)
        if found.differences:
            console.print(escape(words("who_is_right")))
        _require_sound(found)
        if found.differences:
            raise LedgersDiffer(telling.verdict(found, words))
        console.print(escape(telling.verdict(found, words)))


@app.command(epilog="Example: tandem ledger export telco/ledger.sqlite --out telco-2027-03.json --keys telco/keys")
def export(
    file: File,
    out: Annotated[Path, typer.Option(help="The JSON file to write.")],
    keys: Annotated[Path | None, typer.Option(help="Folder of the node's keys, to sign with.")] = None,
    contract: Annotated[str, typer.Option(help="Only the entries of this contract: its digest (see `tandem contract verify`).")] = "",
) -> None:
    """Write the ledger into a signed JSON file, for the other party or an auditor. Holds digests and sizes, no content."""
    if contract and not _DIGEST.fullmatch(contract):
        raise InputError(f"--contract {contract[:70]!r} is no digest of 64 hex digits: `tandem contract verify FILE` prints it")
    key = load(keys).signing if keys else None
    with Ledger(named(file), read_only=True) as ledger, waiting("exporting", len(ledger)) as tick:
        rows = write(ledger, out, key, contract, tick=tick)
    typer.echo(f"{out}: {rows:,} entries, {'signed' if key else 'not signed: give --keys if it is to convince others'}")


@app.command(epilog="Example: tandem ledger page bank/ledger.sqlite telco.json --out ledgers.html --contract-file contract.toml --lang zh")
def page(
    files: Several,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    contract_file: ContractFiles = None,
    lang: Lang = "en",
) -> None:
    """Write one page for an auditor: who was told what, frames, budgets, checks; with two or more ledgers, the comparison."""
    language = language_of(lang)
    with _audited(files, contract_file, compare=len(files) > 1) as found:
        disk.write(out, pages.render(found, language, telling.moment(now())).encode())
        typer.echo(f"{out}: {telling.verdict(found, telling.words_in('en'))}")
        _require_sound(found)
        if found.differences:
            raise LedgersDiffer(f"{telling.verdict(found, telling.words_in('en'))} See {out}")


@contextmanager
def _audited(files: Sequence[str], contract_files: Sequence[Path] | None, *, compare: bool = True) -> Iterator[Audit]:
    """Read every file once; they stay open inside the block."""
    with ExitStack() as stack:
        sources: list[Source] = [stack.enter_context(opened(named(file))) for file in files]
        with waiting("reading", sum(source.rows for source in sources)) as tick:
            found = audit(sources, [_contract(path) for path in contract_files or ()], compare=compare, tick=tick)
        yield found


def _contract(path: Path) -> Contract:
    return loads(disk.read_text(path), str(path))


def _verify_against(file: str, against: str, contract_files: Sequence[Path] | None) -> None:
    with _audited([against], contract_files, compare=False) as found, opened(named(file)) as source:
        _require_sound(found)
        earlier = found.read[0].source
        if not earlier.made:
            raise InputError(f"{against} is no export: make one with `tandem ledger export` and keep it where the ledger is not")
        with waiting("comparing", source.rows) as tick:
            unchanged_since(source, earlier, tick=tick)
        typer.echo(f"{file}: all {earlier.rows:,} entries exported at {earlier.made} still stand")


def _require_sound(found: Audit) -> None:
    """Pass if every chain and signature holds. Raises LedgerBroken naming the first fault of each."""
    faults = []
    for read in found.read:
        if read.broken is not None:
            faults.append(f"{read.source.place}: the chain breaks at entry {read.broken.number}: {read.broken.reason}")
        elif not read.sound:
            faults.append(f"{read.source.place}: signature {telling.signature(read, telling.words_in('en'))}")
    if faults:
        raise LedgerBroken(". ".join(faults) + ". Compare it with the other side's ledger")


def _print(console: Console, comparison: Comparison, words: Words) -> None:
    outcome = telling.outcome(comparison, words)
    console.print(escape(f"{telling.pair(comparison, words)}{words('colon')}{outcome}"), style="red" if comparison.findings else "bold")
    console.print(escape(telling.extent(comparison, words)))
    for text in telling.cut_off(comparison, words):
        console.print(escape(text))
    if comparison.findings:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH)
        for head, width in zip(telling.heads(comparison, words), (24, 11, 11, 10, 8, 10), strict=True):
            table.add_column(head, width=width, overflow="fold")
        for finding in comparison.findings[:MOST]:
            table.add_row(*(escape(cell) for cell in telling.row(finding, comparison, words)))
        console.print(table)
        if len(comparison.findings) > MOST:
            console.print(escape(words("more", len(comparison.findings) - MOST)))
    console.print()


def _cells(line: Line, language: Language) -> tuple[str, ...]:
    entry = line.first
    arrow = "->" if entry.direction == "sent" else "<-"
    said = "; ".join(_said(to, what, sum(bits.values()), language) for (to, what), bits in line.bits.items())
    peer = f"{arrow} {role_name(entry.peer, language)}"
    return telling.moment(entry.time), peer, str(entry.message), str(line.frames), f"{line.size:,}", said


def _said(to: str, what: str, bits: int, language: Language) -> str:
    return f"{role_name(to, language)}: {sentence(what, language)}" + (_BITS[language].format(bits) if bits else "")
