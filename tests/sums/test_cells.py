from __future__ import annotations

import pickle
import tracemalloc
from functools import cache
from math import prod

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.arguments import Seeded
from tandem.crypto.opening import SealRows, SecretKey
from tandem.crypto.paillier import Checked, Foreign, PublicKey, admit
from tandem.crypto.slots import Layout, Slot
from tandem.engine.pool import Pool
from tandem.engine.serial import Serial
from tandem.errors import FactorPlanted, ForeignElement, Malformed, NakedCiphertext, Oversized
from tandem.sums.cells import Cells, Partial, Shape, StartFolding, best_groups, fold_plain, fold_rows, halving_cost, merge


@cache
def secret():
    return SecretKey.generate(256, Seeded(b"cells"))


def codes_of(shape, rows, seed=0):
    return np.random.default_rng(seed).integers(0, shape.bins, (rows, len(shape.bins))).astype(np.uint8)


def sealed_rows(values, layout, seed=b"rows"):
    return admit(secret().public, Foreign(SealRows(secret(), layout, Seeded(seed))((0, values)).encode()))


def totals(products, layout, counts):
    """Open products (a test may) and return the totals of each cell."""
    numbers = [secret().public.centred(m) for m in secret().open(Checked(secret().public, products.values))]
    size = layout.ciphertexts
    return [layout.unpack(numbers[at : at + size], int(count)) for at, count in zip(range(0, len(numbers), size), counts, strict=True)]


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=7),
    st.integers(0, 60),
    st.integers(1, 30),
    st.integers(0, 99),
)
def test_joint_equals_plain_equals_numpy(bins, rows, slots, seed):
    shape = Shape(tuple(bins))
    codes = codes_of(shape, rows, seed)
    layout = Layout(tuple(Slot(f"x{i}", -50, 50) for i in range(slots)), max(rows, 1), 256)
    values = np.random.default_rng(seed + 1).integers(-50, 51, (rows, slots))
    checked = sealed_rows(values, layout)
    cells = Cells(secret().public, rows, shape, layout.ciphertexts)
    assert cells.fold(codes, checked) == rows
    joint = cells.marginals()
    assert joint.values == fold_plain(secret().public, codes, shape, checked, layout.ciphertexts).values
    masks = [codes[:, j] == b for j, size in enumerate(bins) for b in range(size)]
    exact = [values[mask].sum(axis=0).tolist() for mask in masks]
    assert totals(joint, layout, [mask.sum() for mask in masks]) == exact


def test_forced_large_groups_equal_plain():
    shape = Shape((2, 3, 4, 2, 3))
    codes = codes_of(shape, 2000)
    key = secret().public
    values = [gmpy2.mpz(v) for v in np.random.default_rng(1).integers(2, 2**60, 2000).tolist()]
    cells = Cells(key, len(codes), shape)
    assert max(len(group) for group in cells.groups) >= 4
    cells.fold(codes, Checked(key, values))
    assert cells.marginals().values == fold_plain(key, codes, shape, Checked(key, values)).values


def test_merging_in_any_order_gives_the_same_bytes():
    shape = Shape((3, 4, 2))
    codes = codes_of(shape, 90)
    key = secret().public
    values = [gmpy2.mpz(v) for v in range(2, 92)]
    whole = fold_plain(key, codes, shape, Checked(key, values)).values
    chunks = [(codes[first : first + 30], Checked(key, values[first : first + 30])) for first in (0, 30, 60)]
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        parts = []
        for at in order:
            parts.append(Cells(key, len(codes), shape))
            parts[-1].fold(*chunks[at])
        partials = [Partial(key, 30, part.marginals().values) for part in parts]
        assert merge(pickle.loads(pickle.dumps(partials))).values == whole  # noqa: S301 - our own bytes
        for other in parts[1:]:
            parts[0].merge(other)
        assert parts[0].marginals().values == whole


@pytest.mark.parametrize("lanes", [0, 1, 2])
def test_rows_folded_on_an_engine_equal_plain(lanes):
    shape = Shape((4, 3, 5))
    codes = codes_of(shape, 200)
    layout = Layout(tuple(Slot(f"x{i}", -50, 50) for i in range(30)), 200, 256)
    values = np.random.default_rng(3).integers(-50, 51, (200, 30))
    checked = sealed_rows(values, layout)
    data = SealRows(secret(), layout, Seeded(b"rows"))((0, values)).encode()
    width = secret().public.width * layout.ciphertexts

    def run(engine):
        fold = fold_rows(secret().public, codes, shape, layout.ciphertexts, engine)
        for first in range(0, 200, 30):
            assert fold.add(Foreign(data[first * width : (first + 30) * width])) == min(30, 200 - first)
        return fold.products()

    if lanes:
        with Pool(lanes) as pool:
            products = run(pool)
    else:
        products = run(Serial())
    assert products.values == fold_plain(secret().public, codes, shape, checked, layout.ciphertexts).values


def test_wrong_streams_are_refused():
    shape = Shape((2, 2))
    key = secret().public
    codes = codes_of(shape, 10)
    layout = Layout((Slot("x", 0, 1),), 10, 256)
    data = SealRows(secret(), layout, Seeded(b"w"))((0, np.ones((10, 1), np.int64))).encode()

    def fresh():
        return fold_rows(key, codes, shape, 1, Serial())

    with pytest.raises(Oversized):
        fresh().add(Foreign(data + data[: key.width]))
    with pytest.raises(ForeignElement):
        fresh().add(Foreign(data[:-1]))
    with pytest.raises(FactorPlanted):
        fresh().add(Foreign(data[: key.width] + bytes(key.width)))
    with pytest.raises(NakedCiphertext):
        fresh().add(Foreign(b"\1" + bytes(key.width - 1)))
    short = fresh()
    short.add(Foreign(data[: 9 * key.width]))
    with pytest.raises(Malformed, match="9 sealed rows"):
        short.products()
    with pytest.raises(ValueError, match="shape"):
        Cells(key, 10, shape).fold(codes[1:], admit(key, Foreign(data)))


def test_a_worker_refuses_too():
    """K4 on the pool: the class of the error comes through."""
    shape = Shape((2,))
    with Pool(1) as pool:
        fold = fold_rows(secret().public, codes_of(shape, 10), shape, 1, pool)
        fold.add(Foreign(int(secret()._p).to_bytes(secret().public.width, "little")))
        with pytest.raises(FactorPlanted):
            fold.products()


def test_codes_must_fit_their_shape():
    key = secret().public
    for codes, bins in (([[2, 0]], (2, 2)), ([[0]], (2, 2)), ([0], (2,))):
        with pytest.raises(ValueError, match="shape"):
            Cells(key, 1, Shape(bins)).fold(np.array(codes, np.uint8), Checked(key, [gmpy2.mpz(7)]))
    for bins in ((), (0,), (257,)):
        with pytest.raises(ValueError, match="bins"):
            Shape(bins)


def test_empty_cells_are_one():
    cells = Cells(secret().public, 1, Shape((2, 3)))
    cells.fold(np.zeros((1, 2), np.uint8), Checked(secret().public, [gmpy2.mpz(7)]))
    assert cells.marginals().values == [7, 1, 7, 1, 1]


def test_groups_grow_with_the_rows_and_keep_to_memory():
    sizes = [max(len(group) for group in best_groups(rows, (8,) * 20)) for rows in (10, 1000, 100_000, 10_000_000)]
    assert sizes == sorted(sizes)
    assert sizes[2] == 4
    for bins in ((8,) * 20, (32,) * 7, (2,) * 50, (256, 3, 9, 8), (1,)):
        for rows in (1, 5000, 10**7):
            for copies in (1, 10):
                groups = best_groups(rows, bins, copies)
                assert sorted(j for group in groups for j in group) == list(range(len(bins)))
                joint = [group for group in groups if len(group) > 1]
                assert copies * sum(prod(bins[j] for j in group) for group in joint) <= 1 << 17
                cost = sum(rows + copies * halving_cost([bins[j] for j in group]) for group in groups)
                assert cost <= rows * len(bins)


def test_halving_cost_is_what_halving_takes():
    assert halving_cost((8,)) == 0
    assert halving_cost((8, 8)) == 2 * 64 - 16
    assert halving_cost((8, 8, 8, 8)) == 2 * 4096 - 128 + 2 * (2 * 64 - 16)


def test_memory_does_not_grow_with_the_rows():
    """What a fold keeps is cells; the ciphertexts of a chunk and their codes are gone with the chunk."""
    key = PublicKey(gmpy2.next_prime(gmpy2.mpz(1) << 2047))
    shape = Shape((4,) * 4)

    def peak(chunks):
        folding = StartFolding(key, chunks * 100, shape)()
        folding.cells.groups, folding.cells.sizes, folding.cells.tables = ((0, 1, 2, 3),), [256], [[[gmpy2.mpz(1)] * 256]]
        tracemalloc.start()
        for chunk in range(chunks):
            sealed = Foreign(b"".join((100 * chunk + i + 2).to_bytes(key.width, "little") for i in range(100)))
            folding.add((np.zeros((100, 4), np.uint8), sealed))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    few, many = peak(2), peak(20)
    assert many < 1.2 * few
