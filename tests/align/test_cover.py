"""Cover groups: companions who stay, rosters of whole groups, and what several rosters laid over each other tell (A9)."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.align.cover import WIDTH, disguise, grouped, mark, seat, whole
from tandem.align.holder import hold
from tandem.align.script import ALIGN
from tandem.align.seeker import seek
from tandem.align.tags import make_tags, take
from tandem.arguments import Seeded
from tandem.crypto import group, voprf
from tandem.engine.serial import Serial
from tandem.errors import Enumeration, InputError, Malformed
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.wire.messages import Opening, Proof, Roster, Shelved, Tags, Weighed

F = 4
KEY = voprf.derive_key_pair(bytes(32), b"test")


def people(*numbers):
    return [b"%d" % number for number in numbers]


def marks(ids):
    return mark(ids, b"the node's key for this bank")


def split(groups, size=F):
    """Return each group as a set of marks."""
    found = [groups[at : at + WIDTH] for at in range(0, len(groups), WIDTH)]
    return [set(found[at : at + size]) for at in range(0, len(found), size)]


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 6), st.lists(st.sets(st.integers(0, 60)), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_whoever_has_companions_keeps_them_whatever_the_table_becomes(size, tables, random):
    known, companions = b"", {}
    for table in tables:
        ids = people(*table)
        random.shuffle(ids)
        groups = grouped(known, marks(ids), size)
        assert groups.startswith(known)
        for together in split(groups, size):
            assert len(together) == size
            for one in together:
                assert companions.setdefault(one, together) == together
        waiting = {mark([one], b"the node's key for this bank") for one in ids} - {one for part in split(groups, size) for one in part}
        assert len(waiting) < size
        known = groups


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 6), st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_a_group_is_offered_while_more_than_half_of_it_is_there(size, before, after):
    groups = grouped(b"", marks(people(*before)), size)
    now = people(*after)
    seating = seat(groups, marks(now), size, Seeded(b"order"))
    present = {one: number for number, one in enumerate(mark([value], b"the node's key for this bank") for value in now)}
    due = [{present[one] for one in part if one in present} for part in split(groups, size)]
    offered = sorted(sorted(part) for part in due if 2 * len(part) > size)
    assert sorted(sorted(row[row >= 0]) for row in seating.seats) == offered
    assert seating.thinned == sum(len(part) < size for part in offered)
    assert seating.broken == sum(0 < 2 * len(part) <= size for part in due)
    assert seating.waiting == len(now) - sum(map(len, due))
    rows = seating.rows.reshape(-1, size)
    assert all(set(row) == set(seats[seats >= 0]) for row, seats in zip(rows, seating.seats, strict=True))  # a companion sits in twice
    assert np.array_equal(seating.empty, seating.seats.ravel() < 0)


def test_neither_the_order_of_groups_nor_that_within_them_tells_of_file_or_marks():
    ids = people(*range(2000))
    groups = grouped(b"", marks(ids), F)
    one, two = (seat(groups, marks(ids), F, Seeded(seed)) for seed in (b"one contract", b"another"))
    assert {frozenset(row) for row in one.seats} == {frozenset(row) for row in two.seats}
    for order in (one.rows, two.rows):
        # A7: under independence Spearman's rho of 2000 pairs has a standard error of 1/sqrt(1999)
        assert abs(np.corrcoef(np.arange(2000), order)[0, 1]) < 3 / np.sqrt(1999)
    by_mark = np.argsort(np.argsort(np.frombuffer(marks(ids), f"S{WIDTH}")))
    seats = by_mark[one.seats]
    assert abs(np.corrcoef(np.arange(len(seats)), seats[:, 0])[0, 1]) < 3 / np.sqrt(len(seats) - 1)
    smallest = np.bincount(seats.argmin(axis=1), minlength=F)
    assert np.all(np.abs(smallest - len(seats) / F) < 4 * np.sqrt(len(seats) * 3 / 16))


def play(seeker, holder, asked):
    opening = Opening("test", "align", 0, ("ids",), (asked,), b"")
    return converse({
        "seeker": (Session(ALIGN, "seeker", bytes(32), bytes(16), opening), seeker),
        "holder": (Session(ALIGN, "holder", bytes(32), bytes(16), opening), holder),
    })


def table(ids, gone=(), size=F):
    """Return tags by group and who is behind each, for a table that some have left since groups were made."""
    groups = grouped(b"", marks(ids), size)
    there = [value for value in ids if value not in gone]
    seating = seat(groups, marks(there), size, Seeded(b"order"))
    tags = disguise(take(make_tags(KEY, there, Serial()), seating.rows), seating.empty, Seeded(b"empty"))
    return tags, [there[row] for row in seating.rows], seating


def seeking(ids, cap=1000, fewest=1, size=F):
    return seek(KEY.public, list(ids), 1000, fewest, Serial(), Seeded(b"w"), Seeded(b"s"), cover=size, roster_cap=cap)


def holding(tags, asked, cap=1000, size=F):
    return hold(KEY, tags, asked, cap, Serial(), Seeded(b"h"), cover=size)


def test_both_end_with_whole_groups_and_the_seeker_knows_which_rows_are_its_own():
    tags, behind, seating = table(people(*range(100, 200)), gone=people(103, 150))
    asked = people(*range(90, 120))
    results = play(seeking(asked), holding(tags, len(asked)), len(asked))
    found, roster = results["seeker"], results["holder"]
    assert np.array_equal(found.positions, roster)
    assert np.all(np.diff(roster) > 0)
    assert len(roster) % F == 0
    assert np.array_equal(roster.reshape(-1, F) // F, np.repeat(np.unique(roster // F)[:, None], F, axis=1))
    own = {asked[row]: behind[roster[place]] for row, place in zip(found.rows, found.places, strict=True)}
    assert all(one == other for one, other in own.items())
    assert set(own) == set(asked) & set(behind)
    for part in roster.reshape(-1, F):  # no group without a match
        assert {behind[at] for at in part} & set(asked)
    assert seating.empty.any()
    assert len(set(found.places)) == len(found.places)


def test_without_cover_the_roster_is_the_matches():
    ids = people(*range(50))
    results = play(seeking(people(3, 7, 60), size=1), holding(make_tags(KEY, ids, Serial()), 3, size=1), 3)
    assert results["holder"].tolist() == [3, 7]
    assert results["seeker"].places.tolist() == [0, 1]


def test_the_fewest_matches_are_matches_not_rows():
    tags, *_ = table(people(*range(100)))
    with pytest.raises(InputError, match="5 of 5 identifiers match; the contract needs 6"):
        play(seeking(people(*range(5)), fewest=6), holding(tags, 5), 5)


def test_a_roster_beyond_the_cap_is_noticed_before_the_holder_hears_of_it():
    tags, *_ = table(people(*range(100)))
    asked = people(*range(30))
    groups = len(play(seeking(asked), holding(tags, 30), 30)["holder"]) // F
    heard = []

    def listening():
        role = holding(tags, 30)
        answer = None
        while True:
            try:
                wanted = role.send(answer)
            except StopIteration as stop:
                return stop.value
            answer = yield wanted
            heard.append(type(answer))

    with pytest.raises(InputError, match=f"30 customers match, and with their cover groups, {groups} of 4 people, make a roster of"):
        play(seeking(asked, cap=groups * F - 1), listening(), 30)
    assert Roster not in heard


def test_a_table_that_ends_within_a_group_is_refused():
    tags, *_ = table(people(*range(100)))
    with pytest.raises(Malformed, match="no whole groups of 4"):
        play(seeking(people(1)), holding(tags[:-WIDTH], 1), 1)


@pytest.mark.parametrize(("groups", "cap"), [([3, 3], 1000), ([5, 4], 1000), ([25], 1000), ([0, 1, 2], 1000), ([0, 1], 7)])
def test_fat_roster_groups_that_no_match_can_explain_are_refused(groups, cap):
    """A12: a seeker that names groups to have strangers scored gets no more than one for each identifier asked, within the cap."""
    tags, *_ = table(people(*range(100)))

    def greedy():
        while (yield Tags):
            pass
        yield Shelved(len(tags) // WIDTH, hashlib.sha256(tags).digest())
        yield Weighed(group.hash_to_group(b"x", b"any"))
        yield Proof
        yield Roster(np.array(groups, "<u4").tobytes())

    with pytest.raises(Enumeration):
        play(greedy(), holding(tags, 2, cap), 2)


def test_an_empty_seat_looks_like_a_stranger_and_matches_nobody():
    ids = people(*range(40))
    tags, behind, seating = table(ids, gone=ids[:3])
    assert int(seating.empty.sum()) == 3
    each = [tags[at : at + WIDTH] for at in range(0, len(tags), WIDTH)]
    assert len(set(each)) == len(each)
    real = make_tags(KEY, ids, Serial())
    known = {real[at : at + WIDTH] for at in range(0, len(real), WIDTH)}
    assert [one in known for one in each] == (~seating.empty).tolist()
    assert len(behind) == len(each)


def test_groups_stand_where_their_number_says():
    assert whole(np.array([0, 2]), 3).tolist() == [0, 1, 2, 6, 7, 8]


# A9: five contracts in a row

TABLE = 60_000
CONTRACTS = 5
LEAVING = 0.005
ASKED = 0.9


def kept():
    """The shipped way: groups are kept from contract to contract."""
    state = {"known": b""}

    def groups(there, _contract):
        state["known"] = grouped(state["known"], marks(there), F)
        return state["known"]

    return groups


def redrawn():
    """Weakened: groups under another key in each contract."""
    return lambda there, contract: grouped(b"", mark(there, b"%d" % contract), F)


def rosters(share, made, *, redrawn_marks=False, asked=ASKED, leaving=LEAVING):
    """Yield (people in every roster so far, how many of them are customers) after each contract.

    A share of the table banks here; each contract asks for nine in ten of them, and between two contracts some people leave and as many
    join, at the same share of customers.
    """
    rng = np.random.default_rng(5)
    there = np.arange(TABLE)
    customer = {int(one): bool(rng.random() < share) for one in there}
    common = None
    for contract in range(CONTRACTS):
        ids = people(*there)
        own = np.array([customer[int(one)] for one in there]) & (rng.random(len(there)) < asked)
        seating = seat(made(ids, contract), mark(ids, b"%d" % contract) if redrawn_marks else marks(ids), F, Seeded(b"%d" % contract))
        chosen = seating.seats[(own[seating.seats] & (seating.seats >= 0)).any(axis=1)]
        named = {int(there[at]) for at in chosen.ravel() if at >= 0}
        common = named if common is None else common & named
        yield len(common), sum(customer[one] for one in common)
        stay = there[rng.random(len(there)) >= leaving]
        joined = np.arange(max(customer) + 1, max(customer) + 1 + len(there) - len(stay))
        customer |= {int(one): bool(rng.random() < share) for one in joined}
        there = np.concatenate((stay, joined))


def error(share, count):
    return np.sqrt(share * (1 - share) / count)


def test_decoy_intersection_five_contracts_leave_a_customer_one_in_four():
    """Where customers are few. Some are asked for in one contract and not in the next, people come and go."""
    for count, own in rosters(0.01, kept()):
        assert abs(own / count - 0.25) < 3 * error(0.25, count)
    assert count > 1000


def test_decoy_intersection_where_a_tenth_are_customers_no_contract_adds_to_the_first():
    """Groups that hold two customers by chance make it 1 in 3.4 from the first contract on, as the contract's words say."""
    due = 0.1 / (1 - 0.9**F)
    for count, own in rosters(0.1, kept(), asked=1.0, leaving=0.001):
        assert abs(own / count - due) < 3 * error(due, count)


@pytest.mark.parametrize(("share", "last"), [(0.01, 0.99), (0.1, 0.95)])
def test_control_groups_drawn_anew_name_the_customers(share, last):
    shares = [own / count for count, own in rosters(share, redrawn(), redrawn_marks=True, asked=1.0)]
    assert shares[0] < 0.3
    assert shares[-1] > last
    assert np.all(np.diff(shares) >= 0)


def test_control_single_decoys_drawn_afresh_name_the_customers():
    """The figures of the attack as published with the design: three random strangers a customer, a tenth of the table customers."""
    rng = np.random.default_rng(6)
    own = TABLE // 10
    common, shares = np.ones(TABLE - own, dtype=bool), []
    for _ in range(3):
        decoys = np.zeros(TABLE - own, dtype=bool)
        decoys[rng.choice(TABLE - own, 3 * own, replace=False)] = True
        common &= decoys
        shares.append(own / (own + int(common.sum())))
    assert shares == pytest.approx([0.25, 0.50, 0.75], abs=0.01)
