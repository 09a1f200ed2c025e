"""What the bank remembers of a telco's tables: one a contract, and from the third a year on none that shrinks (A11)."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from both_drivers import LoopbackStage
from contracts import NOW, unsigned
from three_parties import make_job, make_site, make_telco

from bank_party.conduct import Conductor
from bank_party.offered import known_table
from tandem.arguments import Seeded
from tandem.contract import BANK, TELCO
from tandem.engine.serial import Serial
from tandem.errors import OtherTable
from tandem.node.ledger_store import Ledger
from tandem.session.tap import untapped

SIX = b"s" * 32


def contract(number, cover=4, **changes):
    return unsigned(id=f"{number:032x}", layout={"cover": cover}, **changes)


def offers(path, *tables, cover=4, days=1):
    """Offer tables of these sizes under contracts of their own, a node's start each, `days` apart; return which were refused.

    `cover`: of all contracts, or of each.
    """
    refused = []
    covers = [cover] * len(tables) if isinstance(cover, int) else cover
    for number, (tags, size) in enumerate(zip(tables, covers, strict=True)):
        with Ledger(path) as ledger:
            at = NOW + timedelta(days=days * number)
            try:
                known_table(ledger, contract(number, size), lambda at=at: at)(bytes([number]) * 32, tags)
            except OtherTable:
                refused.append(number)
    return refused


@pytest.mark.parametrize(("tables", "refused"), [
    ((100, 50), []),
    ((100, 50, 25), [2]),
    ((100, 50, 99, 100), [2]),
    ((100, 120, 119), [2]),
    ((100, 101, 102, 102, 103), []),
    ((100, 50, 25, 25, 100), [2, 3]),
])
def test_from_the_third_on_a_table_is_as_large_as_the_largest_before_it(tmp_path, tables, refused):
    assert offers(tmp_path / "ledger.sqlite", *tables) == refused


def test_a_year_later_a_table_may_be_smaller(tmp_path):
    assert offers(tmp_path / "ledger.sqlite", 100, 50, 40, days=182) == [2]
    assert offers(tmp_path / "later.sqlite", 100, 50, 40, days=183) == []


def test_without_cover_the_roster_names_customers_and_sizes_are_free(tmp_path):
    assert offers(tmp_path / "ledger.sqlite", 100, 50, 25, 12, cover=1) == []
    assert offers(tmp_path / "last.sqlite", 100, 50, 25, cover=[4, 4, 1]) == []
    assert offers(tmp_path / "first.sqlite", 100, 50, 25, 12, cover=[1, 1, 4, 4]) == []
    assert offers(tmp_path / "between.sqlite", 100, 100, 50, 25, cover=[4, 1, 4, 4]) == [3]


@pytest.mark.parametrize("anew", [{"name": "Another"}, {"signing_key": "ab" * 32}])
def test_a_telco_is_known_by_its_key_or_by_its_name(tmp_path, anew):
    path = tmp_path / "ledger.sqlite"
    offers(path, 100, 50)
    with Ledger(path) as ledger, pytest.raises(OtherTable):
        known_table(ledger, contract(7, telco=anew), lambda: NOW)(SIX, 25)
    with Ledger(path) as ledger:
        known_table(ledger, contract(8, telco={"name": "Another", "signing_key": "ab" * 32}), lambda: NOW)(SIX, 25)


def test_a_contract_has_one_table_whatever_its_size(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        once = known_table(ledger, contract(1, cover=1), lambda: NOW)
        once(SIX, 100)
        once(SIX, 100)
    with Ledger(tmp_path / "ledger.sqlite") as ledger, pytest.raises(OtherTable, match=r"100 tags that are not those of 2027-02-01T"):
        known_table(ledger, contract(1, cover=1), lambda: NOW)(bytes(32), 100)


def test_the_error_says_what_was_offered_and_until_when_it_is_refused(tmp_path):
    path = tmp_path / "ledger.sqlite"
    offers(path, 100, 60, days=10)
    with Ledger(path) as ledger, pytest.raises(OtherTable) as told:
        known_table(ledger, contract(9), lambda: NOW + timedelta(days=20))(SIX, 30)
    assert re.search(r"The telco offers a table of 30 tags, its number 3 in a year; the largest before had 100\b", str(told.value))
    assert "wait until 2028-02-11" in str(told.value)  # when no larger one of 60 or 100 is left in the year before


def test_another_table_under_a_contract_is_refused_before_anybody_is_asked_about(tmp_path):
    site = make_site(tmp_path)
    frames = []

    async def align():
        with Ledger(site.folder(TELCO) / "ledger.sqlite") as telco, Ledger(site.folder(BANK) / "ledger.sqlite") as bank:
            stage = LoopbackStage(site.contract, {TELCO: make_telco(site, telco)}, lambda _: frames.append)
            conductor = Conductor(stage, site.contract, Serial(), Seeded(b"bank"), lambda _: untapped, make_job(site, bank))
            return await conductor.align([b"p%04d" % number for number in range(300)])

    assert len(asyncio.run(align()).rows) == 300
    assert "Query" in {seen.kind for seen in frames}
    frames.clear()
    path = site.folder(TELCO) / "telco.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    for kept in (site.folder(TELCO) / "state").glob("tags-*.bin"):
        kept.unlink()
    with pytest.raises(OtherTable, match="399 tags"):
        asyncio.run(align())
    assert {seen.kind for seen in frames} == {"Opening", "Tags", "End"}
