"""Sums by pairs of bins: every pair in a group, joint tables against sums one by one, weighted sums of what stays sealed."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import prod

import gmpy2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.arguments import Seeded
from tandem.crypto.opening import SealRows, SecretKey
from tandem.crypto.paillier import Checked, Foreign, admit
from tandem.crypto.slots import Layout, Slot
from tandem.engine.pool import Pool
from tandem.engine.serial import Serial
from tandem.sums.cells import CELLS, Shape
from tandem.sums.pairs import PairCells, Weighted, combine, cover, fold_pairs, places


@cache
def secret():
    return SecretKey.generate(256, Seeded(b"pairs"))


def sealed(values, seed=b"rows"):
    layout = Layout((Slot("w", -50, 50),), max(len(values), 1), 256)
    return SealRows(secret(), layout, Seeded(seed))((0, np.array(values).reshape(-1, 1))).encode()


def opened(values):
    return [secret().public.centred(m) for m in secret().open(Checked(secret().public, values))]


def one_by_one(codes, bins, values):
    """Return the sum of every cell of `places`, by looking for its rows."""
    line = codes.astype(int) + np.concatenate(([0], np.cumsum(bins)[:-1])).astype(int)
    return [int(values[(line == a).any(axis=1) & (line == b).any(axis=1)].sum()) for a, b in places(bins).T]


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(0, 60), st.integers(0, 99))
def test_joint_tables_give_what_sums_one_by_one_give(bins, rows, seed):
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(0, size, rows) for size in bins]).astype(np.uint8)
    values = rng.integers(-50, 51, rows)
    cells = PairCells(secret().public, rows, Shape(tuple(bins)))
    cells.fold(codes, admit(secret().public, Foreign(sealed(values))))
    assert opened(cells.marginals().values) == one_by_one(codes, bins, values)


def test_groups_of_four_and_workers_give_the_same():
    bins = (3, 2, 3, 2, 4)
    rng = np.random.default_rng(5)
    codes = np.column_stack([rng.integers(0, size, 3000) for size in bins]).astype(np.uint8)
    key = secret().public
    values = [gmpy2.mpz(v) for v in rng.integers(2, 2**60, 3000).tolist()]
    assert max(len(group) for group in cover(3000, bins)) >= 4
    cells = PairCells(key, len(codes), Shape(bins))
    cells.fold(codes, Checked(key, values))
    expected = [gmpy2.mpz(1)] * len(cells.marginals())
    line = codes.astype(int) + np.concatenate(([0], np.cumsum(bins)[:-1])).astype(int)
    number = {(a, b): at for at, (a, b) in enumerate(places(bins).T.tolist())}
    for row, value in zip(line.tolist(), values, strict=True):
        for a, b in [*combinations(row, 2), *((a, a) for a in row)]:
            expected[number[a, b]] = expected[number[a, b]] * value % key.n2
    assert cells.marginals().values == expected
    data = b"".join(value.to_bytes(key.width, "little") for value in values)
    with Pool(2) as pool:
        for engine in (Serial(), pool):
            folding = fold_pairs(key, codes, Shape(bins), engine)
            for first in range(0, 3000, 500):
                folding.add(Foreign(data[first * key.width : (first + 500) * key.width]))
            assert folding.products().values == expected


@settings(deadline=None)
@given(st.lists(st.integers(1, 32), min_size=1, max_size=20), st.integers(1, 200_000), st.sampled_from([16, 1000, CELLS]))
def test_every_pair_is_in_a_group_and_tables_keep_to_their_memory(bins, rows, cells):
    groups = cover(rows, bins, cells)
    assert {pair for group in groups for pair in combinations(group, 2)} == set(combinations(range(len(bins)), 2))
    assert all(list(group) == sorted(set(group)) for group in groups)
    larger = [group for group in groups if len(group) > 2]
    assert sum(prod(bins[j] for j in group) for group in larger) <= cells


@pytest.mark.parametrize(
    ("rows", "bins", "most"), [(25_000, [8] * 12, 0.36), (100_000, [8] * 12, 0.27), (35_317, [2, 8, 5, 8, 8, 5, 3], 0.2)]
)
def test_groups_take_far_fewer_multiplications_than_pairs_one_by_one(rows, bins, most):
    cost = sum(rows + len(group) * prod(bins[j] for j in group) for group in cover(rows, bins))
    assert cost < most * rows * len(bins) * (len(bins) - 1) / 2


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-(2**45), 2**45)), min_size=1, max_size=12))
def test_a_weighted_sum_of_sealed_values(pairs):
    values, weights = zip(*pairs, strict=True)
    cells = admit(secret().public, Foreign(sealed(values)))
    order = np.arange(len(values))[::-1]
    made = combine(cells, Weighted(order, np.array(weights)[order]))
    assert opened([made]) == [sum(v * w for v, w in pairs)]
