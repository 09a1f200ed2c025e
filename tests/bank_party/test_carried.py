"""A study that names an earlier model: its columns as they were coded, the variables that it kept, coefficients anew."""

from __future__ import annotations

import asyncio
import tomllib
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from three_parties import make_site, run_study, serving

from bank_party import carried, coding, models, studies
from bank_party.config import StudyConfig
from bank_party.jobs import fingerprint
from tandem.contract import BANK
from tandem.describe.woe import Rule
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.config import read
from tandem.tables import Table


def trained(site):
    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            return await run_study(site, conductor)

    return asyncio.run(run())


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return a site and what its first study, which kept two of three variables, ended with."""
    site = make_site(tmp_path_factory.mktemp("site"))
    change(site, choice={"keep": ["t01", "t03"]})
    done = trained(site)
    done.model.save(site.folder(BANK) / "v1.json")
    change(site, choice={}, earlier="v1.json")
    return site, done


def change(site, **fields):
    study = tomllib.loads(site.study.read_text()) | fields
    disk.write(site.study, tomli_w.dumps({name: value for name, value in study.items() if value != {}}).encode())


def prepared(site, **fields):
    config = read(site.study, StudyConfig).model_copy(update=fields)
    return studies.prepare(config, site.contract), config


def test_coding_and_choice_are_the_earlier_models_and_coefficients_are_not(first):
    site, before = first
    path = site.folder(BANK) / "bank.csv"
    old = path.read_text()
    lines = old.splitlines()
    # New outcomes, columns in another order, and one more that the earlier model did not have.
    rng = np.random.default_rng(2)
    cells = [line.split(",") for line in lines[1:]]
    flipped = [int(one[3]) if rng.random() < 0.8 else 1 - int(one[3]) for one in cells]
    rows = [f"{limit},{i % 3},{phone},{age},{flipped[i]}" for i, (phone, age, limit, _) in enumerate(cells)]
    path.write_text("\n".join(["limit,group,phone,age,label", *rows]) + "\n")
    try:
        after = trained(site)
    finally:
        path.write_text(old)
    assert after.model.codings == before.model.codings
    assert after.model.aliases == before.model.aliases == ("t01", "t03")
    assert after.model.theta != before.model.theta
    table = after.prepared.customers.table
    assert list(table.columns) == ["age", "limit"]
    assert after.log_odds["bank_only"] == pytest.approx(after.model.alone_log_odds(table.take(after.rows)))
    # The report's counts are of the new training rows.
    assert sum(after.own[0].described.counts) == int((~after.hold_out).sum())
    assert sum(after.own[0].described.bads) == int(after.prepared.labels[after.rows][~after.hold_out].sum())


def test_a_job_goes_on_only_with_the_earlier_model_that_it_was_begun_with(first):
    site, before = first
    same, config = prepared(site)
    begun = studies.inputs(config, same)
    assert studies.inputs(config, prepared(site)[0]) == begun
    without = replace(same, earlier=None)
    assert studies.inputs(config, without) != begun
    for other in (replace(before.model, aliases=("t01",)), replace(before.model, codings=before.model.codings[:1])):
        assert studies.inputs(config, replace(same, earlier=other)) != begun
    # Coefficients are not carried over, so a job does not hang on them; and a study without an earlier model has the digest it always had.
    assert studies.inputs(config, replace(same, earlier=replace(before.model, theta=(9.0,) * 5))) == begun
    wishes = config.model_dump_json(include={"coding", "choice"})
    assert studies.inputs(config, without) == fingerprint(same.ids, same.customers.table, same.labels, wishes)


def test_a_study_does_not_choose_beside_the_earlier_model(first):
    site, _ = first
    for more in ({"coding": "woe"}, {"choice": {"keep": ["t02"]}}):
        path = site.folder(BANK) / "both.toml"
        disk.write(path, tomli_w.dumps(tomllib.loads(site.study.read_text()) | more).encode())
        with pytest.raises(InputError, match=r"leave out coding and choice\.keep"):
            studies.prepare(read(path, StudyConfig), site.contract)


def test_other_variables_columns_or_files_are_refused(first):
    site, before = first
    path = site.folder(BANK) / "other.json"
    replace(before.model, described=before.model.described[:2]).save(path)
    with pytest.raises(ContractError, match=r"the telco offers 3 variables, other\.json was trained on 2"):
        prepared(site, earlier=path.name)
    name = replace(before.model.codings[0], column="income")
    replace(before.model, codings=(name, *before.model.codings[1:])).save(path)
    with pytest.raises(InputError, match="income"):
        prepared(site, earlier=path.name)
    with pytest.raises(InputError, match="does not exist"):
        prepared(site, earlier=path.with_name("gone.json"))
    disk.write(path, b"{}")
    with pytest.raises(InputError, match="damaged"):
        prepared(site, earlier=path.name)


def test_the_contract_counts_the_earlier_models_columns(first):
    site, before = first
    path = site.folder(BANK) / "one.json"
    replace(before.model, codings=before.model.codings[:1]).save(path)
    assert carried.columns_out(models.load(path)) == 1
    with pytest.raises(ContractError, match=r"layout\.bank_columns is 2, bank\.csv gives 1"):
        prepared(site, earlier=path.name)


def test_numbers_keep_their_centre_and_scale():
    rng = np.random.default_rng(1)
    ids = [str(i) for i in range(400)]
    labels = (rng.random(400) < 0.4).astype(np.uint8)
    everybody = np.ones(400, dtype=bool)
    old, new = (Table(ids, {"age": rng.normal(centre, 5, 400)}) for centre in (40, 60))
    codings = tuple(one.coding for one in coding.fit(old, labels, everybody, "numeric"))
    (one,) = carried.coded(codings, new, labels, everybody, bins=8, rule=Rule())
    assert one.coding == codings[0]
    assert coding.apply([one.coding], new).mean() > 2.5
    assert sum(one.described.counts) == 400
