"""Levels told: what one side has is what the other reads, and bytes that the contract does not allow are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puppets import session

from tandem.errors import Malformed, Oversized
from tandem.session.loopback import converse
from tandem.session.tap import untapped
from tandem.tell import holder
from tandem.tell.asker import ask
from tandem.tell.holder import tell
from tandem.tell.script import TELL, TOLD_LENGTH
from tandem.wire.codec import PAYLOAD_LIMIT, encode
from tandem.wire.messages import Told


def play(telling, rows, levels, tap=untapped):
    roles = {"holder": (session(TELL, "holder", tap=tap), telling), "asker": (session(TELL, "asker"), ask(rows, levels))}
    return converse(roles)["asker"]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.lists(st.integers(2, 16), min_size=1, max_size=4), st.integers(0, 2**32), st.integers(1, 17))
def test_what_is_told_is_what_is_read_however_it_is_cut(rows, levels, seed, length):
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, count + 1, size=rows).astype(np.uint8) for count in levels]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, "TOLD_LENGTH", length)
        found = play(tell(columns), rows, levels)
    assert found.tolist() == np.column_stack(columns).tolist()


def test_a_byte_a_person_and_messages_under_their_limit():
    seen = []
    columns = [np.zeros(TOLD_LENGTH + 5, np.uint8), np.ones(TOLD_LENGTH + 5, np.uint8)]
    found = play(tell(columns), TOLD_LENGTH + 5, [2, 2], lambda one: seen.append(one) if one.kind == "Told" else None)
    assert found.sum(axis=0).tolist() == [0, TOLD_LENGTH + 5]
    assert len(seen) == 4
    assert len(encode(Told(15, bytes([16]) * TOLD_LENGTH))) <= PAYLOAD_LIMIT


def saying(*messages):
    yield from messages


@pytest.mark.parametrize(("messages", "error", "why"), [
    ([Told(0, b"\0\3\1")], Malformed, "a level beyond the 2"),
    ([Told(0, b"\0\1\1\1")], Oversized, "more than the 3 people"),
    ([Told(0, b"\0\1"), Told(0, b"\1\1")], Oversized, "more than the 3 people"),
    ([Told(0, b"\0\1\2")], Malformed, "levels of 3 people of column 0 where 2 columns"),
    ([Told(0, b"\0\1\2"), Told(1, b"\0\1")], Malformed, "levels of 2 people of column 1"),
    ([Told(0, b"\0\1"), Told(1, b"\0")], Malformed, "column 1 where 1 people of column 0 were due"),
    ([Told(1, b"\0\1\2"), Told(0, b"\0\1\2")], Malformed, "column 1 where 3 people of column 0"),
    ([Told(0, b"\0\1\2"), Told(1, b"\0\1\2"), Told(2, b"\0")], Malformed, "column 2"),
    ([Told(0, b"\0\1\2"), Told(1, b"\0\1\2"), Told(0, b"\0\1\2")], Malformed, "column 0"),
    ([Told(0, b"")], Malformed, "3 people of column 0 were due"),
    ([], Malformed, "levels of 0 people"),
])
def test_bytes_that_the_contract_does_not_allow_are_refused(messages, error, why):
    with pytest.raises(error, match=why):
        play(saying(*messages), 3, [2, 4])
