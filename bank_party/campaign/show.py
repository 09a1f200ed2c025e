"""A campaign's plan and results as tables on the terminal. What has no denominator is shown as "-"."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from bank_party.campaign.words import WORDS

RATES = ("response_rate", "application_rate", "approval_rate", "first_card_rate", "overall_effect", "activation_rate")
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
    console.print(words["sizes"].format(**power), soft_wrap=True)
    shows = {row["group"]: row["detectable"] for row in power["rows"]}
    heads = [words[name] for name in ("group", "available", "size", "detectable", "payments", "amount", "probability", "bank")]
    table = _table(heads)
    for one in facts["groups"]:
        past = (_number(one["mean_payments"]), _number(one["mean_amount"]))
        likely = (_share(one["mean_probability"]), _share(one["mean_bank_probability"]))
        sizes = (str(one["available"]), str(one["size"]), _share(shows.get(one["name"])))
        table.add_row(words.get(one["name"], one["name"]), *sizes, *past, *likely)
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
    table = _table([words["group"], words["selected"], words["contacted"], *(words[name] for name in RATES), words["spend_mean"]])
    for one in results["groups"]:
        rates = (_share(None if one[name] is None else one[name]["value"]) for name in RATES)
        table.add_row(words.get(one["name"], one["name"]), str(one["selected"]), str(one["contacted"]), *rates, _number(one["spend_mean"]))
    console.print(table)
    table = _table([words["group"], words["against"], words["ratio"], words["p"], words["verdict"]], text=(0, 1, 4))
    for one in results["lift"]:
        p = NONE if one["p"] is None else f"{one['p']:.2g}"
        names = (words.get(one[name], one[name]) for name in ("group", "against"))
        table.add_row(*names, NONE if one["ratio"] is None else f"{one['ratio']['value']:.2f}", p, one["verdict"])
    console.print(table)
    for key, kind in (("by_segment", "segment"), ("by_benefit", "benefit")):
        heads = [words[name] for name in (kind, "group", "selected", "activation_rate")]
        table = _table([*heads, f"{facts['power']['level']:.0%}"], text=(0, 1))
        for one in results[key]:
            rate = one["activation_rate"]
            limits = ("", "") if rate is None else (_share(rate["low"]), _share(rate["high"]))
            told = (_share(None if rate is None else rate["value"]), NONE if rate is None else words["interval"].format(*limits))
            table.add_row(*(words.get(one[name], one[name]) for name in (kind, "group")), str(one["selected"]), *told)
        console.print(table)
    console.print(results["compared"], soft_wrap=True)


def _table(heads: list[str], text: tuple[int, ...] = (0,)) -> Table:
    table = Table(*heads, box=None)
    for number, column in enumerate(table.columns):
        column.justify = "left" if number in text else "right"
    return table


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:,.1f}"
