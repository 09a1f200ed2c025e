"""What the three roles of the masked path refuse: sums that are none, rows and shares from elsewhere, planted or repeated ciphertexts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from masked_path import BITS, CONTEXT, cast, exact, play, sealing, secret, solving, table_of, world

from tandem.arguments import Seeded
from tandem.crypto.slots import Layout, Slot
from tandem.engine.serial import Serial
from tandem.errors import (
    CrookedModulus,
    FactorPlanted,
    ForeignElement,
    Malformed,
    NakedCiphertext,
    OutOfTurn,
    Oversized,
    RandomiserRepeated,
    RowAsSum,
)
from tandem.sums.sealer import open_shares, say_key
from tandem.sums.solver import totals
from tandem.sums.summer import take_key
from tandem.wire import codec
from tandem.wire.codec import Frame
from tandem.wire.messages import Masks, Opened, Sealed, Shares


def test_a_sum_out_of_range_is_no_sum():
    rows, codes, bins, layout = world(60, (3, 2), 2)

    def fat():
        """Row 0 counted as if it were a thousand."""
        yield from say_key(secret(), CONTEXT)
        packed = layout.pack(rows)[0]
        packed[0] = 2000 * packed[0] if rows[0].any() else 2000
        yield Sealed(0, secret().seal(packed, Seeded(b"s")))
        yield from open_shares(secret(), Serial())

    with pytest.raises(RowAsSum):
        play(cast(rows, codes, bins, layout, sealer=fat()))


@pytest.mark.parametrize("slots", [1, 3])
def test_a_total_at_its_bound_passes_and_one_beyond_does_not(slots):
    layout = Layout(tuple(Slot(f"x{i}", -5, 7) for i in range(slots)), 10, BITS)
    top = layout.top_noise(Seeded(b"top"), 0)
    for total in (-50, 70, 0):
        assert totals(layout, [layout_sum(layout, total) + top], np.array([10])).tolist() == [[total] * slots]
    for total in (-51, 71):
        with pytest.raises(RowAsSum, match="cannot be a sum over 10 rows"):
            totals(layout, [layout_sum(layout, total) + top], np.array([10]))
    with pytest.raises(RowAsSum, match="claims 11 rows"):
        totals(layout, [top], np.array([11]))
    with pytest.raises(RowAsSum, match="1 ciphertexts for 2 sums"):
        totals(layout, [top], np.array([3, 4]))


def layout_sum(layout, total):
    return sum(total << (layout.width * s) for s in range(len(layout.slots)))


def rows_said(layout, rows, *said):
    """A sealer that sends what `said` gives: (first, rows)."""
    yield from say_key(secret(), CONTEXT)
    for number, (first, part) in enumerate(said):
        yield Sealed(first, secret().seal([n for row in zip(*layout.pack(rows[part]), strict=True) for n in row], Seeded(b"s%d" % number)))
    yield from open_shares(secret(), Serial())


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ([(1, slice(0, 60))], OutOfTurn),
        ([(0, slice(0, 30)), (31, slice(30, 60))], OutOfTurn),
        ([(0, slice(0, 30)), (0, slice(0, 30))], OutOfTurn),
        ([(0, slice(0, 59))], Malformed),
        ([], Malformed),
        ([(0, slice(0, 60)), (60, slice(0, 1))], Oversized),
    ],
)
def test_rows_from_elsewhere_missing_or_too_many(said, error):
    rows, codes, bins, layout = world()
    with pytest.raises(error):
        play(cast(rows, codes, bins, layout, sealer=rows_said(layout, rows, *said)))
    honest = rows_said(layout, rows, (0, slice(0, 25)), (25, slice(25, 60)))
    assert np.array_equal(play(cast(rows, codes, bins, layout, sealer=honest))["solver"][1], exact(rows, codes, bins))


def payload(kind, name, change):
    """Return an Alter that changes one field of the first message of a kind; later frames are not put right."""
    done = []

    def alter(_speaker, _listener, data):
        frame = Frame.from_bytes(data)
        if frame.kind != kind.__name__ or done:
            return data
        done.append(True)
        wire = codec._WIRE[kind.__name__]()
        wire.ParseFromString(frame.payload)
        setattr(wire, name, change(getattr(wire, name)))
        return replace(frame, payload=wire.SerializeToString(deterministic=True)).to_bytes()

    return alter


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: bytes(secret().public.width) + data[secret().public.width :], FactorPlanted),
        (lambda data: int(secret().public.n).to_bytes(secret().public.width, "little") + data[secret().public.width :], FactorPlanted),
        (lambda data: data[: -secret().public.width] + int(7 * secret()._p).to_bytes(secret().public.width, "little"), FactorPlanted),
        (lambda data: (1 + 5 * int(secret().public.n)).to_bytes(secret().public.width, "little") + data[secret().public.width :],
         NakedCiphertext),
        (lambda data: data[:-1], ForeignElement),
    ],
)
@pytest.mark.parametrize(("kind", "name"), [(Sealed, "rows"), (Shares, "shares")])
def test_what_enters_is_checked_before_anything_touches_it(kind, name, change, error):
    """K4: at the summer before it is folded, at the sealer before it is opened."""
    rows, codes, bins, layout = world()
    before = secret().opened
    with pytest.raises(error):
        play(cast(rows, codes, bins, layout), payload(kind, name, change))
    assert secret().opened == before


@pytest.mark.parametrize("kind", [Opened, Masks])
@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda data: data[:-1], "cut in the middle"),
        (lambda data: secret().public.to_bytes() + data[secret().public.plain_width :], "below n"),
        (lambda data: data[: -secret().public.plain_width], "differ in length"),
    ],
)
def test_numbers_that_are_no_shares(kind, change, text):
    rows, codes, bins, layout = world()
    with pytest.raises(Malformed, match=text):
        play(cast(rows, codes, bins, layout), payload(kind, "values", change))


@pytest.mark.parametrize("off", [-1, 1])
def test_shares_that_do_not_come_one_a_bin(off):
    rows, codes, bins, layout = world()
    counts = np.zeros(sum(bins) + off, dtype=np.int64)
    with pytest.raises(Malformed, match="shares where"):
        play(cast(rows, codes, bins, layout, solver=solving(layout, counts)))


def test_a_modulus_that_is_short_or_proved_for_another_contract():
    rows, codes, bins, layout = world()
    table = table_of(codes, bins)

    def wary(context, bits):
        yield from take_key(context, bits)

    for context, bits in ((CONTEXT, BITS + 1), (bytes(31) + b"\1", BITS)):
        with pytest.raises(CrookedModulus):
            play(cast(rows, codes, bins, layout, summer=wary(context, bits)))
        with pytest.raises(CrookedModulus):
            play(cast(rows, codes, bins, layout, solver=wary(context, bits)))
    assert table.rows == 60


def test_a_randomiser_used_twice_does_not_leave():
    """K2: a chance that repeats (a pool copied by fork, a snapshot) is noticed by the sealer itself."""

    class Stuck:
        def draw(self, count):
            return Seeded(b"stuck").draw(count)

        def fork(self, *_):
            return self

    sent = []
    rows, codes, bins, layout = world()
    with pytest.raises(RandomiserRepeated):
        play(cast(rows, codes, bins, layout, sealer=sealing(layout, rows, Stuck())), lambda *act: sent.append(act[2]) or act[2])
    assert "Sealed" not in {Frame.from_bytes(data).kind for data in sent}
