from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.ledger.chain import GENESIS, Entry, digest, first_break, link
from tandem.ledger.disclosure import Disclosed


def entry(message="Query", size=100, disclosed=()):
    return Entry("2027-02-01T00:00:00Z", "ab" * 32, "cd" * 16, "sent", "telco", "align", message, size, "ef" * 32, disclosed)


def chain(count=5):
    entries, previous = [], GENESIS
    for number in range(1, count + 1):
        bound = link(entry(size=number, disclosed=(Disclosed("telco", "asked"),)), number, previous)
        entries.append(bound)
        previous = bound.hash
    return entries


def head(entries):
    return (entries[-1].number, entries[-1].hash)


def test_an_untouched_chain_holds():
    entries = chain()
    assert first_break(entries, head(entries)) is None
    assert first_break([], (0, GENESIS)) is None


def test_the_hash_is_a_known_answer():
    assert GENESIS == "868c58bde5a71779c3d7160abcb7ae6b98875e7d400eb3db9bd59e6ba1cb280c"
    assert link(entry(), 1, GENESIS).hash == "9b4962044ae93bbd207c27fa6f208d267ec2de5ec672c4cb6eea7cc62a2ab2c8"


CHANGED = {
    "time": "2027-02-01T00:00:01Z", "contract": "00" * 32, "session": "00" * 16, "direction": "received", "peer": "bank", "script": "train",
    "message": "Tags", "size": 99, "frame": "00" * 32, "disclosed": (), "number": 9, "previous": "00" * 32, "hash": "00" * 32,
}


@pytest.mark.parametrize("name", [each.name for each in fields(Entry)])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_any_changed_field_is_found_where_it_stands(name, at):
    entries = chain()
    before = head(entries)
    entries[at] = replace(entries[at], **{name: CHANGED[name]})
    found = first_break(entries, before)
    assert found is not None
    assert found.number == at + 1


def test_a_changed_entry_with_a_fresh_hash_breaks_the_next():
    entries = chain()
    entries[1] = replace(entries[1], size=7)
    entries[1] = replace(entries[1], hash=digest(entries[1]))
    assert first_break(entries, head(entries)).number == 3


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_removal_swap_and_insertion_are_found(data):
    entries = chain(6)
    last = head(entries)
    at = data.draw(st.integers(0, 5))
    other = data.draw(st.integers(0, 5).filter(lambda each: each != at))
    removed = entries[:at] + entries[at + 1 :]
    swapped = list(entries)
    swapped[at], swapped[other] = swapped[other], swapped[at]
    assert first_break(removed, last).number == at + 1
    assert first_break(swapped, last).number == min(at, other) + 1
    assert first_break([*entries[: at + 1], entries[at], *entries[at + 1 :]], last).number == at + 2


def test_newest_entries_cut_off_are_found_by_the_head():
    entries = chain()
    assert "cut off" in first_break(entries[:3], head(entries)).reason
