"""Several tables at one telco: each contract has its own, each source is read once, and what is named wrongly is said."""

from __future__ import annotations

import tomllib
from contextlib import closing

import pytest
import tomli_w
from three_parties import make_site, make_telco

from tandem.contract import TELCO
from tandem.doctor.table import look, strangers
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.config import read
from tandem.node.ledger_store import Ledger
from tandem.node.side import side
from telco_party.config import TelcoConfig
from telco_party.tables import Tables

LATER = {"source": "later.csv", "id": "phone"}


@pytest.fixture
def site(tmp_path):
    """A site whose telco has a second file, of a tenth of the people and one column more."""
    made = make_site(tmp_path)
    lines = (made.folder(TELCO) / "telco.csv").read_text().splitlines()
    later = [lines[0] + ",extra", *(line + ",1" for line in lines[1:41])]
    (made.folder(TELCO) / "later.csv").write_text("\n".join(later) + "\n")
    return made


def configure(site, *, table=True, **sections):
    path = site.folder(TELCO) / "node.toml"
    fields = tomllib.loads(path.read_text())
    if not table:
        del fields["table"]
    fields["tables"] = sections
    disk.write(path, tomli_w.dumps(fields).encode())
    return path


def configured(site, **sections):
    return read(configure(site, **sections), TelcoConfig)


def begun(site, config, contracts):
    seen = []
    tables = Tables(config, lambda: contracts, seen.append)
    return tables, seen


def test_a_contract_uses_the_table_that_names_it_and_every_other_the_first(site):
    first = site.contract
    second = site.amend({"id": "aabbccdd" * 4})
    config = configured(site, later={**LATER, "contracts": ["aabbccdd"]})
    tables, seen = begun(site, config, [first, second])
    tables.begin()
    assert (tables.of(first).rows, tables.of(second).rows) == (400, 40)
    assert tables.of(second).names == ["calls", "days", "plan", "extra"]
    assert [one.section for one in seen] == ["table", "tables.later"], "each is read once"


def test_one_source_under_two_names_is_read_once(site):
    second = site.amend({"id": "aabbccdd" * 4})
    third = site.amend({"id": "bbccddee" * 4})
    config = configured(site, one={**LATER, "contracts": [second.id]}, two={**LATER, "contracts": [third.id]})
    tables, seen = begun(site, config, [second, third])
    tables.begin()
    assert tables.of(second) is tables.of(third)
    assert len(seen) == tables.held == 1


def test_a_table_that_no_live_contract_needs_is_let_go(site):
    first = site.contract
    second = site.amend({"id": "aabbccdd" * 4})
    live = [first]
    tables, _ = begun(site, configured(site, later={**LATER, "contracts": [second.id]}), live)
    tables.begin()
    live[:] = [second]
    tables.of(second)
    assert tables.held == 1
    live.append(first)
    tables.of(first)
    assert tables.held == 2


def test_a_file_that_is_no_contract_does_not_stop_work_under_the_others(site):
    second = site.amend({"id": "aabbccdd" * 4})

    def live():
        raise ContractError("a file is no contract")

    tables = Tables(configured(site, later={**LATER, "contracts": [second.id]}), live)
    assert tables.of(second).rows == 40


def test_without_a_live_contract_the_first_table_is_read_all_the_same(site):
    tables, seen = begun(site, configured(site), [])
    tables.begin()
    assert tables.of(site.contract).rows == 400
    assert len(seen) == 1


@pytest.mark.parametrize("twin", ["aabbccdd", "aabbccddaa", "aabbccdd" * 4])
def test_an_id_named_twice_is_refused(site, twin):
    with pytest.raises(InputError, match=r"contract .* is named twice, also in tables\.one"):
        configured(site, one={**LATER, "contracts": ["aabbccdda"]}, two={**LATER, "contracts": [twin]})


@pytest.mark.parametrize("contracts", [[], ["aabbccd"], ["AABBCCDD"], ["x" * 8], ["a" * 33]])
def test_what_is_no_id_is_refused(site, contracts):
    with pytest.raises(InputError, match=r"tables\.one\.contracts"):
        configured(site, one={**LATER, "contracts": contracts})


def test_no_table_at_all_is_refused(site):
    with pytest.raises(InputError, match="table is missing"):
        configured(site, table=False)


def test_the_first_table_may_be_left_out_where_every_live_contract_is_named(site):
    config = configured(site, table=False, later={**LATER, "contracts": [site.contract.id[:8]]})
    assert side(site.folder(TELCO) / "node.toml").role == TELCO
    tables, _ = begun(site, config, [site.contract])
    tables.begin()
    other = site.amend({"id": "aabbccdd" * 4})
    with pytest.raises(ContractError, match=r"aabbccdd.*no section of tables names it, and there is no \[table\]"):
        tables.of(other)


def test_an_id_that_names_no_contract_is_said_at_the_start(site):
    configure(site, later={**LATER, "contracts": ["aabbccdd"]})
    told = []
    with closing(Ledger(site.folder(TELCO) / "ledger.sqlite")) as ledger:
        make_telco(site, ledger, told.append).prepare()
    assert [line for line in told if "[tables.later] is for contract aabbccdd, and none in contracts is called so" in line]
    first, later = side(site.folder(TELCO) / "node.toml").holdings
    assert list(strangers(first, [site.contract])) == []
    (found,) = strangers(later, [site.contract])
    assert (found.level, found.subject) == ("warning", "tables.later")


def test_an_error_names_the_table_and_the_doctor_looks_at_each_with_its_contract(site):
    config = configured(site, later={**LATER, "contracts": [site.contract.id]})
    first, later = side(site.folder(TELCO) / "node.toml").holdings
    assert [each.serves(site.contract) for each in (first, later)] == [False, True]
    (fault,) = [one for one in look(later, site.contract) if one.level == "wrong"]
    assert (fault.subject, "the table offers 4 variables" in fault.text) == ("tables.later", True)
    assert "[tables.later]" in fault.text
    (site.folder(TELCO) / "later.csv").unlink()
    with pytest.raises(InputError, match=r"\[tables\.later\] .*later\.csv"):
        begun(site, config, [site.contract])[0].begin()
