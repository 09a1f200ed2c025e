"""`tandem bank compare`: two versions of a model on the same customers, whom neither was trained on.

A version is a study's folder or its scores.csv (with hold-out flags and labels), or a scored.csv (without either). Customers are matched
by identifier; only those count whom the telco scored for both, and who, where a file has flags, were held out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bank_party import records, scoring
from bank_party.evaluation import Difference, Interval, auc, auc_difference, calibration, ks
from bank_party.feedback import form_of
from bank_party.people import People, read_people
from tandem.align.identifiers import Form
from tandem.arguments import Chance, Seeded
from tandem.contract.words import Language, language_of
from tandem.errors import InputError
from tandem.node import disk
from tandem.sums.terms import Reals

LEAST = 20
"""Customers of either label that a comparison needs: with fewer, an interval says nothing."""

Verdict = Literal["better", "worse", "not_shown"]

_WORDS = {
    "en": {
        "rows": "{rows} customers in both files and in neither training, {positives} with label 1",
        "trained": "left out: {trained} who trained {first} or {second}",
        "flags": "{name} has no hold-out flags: nobody can tell whom it was trained on, and training rows flatter their model",
        "heads": ("version", "AUC", "KS", "Brier"),
        "difference": "AUC of {second} less {first}: {value:+.4f}, 95 % interval {low:+.4f} to {high:+.4f} (paired)",
        "better": "{second} is better than {first}",
        "worse": "{second} is worse than {first}",
        "not_shown": "not shown: {second} is neither shown to be better nor worse than {first}",
    },
    "zh": {
        "rows": "{rows} 位客户同时在两个文件中且未参与任一训练，其中标签为 1 的 {positives} 位",
        "trained": "未纳入：参与过 {first} 或 {second} 训练的 {trained} 位",
        "flags": "{name} 没有留出标记：无法从中得知它用哪些客户训练；模型在自己的训练样本上会显得更好",
        "heads": ("版本", "AUC", "KS", "Brier"),
        "difference": "{second} 的 AUC 减 {first}：{value:+.4f}，95% 区间 {low:+.4f} 至 {high:+.4f}（配对）",
        "better": "{second} 优于 {first}",
        "worse": "{second} 不如 {first}",
        "not_shown": "未能证明：{second} 与 {first} 孰优孰劣都没有证据",
    },
}


@dataclass(frozen=True)
class Version:
    """One model's customers, by identifier: probability, may they be compared on, and their label; None where the file does not say."""

    name: str
    p: dict[bytes, float] = field(repr=False)
    held_out: dict[bytes, bool] | None = field(default=None, repr=False)
    labels: dict[bytes, bool] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Measured:
    """One version on the common customers."""

    name: str
    flags: bool
    auc: Interval
    ks: Interval
    brier: float


@dataclass(frozen=True)
class Compared:
    """Both versions, and AUC of the second less that of the first. `trained`: common customers left out because one trained on them."""

    rows: int
    positives: int
    trained: int
    versions: tuple[Measured, Measured]
    difference: Difference

    @property
    def verdict(self) -> Verdict:
        """What the interval of the difference says of the second version."""
        if self.difference.low > 0.0:
            return "better"
        return "worse" if self.difference.high < 0.0 else "not_shown"


def read_version(path: Path, form: Form) -> Version:
    """Return a version from a study's folder, its scores.csv, or a scored.csv. Raises InputError for anything else."""
    file = path / "scores.csv" if path.is_dir() else path
    people = read_people(file, "id", ["matched"], form)
    rows = {value: row for value, row in people.place.items() if people.columns["matched"][row] == "1"}
    if set(records.COLUMNS) <= set(people.columns):
        part, labels = people.columns["part"], people.flags("label")
        return Version(
            str(path), _probabilities(people, "joint_card", rows), {value: part[row] == "hold-out" for value, row in rows.items()},
            {value: bool(labels[row]) for value, row in rows.items()},
        )
    if set(scoring.COLUMNS) <= set(people.columns):
        return Version(str(path), _probabilities(people, "probability", rows))
    raise InputError(f"{file} is neither a scores.csv nor a scored.csv of this version: name a study's folder, or what `bank score` wrote")


def compare(first: Version, second: Version, given: dict[bytes, bool] | None, chance: Chance) -> Compared:
    """Compare on customers in both, trained on by neither, whose label is known: `given`, or, without, that of the files themselves.

    Raises InputError where no file has labels or two files' labels differ, and where fewer than LEAST customers of a label are left.
    """
    both = [value for value in first.p if value in second.p]
    kept = [value for value in both if all(one.held_out is None or one.held_out[value] for one in (first, second))]
    labels = given if given is not None else _own_labels(first, second, both)
    common = [value for value in kept if value in labels]
    y = np.array([labels[value] for value in common], dtype=np.int64)
    positives = int(y.sum())
    if min(positives, len(y) - positives) < LEAST:
        raise InputError(
            f"{len(y)} customers are in both files, in neither training and have a label, {positives} of them label 1: "
            f"{LEAST} of each label are needed; compare on more customers, or on a hold-out that both left alone"
        )
    scores = [np.array([one.p[value] for value in common]) for one in (first, second)]
    measured = [
        Measured(one.name, one.held_out is not None, auc(y, p), ks(y, p, chance.fork("ks")), calibration(y, p).brier)
        for one, p in zip((first, second), scores, strict=True)
    ]
    return Compared(len(y), positives, len(both) - len(kept), (measured[0], measured[1]), auc_difference(y, scores[0], scores[1]))


def compare_command(
    first: Annotated[Path, typer.Argument(metavar="A", help="A study's folder, its scores.csv, or a scored.csv.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The same of the other version.")],
    labels: Annotated[Path | None, typer.Option(help="The outcome, by identifier; that of the studies if not given.")] = None,
    label: Annotated[str, typer.Option(help="Column of the outcome in --labels.")] = "activated",
    id_column: Annotated[str, typer.Option("--id", help="Column of the identifier in --labels.")] = "phone",
    identifier: Annotated[str, typer.Option(help="phone, sha256, md5, sm3 or text.")] = "phone",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there as well.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Compare two versions of a model on the same customers, whom neither was trained on; say whether B is better.

    Example: tandem bank compare v1/out v2/scored.csv --labels results.csv
    """
    language, form, console = language_of(lang), form_of(identifier), Console(highlight=False)
    if first.resolve() == second.resolve():
        raise InputError(f"{first} is named twice: name two versions")
    with console.status(""):
        given = None if labels is None else _given(read_people(labels, id_column, [label], form), label)
        # The bootstrap of a comparison is the same again: nothing secret hangs on it.
        found = compare(read_version(first, form), read_version(second, form), given, Seeded(b"versions compared"))
    show(console, found, language)
    if json_file is not None:
        disk.write(json_file, json.dumps({**asdict(found), "verdict": found.verdict}, ensure_ascii=False, indent=1).encode())


def show(console: Console, found: Compared, language: Language) -> None:
    """Print the table, the difference and the verdict."""
    words, (first, second) = _WORDS[language], (one.name for one in found.versions)
    named = {"first": first, "second": second}

    def say(key: str, style: str = "", **more: object) -> None:
        console.print(str(words[key]).format(**named, **more), style=style, markup=False, soft_wrap=True)

    say("rows", rows=found.rows, positives=found.positives)
    if found.trained:
        say("trained", trained=found.trained)
    for one in found.versions:
        if not one.flags:
            say("flags", "yellow", name=one.name)
    table = Table(*words["heads"], box=None, pad_edge=False)
    for one in found.versions:
        shown = [f"{value:.4f} ({low:.4f} - {high:.4f})" for value, low, high in (one.auc, one.ks)]
        table.add_row(one.name, *shown, f"{one.brier:.4f}")
    console.print(table)
    say("difference", **{name: getattr(found.difference, name) for name in ("value", "low", "high")})
    say(found.verdict, "bold")


def _probabilities(people: People, column: str, rows: dict[bytes, int]) -> dict[bytes, float]:
    try:
        p: Reals = np.array([float(people.columns[column][row]) for row in rows.values()], dtype=np.float64)
    except ValueError:
        raise InputError(f"{people.name}: a matched customer has no number in column {column}: restore the file") from None
    return dict(zip(rows, p.tolist(), strict=True))


def _own_labels(first: Version, second: Version, both: Sequence[bytes]) -> dict[bytes, bool]:
    if first.labels is not None and second.labels is not None:
        other = sum(first.labels[value] != second.labels[value] for value in both)
        if other:
            raise InputError(
                f"{first.name} and {second.name} have different labels for {other} of {len(both)} common customers: "
                "they were trained for different outcomes; give the one to compare on with --labels"
            )
    found = second.labels if first.labels is None else first.labels
    if found is None:
        raise InputError(f"neither {first.name} nor {second.name} has labels: give the outcome with --labels")
    return found


def _given(people: People, label: str) -> dict[bytes, bool]:
    flags: NDArray[np.bool_] = people.flags(label)
    return {value: bool(flags[row]) for value, row in people.place.items()}
