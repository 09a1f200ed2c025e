"""Measuring a campaign under a measurement contract: customers and results in, measured.json and a table out.

Every customer of the study's table is asked about, whoever was contacted: a roster of those alone would tell the telco who they are.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table as Shown

from bank_party import studies
from bank_party.conduct import Conductor
from bank_party.config import StudyConfig
from bank_party.jobs import fingerprint
from bank_party.load import load
from bank_party.party import Party
from bank_party.results import Results, read_results
from tandem.align.identifiers import Identifiers, normalise
from tandem.contract import Contract
from tandem.contract.measurement import Measurement
from tandem.crypto.opening import SecretKey
from tandem.engine.pool import Pool
from tandem.errors import ContractError, InputError
from tandem.measure import sealer
from tandem.measure.terms import Terms
from tandem.measure.withholding import WITHHELD, Told
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.ledger_store import Ledger
from tandem.sums.terms import Integers
from tandem.tables import Table

NONE = {"en": "none of them", "zh": "均不是"}
REST = {"en": "rest", "zh": "其余"}
"""How a told level is called that stands for several."""
_WORDS: Mapping[str, Mapping[str, Any]] = {
    "en": {
        "matched": "{matched} of {asked} customers matched; {measured} of {results} people in the results are among them",
        "unknown": "{} people in the results are not in the study's table, and are not counted",
        "apart": "{} people were not contacted, and came to the end of the funnel or spent all the same: they are not counted",
        "exposed": "Everybody asked about was contacted: the roster alone tells the telco so. Ask about more customers than these.",
        "group": "group", "merged": "{rest}: {names}",
        "note": "-: withheld, for it would speak of few people", "slots": {},
    },
    "zh": {
        "matched": "{asked} 位客户中匹配 {matched} 位；结果中的 {results} 人有 {measured} 人在其中",
        "unknown": "结果中有 {} 人不在研究的表中，未计入",
        "apart": "有 {} 人未被联系，但自行达到漏斗末端或有消费：未计入",
        "exposed": "所询问的每一位都被联系过：仅凭名册，运营商即可得知。请询问更多客户。",
        "group": "组别", "merged": "{rest}：{names}",
        "note": "-：人数过少，不予公布",
        "slots": {
            "contacted": "联系", "responded": "响应", "applied": "申请", "approved": "批准", "first_card": "首卡", "activated": "激活",
        },
    },
}


@dataclass(frozen=True)
class Prepared:
    """What is read before anybody is called. `of`: for each identifier asked, the row of its outcomes, or -1 for a person of no results."""

    asked: Measurement
    customers: Table
    ids: Identifiers
    results: Results
    of: Integers = field(repr=False)

    @property
    def unknown(self) -> int:
        """People in the results who are not in the table."""
        return len(self.results.ids) - int((self.of >= 0).sum())

    @property
    def exposed(self) -> bool:
        """Whether everybody asked about was contacted."""
        contacted = self.results.outcomes.sum(axis=1) > 0
        return bool((self.of >= 0).all() and contacted[self.of].all())


@dataclass(frozen=True)
class Measured:
    """What a measurement ends with."""

    matched: int
    people: int
    """Of these, people with results."""
    told: tuple[Told, ...]


def prepare(config: StudyConfig, contract: Contract) -> Prepared:
    """Read customers and results. Raises InputError for bad input, ContractError where they do not fit the contract."""
    if contract.measurement is None:
        use = {"training": "train", "scoring": "score"}[contract.kind]
        raise ContractError(f"contract {contract.id} is for {contract.kind}: use `tandem bank {use}`")
    source = config.table
    customers = load(source, config.folder).table
    ids = normalise(customers.ids, contract.identifier, source.keep, drop_bad=source.drop_bad)
    if len(ids) > contract.caps.identifiers:
        raise ContractError(f"contract {contract.id}: {len(ids)} customers, caps.identifiers is {contract.caps.identifiers}")
    results = read_results(config, contract, contract.measurement)
    place = {value: row for row, value in enumerate(results.ids)}
    of = np.array([place.get(value, -1) for value in ids.values], dtype=np.int64)
    if not (of >= 0).any():
        raise InputError(f"{config.results}: nobody of {len(results.ids)} is in {source.source}: are identifiers written in one form?")
    return Prepared(contract.measurement, customers, ids, results, of)


def inputs(prepared: Prepared) -> bytes:
    """Return the digest of what a job is begun with."""
    results = prepared.results
    return fingerprint(prepared.ids, prepared.customers, b"".join(results.ids), results.groups, results.outcomes)


async def measure(prepared: Prepared, conductor: Conductor, secret: SecretKey, watch: Callable[[str, int], None]) -> Measured:
    """Align and measure. Raises what goes wrong."""
    watch("align", len(prepared.ids))
    found = await conductor.align(prepared.ids.values)
    of = prepared.of[found.rows]
    outcomes = np.where(of[:, None] >= 0, prepared.results.outcomes[of], 0)
    rows = sealer.Rows(outcomes, found.places, len(found.positions))
    try:
        sealer.require_people(rows, Terms.of(conductor.contract))
    except InputError:
        conductor.job.end()  # it would stop here again
        raise
    watch("measure", rows.count)
    heard = await conductor.measure(secret, rows, found.positions)
    return Measured(len(of), int((of >= 0).sum()), heard.told)


def facts(contract: Contract, prepared: Prepared, measured: Measured, language: str = "en") -> dict[str, Any]:
    """Return measured.json: counts alone, null where withheld."""
    segments = []
    for segment, told in zip(prepared.asked.segments, measured.told, strict=True):
        named = (*segment.levels, NONE[language])
        levels, merged = [], []
        for codes, counts in zip(told.codes, told.counts, strict=True):
            names = [named[code] for code in codes]
            merged += names if len(names) > 1 else []
            people = None if (counts[:, 0] == WITHHELD).any() else int(counts[:, 0].sum())
            groups = [
                {"group": name} | {slot: None if n == WITHHELD else int(n) for slot, n in zip(prepared.asked.slots, row, strict=True)}
                for name, row in zip(prepared.results.groups, counts, strict=True)
            ]
            levels.append({"level": names[0] if len(names) == 1 else REST[language], "people": people, "groups": groups})
        segments.append({"name": segment.name, "levels": levels, "merged": merged})
    return {
        "contract": contract.digest.hex(), "asked": len(prepared.ids), "matched": measured.matched, "results": len(prepared.results.ids),
        "measured": measured.people, "unknown": prepared.unknown, "apart": prepared.results.apart, "segments": segments,
    }


def show(console: Console, found: dict[str, Any], prepared: Prepared, language: str) -> None:
    """Print what measured.json says, a table a segment."""
    words = _WORDS[language]
    console.print(words["matched"].format_map(found))
    for what in ("unknown", "apart"):
        if found[what]:
            console.print(f"[yellow]{words[what].format(found[what])}[/yellow]")
    for segment in found["segments"]:
        table = Shown(segment["name"], words["group"], box=None, pad_edge=False, padding=(0, 1, 0, 0))
        for slot in prepared.asked.slots:
            table.add_column(words["slots"].get(slot, slot.replace("_", " ").replace("spend ", "spend >=")), justify="right")
        for level in segment["levels"]:
            for first, group in zip(chain((level["level"],), repeat("")), level["groups"], strict=False):
                numbers = ("-" if group[slot] is None else str(group[slot]) for slot in prepared.asked.slots)
                table.add_row(first, group["group"], *numbers)
        console.print(table)
        if segment["merged"]:
            console.print(words["merged"].format(rest=REST[language], names=", ".join(segment["merged"])), style="dim")
    console.print(words["note"], style="dim")


def measure_command(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study's configuration, TOML.")],
    afresh: Annotated[bool, typer.Option("--afresh", help="Begin a new job, and forget one that was cut off.")] = False,  # noqa: FBT002 - a switch
) -> None:
    """Count a campaign's outcomes by the telco's segments; write measured.json.

    The telco learns no group, no outcome and not who was contacted. Example: tandem bank measure bank/measure.toml
    """
    party = Party.open(study)
    console = Console()
    prepared = prepare(party.config, party.contract)
    if prepared.exposed:
        console.print(f"[yellow]{_WORDS[party.config.lang]['exposed']}[/yellow]")
    with Ledger(party.config.ledger_place) as ledger, Pool(party.config.workers) as pool, party.alone():
        secret = studies.secret_key(party.state, party.contract, System())
        with party.watching(console, secret) as watching:
            job = party.job("measure", inputs(prepared), ledger, watching, afresh=afresh)

            async def run(conductor: Conductor) -> Measured:
                return await measure(prepared, conductor, secret, watching.begin)

            measured = asyncio.run(party.converse(run, job, ledger, pool, watching.tap))
        found = facts(party.contract, prepared, measured, party.config.lang)
        out = party.config.at(party.config.out)
        disk.make_private_folder(out)
        disk.write(out / "measured.json", json.dumps(found, ensure_ascii=False, indent=1).encode())
        job.end()
    show(console, found, prepared, party.config.lang)
    console.print(f"written to {out / 'measured.json'}", soft_wrap=True)
