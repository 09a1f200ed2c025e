"""A campaign's plan and results as tables on the terminal. What has no denominator is shown as "-"."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bank_party.campaign.words import WORDS

RATES = ("response_rate", "application_rate", "approval_rate", "first_card_rate", "overall_effect")
NONE = "-"


def show_plan(console: Console, facts: dict[str, Any]) -> None:
    """Print population, groups with what they can show, benefits and segments."""
    words = WORDS[facts["lang"]]
    counts, power = facts["population"], facts["power"]
    console.print(words["population"].format(**{**counts, "share": f"{counts['pool_share']:.1%}"}), soft_wrap=True)
    for key, model in (("joint", "joint"), ("bank_only", "alone")):
        one = facts["calibration"][key]
        told = {name: f"{one[name]['value']:.2f} [{one[name]['low']:.2f}, {one[name]['high']:.2f}]" for name in ("slope", "level")}
        sentence = words["mended" if one["applied"] else "as_is"].format(model=words[model], **told)
        console.print(sentence, soft_wrap=True, markup=False)
    console.print(words["sizes"].format(**{**power, "detect": f"{100 * power['detect']:.1f}"}), soft_wrap=True)
    shows = {row["group"]: row["detectable"] for row in power["rows"]}
    heads = [words[name] for name in ("group", "available", "size", "detectable", "payments", "probability", "bank")]
    table = _table(heads)
    for one in facts["groups"]:
        likely = (_share(one["mean_probability"]), _share(one["mean_bank_probability"]))
        shown = shows.get(one["name"])
        sizes = (str(one["available"]), str(one["size"]), NONE if shown is None else words["points"].format(f"{100 * shown:.1f}"))
        table.add_row(words.get(one["name"], one["name"]), *sizes, _number(one["mean_payments"]), *likely)
    console.print(table)
    for one in facts["groups"]:
        if one["size"] < power["needed"]:
            short = words["short"].format(group=words.get(one["name"], one["name"]), size=one["size"], needed=power["needed"])
            console.print(short, style="yellow", soft_wrap=True)
    table = _table([words["benefit"], words["people"], words["share"]])
    default = facts["default_benefit"]
    for one in facts["benefits"]:
        table.add_row(words.get(one["name"], one["name"]), str(one["people"]), _share(one["share"]))
    table.add_row(words["default"].format(name=words.get(default, default)), str(facts["not_told"]), "")
    console.print(table)
    table = _table([words["segment"], words["people"], words["share"], words["deck"]])
    for one in facts["segments"]:
        deck = words["up_to" if one["deck_low"] is None else "range"].format(low=one["deck_low"], high=one["deck_high"])
        table.add_row(words.get(one["name"], one["name"]), str(one["people"]), _share(one["share"]), deck)
    console.print(table)


def show_results(console: Console, facts: dict[str, Any]) -> None:
    """Print the funnel by group, lift with its verdicts, activation by segment and by benefit, and what was compared."""
    words, results = WORDS[facts["lang"]], facts["results"]
    level = f"{facts['power']['level']:.0%}"
    table = _table([words["group"], words["selected"], words["contacted"], words["activation_rate"], level, words["spend_mean"]])
    steps = _table([words["group"], *(words[name] for name in RATES)])
    for one in results["groups"]:
        name = words.get(one["name"], one["name"])
        activation = _rate(one["activation_rate"], words["interval"])
        table.add_row(name, str(one["selected"]), str(one["contacted"]), *activation, _number(one["spend_mean"]))
        steps.add_row(name, *(_rate(one[rate], "")[0] for rate in RATES))
    console.print(table)
    console.print(steps)
    table = _table([words["group"], words["against"], words["ratio"], words["p"], words["verdict"]], text=(0, 1, 4))
    for one in results["lift"]:
        p = NONE if one["p"] is None else f"{one['p']:.2g}"
        names = (words.get(one[name], one[name]) for name in ("group", "against"))
        table.add_row(*names, NONE if one["ratio"] is None else f"{one['ratio']['value']:.2f}", p, one["verdict"])
    console.print(table)
    for key, kind in (("by_segment", "segment"), ("by_benefit", "benefit")):
        table = _table([*(words[name] for name in (kind, "group", "selected", "activation_rate")), level], text=(0, 1))
        for one in results[key]:
            names = (words.get(one[name], one[name]) for name in (kind, "group"))
            table.add_row(*names, str(one["selected"]), *_rate(one["activation_rate"], words["interval"]))
        console.print(table)
    console.print(results["compared"], soft_wrap=True)


def _table(heads: list[str], text: tuple[int, ...] = (0,)) -> Table:
    table = Table(*heads, box=None)
    for number, column in enumerate(table.columns):
        column.justify = "left" if number in text else "right"
    return table


def _rate(rate: dict[str, float] | None, interval: str) -> tuple[str, str]:
    """Return the rate, and its limits as the words for an interval have them."""
    return (NONE, NONE) if rate is None else (_share(rate["value"]), interval.format(_share(rate["low"]), _share(rate["high"])))


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,.1f}"
