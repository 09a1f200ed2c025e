"""Caps and budgets are held by the telco, before anything is computed, and outlive a restart."""

from __future__ import annotations

import tomllib
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
import tomli_w
from three_parties import CUSTOMERS, SUBSCRIBERS, make_site, make_telco, paillier_key

from tandem.contract import TELCO
from tandem.errors import ContractError, Enumeration, InputError, OtherContent, OutOfTurn, Replayed, RosterTooNear, ScoreBudgetSpent
from tandem.node import disk
from tandem.node.casting import VERSION
from tandem.node.ledger_store import Ledger
from tandem.score.statement import roster_digest
from tandem.score.summer import restore_table
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
        self.site, self.told, self.job, self.attempt = site, [], bytes(16), 0
        self.start()

    def start(self):
        self.ledger = Ledger(self.site.folder(TELCO) / "ledger.sqlite")
        self.telco = make_telco(self.site, self.ledger, self.told.append)

    def again(self):
        self.ledger.close()
        self.start()

    def cast(self, opening, contract=None, *, again=False):
        """Cast the next attempt: an alignment begins a new job, unless it is `again` one of the same job."""
        contract = contract or self.site.contract
        self.attempt += 1
        if opening.script == "align" and not again:
            self.job = (int.from_bytes(self.job, "big") + 1).to_bytes(16, "big")
        return self.telco.cast(contract, SESSION, replace(opening, job=self.job, attempt=self.attempt))

    def aligned(self, roster=ROSTER, contract=None, **how):
        self.cast(align(), contract, **how).finish(roster)

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


def test_a_step_opened_under_another_number_is_refused_and_not_another_step(node):
    """A2: what a step may be asked is counted by its stage; an alignment as stage 1, 2, ... would ask that often what was paid once."""
    for stage in (1, 2, 1 << 31):
        with pytest.raises(OutOfTurn, match=f"align as stage {stage}, where it is stage 0"):
            node.cast(replace(align(), stage=stage))
    node.aligned()
    for stage in (1, 2):
        with pytest.raises(OutOfTurn, match="describe as stage"):
            node.cast(replace(TRAIN, script="describe", stage=stage))
    assert (node.used("identifiers"), node.used("jobs")) == (CUSTOMERS, 1)
    assert node.cast(replace(TRAIN, script="describe", stage=0)).role == "summer"


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


def test_a_pass_played_again_costs_nothing_more_and_another_job_costs_again(tmp_path):
    """The scores of one pass are the same in every attempt; another job's are others."""
    site = make_site(tmp_path, caps={"disclosure_bits": 16, "trainings": 2})
    with closing(Node(site)) as node:
        node.aligned()
        for _ in range(3):
            node.cast(TRAIN)
            node.again()
            assert node.used("bits") == 7
        node.ledger.use(site.contract.digest.hex(), "bits", 9, 16)
        node.telco._store.begin(site.contract, bytes(15) + b"x", node.telco._store.load(site.contract, node.job))
        node.job = bytes(15) + b"x"
        with pytest.raises(ScoreBudgetSpent, match="23 bits a person"):
            node.cast(TRAIN)
        assert node.used("bits") == 16


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


def test_nothing_goes_before_an_alignment_of_the_same_job(node):
    with pytest.raises(OutOfTurn, match="before any alignment"):
        node.cast(TRAIN)
    node.cast(align())
    with pytest.raises(OutOfTurn, match="before any alignment"):  # begun, not ended
        node.cast(TRAIN)
    node.aligned()
    node.job = bytes(16)
    with pytest.raises(OutOfTurn, match="before any alignment in this job"):
        node.cast(TRAIN)


@pytest.mark.parametrize(
    "opening", [replace(TRAIN, stage=2), replace(TRAIN, stage=0), replace(CARD, stage=2), replace(CARD, stage=1), replace(TRAIN, stage=9)]
)
def test_stages_out_of_order_are_refused_and_cost_nothing(node, opening):
    node.aligned()
    with pytest.raises(OutOfTurn, match=r"stage .* where stage 1 of 2 was due"):
        node.cast(opening)
    assert node.used("bits") == 0


def test_exact_errors_come_between_the_last_pass_and_the_card_and_cost_no_bits(tmp_path):
    errors = replace(TRAIN, script="errors", stage=2)
    with closing(Node(make_site(tmp_path, layout={"se": "exact"}))) as node:
        node.aligned()
        for early in (replace(errors, stage=1), errors, CARD):
            with pytest.raises(OutOfTurn):
                node.cast(early)
        node.cast(TRAIN).finish(None)
        for wrong in (CARD, replace(CARD, stage=3), replace(TRAIN, stage=2)):
            with pytest.raises(OutOfTurn, match="where stage 2 of 3 was due"):
                node.cast(wrong)
        cast = node.cast(errors)
        assert (cast.script.name, cast.role, node.used("bits")) == ("errors", "summer", 7)
        cast.finish(None)
        node.cast(errors).finish(None)  # the bank did not keep that it was played
        node.cast(replace(CARD, stage=3))
        with pytest.raises(OutOfTurn):
            node.cast(errors)


def test_a_contract_without_exact_errors_has_no_such_session(node):
    node.aligned()
    node.cast(TRAIN).finish(None)
    with pytest.raises(OutOfTurn):
        node.cast(replace(TRAIN, script="errors", stage=2))


def test_after_the_card_nothing_is_due_but_a_new_alignment(node):
    node.aligned()
    node.cast(TRAIN).finish(None)
    with pytest.raises(OutOfTurn):
        node.cast(replace(CARD, stage=3))
    node.cast(CARD).finish((paillier_key().public, restore_table(paillier_key().public, (1,), b"\2" + bytes(511))))
    for opening in (TRAIN, replace(TRAIN, stage=3), replace(CARD, stage=3)):
        with pytest.raises(OutOfTurn):
            node.cast(opening)
    node.aligned()
    node.cast(TRAIN)


def test_a_training_contract_serves_nobody(node):
    node.aligned()
    for stage in (0, 1):
        with pytest.raises(OutOfTurn, match="serve"):
            node.cast(replace(TRAIN, script="serve", stage=stage))
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
    path = node.site.folder(TELCO) / "state" / f"tags-{node.site.contract.digest.hex()[:16]}.bin"
    before = path.stat().st_mtime_ns
    node.again()
    two = node.telco._hashed(node.site.contract)
    assert path.stat().st_mtime_ns == before
    assert one.tags == two.tags
    assert one.rows.tolist() == two.rows.tolist() != sorted(one.rows.tolist())


def test_rows_that_come_in_another_order_keep_the_tags(node):
    """A database need not give its rows in the same order twice: a tag must still lead to the same person."""
    one = node.telco._hashed(node.site.contract)
    behind = [node.telco._tables.of(node.site.contract).ids[row] for row in one.rows]
    path = node.site.folder(TELCO) / "telco.csv"
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(lines)]) + "\n")
    node.again()
    two = node.telco._hashed(node.site.contract)
    assert two.tags == one.tags
    assert [node.telco._tables.of(node.site.contract).ids[row] for row in two.rows] == behind


@pytest.mark.parametrize("change", [lambda lines: lines[:-1], lambda lines: [*lines[:-1], "new" + lines[-1][5:]]], ids=["fewer", "other"])
def test_identifiers_other_than_the_tags_were_made_of_are_a_clear_error(node, change):
    node.telco._hashed(node.site.contract)
    path = node.site.folder(TELCO) / "telco.csv"
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
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


def once_of(cast):
    """Return what the role asks before it answers."""
    return cast.playing.gi_frame.f_locals["once"]


def carded(node):
    key = paillier_key().public
    node.cast(CARD).finish((key, restore_table(key, (1,), b"\2" + bytes(511))))


def test_after_a_restart_every_step_goes_on_and_nothing_is_paid_twice(node):
    node.aligned()
    rows = node.telco._jobs[node.site.contract.digest].table.codes
    for opening in (TRAIN, TRAIN):
        node.again()
        cast = node.cast(opening)
        np.testing.assert_array_equal(node.telco._jobs[node.site.contract.digest].table.codes, rows)
    cast.finish(None)
    node.again()
    carded(node)
    assert (node.used("jobs"), node.used("identifiers"), node.used("bits")) == (1, CUSTOMERS, 7 + 9)
    assert any("goes on, roster of 300" in line for line in node.told)


def test_a_step_that_the_bank_did_not_keep_is_played_again_and_no_other(node):
    node.aligned()
    node.aligned(again=True)
    node.cast(TRAIN).finish(None)
    for opening in (align(), replace(TRAIN, stage=0)):
        with pytest.raises(OutOfTurn):
            node.cast(opening, again=True)
    node.again()
    node.cast(TRAIN).finish(None)
    carded(node)
    carded(node)
    with pytest.raises(OutOfTurn):
        node.cast(TRAIN)
    assert (node.used("jobs"), node.used("bits")) == (1, 16)


def test_once_the_card_has_begun_the_pass_before_it_is_closed(node):
    node.aligned()
    node.cast(TRAIN).finish(None)
    node.cast(CARD)
    with pytest.raises(OutOfTurn):
        node.cast(TRAIN)
    node.cast(CARD)


def test_a_second_alignment_of_a_job_is_of_the_same_identifiers_or_costs_a_job(node):
    """A cheating bank repeats its alignment with other identifiers: it gets answers to those it paid for, over all attempts together."""
    once_of(node.cast(align()))(b"the first chunk", CUSTOMERS - 10)
    node.again()
    once = once_of(node.cast(align(), again=True))
    once(b"the first chunk", CUSTOMERS - 10)
    once(b"the second chunk", 10)
    with pytest.raises(OtherContent):
        once(b"another chunk", 1)
    with pytest.raises(OutOfTurn, match="of another size"):
        node.cast(align(CUSTOMERS - 1), again=True)
    assert (node.used("jobs"), node.used("identifiers")) == (1, CUSTOMERS)


def test_a_second_alignment_cannot_end_with_another_roster(node):
    node.aligned()
    with pytest.raises(OtherContent, match="another roster"):
        node.aligned(ROSTER + 1, again=True)
    node.cast(TRAIN)


def test_a_step_is_scored_with_one_table_over_all_attempts(node):
    """Else a bank could have a pass sealed otherwise, and see each person's dithered score again and again (S6)."""
    node.aligned()
    once_of(node.cast(TRAIN))(b"this table")
    node.again()
    once = once_of(node.cast(TRAIN))
    once(b"this table")
    with pytest.raises(OtherContent, match="step train-1"):
        once(b"another table")


def test_a_table_that_changed_since_the_alignment_is_a_clear_error_and_costs_nothing(node):
    node.aligned()
    path = node.site.folder(TELCO) / "telco.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *(line.replace(",a", ",b") for line in lines[1:])]) + "\n")
    node.again()
    with pytest.raises(InputError, match=r"telco\.csv is not the table that job .* was aligned on: put that one back"):
        node.cast(TRAIN)
    assert node.used("bits") == 0
    path.write_text("\n".join(lines) + "\n")
    node.again()
    node.cast(TRAIN)


def test_a_session_that_was_superseded_keeps_nothing(node):
    old = node.cast(align())
    node.aligned(again=True)
    with pytest.raises(OutOfTurn, match="given up"):
        old.finish(ROSTER)
    with pytest.raises(OutOfTurn, match="given up"):
        once_of(old)(b"a chunk", 1)
    node.cast(TRAIN)


def test_an_attempt_number_is_used_once(node):
    node.aligned()
    node.cast(TRAIN)
    node.attempt -= 1
    with pytest.raises(Replayed):
        node.cast(TRAIN)


def budgeted(tmp_path, **limits):
    site = make_site(tmp_path)
    path = site.folder(TELCO) / "node.toml"
    disk.write(path, tomli_w.dumps({**tomllib.loads(path.read_text()), "budget": limits}).encode())
    return closing(Node(site))


def test_a_budget_is_held_before_an_alignment_is_cast_and_counts_over_contracts(tmp_path):
    with budgeted(tmp_path, identifiers=CUSTOMERS + 10) as node:
        node.cast(align())
        second = node.site.amend({"id": "ab" * 16})
        with pytest.raises(Enumeration, match=r"budget.identifiers is 370"):
            node.cast(align(11), second)
        assert node.ledger.used(second.digest.hex(), "identifiers") == 0
        assert node.telco._store.job(second) is None
        node.cast(align(10), second)


def test_a_roster_near_an_earlier_one_is_refused_as_soon_as_it_is_known_and_nothing_is_told_of_it(node):
    node.aligned()
    node.cast(replace(TRAIN, script="describe", stage=0))
    near = ROSTER[:-1]
    with pytest.raises(RosterTooNear):
        node.aligned(near)
    with pytest.raises(OutOfTurn, match="before any alignment"):
        node.cast(replace(TRAIN, sizes=(299,), roster=roster_digest(near)))
    node.aligned()
    node.again()
    node.cast(replace(TRAIN, script="describe", stage=0))


def test_a_file_that_was_mended_before_anything_was_told_is_aligned_again(node):
    node.aligned(ROSTER[:-1])
    node.aligned()
    node.cast(TRAIN)


def test_a_job_that_no_longer_fits_a_persons_budget_ends_with_its_alignment(tmp_path):
    with budgeted(tmp_path, bits=20) as node:
        node.aligned()
        node.cast(TRAIN).finish(None)
        node.again()
        node.cast(TRAIN)
        carded(node)
        carded(node)
        with pytest.raises(ScoreBudgetSpent, match="up to 32 bits a person within a year, for 300 of 300"):
            node.aligned()
        (peer,) = node.telco._budgets.shown()
        assert {line.counter: line.used for line in peer.lines} == {
            "identifiers": 2 * CUSTOMERS, "bits": 16, "trainings": 1, "labels": 1, "tables": 1, "rosters": 1,
        }
