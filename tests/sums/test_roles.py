"""The masked path: sealer, summer and solver of sums against each other, and against numpy."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tandem.arguments import Seeded, below
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Foreign, Products, admit, blind
from tandem.crypto.slots import Layout, Slot, signed_digits
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
    SlotOverflow,
)
from tandem.session.loopback import converse
from tandem.session.script import Script, many, one, say
from tandem.session.session import Session
from tandem.sums.cells import Shape, fold_plain
from tandem.sums.sealer import open_shares, say_key, seal_rows
from tandem.sums.shapes import hear, independent, require_offered, require_rows, tell
from tandem.sums.solver import collect, totals
from tandem.sums.summer import fold, make_units, share, take_key
from tandem.sums.terms import Terms, chunk_length
from tandem.tables import CodedTable, Outline
from tandem.wire import codec
from tandem.wire.codec import Frame, decode, encode
from tandem.wire.messages import Key, Masks, Opened, Opening, Sealed, Shapes, Shares

CONTEXT = bytes(32)
SUMS = Script(
    "sums",
    (("sealer", "summer"), ("sealer", "solver"), ("summer", "solver")),
    (
        one(say("sealer", "summer", Key), say("sealer", "solver", Key)),
        many(say("sealer", "summer", Sealed)),
        many(say("summer", "sealer", Shares), say("sealer", "solver", Opened), say("summer", "solver", Masks)),
    ),
)
BITS = 256


@cache
def secret(bits=BITS, seed=b"sums"):
    return SecretKey.generate(bits, Seeded(seed))


def table_of(codes, bins):
    return CodedTable(codes.astype(np.uint8), tuple(bins), tuple(f"t{j}" for j in range(len(bins))))


def sealing(layout, rows, chance, bits=BITS):
    yield from say_key(secret(bits), CONTEXT)
    yield from seal_rows(secret(bits), layout, rows, Serial(), chance)
    yield from open_shares(secret(bits), Serial())


def summing(table, layout, chance, bits=BITS):
    key = yield from take_key(CONTEXT, bits)
    ahead = make_units(key, sum(table.bins) * layout.ciphertexts, Serial(), chance.fork("units"))
    products = yield from fold(key, table, layout, Serial())
    yield from share(key, products, layout, ahead, chance)
    return products


def solving(layout, counts, bits=BITS):
    key = yield from take_key(CONTEXT, bits)
    plain = yield from collect(key, len(counts) * layout.ciphertexts)
    return plain, totals(layout, plain, counts)


def play(roles, alter=None):
    opening = Opening("test", "sums", 0, (), (), b"")
    return converse({name: (Session(SUMS, name, bytes(32), bytes(16), opening), role) for name, role in roles.items()}, alter)


def cast(rows, codes, bins, layout, seed=b"s", **changed):
    table = table_of(codes, bins)
    counts = np.concatenate([np.bincount(codes[:, j], minlength=b) for j, b in enumerate(bins)])
    roles = {
        "sealer": lambda: sealing(layout, rows, Seeded(seed).fork("sealer")),
        "summer": lambda: summing(table, layout, Seeded(seed).fork("summer")),
        "solver": lambda: solving(layout, counts),
    }
    return {name: changed.get(name, role)() if name not in changed else changed[name] for name, role in roles.items()}


def exact(rows, codes, bins):
    return np.concatenate([[rows[codes[:, j] == b].sum(axis=0) for b in range(size)] for j, size in enumerate(bins)])


def world(count=60, bins=(3, 2), slots=2, seed=0, reach=50):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, bins, (count, len(bins)))
    layout = Layout(tuple(Slot(f"x{i}", -reach, reach) for i in range(slots)), max(count, 1), BITS)
    return rng.integers(-reach, reach + 1, (count, slots)), codes, bins, layout


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


def test_control_masks_alone_leave_the_randomness_of_the_product():
    rows, codes, bins, layout = world()
    key = secret().public
    sealed = secret().seal(layout.pack(rows)[0], Seeded(b"s"))
    products = fold_plain(key, codes, Shape(tuple(bins)), admit(key, Foreign(sealed.encode())))
    bare = blind(key, Products(key, products.values), [below(Seeded(b"m"), int(key.n))] * len(products), [mpz(1)] * len(products))
    assert all(a % key.n == b % key.n for a, b in zip(admit(key, Foreign(bare.encode())).values, products.values, strict=True))


# Shapes and terms


def outlines():
    return [
        Outline("t01", 4, 3, missing=True, rest=False),
        Outline("t02", 3, 0, missing=False, rest=True),
        Outline("t03", 1, 1, missing=False, rest=False),
    ]


COUNTS = [np.array([10, 20, 30, 40]), np.array([50, 50, 0]), np.array([100])]


def test_shapes_round_trip():
    said = tell(outlines(), COUNTS)
    heard, counts = hear(decode(Shapes, encode(said)), rows=100)
    assert heard == outlines()
    assert [c.tolist() for c in counts] == [c.tolist() for c in COUNTS]
    assert tell(outlines()).counts == ()
    assert hear(tell(outlines())) == (outlines(), [])
    assert independent(outlines()) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"aliases": ("t01", "t02")}, {"aliases": ("t01", "t02", "t01")}, {"bins": (4, 3)}, {"ordered": ()}, {"special": (1, 2)},
        {"aliases": (), "bins": (), "ordered": (), "special": (), "counts": ()}, {"bins": (4, 3, 0)}, {"bins": (4, 3, 33)},
        {"ordered": (2, 0, 1)}, {"ordered": (5, 0, 1)}, {"special": (1, 2, 4)}, {"special": (3, 2, 0)},
        {"counts": ()}, {"counts": (10, 20, 30, 40, 50, 50, 0)}, {"counts": (10, 20, 30, 41, 50, 50, 0, 100)},
        {"counts": (10, 20, 30, 40, 50, 50, 0, 2**64 - 1)},
        {"counts": (2**63 - 1, 2**63 - 1, 2, 100, 50, 50, 0, 100)},  # 100 mod 2^64
    ],
)
def test_shapes_that_no_table_has(changes):
    with pytest.raises(Malformed):
        hear(replace(tell(outlines(), COUNTS), **changes), rows=100)


def test_rows_a_total():
    require_rows(outlines(), 50)
    with pytest.raises(Exception, match="49 training rows for 5 totals; at least 10"):
        require_rows(outlines(), 49)


def test_terms_keep_reals_within_their_slots():
    terms = Terms(bytes(32), columns=2, variables=3, rows=1 << 20)
    layout = terms.layout(secret().public)
    assert [slot.name for slot in layout.slots] == ["m", "my", "w", "r", "wx1", "wx2"]
    for extreme in ([1, 1, 0.25, 1, 2, -2], [0, 0, 0, -1, -2, 2]):
        fixed = terms.fixed(np.array([extreme], dtype=np.float64))
        layout.pack(fixed)
        np.testing.assert_allclose(terms.real(fixed), [extreme], atol=1e-9)
    fine = np.random.default_rng(0).uniform(0, 0.25, (500, 1)) * [0, 0, 1, 1, 8, -8]
    assert np.abs(terms.real(terms.fixed(fine)) - fine).max(axis=0)[2:] == pytest.approx(0.5 / terms.scales[2:], rel=0.1)
    assert len(terms.layout(secret().public, statistics_only=True).slots) == 2


def test_chunks_fit_a_message():
    width = secret().public.width
    assert len(encode(Shares(secret().seal([0] * 4, Seeded(b"c"))))) < chunk_length(width) * width
    assert (1 << 20) - 64 - width < chunk_length(width) * width <= (1 << 20) - 64
    assert chunk_length(1 << 21) == 1


def test_as_many_variables_as_the_contract_names():
    assert require_offered(outlines(), len(outlines())) == outlines()
    with pytest.raises(Malformed, match="where the contract names"):
        require_offered(outlines(), len(outlines()) - 1)
