"""Caps and budgets are held by the telco, before anything is computed, and outlive a restart."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from three_parties import CUSTOMERS, SUBSCRIBERS, make_site, make_telco

from tandem.contract import TELCO
from tandem.errors import ContractError, Enumeration, InputError, OutOfTurn, ScoreBudgetSpent
from tandem.node.casting import VERSION
from tandem.node.ledger_store import Ledger
from tandem.score.statement import roster_digest
from tandem.wire.messages import Opening

SESSION = bytes(16)
ROSTER = np.arange(5, 305)
TRAIN = Opening(VERSION, "train", 1, ("rows",), (300,), roster_digest(ROSTER))
CARD = replace(TRAIN, script="card", stage=2)


def align(count=CUSTOMERS):
    return Opening(VERSION, "align", 0, ("ids",), (count,), b"")


class Node:
    """A telco with its ledger; `again` starts it anew on the same folder."""

    def __init__(self, site):
        self.site, self.told = site, []
        self.start()

    def start(self):
        self.ledger = Ledger(self.site.folder(TELCO) / "ledger.sqlite")
        self.telco = make_telco(self.site, self.ledger, self.told.append)

    def again(self):
        self.ledger.close()
        self.start()

    def cast(self, opening, contract=None):
        contract = contract or self.site.contract
        return self.telco.cast(contract, SESSION, opening)

    def aligned(self, roster=ROSTER, contract=None):
        self.cast(align(), contract).finish(roster)

    def used(self, counter):
        return self.ledger.used(self.site.contract.digest.hex(), counter)

    def close(self):
        self.ledger.close()


@pytest.fixture
def node(tmp_path):
    with closing(Node(make_site(tmp_path))) as node:
        yield node


def test_more_identifiers_than_the_cap_are_refused_before_any_is_counted(node):
    cap = node.site.contract.caps.identifiers
    with pytest.raises(Enumeration, match=f"{cap + 1} identifiers would be asked, caps.identifiers is {cap}"):
        node.cast(align(cap + 1))
    assert (node.used("identifiers"), node.used("jobs")) == (0, 0)


def test_identifiers_add_up_over_jobs_and_a_restart_forgets_none(node):
    cap = node.site.contract.caps.identifiers
    node.cast(align(cap - 10))
    node.again()
    assert node.used("identifiers") == cap - 10
    with pytest.raises(Enumeration, match="identifiers would have been asked under this contract"):
        node.cast(align(11))
    node.cast(align(10))
    assert node.used("identifiers") == cap


def test_jobs_are_counted_and_capped_over_restarts(node):
    for _ in range(node.site.contract.jobs):
        node.cast(align(1))
        node.again()
    with pytest.raises(ContractError, match="4 jobs would have been begun under this contract, which allows 3"):
        node.cast(align(1))


def test_every_pass_and_card_spends_bits_a_person_and_the_cap_holds_over_restarts(tmp_path):
    site = make_site(tmp_path, caps={"disclosure_bits": 20, "trainings": 2})
    contract = site.contract
    assert (contract.pass_bits, contract.card_bits, contract.jobs) == (7, 9, 1)
    with closing(Node(site)) as node:
        node.aligned()
        node.cast(TRAIN).finish(None)
        assert node.used("bits") == 7
        node.cast(CARD)
        assert node.used("bits") == 16
        node.again()
        with pytest.raises(ContractError, match="2 jobs would have been begun"):
            node.aligned()
        assert node.used("bits") == 16


def test_a_pass_asked_for_again_costs_again_until_nothing_is_left(tmp_path):
    """A session that broke off may be tried again; its scores may have been read, so they count."""
    site = make_site(tmp_path, caps={"disclosure_bits": 20, "trainings": 2})
    with closing(Node(site)) as node:
        node.aligned()
        node.cast(TRAIN)
        node.cast(TRAIN)
        with pytest.raises(ScoreBudgetSpent, match="21 bits a person"):
            node.cast(TRAIN)
        assert node.used("bits") == 14


@pytest.mark.parametrize("fault", ["roster", "rows", "no rows", "names without sizes"])
def test_a_session_over_another_roster_than_was_aligned_is_refused(node, fault):
    node.aligned()
    opening = {
        "roster": replace(TRAIN, roster=roster_digest(ROSTER + 1)), "rows": replace(TRAIN, sizes=(299,)),
        "no rows": replace(TRAIN, size_names=("ids",)), "names without sizes": replace(TRAIN, size_names=("rows", "ids")),
    }[fault]
    with pytest.raises(OutOfTurn):
        node.cast(opening)
    assert node.used("bits") == 0
    node.cast(TRAIN)


def test_nothing_goes_before_an_alignment_nor_after_a_restart_without_a_new_one(node):
    with pytest.raises(OutOfTurn, match="before any alignment"):
        node.cast(TRAIN)
    node.aligned()
    node.again()
    with pytest.raises(OutOfTurn, match="or after this node was started again: align first"):
        node.cast(TRAIN)


@pytest.mark.parametrize(
    "opening", [replace(TRAIN, stage=2), replace(TRAIN, stage=0), replace(CARD, stage=2), replace(CARD, stage=1), replace(TRAIN, stage=9)]
)
def test_stages_out_of_order_are_refused_and_cost_nothing(node, opening):
    node.aligned()
    with pytest.raises(OutOfTurn, match=r"stage .* where stage 1 of 2 was due"):
        node.cast(opening)
    assert node.used("bits") == 0


def test_after_the_card_nothing_is_due_but_a_new_alignment(node):
    node.aligned()
    node.cast(TRAIN).finish(None)
    for opening in (TRAIN, replace(CARD, stage=3)):
        with pytest.raises(OutOfTurn):
            node.cast(opening)
    node.cast(CARD)
    node.aligned()
    node.cast(TRAIN)


def test_one_look_an_alignment(node):
    """Statistics cost no bits a person: were they free, many labels could be asked about, and differences taken (S3)."""
    look = Opening(VERSION, "describe", 0, ("rows",), (300,), roster_digest(ROSTER))
    node.aligned()
    node.cast(look)
    with pytest.raises(OutOfTurn, match="one look"):
        node.cast(look)
    node.aligned()
    node.cast(look)


def test_a_training_contract_serves_nobody(node):
    node.aligned()
    with pytest.raises(OutOfTurn, match="'serve'"):
        node.cast(replace(TRAIN, script="serve", stage=1))
    assert node.used("bits") == 0


def test_a_scoring_contract_without_its_card_aligns_but_keeps_nothing(node):
    scoring = node.site.amend({"kind": "scoring", "training": "11" * 32, "card": "22" * 32})
    with pytest.raises(ContractError, match="card 2222222222222222 is not among the models"):
        node.aligned(contract=scoring)
    with pytest.raises(OutOfTurn, match="before any alignment"):
        node.cast(replace(TRAIN, script="serve", stage=0))


def test_a_table_above_the_cap_is_not_offered(tmp_path):
    site = make_site(tmp_path, caps={"table": SUBSCRIBERS - 1})
    with closing(Node(site)) as node, pytest.raises(ContractError, match=f"the table has {SUBSCRIBERS} subscribers, caps.table is"):
        node.cast(align())


def test_a_table_of_other_columns_than_the_contract_names_trains_nobody(tmp_path):
    site = make_site(tmp_path, telco={"variables": 4})
    with closing(Node(site)) as node:
        with pytest.raises(ContractError, match="the table offers 3 variables"):
            node.aligned()
        with pytest.raises(OutOfTurn):
            node.cast(TRAIN)


def test_a_seed_that_is_not_behind_the_pinned_key_is_noticed(node, tmp_path):
    other = make_site(tmp_path / "other")
    with closing(Node(other)) as stranger:
        stranger.telco._keys = replace(stranger.telco._keys, seed=bytes(32))
        with pytest.raises(ContractError, match="does not come from this node's seed"):
            stranger.cast(align())


def test_tags_are_made_once_and_the_order_is_kept_over_a_restart(node):
    one = node.telco._hashed(node.site.contract)
    path = node.site.folder(TELCO) / "state" / f"tags-{node.site.contract.id}.bin"
    before = path.stat().st_mtime_ns
    node.again()
    two = node.telco._hashed(node.site.contract)
    assert path.stat().st_mtime_ns == before
    assert one.tags == two.tags
    assert one.rows.tolist() == two.rows.tolist() != sorted(one.rows.tolist())


def test_a_table_that_grew_since_the_tags_were_made_is_a_clear_error(node):
    node.telco._hashed(node.site.contract)
    path = node.site.folder(TELCO) / "telco.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    node.again()
    with pytest.raises(InputError, match="was made of another table"):
        node.cast(align())


def test_a_table_of_as_many_other_people_is_noticed_too(node):
    """Else a customer would be taken for whoever stands in that row now."""
    node.telco._hashed(node.site.contract)
    path = node.site.folder(TELCO) / "telco.csv"
    path.write_text(path.read_text().replace("p0007,", "q0007,"))
    node.again()
    with pytest.raises(InputError, match="was made of another table"):
        node.cast(align())


def test_nothing_told_to_the_operator_names_a_person_or_a_column(node):
    node.telco.prepare()
    node.aligned()
    text = " ".join(node.told)
    assert "400 subscribers hashed" in text
    assert "roster of 300" in text
    assert "calls" not in text
    assert "p0" not in text
