"""The masked path: sealer, summer and solver of sums against each other, and against numpy; what each sees is uniform."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masked_path import BITS, CONTEXT, cast, exact, play, secret, world
from scipy import stats

from tandem.arguments import Seeded
from tandem.crypto.paillier import Foreign, admit
from tandem.crypto.slots import signed_digits
from tandem.engine.serial import Serial
from tandem.errors import SlotOverflow
from tandem.sums.sealer import open_shares, say_key
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Masks, Opened, Sealed, Shares


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 70), st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(1, 40), st.integers(0, 99),
    st.sampled_from([1, 50, 2**20]),
)
def test_totals_equal_numpy(count, bins, slots, seed, reach):
    rows, codes, bins, layout = world(count, bins, slots, seed, reach)
    found = play(cast(rows, codes, bins, layout))["solver"][1]
    assert np.array_equal(found, exact(rows, codes, bins))


def test_a_row_of_several_ciphertexts():
    rows, codes, bins, layout = world(60, (3, 2), 20, reach=2**20)
    assert layout.ciphertexts > 2
    found = play(cast(rows, codes, bins, layout))["solver"][1]
    assert np.array_equal(found, exact(rows, codes, bins))


def test_edges_of_the_declared_ranges():
    _, codes, bins, layout = world(40, (2, 2), 9, reach=2**15 - 1)
    for value in (-(2**15) + 1, 2**15 - 1, 0):
        rows = np.full((40, 9), value)
        assert np.array_equal(play(cast(rows, codes, bins, layout))["solver"][1], exact(rows, codes, bins))
    with pytest.raises(SlotOverflow):
        play(cast(np.full((40, 9), 2**15), codes, bins, layout))


def test_what_the_sealer_opens_is_uniform():
    """K8: top byte and low byte of the opened numbers, whatever was sealed (here: zeros)."""
    seen = []

    def note(speaker, _listener, data):
        frame = Frame.from_bytes(data)
        if frame.kind == "Opened":
            width = secret().public.plain_width
            values = decode(Opened, frame.payload).values
            seen.extend(int.from_bytes(values[at : at + width], "little") for at in range(0, len(values), width))
        return data

    for seed in range(60):
        rows, codes, bins, layout = world(5, (32, 32), 2, seed)
        play(cast(rows * 0, codes, bins, layout, seed=b"%d" % seed), note)
    n = int(secret().public.n)
    assert len(set(seen)) == len(seen) == 60 * 64
    for place in (lambda v: v * 64 // n, lambda v: v % 64):
        counts = np.bincount([place(v) for v in seen], minlength=64)
        assert stats.chisquare(counts).pvalue > 0.001


def test_masks_are_taken_off_as_one_integer():
    """Protocol review 1.2: slot by slot, whatever wraps around n or carries from one slot to the next comes out wrong."""
    rows, codes, bins, layout = world(60, (32, 32), 4)
    opened, masks = [], []

    def note(_speaker, _listener, data):
        frame = Frame.from_bytes(data)
        if frame.kind in ("Opened", "Masks"):
            kind, into = (Opened, opened) if frame.kind == "Opened" else (Masks, masks)
            width, values = secret().public.plain_width, decode(kind, frame.payload).values
            into.extend(int.from_bytes(values[at : at + width], "little") for at in range(0, len(values), width))
        return data

    right = play(cast(rows, codes, bins, layout), note)["solver"][1]
    W, m = layout.width, len(layout.slots)
    apart = []
    for value, mask in zip(opened, masks, strict=True):
        digits = zip(signed_digits(value, W, m), signed_digits(mask, W, m), strict=True)
        apart.append([((d - r + (1 << (W - 1))) & ((1 << W) - 1)) - (1 << (W - 1)) for d, r in digits])
    assert np.array_equal(right, exact(rows, codes, bins))
    assert not np.array_equal(np.array(apart), right)


def test_bits_above_the_declared_slots_are_noise():
    """K9: a sealer writes above its slots; what comes out there does not depend on it, and the slots read as before."""
    rows, codes, bins, layout = world(30, (3,), 2)
    above = layout.width * len(layout.slots)

    def smuggling(mark):
        yield from say_key(secret(), CONTEXT)
        packed = [number + (mark << above) for number in layout.pack(rows)[0]]
        yield Sealed(0, secret().seal(packed, Seeded(b"s")))
        yield from open_shares(secret(), Serial())

    tops = {}
    for mark in (0, 1 << 100):
        plain = []
        for seed in range(40):
            roles = cast(rows, codes, bins, layout, seed=b"%d %d" % (seed, mark))
            roles["sealer"] = smuggling(mark)
            values, sums = play(roles)["solver"]
            assert np.array_equal(sums, exact(rows, codes, bins))
            plain += values
        tops[mark] = [value >> (BITS - 10) for value in plain]
    assert stats.ks_2samp(tops[0], tops[1 << 100]).pvalue > 0.001
    assert stats.kstest(np.array(tops[0]) / 256, "uniform").pvalue > 0.001  # spread over [0, n/2): 9 of the 10 top bits


def test_shares_are_not_the_products():
    """K5: what leaves the summer was multiplied by a fresh r^n, mask or no mask; without it the sealer would know which rows are in."""
    rows, codes, bins, layout = world()
    sent = []
    products = play(cast(rows, codes, bins, layout), lambda *act: sent.append(act[2]) or act[2])["summer"]
    shares = b"".join(
        decode(Shares, frame.payload).shares.data for frame in map(Frame.from_bytes, sent) if frame.kind == "Shares"
    )
    key = secret().public
    left = admit(key, Foreign(shares)).values
    assert len(left) == len(products.values)
    assert all(a % key.n != b % key.n for a, b in zip(left, products.values, strict=True))
