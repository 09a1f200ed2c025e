"""`tandem bank feedback`: what a campaign brought, as the next training table.

In: the table that was scored (bank variables as they stood then) and results.csv. Out: one row a person contacted, the bank's variables
as written, the campaign's group, the label. Who was not contacted has no outcome and is left out, not counted as a failure.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, get_args

import tomli_w
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bank_party.evaluation import LEVEL, wilson
from bank_party.people import People, read_people
from tandem.align.identifiers import Form
from tandem.contract.words import Language, language_of
from tandem.errors import InputError
from tandem.node import disk

GROUP, CONTACTED = "group", "contacted"

_WORDS = {
    "en": {
        "kept": "{kept} people were contacted and have an outcome: written to {out}",
        "left": "left out: {idle} who were not contacted, {unknown} of the results who are not in {bank}",
        "heads": ("group", "people", "label 1", "rate", "{level:.0%} interval"),
        "selected": "Warning: these people were chosen by a model, not at random. What is learnt from them holds for people chosen so; "
        "whom the model passed over, nobody has asked. Judge the next model on groups that chance drew, and keep a random group.",
        "study": "in the next study.toml (the group says what was done to a person, and is no variable):",
    },
    "zh": {
        "kept": "{kept} 人已被联系并有结果：已写入 {out}",
        "left": "未纳入：{idle} 人未被联系；结果文件中 {unknown} 人不在 {bank} 中",
        "heads": ("组", "人数", "标签为 1", "比率", "{level:.0%} 区间"),
        "selected": "注意：这些人由模型选出，并非随机。由此学到的只适用于同样选出的人；未被选中的人，没有人问过。"
        "请用随机抽取的组评价下一个模型，并保留一个随机组。",
        "study": "下一个 study.toml 中写（组别表示对客户做了什么，不是变量）：",
    },
}


@dataclass(frozen=True)
class Fed:
    """Counts: people written, results without contact, results of people who are not in the table; (people, label 1) by group."""

    kept: int
    idle: int
    unknown: int
    groups: Mapping[str, tuple[int, int]]


def feed(bank: People, results: People, id_column: str, label: str) -> tuple[str, Fed]:
    """Return the training table as CSV text, in the order of `bank`, and what was counted.

    Raises InputError where a column of the table already has the label's or the group's name, where a flag is neither 0 nor 1, somebody
    has the outcome and was not contacted, nobody is left, or all outcomes are the same.
    """
    taken = [name for name in (GROUP, label) if name in bank.columns]
    if taken:
        raise InputError(f"{bank.name} already has a column {', '.join(taken)}, which the results bring: name the table that was scored")
    contacted, outcome = results.flags(CONTACTED), results.flags(label)
    if stray := int((outcome & ~contacted).sum()):
        raise InputError(f"{results.name}: {stray} people have {label} = 1 and were not contacted: mend the file")
    asked = {value: row for value, row in results.place.items() if contacted[row]}
    names = [id_column, *(name for name in bank.columns if name != id_column)]
    text, groups, kept, positives = io.StringIO(), dict[str, tuple[int, int]](), 0, 0
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*names, GROUP, label])
    for value, row in bank.place.items():
        at = asked.get(value)
        if at is None:
            continue
        group, one = results.columns[GROUP][at], int(outcome[at])
        writer.writerow([*(bank.columns[name][row] for name in names), group, one])
        people, ones = groups.get(group, (0, 0))
        groups[group] = (people + 1, ones + one)
        kept, positives = kept + 1, positives + one
    if not kept:
        raise InputError(f"nobody who was contacted in {results.name} is in {bank.name}: name the table that this campaign was drawn from")
    if positives in {0, kept}:
        raise InputError(f"all {kept} people contacted have {label} = {int(positives > 0)}: there is nothing to learn from one outcome")
    return text.getvalue(), Fed(kept, int((~contacted).sum()), len(asked) - kept, dict(sorted(groups.items())))


def form_of(text: str) -> Form:
    """Return the kind of identifier that the user named. Raises InputError if it is none."""
    for form in get_args(Form):
        if text == form:
            found: Form = form
            return found
    raise InputError(f"--identifier {text!r} is not known: {', '.join(get_args(Form))}")


def feedback_command(
    bank: Annotated[Path, typer.Option(help="The table that was scored: CSV, Parquet or DuckDB.")],
    results: Annotated[Path, typer.Option(help="The campaign's results: identifier, group, contacted, and the label.")],
    out: Annotated[Path, typer.Option(help="The training table to write, CSV.")],
    id_column: Annotated[str, typer.Option("--id", help="Column of the identifier, in both files.")] = "phone",
    label: Annotated[str, typer.Option(help="Column of the results that becomes the label.")] = "activated",
    identifier: Annotated[str, typer.Option(help="phone, sha256, md5, sm3 or text.")] = "phone",
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Make the next training table from a campaign's results: people contacted, their bank variables, the outcome as label.

    Example: tandem bank feedback --bank bank-T1.csv --results results.csv --out bank-T2.csv
    """
    language, form, console = language_of(lang), form_of(identifier), Console(highlight=False)
    with console.status(""):
        table = read_people(bank, id_column, [], form)
        text, fed = feed(table, read_people(results, id_column, [GROUP, CONTACTED, label], form), id_column, label)
    disk.write(out, text.encode())
    show(console, fed, language, bank=str(bank), out=str(out))
    study = {"label": label, "table": {"source": str(out.resolve()), "id": id_column, "drop": [GROUP]}}
    console.print(_WORDS[language]["study"])
    console.print(tomli_w.dumps(study).rstrip(), markup=False, soft_wrap=True)


def show(console: Console, fed: Fed, language: Language, **named: str) -> None:
    """Print what was kept and left out, by group, and the warning that goes with it."""
    words = _WORDS[language]
    counts = {"kept": fed.kept, "idle": fed.idle, "unknown": fed.unknown}
    for key in ("kept", "left"):
        console.print(str(words[key]).format(**counts, **named), markup=False, soft_wrap=True)
    table = Table(*(head.format(level=LEVEL) for head in words["heads"]), box=None, pad_edge=False)
    for name, (people, ones) in fed.groups.items():
        rate = wilson(ones, people)
        shares = ("-", "-") if rate is None else (f"{rate.value:.1%}", f"{rate.low:.1%} - {rate.high:.1%}")
        table.add_row(escape(name), f"{people:,}", f"{ones:,}", *shares)
    console.print(table)
    console.print(words["selected"], style="yellow", soft_wrap=True)
