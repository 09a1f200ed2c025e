"""The tables of a training study, by name: who was matched, how well models rank, where positives are, the variables, what it cost."""

from __future__ import annotations

from math import exp
from statistics import NormalDist

from bank_party.evaluation import LEVEL, Difference, Interval
from bank_party.reports.model import NAMES, Report, Variable, iv_band
from bank_party.reports.tables import Column, Table, Value, number
from tandem.pages import Words


def study_tables(report: Report, words: Words) -> dict[str, Table]:
    """Return every table of the study, in the words' language."""
    return {
        "match": _match(report, words),
        "models": _models(report, words),
        "differences": _differences(report, words),
        "gain": _gain(report, words),
        "calibration": _calibration(report, words),
        "variables": _variables(report, words),
        **_cost(report, words),
    }


def by_strength(report: Report) -> list[Variable]:
    """Return the variables, highest information value first, those without one last."""
    return sorted(report.variables, key=lambda one: -1.0 if one.iv is None else -one.iv - 2.0)


def odds_over_its_range(one: Variable) -> Interval | None:
    """Return the factor by which odds grow from the variable's lowest bin to its highest, others equal: exp(coefficient x WoE range).

    For a standardised number: by one standard deviation more. None where the variable is not in the model. The interval is of the
    coefficient alone.
    """
    if one.coefficient is None or one.se is None or (one.woe_coded and (one.woe_low is None or one.woe_high is None)):
        return None
    reach = NormalDist().inv_cdf((1.0 + LEVEL) / 2.0) * one.se
    width = (one.woe_high or 0.0) - (one.woe_low or 0.0) if one.woe_coded else 1.0
    low, value, high = (exp(width * (one.coefficient + step)) for step in (-reach, 0.0, reach))
    return Interval(value, low, high)


def drivers(report: Report, words: Words, most: int = 8) -> list[str]:
    """Return a sentence for each of the strongest variables that the model uses: whose it is, how strong, what it does to the odds.

    Those as strong alone whose own effect is not shown follow in one sentence.
    """
    found: list[str] = []
    unclear: list[str] = []
    for one in by_strength(report):
        odds = odds_over_its_range(one)
        if odds is None or one.iv is None or len(found) == most:
            continue
        if odds.low <= 1.0 <= odds.high:
            unclear.append(one.name)
            continue
        found.append(words(
            f"driver_{'up' if odds.value > 1.0 else 'down'}", name=one.name, side=words(f"side_{one.side}"), iv=number(one.iv),
            band=words(f"band_{iv_band(one.iv)}"), times=number(odds.value, 2), low=number(odds.low, 2), high=number(odds.high, 2),
        ))
    shown = unclear[:most]
    return found + ([words("driver_not_clear", names=words("comma").join(shown))] if shown else [])


def _match(report: Report, words: Words) -> Table:
    columns = [Column(words("group")), Column(words("customers"), "count"), Column(words("share"), "share")]
    if report.outcomes is None:
        asked, rows = report.asked, [("matched", report.matched), ("unmatched", report.asked - report.matched), ("asked", report.asked)]
        return Table(words("match_heading"), columns, [[words(name), of, of / asked if asked else None] for name, of in rows])
    columns += [
        Column(words(f"positives_{report.purpose}"), "count"),
        Column(words(f"rate_{report.purpose}"), "share", "interval", words("interval")),
    ]
    groups = [("matched", report.outcomes.matched), ("unmatched", report.outcomes.unmatched), ("all", report.outcomes.all)]
    total = report.outcomes.all.rows
    return Table(words("match_heading"), columns, [
        [words(name), one.rows, one.rows / total if total else None, one.positives, one.rate] for name, one in groups
    ])


def _models(report: Report, words: Words) -> Table:
    names = [name for name in NAMES if name in report.holdout.scores]
    rows: list[list[Value]] = []
    for name in names:
        score = report.holdout.scores[name]
        rows.append([(words(name), words("pooled_mark") if name == "pooled" else ""), score.auc, score.ks])
    columns = [
        Column(words("model"), form="note"), Column(words("auc"), "number", "interval", words("interval"), 4),
        Column(words("ks"), "number", "interval", words("interval"), 3),
    ]
    return Table(words("models_heading"), columns, rows, strong=frozenset({names.index("joint")}))


def _differences(report: Report, words: Words) -> Table:
    compared: list[tuple[str, Difference | None]] = [
        ("difference", report.holdout.difference), ("difference_pooled", report.holdout.difference_pooled)
    ]
    columns = [Column(words("comparison")), Column(words("auc"), "signed", "interval", words("interval"), 4), Column(words("p_value"), "p")]
    return Table(words("comparison"), columns, [
        [words(name), Interval(one.value, one.low, one.high), one.p] for name, one in compared if one is not None
    ])


def _gain(report: Report, words: Words) -> Table:
    columns = [
        Column(words("slice"), "count"), Column(words("range"), "share", "span"), Column(words("rows"), "count"),
        Column(words(f"positives_{report.purpose}"), "count"), Column(words(f"rate_{report.purpose}"), "share"),
        Column(words("capture"), "share"), Column(words("gain_lift"), "number", digits=2),
        Column(f"{words('gain_lift')}, {words('bank_lift')}", "number", digits=2),
    ]
    pairs = zip(report.holdout.gain["joint"], report.holdout.gain["bank_only"], strict=True)
    return Table(words("gain_title"), columns, [
        [one.number, (one.low, one.high), one.rows, one.positives, one.rate, one.capture, one.lift, bank.lift] for one, bank in pairs
    ])


def _calibration(report: Report, words: Words) -> Table:
    columns = [
        Column(words("slice"), "count"), Column(words("rows"), "count"), Column(words("predicted"), "share"),
        Column(words("observed"), "share", "interval", words("interval")),
    ]
    rows = [[one.number, one.rows, one.predicted, one.observed] for one in report.holdout.calibration.slices]
    return Table(words("calibration_title"), columns, rows)


def _variables(report: Report, words: Words) -> Table:
    columns = [
        Column(words("variable"), "name"), Column(words("side")), Column(words("bins"), "count"),
        Column(words("iv"), "number", "note", digits=3), Column(words("woe"), "number", "span", digits=2),
        Column(words("coefficient"), "number", "note", digits=3),
        Column(words("se"), "number", digits=3, before="≈ " if report.se_approximate else ""), Column(words("status"), "long"),
    ]
    rows: list[list[Value]] = []
    for one in by_strength(report):
        reason = " ".join(part for part in (words.known(f"reason_{one.reason}", one.reason), one.detail) if part)
        status = words("kept") if one.kept else words("dropped")
        rows.append([
            one.name, words(f"side_{one.side}"), one.bins, (one.iv, "" if one.iv is None else words(f"band_{iv_band(one.iv)}")),
            (one.woe_low, one.woe_high), (one.coefficient, words("wrong_sign") if one.wrong_sign else ""), one.se,
            f"{status}: {reason}" if reason else status,
        ])
    off = frozenset(at for at, one in enumerate(by_strength(report)) if not one.kept)
    return Table(words("variables_heading"), columns, rows, off=off, dense=True)


def _cost(report: Report, words: Words) -> dict[str, Table]:
    time: list[list[Value]] = [[_stage(name, words), value] for name, value in report.seconds.items()]
    time.append([words("total"), sum(report.seconds.values())])
    ways: list[list[Value]] = [
        [f"{words.known(way.sender, way.sender)} → {words.known(way.receiver, way.receiver)}", way.bytes] for way in report.traffic
    ]
    return {
        "time": Table(words("time"), [Column(words("stage")), Column(words("time"), "seconds")], time, strong=frozenset({len(time) - 1})),
        "traffic": Table(words("sent"), [Column(words("direction")), Column(words("sent"), "size")], ways),
        "memory": Table(
            words("memory"), [Column(words("process")), Column(words("memory"), "size")],
            [[words.known(name, name), value] for name, value in report.peak_memory.items()],
        ),
    }


def _stage(name: str, words: Words) -> str:
    """Return the words of a stage: pass_2 is training pass 2; a name without words is shown as it is."""
    head, _, rest = name.partition("_")
    return words("stage_pass", number=rest) if head == "pass" and rest.isdigit() else words.known(f"stage_{name}", name)
