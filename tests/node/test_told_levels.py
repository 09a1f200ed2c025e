"""A study, then new customers scored from another table of the telco, with levels told: both drivers, cut off and gone on."""

from __future__ import annotations

import asyncio
import csv
import tomllib
from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from both_drivers import LoopbackStage
from three_parties import Cut, dies_at, make_job, make_site, make_telco, paillier_key, run_study, serving, tables

from bank_party import models, scoring
from bank_party.conduct import Conductor
from bank_party.config import StudyConfig
from tandem.arguments import Seeded
from tandem.contract import BANK, TELCO
from tandem.engine.serial import Serial
from tandem.errors import ContractError, InputError, Malformed, OutOfTurn
from tandem.node import disk, kept
from tandem.node.casting import VERSION
from tandem.node.config import read
from tandem.node.ledger_store import Ledger
from tandem.score.statement import roster_digest
from tandem.session.tap import untapped
from tandem.tables import Binning, Table, WoeCoding
from tandem.wire.codec import Frame
from tandem.wire.messages import Opening

TELLS = [{"name": "benefit", "levels": ["eat", "play", "shop"]}, {"name": "activity", "levels": ["low", "high"]}]
BENEFITS, ACTIVITIES = ("eat", "play", "shop", "", "fly"), ("low", "high")
BITS = 9 + 2 + 2
ROSTER = np.arange(5, 305)


def level(person, names):
    return names[int(person[1:]) % len(names)]


def later(change=lambda person, cells: cells):
    """Return the telco's table of a later month: the card's columns in another order, others beside them, a plan never seen before."""
    rows = ["phone,benefit,plan,extra,days,calls,activity"]
    for line in tables()[1].splitlines()[1:]:
        person, calls, days, plan = line.split(",")
        plan = "new" if int(person[1:]) % 50 == 0 else plan
        cells = [person, level(person, BENEFITS), plan, "7", days, calls, level(person, ACTIVITIES)]
        rows.append(",".join(change(person, cells)))
    return "\n".join(rows) + "\n"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    site = make_site(tmp_path_factory.mktemp("told"))

    async def study():
        async with serving(site) as nodes, nodes.bank() as conductor:
            return await run_study(site, conductor)

    made = asyncio.run(study())
    made.model.save(site.folder(BANK) / "model.json")
    study = tomllib.loads(site.study.read_text())
    study |= {"model": "model.json", "label": ""}
    study["table"]["drop"] = ["label"]
    disk.write(site.study, tomli_w.dumps(study).encode())
    path = site.folder(TELCO) / "node.toml"
    node = tomllib.loads(path.read_text())
    node["tables"] = {"later": {"source": "later.csv", "id": "phone", "contracts": ["ffff0000"]}}
    disk.write(path, tomli_w.dumps(node).encode())
    (site.folder(TELCO) / "later.csv").write_text(later())
    return site, made.model


@pytest.fixture
def site(trained):
    """The trained site under a scoring contract of its own, with both tables as they were."""
    made, model = trained
    site.number += 1
    training = made.contract
    made.amend({
        "id": f"ffff0000{site.number:024x}", "kind": "scoring", "card": model.card, "training": training.digest.hex(), "tells": TELLS,
        "caps": {"disclosure_bits": 2 * BITS + 8, "trainings": 9, "identifiers": 3600},
    })
    (made.folder(BANK) / "bank.csv").write_text(tables()[0])
    yield made
    made.contract = training
    (made.folder(TELCO) / "later.csv").write_text(later())


site.number = 0


async def score(site, conductor):
    model, table, ids = scoring.prepare(read(site.study, StudyConfig), site.contract)
    return model, table, await scoring.score(conductor, model, ids, paillier_key())


def written(site, model, table, scored):
    path = site.folder(BANK) / "scored.csv"
    scoring.write(path, model, table, scored, site.contract)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(entries):
    return {(one.to, one.what, one.bits) for entry in entries for one in entry.disclosed}


def test_levels_of_scored_people_come_into_the_banks_file_and_both_ledgers(site):
    async def run():
        async with serving(site) as nodes, nodes.bank(chance=Seeded(b"job")) as conductor:
            found = await score(site, conductor)
            used = nodes.ledgers[TELCO].used(site.contract.digest.hex(), "bits")
            entries = [one for one in nodes.ledgers[TELCO].entries() if one.contract == site.contract.digest.hex()]
            return found, nodes.told[TELCO], used, entries, nodes.frames

    (model, table, scored), lines, used, entries, frames = asyncio.run(run())
    rows = written(site, model, table, scored)
    assert list(rows[0]) == ["row", "id", "matched", "probability", "bank_probability", "telco_points", "benefit", "activity"]
    known = {person["id"] for person in rows if person["matched"] == "1"}
    assert 0 < len(known) < len(rows)
    for one in rows:
        benefit, activity = level(one["id"], BENEFITS), level(one["id"], ACTIVITIES)
        expected = (benefit if benefit in {"eat", "play", "shop"} else "", activity) if one["id"] in known else ("", "")
        assert (one["benefit"], one["activity"]) == expected
    assert used == BITS
    assert (BANK, "levels", 4) in told(entries)
    assert (BANK, "scores", 9) in told(entries)
    payloads = [seen for party, seen in frames if party == TELCO and seen.kind == "Told"]
    assert len(payloads) == 2
    sizes = {len(Frame.from_bytes(seen.frame).payload) for seen in payloads}
    assert max(sizes) < len(known) + 10, "a byte a scored person, and nobody else's"
    assert [line for line in lines if f"of {len(known)} rows hold a level that the card's t03 has no bin for" in line]
    none = sum(level(person, BENEFITS) in {"", "fly"} for person in known)
    assert [line for line in lines if f"a column told of {len(known)} people, {none} of them with none of its levels" in line]
    assert not [line for line in lines if "benefit" in line or "plan" in line or "p0" in line]


def test_an_unknown_level_is_coded_as_the_frozen_cuts_say(site):
    """The same people with a plan that the card does not list, or an empty one where that is the rest, score as its rest bin does."""
    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            await score(site, conductor)
            job = nodes.telco._jobs[site.contract.digest]
            return job, nodes.telco._tables.of(site.contract), nodes.telco._hashed(site.contract).rows

    job, table, rows = asyncio.run(run())
    binning = job.cuts.binnings[2]
    roster = rows[job.standing.roster]
    new = [place for place, row in enumerate(roster) if table.column("plan")[row] == "new"]
    assert len(new) > 3
    assert job.table.codes[new, 2].tolist() == [binning.rest_code] * len(new)
    assert table.names.index("plan") != job.cuts.columns.index("plan")


def test_both_drivers_give_the_same_told_frames(site, tmp_path):
    def payloads(frames):
        return [seen.frame for party, seen in frames if seen.script == "tell" and party == BANK]

    async def over_grpc():
        async with serving(site) as nodes, nodes.bank(chance=Seeded(b"job")) as conductor:
            return (await score(site, conductor))[2], nodes.frames

    async def in_one_process():
        frames = []
        with ExitStack() as stack:
            ledgers = {role: stack.enter_context(Ledger(tmp_path / f"{role}.sqlite")) for role in (BANK, TELCO)}
            stage = LoopbackStage(
                site.contract, {TELCO: make_telco(site, ledgers[TELCO])}, lambda party: lambda seen: frames.append((party, seen))
            )
            job = make_job(site, ledgers[BANK], chance=Seeded(b"job"))
            return (await score(site, Conductor(stage, site.contract, Serial(), Seeded(b"bank"), lambda _: untapped, job)))[2], frames

    (one, outside), (two, inside) = asyncio.run(over_grpc()), asyncio.run(in_one_process())
    assert one.levels.tolist() == two.levels.tolist()
    assert payloads(outside) == payloads(inside) != []


def test_a_scoring_that_breaks_off_is_gone_on_with_and_pays_once(site):
    async def play(point, *, afresh):
        async with serving(site) as nodes, nodes.bank(seed=str(point).encode(), afresh=afresh) as conductor:
            if point:
                dies_at(conductor, *point, sent=False)
                with pytest.raises(Cut):
                    await score(site, conductor)
            else:
                assert conductor.job.resumed == ("align", "serve")
                await score(site, conductor)
                conductor.job.end()
            return nodes.ledgers[TELCO].used(site.contract.digest.hex(), "bits")

    assert asyncio.run(play(("serve", 0, "Closing"), afresh=True)) == 9
    assert asyncio.run(play(("tell", 1, "Told"), afresh=False)) == BITS
    assert asyncio.run(play(("tell", 1, "Closing"), afresh=False)) == BITS
    assert asyncio.run(play(None, afresh=False)) == BITS


class Node:
    """The telco alone, as a bank that cheats would call it."""

    def __init__(self, site):
        self.site, self.ledger, self.attempt, self.job = site, Ledger(site.folder(TELCO) / "ledger.sqlite"), 0, b"%016d" % site_number(site)
        self.telco = make_telco(site, self.ledger)

    def cast(self, script, stage=0, **changes):
        self.attempt += 1
        opening = Opening(VERSION, script, stage, ("rows",), (300,), roster_digest(ROSTER), self.job, self.attempt)
        return self.telco.cast(self.site.contract, bytes(16), replace(opening, **changes))

    def align(self, roster=ROSTER):
        self.cast("align", size_names=("ids",), sizes=(360,), roster=b"").finish(roster)

    def used(self):
        return self.ledger.used(self.site.contract.digest.hex(), "bits")

    def close(self):
        self.ledger.close()


def site_number(made):
    return int(made.contract.id[8:], 16)


def test_nothing_is_told_before_it_is_scored_nor_of_another_roster_and_each_job_pays_once(site):
    with closing(Node(site)) as node:
        node.align()
        with pytest.raises(OutOfTurn, match="score them first"):
            node.cast("tell", 1)
        assert node.used() == 0
        node.cast("serve")
        for other in ({"roster": roster_digest(ROSTER + 1)}, {"sizes": (299,)}, {"sizes": (301,)}, {"size_names": ("ids",)}):
            with pytest.raises(OutOfTurn):
                node.cast("tell", 1, **other)
        for script, stage in (("serve", 1), ("tell", 0), ("tell", 2)):
            with pytest.raises(OutOfTurn, match=f"{script} as stage {stage}"):
                node.cast(script, stage)
        assert node.used() == 9
        for _ in range(3):
            cast = node.cast("tell", 1)
            assert (cast.role, node.used()) == ("holder", BITS)


def test_the_cap_on_bits_holds_before_anything_is_told(site):
    """Without the told bits three jobs of nine would fit; with them two do."""
    assert site.contract.jobs == 2
    with closing(Node(site)) as node:
        for number in range(2):
            node.job = b"%016d" % (1000 * site_number(site) + number)
            node.align()
            node.cast("serve")
            node.cast("tell", 1)
        assert node.used() == 2 * BITS
        node.job = b"%016d" % (1000 * site_number(site) + 2)
        with pytest.raises(ContractError, match="3 jobs would have been begun"):
            node.align()


def test_a_contract_that_names_no_column_tells_none(site):
    site.amend({"tells": []})
    with closing(Node(site)) as node:
        node.align()
        node.cast("serve")
        with pytest.raises(ContractError, match="nothing else can be done under it"):
            node.cast("tell", 1)
        assert node.used() == 9


def test_levels_that_changed_since_the_alignment_are_not_told(site):
    with closing(Node(site)) as node:
        node.align()
        node.cast("serve")
    path = site.folder(TELCO) / "later.csv"
    path.write_text(later(lambda _, cells: [*cells[:-1], "low"]))
    with closing(Node(site)) as node:
        node.attempt = 10
        with pytest.raises(InputError, match=r"later\.csv is not the table that job .* was aligned on"):
            node.cast("tell", 1)
        assert node.used() == 9


@pytest.mark.parametrize(("change", "why"), [
    (lambda _, cells: [*cells[:2], "5", *cells[3:]], "variable t03 holds numbers and was cut as text"),
    (lambda _, cells: [*cells[:-2], "many", cells[-1]], "variable t01 holds text and was cut as numbers"),
    (lambda _, cells: [cells[0], "5", *cells[2:]], "'benefit' holds numbers, the contract names its levels"),
    (lambda _, cells: [cells[0], "x", *cells[2:]], "'benefit': none of 400 rows has a level"),
])
def test_a_column_of_another_type_or_of_other_levels_is_a_clear_error(site, change, why):
    (site.folder(TELCO) / "later.csv").write_text(later(change))
    with closing(Node(site)) as node, pytest.raises(InputError, match=why):
        node.align()


def test_a_told_column_that_the_table_lacks_is_said_at_the_start(site):
    site.amend({"tells": [{"name": "tariff", "levels": ["a", "b"]}]})
    with closing(Node(site)) as node, pytest.raises(InputError, match="there is no column 'tariff'"):
        node.telco.prepare()


def test_a_column_of_the_card_that_the_table_lacks(site):
    path = site.folder(TELCO) / "later.csv"
    path.write_text(later().replace("days", "nights"))
    with closing(Node(site)) as node, pytest.raises(InputError, match="there is no column 'days'"):
        node.align()


def test_the_bank_refuses_a_model_of_another_card_and_a_told_name_that_its_file_has(site):
    config = read(site.study, StudyConfig)
    card = site.contract.card
    for other in ({"card": "22" * 32}, {"training": "33" * 32}):
        site.amend(other)
        with pytest.raises(ContractError, match=r"names another card or training than model\.json"):
            scoring.prepare(config, site.contract)
        site.amend({"card": card, "training": models.load(site.folder(BANK) / "model.json").contract})
    site.amend({"tells": [{"name": "probability", "levels": ["a", "b"]}]})
    with pytest.raises(ContractError, match=r"tells names probability, which scored\.csv has already"):
        scoring.prepare(config, site.contract)


def test_the_bank_refuses_a_model_of_another_version(site):
    path = site.folder(BANK) / "model.json"
    whole = path.read_bytes()
    try:
        kept.write(path, {**kept.read(path), "version": 1})
        with pytest.raises(InputError, match="is no bank model of version 2"):
            scoring.prepare(read(site.study, StudyConfig), site.contract)
    finally:
        disk.write(path, whole)


def test_a_telco_whose_levels_are_beyond_the_contract_is_refused(site):
    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            code = nodes.telco._code

            def crafted(*given):
                job = code(*given)
                return replace(job, levels=(job.levels[0] + 4, job.levels[1]))

            nodes.telco._code = crafted
            with pytest.raises(Malformed, match="a level beyond the 3 that the contract names"):
                await score(site, conductor)

    asyncio.run(run())


def customers(site, change):
    """Change cells of the bank's file: phone, age, limit, label."""
    path = site.folder(BANK) / "bank.csv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *(",".join(change(number, line.split(","))) for number, line in enumerate(lines))]) + "\n")


def test_a_column_of_the_banks_of_another_type_is_a_clear_error(site):
    customers(site, lambda number, cells: [cells[0], "old" if number == 4 else cells[1], *cells[2:]])
    with pytest.raises(InputError, match=r"'age'.*row"):
        scoring.prepare(read(site.study, StudyConfig), site.contract)


def test_levels_that_the_banks_model_does_not_list_are_counted_and_coded_as_the_rest(site):
    model = models.load(site.folder(BANK) / "model.json")
    binning = Binning("b02", "levels", levels=("x", "y"), rest=True)
    listed = replace(model, codings=(model.codings[0], WoeCoding("branch", binning, (0.5, -0.5, 0.25))))
    branch = np.array(["x", "new", None, "newer", "y"], dtype=object)
    table = Table(list("abcde"), {"age": np.ones(5), "branch": branch})
    assert list(scoring.unlisted(listed, table)) == [
        "column 'branch': 2 of 5 rows hold a level that the model has no bin for: coded as the rest"
    ]
    assert listed.design(table)[:, 2].tolist() == [0.5, 0.25, 0.25, 0.25, -0.5]
    assert list(scoring.unlisted(model, Table(list("abc"), {"age": np.ones(3), "limit": np.ones(3)}))) == []
