"""What a campaign brought: funnel and lift by group, by value segment and by benefit, from a row of results a contact."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bank_party import lift
from bank_party.campaign.config import SEGMENTS
from bank_party.campaign.measured import read_measured
from bank_party.campaign.plan import CONTACTS
from bank_party.campaign.words import WORDS
from bank_party.evaluation import Interval
from bank_party.funnel import funnel
from bank_party.records import read_facts
from tandem.contract.words import Language
from tandem.errors import InputError
from tandem.node import disk

STEPS = ("contacted", "responded", "applied", "approved", "first_card", "activated")
COLUMNS = ("phone", "group", *STEPS, "spend")
CONTROL = "control"


@dataclass(frozen=True)
class Outcome:
    """One contact and what came of it. group: as drawn, or with "held back" for those who were not to be contacted."""

    group: str
    benefit: str
    segment: str
    steps: tuple[int, ...]
    """0 or 1 by STEPS."""
    spend: float


def campaign_facts(out: Path, results: Path, measured: Path | None = None) -> dict[str, Any]:
    """Return campaign.json's content: the plan's facts, and what came of it. Raises InputError for files that do not fit each other."""
    facts = read_facts(out / "plan.json")
    outcomes = read_outcomes(out, results, facts["lang"])
    drawn = {one["name"]: one["size"] for one in facts["groups"]}
    for name, size in drawn.items():
        if (found := sum(one.group == name for one in outcomes)) != size:
            raise InputError(f"{out}: contacts.csv has {found} people in group {name}, plan.json {size}: draw the campaign again")
    told = summarised(outcomes, facts["lang"], facts["power"]["level"], [one["name"] for one in facts["benefits"]])
    level = facts["power"]["level"]
    return {**facts, "results": told, "measured": None if measured is None else read_measured(measured, facts["lang"], level)}


def read_outcomes(out: Path, results: Path, lang: Language = "en") -> list[Outcome]:
    """Return one outcome a contact. Results of people held back (contacted 0) may stand in the same file, or be left out.

    Raises InputError: a contact without a result, a result without a contact, another group, a step that is not 0 or 1 or has no step
    before it, spend that is no number. Rows are named by number.
    """
    drawn = _rows(out / "contacts.csv", CONTACTS)
    kept = out / "heldback.csv"
    held = _rows(kept, CONTACTS) if kept.exists() else []
    known = {row["phone"]: (row, row["group"]) for row in drawn}
    known |= {row["phone"]: (row, WORDS[lang]["held"].format(group=row["group"])) for row in held}
    if len(known) < len(drawn) + len(held):
        raise InputError(f"{out}: a person stands twice in contacts.csv and heldback.csv: draw the campaign again")
    outcomes: dict[str, Outcome] = {}
    for number, row in enumerate(_rows(results, COLUMNS), 1):
        place = f"{results}, row {number}"
        if row["phone"] not in known:
            raise InputError(f"{place}: this person is no contact of the campaign: leave such rows out")
        if row["phone"] in outcomes:
            raise InputError(f"{place}: this person has a result already: keep one row a contact")
        contact, group = known[row["phone"]]
        if row["group"] != contact["group"]:
            raise InputError(f"{place}: the group is not the one that was drawn: correct the file")
        steps = _steps(row, place)
        if steps[0] and group != contact["group"]:
            raise InputError(f"{place}: this person was to be held back, and was contacted: correct the file, or leave the row out")
        outcomes[row["phone"]] = Outcome(group, contact["benefit"], contact["segment"], steps, _spend(row["spend"], place))
    if missing := sum(row["phone"] not in outcomes for row in drawn):
        raise InputError(f"{results}: {missing} of {len(drawn)} contacts have no result: add a row of zeros for each that nothing came of")
    return list(outcomes.values())


def summarised(outcomes: Sequence[Outcome], lang: Language, level: float, benefits: Sequence[str]) -> dict[str, Any]:
    """Return "results" of campaign.json; intervals and verdicts at `level`, verdicts of one table together (`lift.together`)."""
    names = list(dict.fromkeys(one.group for one in sorted(outcomes, key=_order)))
    parts = {name: [one for one in outcomes if one.group == name] for name in names}
    words = WORDS[lang]
    pairs = [(name, CONTROL) for name in ("low", "high") if name in parts and CONTROL in parts]
    pairs += [(name, held) for name in ("low", "high") if (held := words["held"].format(group=name)) in parts]
    judged = lift.together([lift.compare(_activated(parts[one]), _activated(parts[other]), level) for one, other in pairs])
    contacted = [name for name in names if name in {CONTROL, "low", "high"}]
    return {
        "groups": [{"name": name, **funnel(_counts(people), level).facts(), "spend_mean": _mean(people)} for name, people in parts.items()],
        "lift": [
            {"group": one, "against": other, "difference": _rate(found.difference), "ratio": _rate(found.ratio), "p": found.p,
             "shown": found.shown, "verdict": lift.verdict(found, lang)} for (one, other), found in zip(pairs, judged, strict=True)
        ],
        "compared": words["compared"] + (words["compared_held"] if len(names) > len(contacted) else ""),
        "by_segment": [
            {"segment": segment, "group": name, **_activation((one for one in parts[name] if one.segment == segment), level)}
            for segment in SEGMENTS for name in contacted
        ],
        "by_benefit": [
            {"benefit": benefit, "group": name, **_activation((one for one in parts[name] if one.benefit == benefit), level)}
            for benefit in benefits for name in contacted if name != CONTROL
        ],
    }


def write_campaign(path: Path, facts: dict[str, Any]) -> None:
    """Write campaign.json (0600)."""
    disk.write(path, json.dumps(facts, ensure_ascii=False, indent=1).encode())


def _order(one: Outcome) -> tuple[bool, int, str]:
    first = ("control", "low", "high")
    return (one.group not in first, first.index(one.group) if one.group in first else 0, one.group)


def _activated(people: Sequence[Outcome]) -> tuple[int, int]:
    return sum(one.steps[-1] for one in people), len(people)


def _activation(people: Iterable[Outcome], level: float) -> dict[str, Any]:
    activated, selected = _activated(list(people))
    return {"selected": selected, "activated": activated, "activation_rate": _rate(lift.rate(activated, selected, level))}


def _counts(people: Sequence[Outcome]) -> dict[str, int]:
    return {"selected": len(people), **{step: sum(one.steps[at] for one in people) for at, step in enumerate(STEPS)}}


def _mean(people: Sequence[Outcome]) -> float | None:
    return sum(one.spend for one in people) / len(people) if people else None


def _rate(interval: Interval | None) -> dict[str, float] | None:
    return None if interval is None else interval._asdict()


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
    except OSError as failure:
        raise disk.explain(failure, path, "read") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: save it as UTF-8") from None
    if not rows:
        raise InputError(f"{path} has no row: it must hold one a person")
    if absent := [name for name in columns if name not in rows[0]]:
        raise InputError(f"{path}: there is no column {', '.join(absent)}: it must hold {', '.join(columns)}")
    return rows


def _steps(row: dict[str, str], place: str) -> tuple[int, ...]:
    for step in STEPS:
        if row[step] not in {"0", "1"}:
            raise InputError(f"{place}: {step} is neither 0 nor 1: correct the file")
    steps = tuple(int(row[step]) for step in STEPS)
    for before, (at, step) in zip(steps, list(enumerate(STEPS))[1:-1], strict=False):
        if steps[at] > before:
            raise InputError(f"{place}: {step} without {STEPS[at - 1]}: every step is taken after the one before; correct the file")
    return steps


def _spend(text: str, place: str) -> float:
    try:
        spend = float(text)
    except (TypeError, ValueError):
        spend = -1.0
    if not 0.0 <= spend < float("inf"):
        raise InputError(f"{place}: spend is no amount: write 0 where there was none")
    return spend
