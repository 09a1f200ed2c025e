"""Tags: made once, shuffled beyond recognition, found again in a table of any order."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.align.tags import Shelf, make_tags, shuffle, take
from tandem.arguments import Seeded
from tandem.crypto import voprf
from tandem.errors import DuplicateTag, ForeignElement, InputError, LocalProtocolError, Oversized

KEY = voprf.derive_key_pair(bytes(32), b"test")
some_tags = st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=30)


class Loop:
    def map(self, task, items):
        return map(task, items)

    begin = map  # noqa: A003 - the class's own `map` is meant

    def accumulate(self, start):
        raise NotImplementedError


def cut(tags: bytes) -> list[bytes]:
    return [tags[at : at + 16] for at in range(0, len(tags), 16)]


def filled(tags: list[bytes], chunk: int = 7) -> Shelf:
    shelf = Shelf(len(tags))
    for at in range(0, len(tags), chunk):
        shelf.extend(b"".join(tags[at : at + chunk]))
    return shelf


def test_tags_are_the_first_bytes_of_the_hash():
    ids = [b"%d" % at for at in range(5)]
    assert cut(make_tags(KEY, ids, Loop())) == [voprf.evaluate_direct(KEY, value)[:16] for value in ids]
    assert make_tags(KEY, [], Loop()) == b""


def test_tags_do_not_depend_on_slices(monkeypatch):
    ids = [b"%d" % at for at in range(10)]
    tags = make_tags(KEY, ids, Loop())
    monkeypatch.setattr(voprf, "SLICE", 3)
    assert make_tags(KEY, ids, Loop()) == tags


def test_one_person_twice_is_refused_without_naming_the_value():
    with pytest.raises(InputError, match=r"places 1 and 3 \(from 0\)") as caught:
        make_tags(KEY, [b"zero", b"same", b"two", b"same"], Loop())
    assert "same" not in str(caught.value).split("are the same")[0]


@given(some_tags, st.binary(max_size=4))
def test_a_shuffle_is_an_order_decided_by_chance_alone(tags, seed):
    order = shuffle(b"".join(tags), Seeded(seed))
    assert sorted(order.tolist()) == list(range(len(tags)))
    assert (order == shuffle(b"".join(tags[::-1]), Seeded(seed))).all()
    assert cut(take(b"".join(tags), order)) == [tags[at] for at in order]


def test_shuffled_positions_say_nothing_of_the_file():
    count = 20_000
    order = shuffle(bytes(16 * count), Seeded(b"a"))
    correlation = np.corrcoef(order, np.arange(count))[0, 1]
    assert abs(correlation) < 4 / np.sqrt(count)
    assert (order != shuffle(bytes(16 * count), Seeded(b"b"))).any()


def test_orders_of_three_are_equally_frequent():
    chance = Seeded(b"dice")
    seen = [tuple(shuffle(bytes(48), chance)) for _ in range(6000)]
    counts = [seen.count(order) for order in set(seen)]
    assert len(counts) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 20.5  # chi-square, 5 degrees, p = .001


def test_equal_draws_are_drawn_again():
    class Stuck:
        drawn = 0

        def draw(self, count):
            self.drawn += 1
            return bytes(count) if self.drawn == 1 else Seeded(b"x").draw(count)

        def fork(self, *label):
            return self

    chance = Stuck()
    assert sorted(shuffle(bytes(16 * 5), chance).tolist()) == [0, 1, 2, 3, 4]
    assert chance.drawn == 2


@given(some_tags, st.integers(1, 9), st.data())
def test_the_shelf_finds_what_a_dictionary_finds(tags, chunk, data):
    positions = {tag: at for at, tag in enumerate(tags)}
    known = st.sampled_from(tags) if tags else st.nothing()
    wanted = data.draw(st.lists(st.one_of(known, st.binary(min_size=16, max_size=16)), max_size=12))
    found = filled(tags, chunk).find(wanted)
    assert found.dtype == np.int64
    assert found.tolist() == [positions.get(tag, -1) for tag in wanted]


@pytest.mark.parametrize("tags", [
    [bytes(16), bytes(15) + b"\1", b"\1" + bytes(15), b"\1\0\1" + bytes(13), b"\1\1" + bytes(14)],  # zeros at the end are bytes like others
    [b"\xff" * 16, b"\x7f" * 16, b"\x80" * 16],
])
def test_edge_bytes_are_told_apart(tags):
    shelf = filled(tags)
    assert shelf.find(tags[::-1]).tolist() == list(range(len(tags)))[::-1]
    assert shelf.find([b"\1\0" + b"\2" * 14, bytes(14) + b"\1\1"]).tolist() == [-1, -1]


def test_an_empty_shelf_finds_nothing():
    assert Shelf(10).find([bytes(16)]).tolist() == [-1]
    assert Shelf(10).find([]).tolist() == []


def test_duplicate_tag_is_refused_naming_positions():
    shelf = filled([b"a" * 16, b"b" * 16, b"c" * 16, b"b" * 16])
    with pytest.raises(DuplicateTag, match=r"positions 1 and 3 \(from 0\)"):
        shelf.find([b"a" * 16])


def test_more_tags_than_declared_are_refused():
    shelf = Shelf(3)
    shelf.extend(bytes(range(32)))
    with pytest.raises(Oversized, match="4 tags; at most 3"):
        shelf.extend(bytes(32))
    assert len(shelf) == 2


@pytest.mark.parametrize("width", [1, 15, 17])
def test_parts_of_tags_are_refused(width):
    with pytest.raises(ForeignElement, match="whole number"):
        Shelf(9).extend(bytes(width))
    with pytest.raises(ValueError, match="16 bytes"):
        Shelf(9).find([bytes(width)])
    with pytest.raises(ValueError, match="looked up"):
        Shelf(9).find([bytes(32)])


def test_a_table_cannot_change_after_the_first_look_up():
    shelf = filled([b"a" * 16])
    shelf.find([])
    with pytest.raises(LocalProtocolError):
        shelf.extend(b"b" * 16)


def test_the_digest_pins_the_order_of_arrival():
    tags = [hashlib.md5(bytes([at]), usedforsecurity=False).digest() for at in range(20)]
    shelf = filled(tags)
    assert shelf.digest == hashlib.sha256(b"".join(tags)).digest() == filled(tags, 3).digest
    shelf.sort()
    assert shelf.digest == filled(tags).digest != filled(tags[::-1]).digest
