"""What becomes of each named attack under one contract: blocked, bounded (by which number) or printed, in the order of the list."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tandem.contract import BANK, Contract
from tandem.contract.auditor_words import CRAFTED
from tandem.contract.words import Language
from tandem.sums.shapes import LEAST_ROWS_A_TOTAL

_PLACE = Path(__file__).with_name("standing.toml")
ABSENT = "absent"
"""Outcome of an attack on something that this contract does not do."""


@dataclass(frozen=True)
class Standing:
    """One attack: its name in the list, what it is, what becomes of it here, and by what."""

    id: str
    title: str
    outcome: str
    says: str


@cache
def _list() -> dict[str, Any]:
    return tomllib.loads(_PLACE.read_text(encoding="utf-8"))


def names() -> tuple[str, ...]:
    """Return the attacks of the list, in its order."""
    return tuple(_list())


def standings(contract: Contract, used: Mapping[str, int], language: Language) -> list[Standing]:
    """Return where each attack stands under a contract. `used`: what was used up of it by counter, as this node's ledger says."""
    numbers, place = _numbers(contract, used), ("en", "zh").index(language)
    holds = _conditions(contract)
    found = []
    for name, line in _list().items():
        title = line["title"][place]
        if contract.kind not in line.get("kinds", (contract.kind,)):
            found.append(Standing(name, title, ABSENT, ""))
            continue
        there = [line, *(instead for condition, instead in line.get("when", {}).items() if holds[condition])][-1]
        says = there.get("says", ("", ""))[place].format_map(numbers)
        found.append(Standing(name, title, there["outcome"], says))
    return found


def _conditions(contract: Contract) -> dict[str, bool]:
    return {
        "solver_bank": contract.solver == BANK, "weights_open": contract.layout.weights == "open", "cover": contract.layout.cover > 1,
        "auditor": contract.auditor is not None,
    }


def _numbers(contract: Contract, used: Mapping[str, int]) -> dict[str, str]:
    caps, layout, auditor = contract.caps, contract.layout, contract.auditor
    counts = {
        "identifiers": caps.identifiers, "asked": used.get("identifiers", 0), "table": caps.table, "roster": caps.roster,
        "cover": layout.cover, "epoch": contract.epoch, "jobs": contract.jobs, "begun": used.get("jobs", 0), "key_bits": layout.key_bits,
        "min_class": layout.min_class, "job_bits": contract.job_bits, "bits": caps.disclosure_bits, "bits_used": used.get("bits", 0),
        "pass_bits": contract.pass_bits, "totals": contract.totals, "rows_a_total": LEAST_ROWS_A_TOTAL,
        "audited": auditor.rows if auditor else 0,
    }
    words = {
        "oprf": contract.telco.oprf_key[:16], "auditor": auditor.name if auditor else "",
        "max_exposure": f"{float(layout.exposure_limit):.0%}",
        "found": f"{1 - auditor.missed(CRAFTED):.1%}" if auditor else "",
    }
    return {**{name: f"{count:,}" for name, count in counts.items()}, **words}
