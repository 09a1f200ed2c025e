from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import CONTRACT, TRAIN, conversation, held, honest

from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.ledger.comparison import Pair
from tandem.ledger.disclosure import Disclosed

PAIRS = [(BANK, TELCO), (BANK, COORDINATOR), (TELCO, COORDINATOR)]


def kinds(comparison):
    return [(each.kind, {party: row.number for party, row in each.rows.items()}, each.fields) for each in comparison.findings]


def place(rows, message, nth=0):
    return [at for at, row in enumerate(rows) if row.message == message][nth]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_honest_ledgers_agree_and_the_extent_is_told(one, other):
    frames = conversation(passes=3)
    found = held(one, other, honest(frames))
    between = [frame for frame in frames if {frame[3], frame[4]} == {one, other}]
    assert (found.findings, found.unreceived) == ((), ())
    assert (found.frames, found.sessions, found.contracts) == (len(between), len({frame[1] for frame in between}), 1)


def test_a_dropped_row_is_named_by_the_other_side():
    rows = honest(conversation())
    at = place(rows[TELCO], "Sealed")
    dropped = rows[TELCO].pop(at)
    found = held(BANK, TELCO, rows)
    (finding,) = found.findings
    assert (finding.kind, set(finding.rows)) == ("alone", {BANK})
    row = finding.rows[BANK]
    assert (row.number, row.frame, row.message, row.script) == (place(rows[BANK], "Sealed") + 1, dropped.frame, "Sealed", "train")


def test_an_extra_row_is_named():
    rows = honest(conversation())
    extra = replace(rows[TELCO][6], frame="00" * 32, size=77)
    rows[TELCO].insert(7, extra)
    assert kinds(held(BANK, TELCO, rows)) == [("alone", {TELCO: 8}, ())]


def test_a_copied_row_is_extra():
    rows = honest(conversation())
    rows[TELCO].insert(7, rows[TELCO][6])
    assert kinds(held(BANK, TELCO, rows)) == [("alone", {TELCO: 8}, ())]


@pytest.mark.parametrize(("field", "value"), [
    ("size", 1), ("message", "Tags"), ("script", "serve"), ("contract", "00" * 32), ("session", "99" * 16), ("direction", "sent"),
    ("disclosed", ()), ("disclosed", (Disclosed("telco", "asked", 1),)), ("frame", "00" * 32),
])
def test_a_changed_field_is_named(field, value):
    rows = honest(conversation())
    at = place(rows[TELCO], "Query")
    rows[TELCO][at] = replace(rows[TELCO][at], **{field: value})
    assert kinds(held(BANK, TELCO, rows)) == [("changed", {BANK: place(rows[BANK], "Query") + 1, TELCO: at + 1}, (field,))]


def test_a_row_given_another_peer_is_missing_here_and_extra_there():
    rows = honest(conversation())
    at = place(rows[TELCO], "Query")
    rows[TELCO][at] = replace(rows[TELCO][at], peer=COORDINATOR)
    assert kinds(held(BANK, TELCO, rows)) == [("alone", {BANK: place(rows[BANK], "Query") + 1}, ())]
    assert kinds(held(TELCO, COORDINATOR, rows)) == [("alone", {TELCO: at + 1}, ())]


@pytest.mark.parametrize(("a", "b"), [("Tags", "Answer"), ("Query", "Answer"), ("Shelved", "Roster")])
def test_two_rows_that_changed_places_are_both_named(a, b):
    rows = honest(conversation())
    first, second = place(rows[TELCO], a), place(rows[TELCO], b)
    rows[TELCO][first], rows[TELCO][second] = rows[TELCO][second], rows[TELCO][first]
    found = held(BANK, TELCO, rows)
    assert [each.kind for each in found.findings] == ["order", "order"]
    assert {each.rows[TELCO].number for each in found.findings} == {first + 1, second + 1}


def test_a_row_moved_far_is_named_alone():
    rows = honest(conversation())
    moved = rows[TELCO].pop(2)
    rows[TELCO].insert(8, moved)
    assert kinds(held(BANK, TELCO, rows)) == [("order", {BANK: 3, TELCO: 9}, ())]


def test_it_does_not_matter_in_which_order_the_ledgers_are_read():
    rows = honest(conversation())
    rows[TELCO][2], rows[TELCO][9] = rows[TELCO][9], rows[TELCO][2]
    del rows[TELCO][5]
    in_turn = held(BANK, TELCO, rows)
    assert len(in_turn.findings) == 3
    assert held(BANK, TELCO, rows, turns=[BANK] * 100) == in_turn
    assert held(BANK, TELCO, rows, turns=[TELCO] * 100) == in_turn


def test_memory_is_bounded_by_what_differs():
    rows = honest(conversation(passes=50))
    del rows[TELCO][30]
    pair = Pair(BANK, TELCO)
    most = 0
    for place_, entries in enumerate(zip(rows[BANK], rows[TELCO], strict=False), 1):
        for party, entry in zip((BANK, TELCO), entries, strict=True):
            pair.take(party, entry, place_)
        most = max(most, sum(len(each) for each in pair._open.values()))
    assert most < 40, "a row is kept only until its counterpart comes"


# -- sessions that were cut off ------------------------------------------------------------------------------------------------------------


def cut(after, lost=1):
    """Return ledgers of an alignment and a pass that broke off after so many frames, the last `lost` of them never received."""
    frames = [*conversation(passes=1)[: 15 + after]]
    rows = honest(frames)
    for frame in frames[len(frames) - lost:]:
        receiver = frame[4]
        rows[receiver].pop()
    return rows


def test_the_last_frames_of_a_session_that_broke_off_are_told_apart():
    rows = cut(after=8, lost=3)
    found = held(BANK, TELCO, rows)
    assert found.findings == ()
    assert [(each.rows[BANK].message, each.rows[BANK].number) for each in found.unreceived] == [
        ("Sealed", len(rows[BANK]) - 2), ("Sealed", len(rows[BANK]) - 1), ("End", len(rows[BANK])),
    ]


def test_a_gap_before_the_last_received_frame_is_no_interruption():
    rows = cut(after=8, lost=0)
    del rows[TELCO][place(rows[TELCO], "Sealed")]
    assert [each.kind for each in held(BANK, TELCO, rows).findings] == ["alone"]


def test_a_frame_that_was_answered_was_received():
    rows = honest(conversation(passes=1)[: 15 + 9])  # up to the shares, which answer what was sealed
    rows[TELCO] = [row for row in rows[TELCO] if not (row.script == "train" and row.direction == "received" and row.message != "Opening")]
    rows[TELCO].pop()  # the answer itself, so that only the bank's ledger has it
    found = held(BANK, TELCO, rows)
    assert {each.entry.message for each in found.findings} == {"Key", "Sealed", "End", "Shares"}
    assert found.unreceived == ()


def test_a_frame_of_a_session_that_closed_was_received():
    rows = honest(conversation(passes=1))
    shown = [at for at, row in enumerate(rows[TELCO]) if row.script == "train" and row.direction == "received" and row.peer == BANK]
    del rows[TELCO][shown[-2]]  # the last before the bank's closing
    assert [each.kind for each in held(BANK, TELCO, rows).findings] == ["alone"]


def test_a_closing_alone_may_be_lost_when_the_line_breaks():
    rows = honest(conversation(passes=1))
    lost = (f"{1:032x}", "Closing", "received")
    rows[TELCO] = [row for row in rows[TELCO] if (row.session, row.message, row.direction) != lost]
    found = held(BANK, TELCO, rows)
    assert (len(found.findings), [each.entry.message for each in found.unreceived]) == (0, ["Closing"])


def test_who_said_its_own_closing_had_received_everything_before():
    rows = honest(conversation(0))
    rows[BANK] = [row for row in rows[BANK] if (row.message, row.direction) != ("Closing", "received")]
    rows[TELCO] = [row for row in rows[TELCO] if (row.message, row.direction) != ("Closing", "received")]
    del rows[TELCO][12]  # the bank's last word before its closing
    found = held(BANK, TELCO, rows)
    assert kinds(found) == [("alone", {BANK: 13}, ())]
    assert [each.entry.message for each in found.unreceived] == ["Closing", "Closing"]


def test_who_heard_a_closing_had_received_everything_before():
    rows = honest(conversation(0))
    rows[BANK] = [row for row in rows[BANK] if (row.message, row.direction) != ("Closing", "received")]
    rows[TELCO] = [row for row in rows[TELCO] if (row.message, row.direction) != ("Closing", "sent")]
    del rows[TELCO][12]
    assert kinds(held(BANK, TELCO, rows)) == [("alone", {BANK: 13}, ())]


def test_another_row_in_place_of_the_last_frames_is_no_interruption():
    rows = cut(after=8, lost=3)
    rows[TELCO].append(replace(rows[TELCO][-1], message="Roster", frame="00" * 32))
    found = held(BANK, TELCO, rows)
    assert ([each.kind for each in found.findings], found.unreceived) == (["alone"] * 4, ())


def test_received_but_never_sent_is_always_a_gap():
    rows = cut(after=8, lost=0)
    rows[BANK].pop()
    assert kinds(held(BANK, TELCO, rows)) == [("alone", {TELCO: len(rows[TELCO])}, ())]


def test_newest_rows_cut_off_at_one_side_are_found_if_the_session_closed():
    rows = honest(conversation(passes=2))
    rows[TELCO] = rows[TELCO][:-14]
    found = held(BANK, TELCO, rows)
    assert {each.kind for each in found.findings} == {"alone"}
    assert len(found.findings) + len(found.unreceived) == sum(
        BANK in frame and TELCO in frame for frame in TRAIN
    ) - sum(row.peer == BANK and row.session == f"{2:032x}" for row in rows[TELCO])


def test_one_contract_can_be_held_alone():
    first, second = honest(conversation(passes=1)), honest(conversation(passes=1, contract="cd" * 32))
    rows = {BANK: first[BANK] + second[BANK], TELCO: first[TELCO]}
    assert len(held(BANK, TELCO, rows).findings) > 0
    assert held(BANK, TELCO, rows, contract=CONTRACT).findings == ()


# -- any set of edits ----------------------------------------------------------------------------------------------------------------------

EDITS = {
    "drop": lambda rows, at: rows[:at] + rows[at + 1:],
    "extra": lambda rows, at: [*rows[:at], replace(rows[at], frame=f"{at + 7000:064x}", size=5, disclosed=()), *rows[at:]],
    "size": lambda rows, at: [*rows[:at], replace(rows[at], size=5), *rows[at + 1:]],
    "frame": lambda rows, at: [*rows[:at], replace(rows[at], frame=f"{at:064x}"), *rows[at + 1:]],
    "disclosed": lambda rows, at: [*rows[:at], replace(rows[at], disclosed=(Disclosed("bank", "roster", 9),)), *rows[at + 1:]],
    "session": lambda rows, at: [*rows[:at], replace(rows[at], session="99" * 16), *rows[at + 1:]],
    "swap": lambda rows, at: [*rows[:at], rows[at + 1], rows[at], *rows[at + 2:]],
}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_set_of_edits_is_found_and_nothing_else(data):
    passes = 2
    rows = honest(conversation(passes))
    party = data.draw(st.sampled_from([BANK, TELCO]))
    other = TELCO if party == BANK else BANK
    mine = [row for row in rows[party] if row.peer == other]
    theirs = [row for row in rows[other] if row.peer == party]
    # two edits never touch neighbours, and closings are left to the tests above: then there is one way to explain what differs
    spots = [at for at in range(1, len(mine) - 2) if "Closing" not in {row.message for row in mine[at - 1: at + 3]}]
    chosen = data.draw(st.lists(st.sampled_from([at for at in spots if at % 4 == 1]), unique=True, max_size=5))
    touched = {at: data.draw(st.sampled_from(sorted(EDITS))) for at in chosen}
    expected = set()
    for at, edit in sorted(touched.items(), reverse=True):
        if edit == "swap" and mine[at].session != mine[at + 1].session:
            edit = "size"  # noqa: PLW2901 - sessions are compared apart
        expected |= {("order", mine[at].frame), ("order", mine[at + 1].frame)} if edit == "swap" else set()
        expected |= {("alone", f"{at + 7000:064x}")} if edit == "extra" else set()
        expected |= {("alone", mine[at].frame)} if edit == "drop" else set()
        expected |= {("changed", mine[at].frame)} if edit in {"size", "frame", "disclosed", "session"} else set()
        mine = EDITS[edit](mine, at)
    found = held(party, other, {party: mine, other: theirs})
    assert sorted((each.kind, each.rows.get(other, each.entry).frame) for each in found.findings) == sorted(expected)
    assert found.unreceived == ()
