from __future__ import annotations

import datetime as dt

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_persons import ALWAYS, NEVER, persons

from telco_party.persons import fold

AS_OF = pd.Timestamp("2025-07-01")
PHONES = [f"p{number}" for number in range(7)]
COLUMNS = ["kind", "value", "other_kind", "other_value", "seen_on"]
INSTANCE = duckdb.connect(config={"threads": 1})
"""Opening one takes as long as folding; each cursor has temporary tables of its own."""


def day(number):
    return pd.Timestamp("2025-06-01") + pd.Timedelta(days=number)


def folded(pairs, phones=PHONES):
    """Return what `fold` makes: {identifier: set of (phones of the person, since, until)}, and households."""
    with INSTANCE.cursor() as database:
        frame = pd.DataFrame(pairs, columns=COLUMNS)
        database.register("pairs", frame)
        database.execute("CREATE TEMP TABLE subscriber AS SELECT unnest(?) AS phone", [phones])
        database.execute("CREATE TEMP TABLE known_identifiers AS SELECT kind::VARCHAR AS kind, value::VARCHAR AS value, "
            "other_kind::VARCHAR AS other_kind, other_value::VARCHAR AS other_value, seen_on::DATE AS seen_on FROM pairs")
        fold(database)
        rows = database.execute("SELECT kind, value, person, since, until, current, first_seen FROM holding").fetchall()
        households = database.execute("SELECT value, person, phones FROM household").fetchall()
    numbers = {}
    for kind, value, person, *_ in rows:
        if kind == "phone":
            numbers.setdefault(person, set()).add(value)
    held = {}
    for kind, value, person, since, until, *_ in rows:
        span = None if since == dt.date.min else since, None if until == dt.date.max else until
        held.setdefault((kind, value), set()).add((frozenset(numbers[person]), *span))
    return held, {(value, frozenset(numbers[person]), phones) for value, person, phones in households}


def by_hand(pairs, phones=PHONES):
    _, holdings, households, _ = persons(pd.DataFrame(pairs, columns=COLUMNS), phones, AS_OF)
    names = lambda one: frozenset(value for kind, value in one if kind == "phone")  # noqa: E731 - a word of this page
    held = {}
    for key, one, since, until in holdings:
        span = None if since == ALWAYS else since.date(), None if until == NEVER else until.date()
        held.setdefault(key, set()).add((names(one), *span))
    fullness = {key[1]: sum(len(names(one)) for one in group) for key, group in households.items()}
    return held, {(key[1], names(one), fullness[key[1]]) for key, group in households.items() for one in group}


identifier = st.one_of(
    st.tuples(st.just("phone"), st.sampled_from(PHONES)), st.tuples(st.just("device"), st.sampled_from(["d1", "d2", "d3"])),
    st.tuples(st.just("cookie"), st.sampled_from(["c1", "c2"])), st.tuples(st.just("broadband"), st.sampled_from(["b1", "b2"])),
)
observed = st.builds(lambda one, other, at: (*one, *other, day(at)), identifier, identifier, st.integers(0, 6)).filter(
    lambda pair: pair[:2] != pair[2:4]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(observed, min_size=1, max_size=24))
def test_any_pairs_fold_as_by_hand(pairs):
    assert folded(pairs) == by_hand(pairs)


@pytest.mark.parametrize(("pairs", "whose"), [
    ([("phone", "p1", "device", "d1", day(1)), ("phone", "p2", "device", "d1", day(5))],
     {(frozenset({"p1"}), None, day(5).date()), (frozenset({"p2"}), day(5).date(), None)}),
    ([("phone", "p1", "device", "d1", day(1)), ("phone", "p1", "device", "d1", day(6)), ("phone", "p2", "device", "d1", day(5))],
     {(frozenset({"p1", "p2"}), None, None)}),
    ([("phone", f"p{number}", "device", "d1", day(1)) for number in range(5)], set()),
    ([("phone", f"p{number}", "device", f"d{number // 2}", day(1)) for number in range(7)]
     + [("phone", f"p{number}", "device", f"d{number // 2 + 1}", day(1)) for number in range(5)], set()),
], ids=["handed on", "two numbers", "public", "a crowd"])
def test_a_device_with_several_phones(pairs, whose):
    assert folded(pairs)[0].get(("device", "d1"), set()) == whose


def test_a_broadband_account_of_a_household_is_nobodys_and_joins_nobody():
    pairs = [("broadband", "b1", "phone", "p1", day(1)), ("device", "d2", "broadband", "b1", day(1)),
             ("device", "d2", "phone", "p2", day(1)),
             ("broadband", "b2", "phone", "p3", day(1))]
    held, households = folded(pairs)
    assert ("broadband", "b1") not in held
    assert held["phone", "p1"] == {(frozenset({"p1"}), None, None)}
    assert held["broadband", "b2"] == {(frozenset({"p3"}), None, None)}
    assert households == {("b1", frozenset({"p1"}), 2), ("b1", frozenset({"p2"}), 2), ("b2", frozenset({"p3"}), 1)}
