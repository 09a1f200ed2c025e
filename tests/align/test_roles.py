"""The two roles of alignment against each other."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from tandem.align.holder import hold
from tandem.align.script import ALIGN
from tandem.align.seeker import seek
from tandem.align.tags import WIDTH, make_tags, shuffle, take
from tandem.arguments import Seeded
from tandem.crypto import group, voprf
from tandem.engine.serial import Serial
from tandem.errors import Enumeration, ForeignElement, InputError, KeySwitched, OtherContent, OutOfTurn, Oversized
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Answer, Opening, Proof, Query, Roster, Shelved, Tags, Weighed

KEY = voprf.derive_key_pair(bytes(32), b"test")
OTHER = voprf.derive_key_pair(bytes(32), b"another")
X = [b"%d" % i for i in range(100, 400)]
Y = [b"%d" % i for i in range(350, 450)]


def play(seeker, holder):
    opening = Opening("test", "align", 0, ("ids",), (len(Y),), b"")
    return converse({
        "seeker": (Session(ALIGN, "seeker", bytes(32), bytes(16), opening), seeker),
        "holder": (Session(ALIGN, "holder", bytes(32), bytes(16), opening), holder),
    })


def tags_and_order():
    tags = make_tags(KEY, X, Serial())
    order = shuffle(tags, Seeded(b"shuffle"))
    return take(tags, order), order


ASKED = len(Y)


def holding(tags, asked=ASKED, cap=1000):
    return hold(KEY, tags, asked, cap, Serial(), Seeded(b"h"))


def seeking(public=KEY.public, ids=Y, cap=1000, fewest=1):
    return seek(public, list(ids), cap, fewest, Serial(), Seeded(b"w"), Seeded(b"s"))


def test_both_end_with_the_same_people_in_the_same_order():
    tags, order = tags_and_order()
    results = play(seeking(), holding(tags))
    found, roster = results["seeker"], results["holder"]
    assert np.array_equal(found.positions, roster)
    assert [Y[row] for row in found.rows] == [X[order[at]] for at in roster]
    assert {Y[row] for row in found.rows} == set(X) & set(Y)
    assert found.table == len(X)


def test_key_switched_for_half_the_answers_is_refused():
    tags, _ = tags_and_order()

    def two_keys():
        yield Tags(tags)
        yield Shelved
        query = yield Query
        points = [query.points[at : at + 32] for at in range(0, len(query.points), 32)]
        half = len(points) // 2
        yield Answer(b"".join(voprf.answer(KEY, points[:half], Serial()) + voprf.answer(OTHER, points[half:], Serial())))
        weighed = yield Weighed
        yield Proof(voprf.prove(KEY, weighed.point, Seeded(b"p")))

    with pytest.raises(KeySwitched):
        play(seeking(), two_keys())


def test_an_element_asked_twice_is_refused_before_anything_is_proved():
    tags, _ = tags_and_order()

    def twice():
        while (yield Tags):
            pass
        yield Shelved(len(X), hashlib.sha256(tags).digest())
        point = group.hash_to_group(b"x", b"any")
        for _ in range(2):
            yield Query(point)
            yield Answer
        yield Weighed(point)
        yield Proof

    with pytest.raises(ForeignElement, match="0 and 1"):
        play(twice(), holding(tags))


def test_the_roster_does_not_hang_on_how_queries_are_cut(monkeypatch):
    tags, _ = tags_and_order()
    whole = play(seeking(), holding(tags))["seeker"]
    monkeypatch.setattr("tandem.align.seeker.QUERY_LENGTH", 7)
    cut = play(seeking(), holding(tags))["seeker"]
    assert np.array_equal(whole.positions, cut.positions)
    assert np.array_equal(whole.rows, cut.rows)


def test_a_key_other_than_the_pinned_one_is_refused():
    tags, _ = tags_and_order()
    with pytest.raises(KeySwitched):
        play(seeking(public=OTHER.public), holding(tags))


def test_a_table_beyond_the_cap_is_refused():
    tags, _ = tags_and_order()
    with pytest.raises(Oversized):
        play(seeking(cap=len(X) - 1), holding(tags))


def test_no_overlap_says_so_and_gives_the_holder_no_roster():
    tags, _ = tags_and_order()
    with pytest.raises(InputError, match="0 of 100 identifiers match"):
        play(seeking(ids=[b"z%d" % i for i in range(100)]), holding(tags))


def test_enumeration_more_asked_than_declared():
    tags, _ = tags_and_order()
    with pytest.raises(Enumeration):
        play(seeking(), holding(tags, asked=len(Y) - 1))


@pytest.mark.parametrize("positions", [[3, 3], [5, 4], [len(X)], list(range(len(Y) + 1))])
def test_enumeration_fat_or_crooked_roster(positions):
    tags, _ = tags_and_order()

    def greedy():
        while (yield Tags):
            pass
        yield Shelved(len(X), hashlib.sha256(tags).digest())
        point = group.hash_to_group(b"x", b"any")
        yield Weighed(point)
        yield Proof
        yield Roster(np.array(positions, "<u4").tobytes())

    with pytest.raises(Enumeration):
        play(greedy(), holding(tags))


def test_tags_that_arrived_otherwise_than_sent_are_noticed():
    tags, _ = tags_and_order()

    def liar():
        while (yield Tags):
            pass
        yield Shelved(len(X), bytes(32))

    with pytest.raises(OutOfTurn):
        play(liar(), holding(tags))


def test_position_tells_nothing_of_the_file_order():
    _, order = tags_and_order()
    # A7: Spearman's rho of 300 pairs has a standard error of 1/sqrt(299) under independence.
    rho = np.corrcoef(np.arange(len(order)), order)[0, 1]
    assert abs(rho) < 3 / np.sqrt(299)
    assert np.corrcoef(np.arange(300), np.arange(300))[0, 1] == pytest.approx(1.0)  # control: unshuffled


def test_tag_width_is_sixteen_bytes():
    assert WIDTH == 16


def test_each_query_is_asked_about_before_it_is_answered():
    tags, _ = tags_and_order()
    asked = []

    def once(digest, items):
        asked.append((digest, items))
        raise OtherContent("enough")

    wire = []
    session = Session(ALIGN, "holder", bytes(32), bytes(16), Opening("test", "align", 0, ("ids",), (len(Y),), b""), wire.append)
    with pytest.raises(OtherContent):
        converse({
            "seeker": (Session(ALIGN, "seeker", bytes(32), bytes(16), session.opening), seeking()),
            "holder": (session, hold(KEY, tags, ASKED, 1000, Serial(), Seeded(b"h"), once)),
        })
    (query,) = [decode(Query, Frame.from_bytes(seen.frame).payload) for seen in wire if seen.kind == "Query"]
    assert asked == [(hashlib.sha256(query.points).digest(), len(Y))]
    assert not [seen for seen in wire if seen.kind == "Answer"]
