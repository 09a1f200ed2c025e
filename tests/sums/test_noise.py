"""The telco's noise: its scale, that a person's codes cannot move what is told by more than it was reckoned for, and exact totals."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.contract.noise import SHARES, SLOTS, Noise
from tandem.errors import InputError, LocalProtocolError
from tandem.node.noise import discrete_gaussian, require
from tandem.sums.noise import by_variable, dealt, draw, settled
from tandem.train.pairs import pair_counts

BINS = (5, 4, 3)
LIMITS = (1, 1, 100, 50, 80)


def rounded(seed=1):
    """A sampler for figures alone: rounded normal numbers."""
    rng = np.random.default_rng(seed)
    return lambda scale, count: np.rint(rng.normal(size=count) * scale).astype(np.int64)


def none(_scale, count):
    return np.zeros(count, np.int64)


def codes(count=3000, seed=2):
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.integers(0, b, size=count) for b in BINS])


def in_spreads(sampler, rounds=60):
    """Return for each kind of what is told the root mean square of its noise, in standard deviations that were reckoned."""
    noise, pairs = Noise(2.0, len(BINS)), pair_counts(codes(), BINS)
    off = {what: [] for what in SHARES}
    apart = np.triu(pairs_apart())
    for _ in range(rounds):
        drawn = draw(noise, sampler, BINS, LIMITS, pairs)
        for what, limit, column in zip(SLOTS, LIMITS, drawn.totals.T, strict=True):
            off[what].append(column / limit / noise.spread(what))
        off["counts"].append((drawn.counts - np.diag(pairs)) / noise.spread("counts"))
        off["pairs"].append((drawn.pairs - pairs)[apart] / noise.spread("pairs"))
    return {what: float(np.sqrt(np.mean(np.concatenate(parts) ** 2))) for what, parts in off.items()}


def pairs_apart():
    variable = np.repeat(np.arange(len(BINS)), BINS)
    return variable[:, None] != variable[None, :]


def test_the_noise_has_the_scale_that_was_reckoned():
    """Taking a variable's sum off its bins leaves 1 - 1/bins of the variance; pairs keep all of it."""
    found = in_spreads(rounded())
    left = float(np.sqrt(np.mean(np.repeat([1 - 1 / b for b in BINS], BINS))))
    assert found == pytest.approx({what: 1.0 if what == "pairs" else left for what in SHARES}, rel=0.1)


def test_a_telco_without_noise_is_found_out():
    assert max(in_spreads(none, rounds=1).values()) == 0.0


def test_opendps_sampler_gives_that_scale():
    drawn = discrete_gaussian(7.5, 4000)
    assert drawn.dtype == np.int64
    assert drawn.std() == pytest.approx(7.5, rel=0.1)
    assert abs(drawn.mean()) < 0.5
    assert not np.array_equal(drawn, discrete_gaussian(7.5, 4000))


def test_without_opendp_one_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp", None)
    with pytest.raises(InputError, match=r"tandem-fusion\[dp\]"):
        require()


@settings(deadline=None)
@given(st.integers(0, 49), st.tuples(*(st.integers(0, b - 1) for b in BINS)), st.lists(st.integers(-100, 100), min_size=5, max_size=5))
def test_another_persons_codes_move_what_is_told_by_no_more_than_it_was_reckoned_for(row, other, parts):
    """The sum of squares over 2 sigma^2 of all that is told is at most rho, and is rho where every slot is full and every code another."""
    noise, before = Noise(2.0, len(BINS)), codes(50)
    after = before.copy()
    after[row] = other
    values = np.array([part * limit // 100 for part, limit in zip(parts, LIMITS, strict=True)])
    cost = told_cost(noise, before, after, row, values)
    assert cost <= noise.rho * (1 + 1e-9)
    after[row] = (before[row] + 1) % BINS
    assert told_cost(noise, before, after, row, np.array(LIMITS)) == pytest.approx(noise.rho)


def told_cost(noise, before, after, row, values):
    first, second = (pair_counts(one, BINS) for one in (before, after))
    moved = np.diag(second) - np.diag(first)
    cost = float((moved**2).sum()) / (2 * noise.spread("counts") ** 2)
    cost += float((np.triu(second - first)[np.triu(pairs_apart())] ** 2).sum()) / (2 * noise.spread("pairs") ** 2)
    starts = np.concatenate(([0], np.cumsum(BINS)[:-1]))
    for what, limit, value in zip(SLOTS, LIMITS, values, strict=True):
        line = np.zeros(sum(BINS))
        line[starts + after[row]] += value
        line[starts + before[row]] -= value
        cost += float((line**2).sum()) / (2 * (noise.spread(what) * limit) ** 2)
    return cost


@settings(deadline=None)
@given(st.lists(st.integers(-1000, 1000), min_size=12, max_size=12))
def test_a_variables_noise_adds_up_to_nothing_and_is_taken_off_evenly(values):
    before = np.array(values, dtype=np.int64)
    after = dealt(before, BINS)
    assert [int(part.sum()) for part in by_variable(after, BINS)] == [0, 0, 0]
    assert all(np.ptp(old - new) <= 1 for old, new in zip(by_variable(before, BINS), by_variable(after, BINS), strict=True))


@settings(deadline=None)
@given(st.lists(st.integers(-50, 200), min_size=1, max_size=8), st.integers(0, 500))
def test_settled_numbers_are_within_their_range_and_add_up(values, total):
    found = settled(np.array(values, dtype=np.int64), total)
    assert found.sum() == total
    assert found.min() >= 0
    bads = settled(np.array(values, dtype=np.int64), total // 3, found)
    assert bads.sum() == total // 3
    assert np.all((bads >= 0) & (bads <= found))


def test_what_is_right_already_is_left_as_it_is():
    counts = np.array([5, 0, 7])
    assert settled(counts, 12).tolist() == [5, 0, 7]
    assert settled(counts, 12, np.array([5, 4, 3])).tolist() == [5, 4, 3]


def test_counts_and_pairs_may_be_told():
    drawn = draw(Noise(0.01, 3), rounded(), BINS, LIMITS, pair_counts(codes(300), BINS))
    assert [int(part.sum()) for part in by_variable(drawn.counts, BINS)] == [300, 300, 300]
    assert drawn.counts.min() >= 0
    assert drawn.pairs.min() >= 0
    assert np.array_equal(drawn.pairs, drawn.pairs.T)
    assert np.array_equal(np.diag(drawn.pairs), drawn.counts)
    assert "totals" not in repr(drawn)


def test_more_variables_than_were_reckoned_with_are_an_error_of_ours():
    with pytest.raises(LocalProtocolError, match="noise for 2 variables cannot cover 3"):
        draw(Noise(1.0, 2), none, BINS, LIMITS, pair_counts(codes(), BINS))
