"""The telco's cover groups: drawn once for a bank, kept, and the same in all its contracts."""

from __future__ import annotations

import asyncio
import re
import stat
from contextlib import closing

import numpy as np
import pytest
from three_parties import make_site, make_telco, paillier_key, run_study, serving

from bank_party import scoring, studies
from bank_party.config import StudyConfig
from bank_party.records import read_scores, write_scores
from tandem.align.identifiers import normalise
from tandem.contract import BANK, TELCO
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.config import read
from tandem.node.ledger_store import Ledger
from telco_party import companions

COVER = {"layout": {"cover": 4}, "caps": {"roster": 400}}


@pytest.fixture
def site(tmp_path):
    return make_site(tmp_path, **COVER)


def hashed(site, contract=None):
    """Start the telco's node anew; return the people of each group as the contract offers them, what it says, and its Subscribers."""
    told = []
    with closing(Ledger(site.folder(TELCO) / "ledger.sqlite")) as ledger:
        telco = make_telco(site, ledger, told.append)
        made = telco._hashed(contract or site.contract)
        ids = np.array(telco._tables.of(site.contract).ids)
    return {frozenset(ids[part]) for part in made.rows.reshape(-1, 4)}, told, made


def another(site, number, **changes):
    return site.amend({"id": f"{number:032x}", **changes})


def edit(site, change):
    path = site.folder(TELCO) / "telco.csv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *change(lines)]) + "\n")


def file_of(site):
    (path,) = (site.folder(TELCO) / "state").glob("companions-*.bin")
    return path


def test_two_contracts_and_a_restart_have_the_same_groups_in_another_order(site):
    first, told, made = hashed(site)
    assert len(first) == 100
    assert told == [
        ("contract 00112233: 100 cover groups of 4: 0 of them lost people and hide a customer among fewer; 0 more lost half or more "
        "and are not offered; 0 people wait for companions"),
    ]
    again, _, same = hashed(site)
    assert again == first
    assert same.tags == made.tags
    assert same.rows.tolist() == made.rows.tolist()
    other, _, anew = hashed(site, another(site, 7))
    assert other == first
    assert anew.rows.tolist() != made.rows.tolist()


def test_another_bank_has_other_groups(site, tmp_path):
    first, *_ = hashed(site)
    other, *_ = hashed(site, another(site, 12).amended({"bank": {"signing_key": "ab" * 32}}))
    assert first != other
    assert len(list((site.folder(TELCO) / "state").glob("companions-*.bin"))) == 2


def test_a_table_that_changes_keeps_companions_and_joiners_make_groups_of_their_own(site):
    first, *_ = hashed(site)
    thinned, broken, *_ = sorted(first, key=sorted)
    leaving = {min(thinned), *sorted(broken)[:2]}
    edit(site, lambda lines: [line for line in lines if line.split(",")[0] not in leaving] + [f"new{i},30,2,a" for i in range(6)])
    second, told, made = hashed(site, another(site, 8, caps={"table": 500}))
    (joined,) = (group for group in second if any(one.startswith("new") for one in group))
    assert len(joined) == 4
    assert all(one.startswith("new") for one in joined)
    assert second == first - {thinned, broken} | {thinned - leaving, joined}
    assert told[0].startswith("contract 00000000: 100 cover groups of 4: 1 of them lost people")
    assert "; 1 more lost half or more and are not offered; 2 people wait for companions" in told[0]
    assert len(made.tags) == 16 * 400
    edit(site, lambda lines: lines + [f"late{i},30,2,a" for i in range(2)])
    third, *_ = hashed(site, another(site, 9, caps={"table": 500}))
    assert third >= second
    (late,) = third - second
    assert {one[:3] for one in late} == {"new", "lat"}


def test_a_seat_that_fell_empty_since_tags_were_made_is_noticed(site):
    """There are as many tags as before; the leaver's would stand for a companion."""
    hashed(site)
    edit(site, lambda lines: lines[1:])
    with pytest.raises(InputError, match="was made of another table"):
        hashed(site)


def test_groups_of_another_size_or_form_for_one_bank_are_refused(site):
    """Rosters under two groupings, laid over each other, would name customers (A9)."""
    hashed(site)
    with pytest.raises(ContractError, match="cover is 3 and identifier text, but for this bank our people are in groups of 4 by text"):
        hashed(site, another(site, 9, layout={"cover": 3}))


def test_another_seed_does_not_quietly_make_new_groups(site):
    hashed(site)
    contract = another(site, 13)
    before = file_of(site).read_bytes()
    with pytest.raises(InputError, match="knows nobody in the table: it was made with another seed"):
        companions.seated([b"p%04d" % i for i in range(400)], contract, bytes(32), site.folder(TELCO) / "state")
    assert file_of(site).read_bytes() == before


def test_the_file_is_private_names_nobody_and_is_checked(site):
    hashed(site)
    path = file_of(site)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    data = path.read_bytes()
    assert not re.search(rb"p\d\d\d\d", data)
    assert len(data.partition(b"\n")[2]) == 400 * 16
    for damaged, message in ((data[:-1], "ends within a group"), (b"else" + data, "damaged or of another version"), (b"", "damaged")):
        disk.write(path, damaged)
        with pytest.raises(InputError, match=message):
            hashed(site)
    disk.write(path, data)
    path.chmod(0o644)
    with pytest.raises(InputError, match="can be read or changed by others"):
        hashed(site)


def test_a_contract_without_cover_makes_no_groups(tmp_path):
    site = make_site(tmp_path)
    with closing(Ledger(site.folder(TELCO) / "ledger.sqlite")) as ledger:
        assert make_telco(site, ledger)._hashed(site.contract).note == ""
    assert not list((site.folder(TELCO) / "state").glob("companions-*.bin"))


def test_tags_beyond_the_cap_are_not_offered(site):
    with pytest.raises(ContractError, match=r"the table has 400 subscribers, caps\.table is 399"):
        hashed(site, another(site, 10, caps={"table": 399, "roster": 399}, layout={"cover": 2}))


def few_customers(site, count):
    path = site.folder(BANK) / "bank.csv"
    path.write_text("\n".join(path.read_text().splitlines()[: count + 1]) + "\n")


def test_under_cover_every_customer_is_scored_with_its_own_points_and_nobody_else_appears(site):
    """A study, then new customers with its card: over gRPC, cover in every roster, and the bank's results speak of its customers alone."""
    few_customers(site, 150)

    async def run():
        async with serving(site) as nodes:
            async with nodes.bank() as conductor:
                trained = await run_study(site, conductor)
            job = nodes.telco._jobs[site.contract.digest]
            card = {"kind": "scoring", "training": trained.model.contract, "card": trained.model.card}
            serving_contract = another(site, 11, **card)
            ids = normalise(trained.prepared.customers.table.ids[20:130], "text")
            async with nodes.bank(serving_contract) as conductor:
                scored = await scoring.score(conductor, trained.model, ids, paillier_key())
            table, served = nodes.telco._tables.of(serving_contract), nodes.telco._jobs[serving_contract.digest]
            return trained, job, served, scored, table, nodes.told[TELCO]

    trained, job, served, scored, table, told = asyncio.run(run())
    assert len(trained.rows) == len(trained.points) == len(trained.hold_out) == len(trained.log_odds["joint"]) == 150
    for one in (job, served):
        assert one.table.rows % 4 == 0
        assert f"roster of {one.table.rows}" in " ".join(told)
    assert 300 < job.table.rows <= 400
    assert 110 < served.table.rows < job.table.rows
    place = {value: row for row, value in enumerate(table.ids)}
    codes = job.cuts.code(table, np.array([place[trained.prepared.customers.table.ids[row]] for row in trained.rows]))
    by_bin = np.split(np.array(trained.model.points) * site.contract.layout.card_step, np.cumsum(codes.bins)[:-1])
    assert trained.points.tolist() == sum(part[codes.codes[:, j]] for j, part in enumerate(by_bin)).tolist()
    known = dict(zip(trained.rows.tolist(), trained.points.tolist(), strict=True))
    assert [known[row + 20] for row in scored.rows] == scored.points.tolist()
    write_scores(site.folder(BANK) / "scores.csv", trained)
    scores = read_scores(site.folder(BANK) / "scores.csv")
    assert scores.matched.all()
    assert len(scores.ids) == 150


def test_a_look_under_cover_counts_customers_alone(site):
    few_customers(site, 150)

    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            config = read(site.study, StudyConfig)
            prepared = studies.prepare(config, site.contract)
            seed = site.parties[BANK].keys.seed
            begun = []
            looked = await studies.look(
                config, site.contract, prepared, conductor, seed, paillier_key(), lambda *stage: begun.append(stage)
            )
            return looked, begun

    looked, begun = asyncio.run(run())
    assert looked.matched == 150
    assert all(sum(one.counts) < 150 for one in looked.described)
    assert dict(begun)["describe"] > 300  # what is sealed, and what the progress bar counts
