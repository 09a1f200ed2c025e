"""measured.json in a campaign's facts: to the sealed counts come rates with their intervals, and lift against the control group.

Here activation is activated / contacted: the measurement counts nobody else. A withheld count has no rate and is compared with nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bank_party import lift
from bank_party.records import read_facts
from tandem.contract.words import Language
from tandem.errors import InputError

CONTROL = "control"


def measured_facts(path: Path, level: float, lang: Language) -> dict[str, Any]:
    """Return "measured" of campaign.json; the verdicts of one segment are judged together. Raises InputError for a file that is none."""
    facts = read_facts(path)
    try:
        segments = [{**segment, "levels": _levels(segment["levels"], level, lang)} for segment in facts["segments"]]
        return {"contract": str(facts["contract"]), "segments": segments}
    except (AttributeError, KeyError, TypeError):
        raise InputError(f"{path} is no measured.json: name the file that `tandem bank measure` wrote") from None


def _levels(levels: list[dict[str, Any]], level: float, lang: Language) -> list[dict[str, Any]]:
    counted = [{one["group"]: found for one in each["groups"] if (found := _counts(one)) is not None} for each in levels]
    pairs = [(at, name) for at, groups in enumerate(counted) for name in groups if name != CONTROL and CONTROL in groups]
    judged = lift.together([lift.compare(counted[at][name], counted[at][CONTROL], level) for at, name in pairs])
    lifts: list[list[dict[str, Any]]] = [[] for _ in levels]
    for (at, name), one in zip(pairs, judged, strict=True):
        lifts[at].append({"group": name, "against": CONTROL, **lift.facts(one, lang)})
    return [
        {**each, "groups": [{**group, "activation_rate": _rate(group, level)} for group in each["groups"]], "lift": lifts[at]}
        for at, each in enumerate(levels)
    ]


def _counts(group: dict[str, Any]) -> tuple[int, int] | None:
    """Return (activated, contacted), None where either was withheld, or not measured."""
    activated, contacted = group.get("activated"), group.get("contacted")
    return None if activated is None or contacted is None or activated > contacted else (activated, contacted)


def _rate(group: dict[str, Any], level: float) -> dict[str, float] | None:
    counts = _counts(group)
    return None if counts is None else lift.written(lift.rate(*counts, level))
