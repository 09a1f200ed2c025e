"""`tandem ledger show|verify`: what a node sent and received, what that disclosed to whom, and whether the record was touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tandem.contract.words import Language, language_of, role_name
from tandem.errors import InputError, TandemError
from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import sentence
from tandem.node.ledger_database import place_of
from tandem.node.ledger_store import Ledger

app = typer.Typer(name="ledger", no_args_is_help=True, rich_markup_mode="rich")
WIDTH = 80
"""Columns that every table fits."""

File = Annotated[str, typer.Argument(metavar="FILE", help="A node's ledger: an SQLite file, or the URL of a PostgreSQL database.")]
Lang = Annotated[str, typer.Option("--lang", help="Language: en or zh.")]
Frames = Annotated[bool, typer.Option("--frames", help="One line a frame instead of one a message class.")]

_HEADS = {"en": ("first", "peer", "message", "frames", "bytes", "disclosed"), "zh": ("首次", "对方", "消息", "帧", "字节", "披露")}
_USED = {"en": ("contract", "used up", "amount"), "zh": ("合约", "用量", "数量")}
_COUNTERS = {"identifiers": ("identifiers asked", "询问标识"), "bits": ("bits a person", "每人披露比特"), "jobs": ("jobs", "任务次数")}
_BITS = {"en": " ({} bits a person)", "zh": " [每人 {} 比特]"}


class LedgerBroken(TandemError):
    """The chain of a ledger does not hold."""


@dataclass
class _Line:
    """One line of the table: a frame, or all frames of a class."""

    first: Entry
    frames: int = 0
    size: int = 0
    bits: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    """By (learner, what) and session the bits a person: frames of one session speak of different people, sessions of the same ones."""

    def add(self, entry: Entry) -> None:
        self.frames += 1
        self.size += entry.size
        for each in entry.disclosed:
            sessions = self.bits.setdefault((each.to, each.what), {})
            sessions[entry.session] = max(each.bits, sessions.get(entry.session, 0))


@app.callback()
def _ledger() -> None:
    """Read and check a node's ledger: every frame, and what it disclosed to whom."""


@app.command(epilog="Example: tandem ledger show telco/ledger.sqlite --lang zh")
def show(file: File, lang: Lang = "en", frames: Frames = False) -> None:  # noqa: FBT002 - a switch of the command line
    """Print what was sent (->) and received (<-), what that disclosed, and what each contract has used up."""
    language = language_of(lang)
    console = Console(width=WIDTH, highlight=False)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH)
    heads = _HEADS[language]
    for head, width, justify in zip(heads, (10, 14, 10, 6, 11, 24), ("left", "left", "left", "right", "right", "left"), strict=True):
        table.add_column(head, width=width, overflow="fold", justify="right" if justify == "right" else "left")
    used = Table(box=None, pad_edge=False)
    for head in _USED[language]:
        used.add_column(head)
    with _opened(file) as ledger:
        for line in _lines(ledger.entries(), each=frames):
            table.add_row(*(escape(cell) for cell in _cells(line, language)))
        for contract, counter, amount in ledger.usage():
            words = _COUNTERS.get(counter, (counter, counter))
            used.add_row(escape(contract[:16]), escape(words[0 if language == "en" else 1]), f"{amount:,}")
    console.print(table)
    if used.row_count:
        console.print()
        console.print(used)


@app.command(epilog="Example: tandem ledger verify telco/ledger.sqlite")
def verify(file: File) -> None:
    """Check the chain of hashes. Exit 0 if it holds from the first entry to the head, 2 if not."""
    with _opened(file) as ledger:
        found = ledger.verify()
        if found is not None:
            told = f"the chain breaks at entry {found.number}: {found.reason}. Compare it with the other side's ledger"
            raise LedgerBroken(f"{ledger.place}: {told}")
        typer.echo(f"{ledger.place}: {len(ledger):,} entries, the chain holds")


def _opened(file: str) -> Ledger:
    try:
        return Ledger(place_of(file), read_only=True)
    except ValueError as failure:
        raise InputError(str(failure)) from None


def _lines(entries: Iterable[Entry], *, each: bool) -> Iterator[_Line]:
    classes: dict[tuple[str, ...], _Line] = {}
    for entry in entries:
        if each:
            line = _Line(entry)
            line.add(entry)
            yield line
        else:
            key = (entry.contract, entry.peer, entry.direction, entry.script, entry.message)
            classes.setdefault(key, _Line(entry)).add(entry)
    yield from classes.values()


def _cells(line: _Line, language: Language) -> tuple[str, ...]:
    entry = line.first
    arrow = "->" if entry.direction == "sent" else "<-"
    said = "; ".join(_said(to, what, sum(bits.values()), language) for (to, what), bits in line.bits.items())
    time = str(entry.time)[:19].replace("T", " ")
    return time, f"{arrow} {role_name(entry.peer, language)}", str(entry.message), str(line.frames), f"{line.size:,}", said


def _said(to: str, what: str, bits: int, language: Language) -> str:
    return f"{role_name(to, language)}: {sentence(what, language)}" + (_BITS[language].format(bits) if bits else "")
