"""The report of a run: every line of the catalogue as a table, as JSON and as one HTML file, and what is wrong, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from attacked.catalogue import NAMED, NOT_LANDED
from attacked.results import Result
from attacked.running import Tried
from tandem.pages import fill


@dataclass(frozen=True)
class Run:
    """What was run, on what, and what came of it."""

    made: str
    version: str
    cores: int
    size: str
    """change or nightly."""
    tried: tuple[Tried, ...]
    mutants: tuple[Mapping[str, Any], ...] = ()
    """One a defence that was taken out: name, file, killed, by (the test that failed)."""
    whole: bool = True
    """Whether every line was asked for; only then is a missing one a fault."""

    @property
    def commits(self) -> tuple[str, ...]:
        """What was tried: one commit, or several where a run that was cut off went on at a later one."""
        return tuple(sorted({one.commit for one in self.tried} | {str(one["commit"]) for one in self.mutants}))

    @property
    def faults(self) -> tuple[str, ...]:
        """Everything for which a release, or a build, fails."""
        found = [fault for one in self.tried for fault in one.faults]
        if self.whole:
            found += [f"{name}: there is no line" for name in missing(one.line.id for one in self.tried)]
        return (*found, *(f"{one['name']}: this defence was taken out and no test noticed" for one in self.mutants if not one["killed"]))


def missing(ids: Iterable[str]) -> list[str]:
    """Return the names of the list that no line is for."""
    there = {re.sub(r"[a-z]+$", "", one) for one in ids}
    return [name for name in NAMED if name not in there and name not in NOT_LANDED]


def facts(run: Run) -> dict[str, Any]:
    """Return the run as JSON has it."""
    return {
        "format": 1, "made": run.made, "version": run.version, "cores": run.cores, "size": run.size, "commits": list(run.commits),
        "faults": list(run.faults),
        "attacks": [_line(one) for one in run.tried],
        "not_landed": [{"id": name, "why": why} for name, why in NOT_LANDED.items()],
        "mutants": [dict(one) for one in run.mutants],
    }


def _line(tried: Tried) -> dict[str, Any]:
    line = tried.line
    return {
        "id": line.id, "title": line.title, "by": line.by, "outcome": line.outcome, "fixture": line.fixture,
        "weakened": _result(tried.weakened), "control": line.control.text, "shipped": _result(tried.shipped), "gate": line.gate.text,
        "sentence": tried.sentence, "faults": list(tried.faults), "commit": tried.commit,
    }


def _result(found: Result) -> dict[str, Any]:
    return {**asdict(found), "seconds": round(found.seconds, 2), "advantage": found.advantage, "shown": found.shown}


def show(console: Console, run: Run) -> None:
    """Print the table, what users are told of the printed ones, the mutants that lived, and every fault."""
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for head in ("", "attack", "weakened fixture", "shipped", "gate", "s"):
        table.add_column(head, justify="right" if head == "s" else "left", vertical="top")
    notes = {sentence: number for number, sentence in enumerate(dict.fromkeys(one.sentence for one in run.tried if one.sentence), 1)}
    for one in run.tried:
        line, spent = one.line, one.weakened.seconds + one.shipped.seconds
        what, fell = f"{line.title} ({line.by})", f"{line.fixture}: {one.weakened.shown}"
        end = f"{line.outcome}, see {notes[one.sentence]}" if one.sentence else f"{line.outcome}: {line.gate.text}"
        table.add_row(line.id, what, fell, one.shipped.shown, end, f"{spent:.0f}", style="bold red" if one.faults else "")
    console.print(table)
    for sentence, number in notes.items():
        console.print(f"\n{number}  {sentence}")
    console.print()
    if run.mutants:
        noticed = sum(bool(one["killed"]) for one in run.mutants)
        console.print(f"{noticed} of {len(run.mutants)} defences that were taken out were noticed by a test")
    if len(run.commits) > 1:
        console.print(f"not all of one commit: {', '.join(run.commits)}")
    for fault in run.faults:
        console.print(fault, style="bold red", soft_wrap=True)
    if not run.faults:
        console.print(f"{len(run.tried)} attacks: every fixture fell, the shipped code held")


def page(run: Run) -> str:
    """Return the HTML file."""
    return fill(Path(__file__).with_name("report.html.j2"), {}, run=run, lines=_grouped(run.tried), not_landed=NOT_LANDED)


def _grouped(tried: Sequence[Tried]) -> dict[str, list[Tried]]:
    found: dict[str, list[Tried]] = {}
    for one in tried:
        found.setdefault(GROUPS[one.line.id[0]], []).append(one)
    return found


GROUPS = {
    "A": "Alignment", "K": "Keys and ciphertexts", "S": "The bank against the telco's rows", "T": "The telco against the bank's rows",
    "C": "The coordinator", "N": "The network",
}
