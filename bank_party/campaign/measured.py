"""measured.json with rates and lifts, as a campaign's report shows them: activation among those contacted, by level and group."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bank_party import lift
from bank_party.records import read_facts
from tandem.contract.words import Language
from tandem.errors import InputError

CONTROL = "control"


def read_measured(path: Path, lang: Language, level: float) -> dict[str, Any]:
    """Return what `tandem bank measure` wrote, with rates, and each group's lift over control at each level.

    Verdicts of a segment are judged together. What was withheld has no rate and no lift. Raises InputError for another file.
    """
    facts = read_facts(path)
    try:
        return {**facts, "contract": facts["contract"], "segments": [_segment(one, lang, level) for one in facts["segments"]]}
    except (KeyError, TypeError):
        raise InputError(f"{path} is no measured.json: name the file that `tandem bank measure` wrote") from None


def _segment(segment: dict[str, Any], lang: Language, level: float) -> dict[str, Any]:
    counted = [{one["group"]: (one["activated"], one["contacted"]) for one in each["groups"]} for each in segment["levels"]]
    pairs = [
        (at, name) for at, groups in enumerate(counted) for name in groups
        if name != CONTROL and CONTROL in groups and None not in (*groups[name], *groups[CONTROL])
    ]
    judged = lift.together([lift.compare(counted[at][name], counted[at][CONTROL], level) for at, name in pairs])
    lifts = [{"group": name, "against": CONTROL, **lift.facts(one, lang)} for (_, name), one in zip(pairs, judged, strict=True)]
    levels = [
        {
            **each,
            "groups": [{**one, "activation_rate": _rate(one, level)} for one in each["groups"]],
            "lift": [found for (where, _), found in zip(pairs, lifts, strict=True) if where == at],
        }
        for at, each in enumerate(segment["levels"])
    ]
    return {**segment, "levels": levels}


def _rate(group: dict[str, Any], level: float) -> dict[str, float] | None:
    if group["activated"] is None or group["contacted"] is None:
        return None
    return lift.written(lift.rate(group["activated"], group["contacted"], level))
