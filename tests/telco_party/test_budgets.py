"""Budgets count over contracts, keys and restarts, by bank and by person, and are refused before anything is written."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import timedelta
from itertools import count

import pytest
from contracts import NOW, fields, unsigned
from hypothesis import given, settings
from hypothesis import strategies as st
from postgres_server import SCHEMA, url

from tandem.align.identifiers import normalise
from tandem.contract import Contract
from tandem.contract.measurement import OUTCOMES
from tandem.errors import BudgetSpent, Enumeration, RosterTooNear, ScoreBudgetSpent
from tandem.node.ledger_database import place_of
from tandem.node.ledger_store import Ledger
from tandem.node.postgres import Connection, Server
from telco_party.budgets import Budgets
from telco_party.limits import YEAR, Limits

NUMBERS = count()
SEED = b"s" * 32
JOB = bytes(16)


def contract(number=1, *, bank="The bank", key="bank", pin="bank", kind="training", **changes):
    """Return a contract of its own, with a bank of this name, signing key and TLS key."""
    named = {"name": bank, "signing_key": digest(f"sign {key}"), "tls_pin": [digest(f"tls {pin}")]}
    extra = {"training": {}, "scoring": {"training": "11" * 32, "card": "22" * 32}}[kind]
    return unsigned(id=f"{number:032x}", bank=named, kind=kind, **extra, **changes)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Node:
    """Budgets on a ledger, and a clock to set."""

    def __init__(self, place, **limits):
        self.place, self.limits, self.now, self.ledger = place, Limits(**limits), NOW, None
        self.again()

    def again(self, **limits):
        self.close()
        self.limits = self.limits.model_copy(update=limits)
        self.ledger = Ledger(self.place)
        self.budgets = Budgets(self.ledger, self.limits, SEED, lambda: self.now)

    def people(self, *numbers):
        return self.budgets.persons([str(number).encode() for number in numbers], "text")

    def used(self, counter, at=0):
        return {line.counter: line for line in self.budgets.shown()[at].lines}[counter].used

    def close(self):
        if self.ledger is not None:
            self.ledger.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def make(request, tmp_path):
    """Give what makes a node with limits, in either kind of database."""
    if request.param == "sqlite":
        place, schema = tmp_path / "ledger.sqlite", ""
    else:
        schema = f"{SCHEMA}_budgets_{next(NUMBERS)}"
        place = place_of(url(schema=schema))
    made = []

    def node(**limits):
        made.append(Node(place, **limits))
        return made[-1]

    yield node
    for one in made:
        one.close()
    if schema:
        with Connection(Server.parse(url())) as session:
            session.run(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def test_identifiers_add_up_over_contracts_and_restarts_and_a_refusal_adds_none(make):
    node = make(identifiers=100)
    node.budgets.begin(contract(1), 60, b"table")
    node.again()
    with pytest.raises(Enumeration, match=r"would be 101, budget.identifiers is 100"):
        node.budgets.begin(contract(2), 41, b"table")
    assert node.used("identifiers") == 60
    node.budgets.begin(contract(2), 40, b"table")
    assert (node.used("identifiers"), node.used("tables")) == (100, 1)


@pytest.mark.parametrize("other", [
    {"bank": "THE  Bank", "key": "second", "pin": "second"},
    {"bank": "Another name", "key": "second", "pin": "bank"},
    {"bank": "Another name", "key": "bank", "pin": "second"},
], ids=["same name", "same TLS key", "same signing key"])
def test_a_second_certificate_is_the_same_bank(make, other):
    node = make(identifiers=100)
    node.budgets.begin(contract(1), 60, b"")
    with pytest.raises(Enumeration):
        node.budgets.begin(contract(2, **other), 41, b"")
    node.budgets.begin(contract(2, **other), 40, b"")
    (peer,) = node.budgets.shown()
    assert peer.keys == (1 if other["key"] == "bank" else 2)


def test_banks_without_anything_in_common_count_apart_unless_they_are_joined_or_pooled(make):
    node = make(identifiers=100)
    other = contract(2, bank="Other", key="other", pin="other")
    node.budgets.begin(contract(1), 60, b"")
    node.budgets.begin(other, 60, b"")
    assert [node.used("identifiers", at) for at in (0, 1)] == [60, 60]
    for joined in ({"same": (("the bank", "OTHER"),)}, {"pool": True}):
        node.again(**{"same": (), "pool": False, **joined})
        assert node.used("identifiers") == 120
        with pytest.raises(Enumeration):
            node.budgets.begin(other, 1, b"")


def test_two_banks_are_one_from_when_a_third_key_ties_them_together(make):
    node = make(identifiers=100)
    node.budgets.begin(contract(1), 60, b"")
    node.budgets.begin(contract(2, bank="Other", key="other", pin="other"), 30, b"")
    node.budgets.begin(contract(3, bank="Other", key="third", pin="bank"), 10, b"")
    (peer,) = node.budgets.shown()
    assert (peer.keys, peer.name, node.used("identifiers")) == (3, "other, the bank", 100)


def test_bits_follow_the_person_over_contracts_and_subsets(make):
    node = make(bits=20)
    node.budgets.score(contract(1), node.people(1, 2, 3), 9)
    node.budgets.score(contract(2), node.people(3, 4), 9)
    node.again()
    with pytest.raises(ScoreBudgetSpent, match="up to 21 bits a person within a year, for 1 of 3 people"):
        node.budgets.score(contract(3, key="second"), node.people(3, 4, 5), 3)
    with pytest.raises(ScoreBudgetSpent):
        node.budgets.admit(contract(4, kind="scoring"), node.people(3))
    node.budgets.score(contract(3), node.people(1, 2, 4, 5), 3)
    (peer,) = node.budgets.shown()
    assert node.used("bits") == 18
    assert peer.persons == (1, 0, 3, 1)


def test_a_person_who_stands_in_a_roster_twice_is_told_twice(make):
    node = make(bits=20)
    with pytest.raises(ScoreBudgetSpent, match="up to 22"):
        node.budgets.score(contract(1), node.people(1, 2, 1), 11)
    node.budgets.score(contract(1), node.people(1, 2, 1), 10)
    with pytest.raises(ScoreBudgetSpent):
        node.budgets.score(contract(1), node.people(1), 1)
    node.budgets.score(contract(1), node.people(2), 10)


def test_what_is_older_than_a_year_is_free_and_later_removed(make):
    node = make(bits=9, identifiers=10)
    node.budgets.begin(contract(1), 10, b"")
    node.budgets.score(contract(1), node.people(1), 9)
    frees = {line.counter: line.frees for line in node.budgets.shown()[0].lines}
    assert frees["bits"] == frees["identifiers"] == NOW + YEAR
    node.now = NOW + YEAR - timedelta(seconds=1)
    with pytest.raises(ScoreBudgetSpent):
        node.budgets.score(contract(1), node.people(1), 1)
    node.now = NOW + YEAR
    node.budgets.score(contract(1), node.people(1), 9)
    assert node.used("identifiers") == 0
    node.now = NOW  # a clock that is set back forgets nothing
    with pytest.raises(ScoreBudgetSpent):
        node.budgets.score(contract(1), node.people(1), 1)
    node.now = NOW + 4 * YEAR
    node.budgets.score(contract(1), node.people(2), 9)
    with node.ledger.together() as database:
        assert database.execute("SELECT COUNT(*) FROM budget_rosters").fetchone()[0] == 1


@pytest.mark.parametrize(("numbers", "fine"), [
    (range(100), True), (range(90), True), (range(91), False), (range(99), False), (range(101), False), (range(110), True),
    (range(4, 104), False), (range(5, 105), True), (range(100, 200), True),
])
def test_a_roster_differs_from_an_earlier_one_by_nobody_or_by_enough(make, numbers, fine):
    node = make()
    terms = {"layout": {"min_bin": 10, "min_class": 5}}
    node.budgets.tell(contract(1, **terms), JOB, node.people(*range(100)))
    later, people = contract(2, key="second", **terms), node.people(*numbers)
    if fine:
        node.budgets.admit(later, people)
        node.budgets.tell(later, JOB, people)
        return
    for act in (lambda: node.budgets.admit(later, people), lambda: node.budgets.tell(later, JOB, people)):
        with pytest.raises(RosterTooNear, match="where 10 are the least"):
            act()
    assert node.used("rosters") == 1


@settings(max_examples=12, deadline=None)
@given(rosters=st.lists(st.sets(st.integers(0, 24)), min_size=2, max_size=6))
def test_of_all_rosters_that_are_told_no_two_are_near(rosters, tmp_path_factory):
    with closing(Node(tmp_path_factory.mktemp("rosters") / "ledger.sqlite", min_bin=12)) as node:
        told = []
        for number, roster in enumerate(rosters):
            near = any(0 < len(roster ^ other) < 12 for other in told)
            try:
                node.budgets.tell(contract(number, layout={"min_bin": 10, "min_class": 5}), JOB, node.people(*sorted(roster)))
            except RosterTooNear:
                assert near
            else:
                assert not near
                told.append(roster)


def test_with_cover_groups_the_difference_is_counted_in_groups(make):
    node = make()
    terms = {"layout": {"min_bin": 10, "min_class": 5, "cover": 2}}
    node.budgets.tell(contract(1, **terms), JOB, node.people(*range(400)))
    with pytest.raises(RosterTooNear, match=r"by 18 people .* where 20"):
        node.budgets.admit(contract(2, **terms), node.people(*range(418)))
    node.budgets.admit(contract(2, **terms), node.people(*range(420)))


def test_rosters_that_were_only_scored_or_only_aligned_are_not_held_against_a_training(make):
    """No totals were told of them: an honest bank that mends its file before anything was told goes on."""
    node = make()
    scoring = contract(1, kind="scoring")
    node.budgets.admit(contract(2), node.people(*range(99)))
    node.budgets.tell(scoring, JOB, node.people(*range(101)))
    node.budgets.tell(contract(3), JOB, node.people(*range(100)))
    node.budgets.admit(scoring, node.people(*range(102)))
    with pytest.raises(RosterTooNear):
        node.budgets.admit(contract(4), node.people(*range(101)))


def test_a_job_pays_once_for_roster_training_and_label_slots_and_a_roster_once_a_year(make):
    node = make(trainings=2, labels=2)
    for number, job in ((1, b"a" * 16), (1, b"a" * 16), (2, b"b" * 16), (2, b"b" * 16)):
        node.budgets.tell(contract(number), job, node.people(1, 2, 3))
        node.again()
    assert [node.used(counter) for counter in ("trainings", "labels", "rosters")] == [2, 2, 1]
    for act in (lambda one: node.budgets.begin(one, 1, b""), lambda one: node.budgets.tell(one, JOB, node.people(1, 2, 3))):
        with pytest.raises(BudgetSpent, match=r"label slots of this bank within a year would be 3, budget.labels is 2"):
            act(contract(3))
    node.budgets.begin(contract(4, kind="scoring"), 1, b"")
    assert node.used("trainings") == 2


def test_trainings_are_limited_where_label_slots_are_not(make):
    node = make(trainings=2)
    for number in (1, 2):
        node.budgets.tell(contract(number), JOB, node.people(1, 2, 3))
    for act in (lambda one: node.budgets.begin(one, 1, b""), lambda one: node.budgets.tell(one, JOB, node.people(1, 2, 3))):
        with pytest.raises(BudgetSpent, match=r"trainings of this bank within a year would be 3, budget.trainings is 2"):
            act(contract(3))


def test_a_measurement_pays_a_label_slot_for_each_outcome_of_each_group(make):
    made, segment = fields(kind="measurement"), {"name": "benefit", "levels": ["eat", "play"]}
    made["telco"] = {**made["telco"], "variables": 1}
    node = make()
    node.budgets.tell(Contract.read({**made, "measurement": {"groups": 3, "segments": [segment]}}), JOB, node.people(1, 2, 3))
    assert (node.used("labels"), node.used("trainings")) == (3 * len(OUTCOMES), 0)


@pytest.mark.parametrize("counter", ["tables", "rosters"])
def test_tables_and_rosters_are_limited(make, counter):
    node = make(**{counter: 2})

    def use(number):
        one = contract(number, kind="scoring")
        node.budgets.begin(one, 1, str(number).encode())
        node.budgets.tell(one, JOB, node.people(number))

    use(1)
    use(2)
    use(2)
    with pytest.raises(BudgetSpent, match=f"budget.{counter} is 2"):
        use(3)


def test_what_was_lost_is_spent_in_full_once(make):
    node = make(bits=100)
    lost = contract(1, caps={"identifiers": 20000, "disclosure_bits": 90, "trainings": 3})
    for _ in range(2):
        node.budgets.lose(lost)
        node.again()
    assert {line.counter: line.used for line in node.budgets.shown()[0].lines} == {
        "identifiers": 20000, "bits": 90, "trainings": 3, "labels": 3, "tables": 1, "rosters": 3,
    }
    with pytest.raises(ScoreBudgetSpent):
        node.budgets.score(contract(2), node.people(7), 11)
    node.budgets.score(contract(2), node.people(7), 10)


def test_a_person_has_one_name_in_every_contract_and_none_without_the_seed(make):
    node = make()
    phones = normalise(["+86 138-0013-8000", "13900139000"], "phone").values
    hashed = normalise([hashlib.sha256(phone).hexdigest() for phone in phones], "sha256").values
    named = node.budgets.persons(phones, "phone")
    assert named.tolist() == node.budgets.persons(hashed, "sha256").tolist()
    assert len(set(named.tolist())) == 2
    assert named.tolist() != Budgets(node.ledger, node.limits, b"t" * 32).persons(phones, "phone").tolist()
    node.budgets.score(contract(1), named, 9)
    with node.ledger.together() as database:
        rows = [*database.execute("SELECT * FROM budget_spent").fetchall(), *database.execute("SELECT * FROM budget_rosters").fetchall()]
    text = " ".join(str(value) for row in rows for value in row)
    for phone, value in zip(phones, hashed, strict=True):
        plain = [phone.decode().removeprefix("+86"), value.decode(), hashlib.blake2b(value, digest_size=8).hexdigest()]
        assert not [one for one in plain if one in text]
