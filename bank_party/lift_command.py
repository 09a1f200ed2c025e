"""`tandem bank lift`: what an experiment brought, from any file with its arms, one row a person."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bank_party import lift
from bank_party.evaluation import LEVEL, Interval
from bank_party.lift_table import FEW, Columns, Experiment, Line, by_segment, overall, read
from bank_party.uplift import by_slice, qini
from tandem.contract.words import Language, language_of
from tandem.contract_commands import WIDTH
from tandem.errors import InputError
from tandem.node import disk
from tandem.node.inputs.csv_file import Encoding

NONE = "-"
"""What stands for a value that cannot be told."""

_WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "people": "people", "estimate": "rate, % / mean", "difference": "difference", "ratio": "ratio", "verdict": "verdict",
        "to": "{} to {}", "empty": "(empty)", "not judged": "not judged",
        "title_table": "{measure}", "title_segments": "{measure}, {by} = {segment}",
        "control": "The first line of each block is control; the others are compared with it. Rates are in %, "
        "their differences in points.",
        "alone": "One comparison: the verdict follows from the {level} interval of the difference.",
        "together": "{count} comparisons of {table}, judged together (Holm): the chance of a false verdict among them is kept at {error}.",
        "table": "the table", "segments": "the table by segment", "slices": "the table by score", "qini": "Qini",
        "title_slices": "{measure}, {by}, slice {segment} from the highest", "title_qini": "{measure}, Qini coefficient of {by}",
        "told_qini": "Qini: area between what the highest scores bring and what as many people at random would, a person. Higher: the "
        "score ranks people by what the contact brings them.",
        "wide": "* the {level} interval leaves 0 out, but not the wider one that so many comparisons ask for.",
        "few": "WARNING: {arm} has {rows} people; under {few} little can be said.",
        "small": "not judged: fewer than {few} people on one of the sides (--min-rows).",
        "left_out": "{count} rows without an arm that is compared are left out.",
    },
    "zh": {
        "people": "人数", "estimate": "比率 % / 均值", "difference": "差值", "ratio": "比值", "verdict": "结论",
        "to": "{} 至 {}", "empty": "（空）", "not judged": "未判断",
        "title_table": "{measure}", "title_segments": "{measure}，{by} = {segment}",
        "control": "每块第一行为对照组，其余各组与之比较。比率以 % 计，比率之差以百分点计。",
        "alone": "仅一项比较：结论依据差值的 {level} 区间。",
        "together": "{table}共 {count} 项比较，一并判断（Holm 法）：其中出现任何误判的概率不超过 {error}。",
        "table": "总表", "segments": "分群表", "slices": "分数表", "qini": "Qini ",
        "title_slices": "{measure}，{by}，自高至低第 {segment} 段", "title_qini": "{measure}，{by} 的 Qini 系数",
        "told_qini": "Qini：按分数由高到低触达比随机触达同样多人多带来的面积，按人计。较高：该分数能按触达效果为人排序。",
        "wide": "* {level} 区间不含 0，但多项比较所要求的更宽区间含 0。",
        "few": "警告：{arm} 仅 {rows} 人；不足 {few} 人时难以下结论。",
        "small": "未判断：其中一方不足 {few} 人（--min-rows）。",
        "left_out": "{count} 行不属于所比较的组，未计入。",
    },
}


def lift_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or Parquet with a row a person.")],
    group: Annotated[str, typer.Option(help="Column that names the arm of each person.")],
    control: Annotated[str, typer.Option(help="The arm that the others are compared with.")],
    outcome: Annotated[list[str] | None, typer.Option(help="Two-valued column: 0 and 1, no and yes. May be repeated.")] = None,
    value: Annotated[list[str] | None, typer.Option(help="Column of amounts, such as spend: means are compared. May be repeated.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="Compare this arm only. May be repeated; all if not given.")] = None,
    by: Annotated[str, typer.Option(help="Column of segments: a second table, by segment.")] = "",
    score: Annotated[str, typer.Option(help="Column of scores: tables by slice of it, and how well it ranks people by the effect.")] = "",
    level: Annotated[float, typer.Option(help="Level of intervals and verdicts.")] = LEVEL,
    min_rows: Annotated[int, typer.Option(min=1, help="Fewest people a side: below it a segment is not judged, an arm warned of.")] = FEW,
    encoding: Annotated[str, typer.Option(help="Of a CSV file: utf-8 or gb18030.")] = "utf-8",
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there as well.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
) -> None:
    """Compare the arms of an experiment with its control: rates, difference, ratio and a verdict, which may be "not shown".

    A difference is the contact's doing only where the arms were drawn by chance.

    Example: tandem bank lift sent.csv --group segment --control "No E-Mail" --outcome visit --outcome conversion --value spend --by channel
    """
    language, console = language_of(lang), Console(width=WIDTH, highlight=False)
    asked = Columns(group, control, tuple(outcome or ()), tuple(value or ()), by, score, tuple(arm or ()))
    with console.status(""):
        experiment = read(file, asked, _encoding(encoding))
        tables = Tables.of(experiment, asked, level, min_rows)
    show(console, experiment, asked, tables, level=level, few=min_rows, language=language)
    if json_file is not None:
        found = facts(experiment, asked, tables, level=level, few=min_rows, language=language)
        disk.write(json_file, json.dumps(found, ensure_ascii=False, indent=1).encode())


class Tables(NamedTuple):
    """All arms against control: of everybody, by segment, by slice of the score, and the score's Qini; empty where not asked for."""

    table: list[Line]
    segments: list[Line]
    slices: list[Line]
    qini: list[Line]

    @classmethod
    def of(cls, experiment: Experiment, asked: Columns, level: float, few: int = FEW) -> Self:
        """Return the tables that were asked for."""
        return cls(
            overall(experiment, level, few),
            by_segment(experiment, level, few) if asked.by else [],
            by_slice(experiment, level, few) if asked.score else [],
            qini(experiment, level, few) if asked.score else [],
        )


def show(
    console: Console, experiment: Experiment, asked: Columns, tables: Tables, *, level: float, few: int, language: Language
) -> None:
    """Print the tables that were asked for, and under each what its verdicts mean."""
    words = _WORDS[language]
    for name, lines in tables._asdict().items():
        title, by = words[f"title_{name}"], asked.by if name == "segments" else asked.score
        for i, ((measure, segment), block) in enumerate(groupby(lines, key=lambda line: (line.measure, line.segment))):
            head = title.format(measure=measure, by=by, segment=segment or words["empty"])
            console.print(f"[bold]{escape(head)}[/bold]")
            scale = 100.0 if experiment.measures[measure].dtype == bool else 1.0
            console.print(_block(list(block), language, scale, header=not i))
        for told in _notes(lines, words[name], level, few, language):
            console.print(told)
    if tables.qini:
        console.print(words["told_qini"])
    for arm, rows in zip(experiment.arms, experiment.sizes, strict=True):
        if rows < few:
            console.print(f"[yellow]{escape(words['few'].format(arm=arm, rows=rows, few=few))}[/yellow]")
    if experiment.left_out:
        console.print(words["left_out"].format(count=f"{experiment.left_out:,}"))
    console.print(words["control"])


def facts(
    experiment: Experiment, asked: Columns, tables: Tables, *, level: float, few: int, language: Language
) -> dict[str, Any]:
    """Return everything that is shown, and intervals in full, fit for JSON."""
    arms = [{"arm": arm, "rows": rows} for arm, rows in zip(experiment.arms, experiment.sizes, strict=True)]
    head = {"format": 1, "level": level, "min_rows": few, "by": asked.by or None, "score": asked.score or None}
    return {
        **head, "arms": arms, "left_out": experiment.left_out,
        **{name: [_line(line, language) for line in lines] for name, lines in tables._asdict().items()},
    }


def _encoding(text: str) -> Encoding:
    if text == "utf-8":
        return "utf-8"
    if text == "gb18030":
        return "gb18030"
    raise InputError(f"--encoding {text!r} is not known: utf-8 or gb18030")


def _line(line: Line, language: Language) -> dict[str, Any]:
    compared = None if line.comparison is None else lift.facts(line.comparison, language)
    if compared is not None and not line.judged:
        compared |= {"judged": None, "judged_level": None, "shown": None, "verdict": _WORDS[language]["not judged"]}
    return {
        "measure": line.measure, "segment": line.segment, "arm": line.arm, "rows": line.rows, "successes": line.successes,
        "rate" if line.successes is not None else "mean": lift.written(line.estimate), "few": line.few, "against_control": compared,
    }


def _block(lines: list[Line], language: Language, scale: float, *, header: bool) -> Table:
    words = _WORDS[language]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), width=WIDTH, show_header=header)
    for head, width, right in (
        ("", 14, False), (words["people"], 7, True), (words["estimate"], 15, True), (words["difference"], 16, True),
        (words["ratio"], 12, True), (words["verdict"], 10, False),
    ):
        table.add_column(head, width=width, overflow="fold", justify="right" if right else "left")
    shown = [line.comparison.difference if line.estimate is None and line.comparison else line.estimate for line in lines]
    places = lift.decimals([one.value * scale for one in shown if one is not None])
    for line in lines:
        cells = [line.arm, f"{line.rows:,}", _cell(line.estimate, language, scale, places)]
        if line.comparison is not None:
            compared = line.comparison
            difference = _cell(compared.difference, language, scale, places, sign="+")
            cells += [difference, _cell(compared.ratio, language, 1.0, 2), f"{_verdict(line, language)}\n{_p(compared.p)}"]
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _cell(interval: Interval | None, language: Language, scale: float, places: int, sign: str = "") -> str:
    if interval is None:
        return NONE
    value, low, high = (f"{scale * one:{sign},.{places}f}" for one in interval)
    return f"{value}\n{_WORDS[language]['to'].format(low, high)}"


def _p(p: float | None) -> str:
    return f"p {NONE}" if p is None else "p <0.0001" if p < 0.0001 else f"p {p:.4f}"


def _verdict(line: Line, language: Language) -> str:
    if line.comparison is None or not line.judged:
        return _WORDS[language]["not judged"]
    return lift.WORDS[language][line.comparison.shown] + ("*" if _only_alone(line) else "")


def _only_alone(line: Line) -> bool:
    """Whether the interval shown leaves 0 out while the one that was judged does not."""
    one = line.comparison
    if one is None or one.difference is None or not line.judged:
        return False
    return one.shown == "not shown" and not one.difference.low <= 0.0 <= one.difference.high


def _notes(lines: Sequence[Line], table: str, level: float, few: int, language: Language) -> Iterable[str]:
    """Yield what a reader of this table must know; nothing for a table without lines."""
    words = _WORDS[language]
    count = sum(line.judged and line.comparison is not None and line.comparison.difference is not None for line in lines)
    percent = lift.percent(level, language)
    if count == 1:
        yield words["alone"].format(level=percent)
    elif count:
        yield words["together"].format(count=count, table=table, error=lift.percent(1.0 - level, language))
    if any(_only_alone(line) for line in lines):
        yield words["wide"].format(level=percent)
    if any(line.comparison is not None and not line.judged for line in lines):
        yield words["small"].format(few=few)
