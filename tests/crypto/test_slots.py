from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.arguments import Seeded
from tandem.crypto.slots import HEADROOM, Layout, ScoreSlots, Slot, signed_digits
from tandem.errors import RowAsSum, SlotOverflow

RANGES = ((0, 1), (-1, 0), (-5, 5), (-(2**15), 2**15 - 1), (0, 65535), (-(2**40), 2**40), (3, 9), (-9, -3), (0, 0))


def layout_of(ranges, rows=1000, bits=512):
    return Layout(tuple(Slot(f"x{i}", low, high) for i, (low, high) in enumerate(ranges)), rows, bits)


@st.composite
def tables(draw):
    ranges = draw(st.lists(st.sampled_from(RANGES), min_size=1, max_size=30))
    rows = [[draw(st.sampled_from([low, high]) | st.integers(low, high)) for low, high in ranges] for _ in range(draw(st.integers(1, 6)))]
    return ranges, np.array(rows, np.int64)


@settings(deadline=None, max_examples=40)
@given(tables(), st.sampled_from([1, 2, 6, 7, 2**20, 2**20 + 1, 2**32]), st.binary(max_size=4))
def test_packed_sums_equal_exact_sums(table, limit, seed):
    ranges, rows = table
    limit = max(limit, len(rows))
    layout = layout_of(ranges, limit)
    packed = layout.pack(rows)
    assert len(packed) == layout.ciphertexts
    assert [list(row) for row in zip(*packed, strict=True)] == [layout.pack_row(row) for row in rows.tolist()]
    sums = [sum(numbers) for numbers in packed]
    assert layout.unpack(sums, len(rows)) == rows.sum(axis=0).tolist()
    chance = Seeded(seed)
    noisy = [total + layout.top_noise(chance, part) for part, total in enumerate(sums)]
    assert all(0 <= number < 2**510 for number in noisy)
    assert layout.unpack(noisy, len(rows)) == rows.sum(axis=0).tolist()


@pytest.mark.parametrize("low_first", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 3, 1 << 20, (1 << 20) - 1])
def test_totals_at_the_limit(rows, low_first):
    """K9: every slot at its end, N at its limit, signs alternating."""
    layout = layout_of(((-(2**15), 2**15 - 1),) * 12, rows)
    ends = [(-(2**15), 2**15 - 1)[(s % 2) ^ low_first] for s in range(12)]
    packed = [number[0] * rows for number in layout.pack(np.array([ends]))]
    for add in (0, 1):
        noisy = [number + add * layout.top_noise(Seeded(b"x"), part) for part, number in enumerate(packed)]
        assert layout.unpack(noisy, rows) == [end * rows for end in ends]


def test_width_two_bits_short_gives_wrong_sums():
    """One bit of W is spare by design; with two fewer, totals at the limit do not come back."""
    layout = layout_of(((-(2**15), 2**15 - 1),) * 12, 1 << 20)
    assert layout.width == 16 + 20 + 1
    total = (2**15 - 1) * (1 << 20)
    for short, fits in ((0, True), (1, True), (2, False)):
        width = layout.width - short
        number = sum(total << (width * s) for s in range(12))
        assert (signed_digits(number, width, 12) == [total] * 12) is fits


def test_width_of_the_specification():
    """16-bit values and N <= 2^20: W = 37, 82 slots in 3072 bits."""
    layout = Layout((Slot("x", -(2**15), 2**15 - 1),), 1 << 20, 3072)
    assert (layout.width, layout.capacity) == (37, 82)
    assert [Slot("b", low, high).bits for low, high in ((0, 0), (0, 1), (-1, 0), (-2, 1), (-3, 1), (0, 255))] == [1, 2, 1, 2, 3, 9]


@settings(deadline=None, max_examples=40)
@given(tables(), st.data())
def test_value_outside_its_range_is_refused(table, data):
    ranges, rows = table
    slot = data.draw(st.integers(0, len(ranges) - 1))
    rows[-1, slot] = data.draw(st.sampled_from([ranges[slot][0] - 1, ranges[slot][1] + 1]))
    with pytest.raises(SlotOverflow, match=f"row {len(rows) - 1} of this chunk.*x{slot}"):
        layout_of(ranges).pack(rows)
    with pytest.raises(SlotOverflow, match=f"x{slot}"):
        layout_of(ranges).pack_row(rows[-1].tolist())


def test_totals_that_cannot_be_sums_are_refused():
    """S1, T2: a row of 2^i, more than rows allow, or more rows than declared."""
    layout = layout_of(((0, 1), (-3, 3)), rows=100)
    good = 7 + (-20 << layout.width)
    assert layout.unpack([good], 7) == [7, -20]
    for number, rows in ((good, 6), (good + 1, 7), (-1, 7), (good - (2 << layout.width), 7), (8, 7), (good, 101), (good, -1)):
        with pytest.raises(RowAsSum):
            layout.unpack([number], rows)


def test_what_rides_above_the_slots_is_not_read():
    layout = layout_of(((0, 1), (-3, 3)), rows=100)
    assert layout.unpack([5 + (123456789 << (2 * layout.width))], 7) == [5, 0]


def test_top_noise_is_spread_over_its_whole_range():
    layout = layout_of(((0, 1),) * 3, rows=100)
    chance, shift = Seeded(b"spread"), 3 * layout.width
    drawn = [layout.top_noise(chance, 0) for _ in range(400)]
    assert all(number % (1 << shift) == 0 and number > 0 for number in drawn)
    top = 510 - shift
    quarters = [(number >> shift) * 4 >> top for number in drawn]
    assert all(60 < quarters.count(quarter) < 140 for quarter in range(4))


def test_rows_are_cut_in_slot_order():
    layout = layout_of(((-5, 5),) * 100, rows=2**20)
    assert layout.capacity == (512 - HEADROOM) // layout.width
    assert layout.ciphertexts == -(-100 // layout.capacity)
    assert [slot.name for part in range(layout.ciphertexts) for slot in layout.part(part)] == [f"x{i}" for i in range(100)]
    with pytest.raises(ValueError, match="plaintexts"):
        layout.unpack([0], 1)


def test_layouts_that_cannot_be_are_refused():
    for make in (
        lambda: Slot("x", 1, 0),
        lambda: Slot("x", 0, 2**62),
        lambda: Layout((), 1, 512),
        lambda: Layout((Slot("x", 0, 1),), 0, 512),
        lambda: Layout((Slot("x", 0, 2**61),), 2**30, 64),
    ):
        with pytest.raises(ValueError, match=r"range|needs|fit"):
            make()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-(2**31) + 2**25, 2**31 - 2**25 - 1), min_size=1, max_size=15), st.binary(max_size=4))
def test_scores_survive_above_the_noise(scores, seed):
    slots = ScoreSlots(512, 25)
    assert slots.slots == 15
    plain = sum(score << (32 * s) for s, score in enumerate(scores)) + slots.mask(Seeded(seed), len(scores))
    assert 0 <= plain < 2**510
    noises = [got - score for got, score in zip(slots.unpack(plain, len(scores)), scores, strict=True)]
    assert all(0 <= noise < 2**25 for noise in noises)


def test_score_noise_is_uniform_in_low_bits_and_above():
    slots, chance = ScoreSlots(512, 23), Seeded(b"noise")
    masks = [slots.mask(chance, 3) for _ in range(300)]
    for position in range(3):
        for bit in (0, 11, 22):
            assert 105 < sum(mask >> (32 * position + bit) & 1 for mask in masks) < 195
        assert not any(mask >> (32 * position + 23) & (2**9 - 1) for mask in masks)
    for bit in (96, 300, 509):
        assert 105 < sum(mask >> bit & 1 for mask in masks) < 195


def test_score_slots_have_bounds():
    assert [ScoreSlots(bits, 23).slots for bits in (2048, 3072)] == [63, 95]
    assert (ScoreSlots(3072, 23).packs(96), ScoreSlots(3072, 23).limit) == (2, 2**31)
    for used in (0, 16):
        with pytest.raises(ValueError, match="1 to 15"):
            ScoreSlots(512, 23).mask(Seeded(b""), used)
    with pytest.raises(ValueError, match="leave no score"):
        ScoreSlots(512, 31)
