"""A campaign before it is sent: pool, groups, benefits and segments, as facts and as the list of contacts."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bank_party import power
from bank_party.campaign import benefits, segments
from bank_party.campaign.config import LEVELS, SEGMENTS, CampaignConfig
from bank_party.campaign.groups import GROUPS, Group, Name, draw
from bank_party.campaign.pool import Calibrated, Mask, People, calibrated, pool, read_people
from bank_party.campaign.recalibration import Recalibration
from bank_party.campaign.words import WORDS
from bank_party.evaluation import Interval
from bank_party.history.output import beside
from bank_party.records import read_facts
from tandem.arguments import Chance, Seeded
from tandem.errors import InputError
from tandem.node import disk
from tandem.sums.terms import Integers, Reals

CONTACTS = ("phone", "group", "benefit", "segment", "probability", "bank_probability")
DECK = {"auc_train": 0.81, "auc_test": 0.79, "pool_share": 0.20, "low_over_control": 0.20, "high_over_control": 2.0}
"""Figures of the source deck, to be looked at beside ours."""
MOST_CONTROL = 3
"""The control group takes at most one in so many, unless its size is given: it is drawn first, and the model groups need people too."""


@dataclass(frozen=True)
class Plan:
    """What was drawn. customers, dormant: of the bank, phone or not. held: rows of a model group that are not contacted, by group."""

    config: CampaignConfig
    customers: int
    dormant: int
    calibrated: Calibrated = field(repr=False)
    candidates: Mask = field(repr=False)
    baseline: float
    needed: int
    groups: list[Group]
    held: Mapping[Name, Integers] = field(repr=False)
    segmented: segments.Segmented = field(repr=False)

    @property
    def people(self) -> People:
        """Everybody who was scored."""
        return self.calibrated.people

    def contacted(self, group: Group) -> Integers:
        """Return the rows of a group that are contacted."""
        return np.setdiff1d(group.rows, self.held[group.name])

    def write(self, out: Path) -> None:
        """Write contacts.csv, heldback.csv if anybody is, and plan.json (0600). Raises InputError over other contacts than these."""
        disk.make_private_folder(out)
        contacts = self._rows({group.name: self.contacted(group) for group in self.groups})
        path = out / "contacts.csv"
        if path.exists() and disk.read_private(path) != contacts:
            raise InputError(f"{path} holds other contacts, which may have been sent: move it away, or name another folder in out")
        disk.write(path, contacts)
        if self.config.sizes.holdback:
            disk.write(out / "heldback.csv", self._rows(self.held))
        disk.write(out / "plan.json", json.dumps(self.facts(), ensure_ascii=False, indent=1).encode())

    def facts(self) -> dict[str, Any]:
        """Return the facts of campaign.json that are known before anything is sent."""
        config, people, words = self.config, self.people, WORDS[self.config.lang]
        control = words["control_rule"]
        cells = self.segmented.counts(people, self.candidates)
        sizes = {group.name: len(self.contacted(group)) for group in self.groups}
        return {
            "format": 1, "name": config.name, "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), "synthetic": config.synthetic,
            "lang": config.lang, "as_of": config.as_of.isoformat(),
            "population": {
                "customers": self.customers, "dormant": self.dormant, "matched": int(people.scoreable.sum()),
                "pool": int(self.candidates.sum()), "pool_share": int(self.candidates.sum()) / self.customers,
            },
            "rule": {"threshold": config.threshold, "pool_floor": config.pool_floor, "control": control},
            "calibration": {"joint": _recalibrated(self.calibrated.joint), "bank_only": _recalibrated(self.calibrated.alone)},
            "power": {
                "baseline": self.baseline, "detect": config.sizes.detect, "level": config.sizes.level, "power": config.sizes.power,
                "needed": self.needed, "rows": [
                    {"group": name, "size": sizes[name], "detectable": power.detectable(
                        self.baseline, sizes[name], sizes["control"], config.sizes.level, config.sizes.power,
                    )} for name in GROUPS if name != "control"
                ],
            },
            "groups": [
                self._group(group, words[f"rule_{group.name}"].format(control=control, threshold=config.threshold)) for group in self.groups
            ],
            **self._benefits(),
            "segments": self._segments(cells),
            "segment_map": {
                "rows": list(LEVELS), "columns": list(LEVELS), "people": cells, "segment": [list(row) for row in config.segments.map],
            },
            "cutoffs": {"own_low": self.segmented.own_low, "own_high": self.segmented.own_high},
            "deck": DECK,
        }

    def _rows(self, chosen: Mapping[Name, Integers]) -> bytes:
        people, text = self.people, io.StringIO()
        writer = csv.writer(text)
        writer.writerow(CONTACTS)
        for name, rows in chosen.items():
            for row in rows.tolist():
                likely = (f"{people.probability[row]:.6f}", f"{people.bank_probability[row]:.6f}")
                writer.writerow((people.ids[row], name, benefits.matched(people, row, name), self.segmented.names[row], *likely))
        return text.getvalue().encode()

    def _group(self, group: Group, rule: str) -> dict[str, Any]:
        rows, people = self.contacted(group), self.people
        return {
            "name": group.name, "rule": rule, "available": group.available, "size": len(rows), "held_back": len(self.held[group.name]),
            "mean_probability": _mean(people.probability[rows]), "mean_bank_probability": _mean(people.bank_probability[rows]),
            "mean_payments": _mean(people.payments[rows]), "mean_amount": _mean(people.amount[rows]),
        }

    def _benefits(self) -> dict[str, Any]:
        """Return the benefits of the model groups' contacts; who was told nothing has the default, and is counted apart."""
        given = Counter(self.people.benefit[row] for group in self.groups if group.name != "control" for row in self.contacted(group))
        whole = given.total()
        listed = [{"name": name, "people": given[name], "share": _share(given[name], whole)} for name in self.config.benefits.names]
        return {"benefits": listed, "not_told": given[""], "default_benefit": self.config.benefits.default}

    def _segments(self, cells: list[list[int]]) -> list[dict[str, Any]]:
        """Return the pool's people by segment, the shares of those whose level was told."""
        counts: Counter[str] = Counter()
        for names, row in zip(self.config.segments.map, cells, strict=True):
            for name, count in zip(names, row, strict=True):
                counts[name] += count
        return [
            {"name": name, "people": counts[name], "share": _share(counts[name], counts.total()), "deck_low": segments.DECK[name][0],
             "deck_high": segments.DECK[name][1]} for name in SEGMENTS
        ]


def plan(config: CampaignConfig) -> Plan:
    """Draw the campaign: nothing is written. Raises InputError for input that is wrong, or a group that is empty."""
    known = calibrated(read_people(config), config)
    people, sizes = known.people, config.sizes
    candidates = pool(people, config.pool_floor)
    if not candidates.any():
        raise InputError(f"nobody has a probability of {config.pool_floor:g} or more: lower pool_floor")
    baseline = known.base_rate if sizes.baseline is None else sizes.baseline
    needed = power.needed(baseline, sizes.detect, sizes.level, sizes.power).group
    # as many more are drawn as are held back, so that the contacted are as many as are needed
    model = int(np.ceil(needed / (1.0 - sizes.holdback)))
    ruled = min(needed, max(1, int(people.contactable.sum()) // MOST_CONTROL))
    wanted: dict[Name, int] = {"control": sizes.control or ruled, "low": sizes.low or model, "high": sizes.high or model}
    chance = Seeded(config.seed.to_bytes(16, "big")).fork("campaign", config.name)
    groups = draw(people, candidates, config.threshold, wanted, chance.fork("groups"))
    shares = {group.name: 0.0 if group.name == "control" else sizes.holdback for group in groups}
    held = {group.name: _held(group, shares[group.name], chance.fork("held", group.name)) for group in groups}
    segmented = segments.segmented(people, candidates, config.segments)
    return Plan(config, *_population(config, len(people)), known, candidates, baseline, needed, groups, held, segmented)


def _held(group: Group, share: float, chance: Chance) -> Integers:
    lots = np.random.Generator(np.random.PCG64(int.from_bytes(chance.draw(32), "big")))
    return np.sort(lots.permutation(group.rows)[: int(share * group.size)])


def _population(config: CampaignConfig, rows: int) -> tuple[int, int]:
    """Return how many customers the bank has, and with a dormant card. Raises InputError where nobody says it, or too few for the table."""
    if config.customers is not None:
        customers, dormant = config.customers, rows
    else:
        path = beside(config.at(Path(config.table.source)))
        if not path.exists():
            raise InputError(f"how many customers the bank has is not known: {path} is not there; add customers = ... to the campaign")
        facts = read_facts(path)
        if facts.get("as_of") != config.as_of.isoformat():
            raise InputError(f"the campaign's as_of is {config.as_of}, and {path} says {facts.get('as_of')}: name the table of that date")
        customers, dormant = int(facts["counts"]["customers"]), int(facts["counts"]["dormant"])
    if not customers >= dormant >= rows:
        raise InputError(f"{customers} customers, {dormant} dormant, and {rows} rows in {config.table.source}: correct customers")
    return customers, dormant


def _recalibrated(one: Recalibration) -> dict[str, Any]:
    def shown(interval: Interval) -> dict[str, float]:
        return interval._asdict()

    return {"slope": shown(one.slope), "level": shown(one.level), "rows": one.rows, "applied": one.applied}


def _mean(values: Reals) -> float | None:
    there: Iterable[float] = values[~np.isnan(values)]
    found = np.fromiter(there, np.float64)
    return float(found.mean()) if len(found) else None


def _share(count: int, whole: int) -> float | None:
    return count / whole if whole else None
