"""WoE and IV equal an independent crosstab; nothing released speaks of a small group; forged totals are named."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.describe.woe import NEUTRAL, Described, Rule, check_labels, describe, release
from tandem.errors import CheckFailed, InputError, RowAsSum
from tandem.tables import Outline

RULE = Rule(min_bin=50, min_class=20)


def by_bin(told):
    return told.values  # noqa: PD011 - no pandas object


def ordered(bins, *, missing=False):
    return Outline("t01", bins, bins - missing, missing=missing, rest=False)


def levels(bins, *, missing=False, rest=False):
    return Outline("t02", bins, 0, missing=missing, rest=rest)


def test_woe_and_iv_equal_a_crosstab_of_the_rows():
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 5, 6000)
    bad = rng.random(6000) < 0.1 + 0.05 * codes
    table = pd.crosstab(codes, bad)
    share_bad, share_good = table[True] / table[True].sum(), table[False] / table[False].sum()
    woe = np.log(share_bad / share_good)
    told = release(ordered(5), table.sum(axis=1).tolist(), table[True].tolist(), RULE)
    np.testing.assert_allclose(by_bin(told), woe, rtol=1e-12)
    assert told.iv == pytest.approx(float(((share_bad - share_good) * woe).sum()), rel=1e-12)


def test_worked_by_hand():
    told = release(ordered(2), [100, 100], [20, 60], RULE)
    # bads 20 and 60 of 80, goods 80 and 40 of 120: ln(.25 / .6667) and ln(.75 / .3333)
    assert by_bin(told).tolist() == pytest.approx([-0.980829, 0.810930], abs=1e-6)
    assert told.iv == pytest.approx(0.416667 * 0.980829 + 0.416667 * 0.810930, abs=1e-5)


def test_an_ordered_bin_joins_its_smaller_neighbour_until_rows_bads_and_goods_suffice():
    told = release(ordered(4), [400, 100, 40, 300], [60, 50, 10, 90], RULE)
    assert told.group == (0, 1, 1, 2)
    assert told.counts == (400, 140, 300)
    assert release(ordered(3), [400, 90, 400], [60, 5, 90], RULE).group == (0, 0, 1)  # bads too few
    assert release(ordered(3), [400, 90, 500], [60, 85, 90], RULE).group == (0, 0, 1)  # goods too few


def test_levels_and_missing_join_the_rest():
    told = release(levels(5, missing=True, rest=True), [400, 300, 30, 20, 100], [60, 90, 9, 9, 30], RULE)
    assert told.group == (0, 1, 2, 2, 2)
    assert told.counts == (400, 300, 150)
    assert told.host == NEUTRAL


def test_a_rest_too_small_is_neutral_and_counted_with_the_commonest():
    told = release(levels(3, missing=True), [400, 300, 12], [60, 90, 7], RULE)
    assert told.group == (0, 1, NEUTRAL)
    assert by_bin(told)[2] == 0
    assert (told.counts, told.bads, told.host) == ((412, 300), (67, 90), 0)
    assert told.woe[0] == pytest.approx(np.log((67 / 157) / (345 / 555)))


def test_missing_of_an_ordered_variable_stands_apart_or_is_neutral():
    assert release(ordered(3, missing=True), [400, 300, 60], [60, 90, 30], RULE).group == (0, 1, 2)
    assert release(ordered(3, missing=True), [400, 300, 60], [60, 90, 3], RULE).group == (0, 1, NEUTRAL)


@pytest.mark.parametrize(
    ("outline", "counts", "bads"),
    [
        (ordered(1), [500], [100]),
        (ordered(2), [480, 20], [90, 10]),
        (ordered(2), [25, 20], [10, 10]),
        (ordered(3, missing=True), [20, 20, 460], [10, 10, 80]),
        (levels(2, rest=True), [480, 20], [90, 10]),
    ],
)
def test_a_variable_of_one_group_is_dropped_with_a_reason(outline, counts, bads):
    told = release(outline, counts, bads, RULE)
    assert told.reason
    assert (told.counts, told.bads, told.iv) == ((sum(counts),), (sum(bads),), 0.0)
    assert not by_bin(told).any()


def test_monotone_merging_pools_violators():
    counts, bads = [200, 200, 200, 200], [30, 60, 50, 90]
    assert release(ordered(4), counts, bads, RULE).group == (0, 1, 2, 3)
    told = release(ordered(4), counts, bads, Rule(monotone=True))
    assert told.group == (0, 1, 1, 2)
    falling = release(ordered(4), counts, bads[::-1], Rule(monotone=True))
    assert falling.group == (0, 1, 1, 2)
    assert release(levels(4), counts, bads, Rule(monotone=True)).group == (0, 1, 2, 3)


@st.composite
def variables(draw):
    missing, rest, in_order = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    values = draw(st.integers(1, 7))
    rest = rest and not in_order
    bins = values + missing + rest
    outline = Outline("v", bins, values if in_order else 0, missing=missing, rest=rest)
    counts = draw(st.lists(st.integers(0, 30), min_size=bins, max_size=bins))
    bads = [draw(st.integers(0, count)) for count in counts]
    return outline, counts, bads


@given(variables(), st.booleans())
def test_nothing_released_speaks_of_a_small_group(variable, monotone):
    outline, counts, bads = variable
    rule = Rule(min_bin=12, min_class=4, monotone=monotone)
    told = release(outline, counts, bads, rule)
    # Known to the reader: all rows and bads. Hence no released group, nor what all of them leave over, may be small.
    assert sum(told.counts) == sum(counts)
    assert sum(told.bads) == sum(bads)
    if told.reason:
        assert len(told.counts) == 1
    for count, bad in zip(told.counts, told.bads, strict=True):
        assert told.reason or (count >= 12 and bad >= 4 and count - bad >= 4)
    # Each group is exactly its bins, the host also the neutral ones; figures come from released groups alone.
    for g, (count, bad) in enumerate(zip(told.counts, told.bads, strict=True)):
        held = [b for b, at in enumerate(told.group) if at == g or (at == NEUTRAL and g == told.host)]
        assert (count, bad) == (sum(counts[b] for b in held), sum(bads[b] for b in held))
    bad_all, good_all = sum(bads), sum(counts) - sum(bads)
    if not told.reason:
        shares = [(bad / bad_all, (count - bad) / good_all) for count, bad in zip(told.counts, told.bads, strict=True)]
        assert told.woe == pytest.approx([np.log(p / q) for p, q in shares])
        assert told.iv == pytest.approx(sum((p - q) * np.log(p / q) for p, q in shares))
    assert (told.host == NEUTRAL) == (NEUTRAL not in told.group)
    if monotone and outline.ordered and not told.reason:
        seen = dict.fromkeys(at for at in told.group[: outline.ordered] if at not in (NEUTRAL, told.host))
        rates = [told.bads[at] / told.counts[at] for at in seen]
        assert rates in (sorted(rates), sorted(rates, reverse=True))


GOOD = {"counts": [[60, 60], [50, 70]], "bads": [[20, 30], [25, 25]], "roster": [[90, 80], [80, 90]], "rows": 120, "bad": 50}
TWO = [ordered(2), levels(2)]


def test_true_totals_are_described():
    assert [told.alias for told in describe(TWO, **GOOD, rule=RULE)] == ["t01", "t02"]


@pytest.mark.parametrize(
    "forged",
    [
        {"bads": [[20, 30], [-1, 51]]},
        {"bads": [[20, 30], [51, -1]]},
        {"counts": [[60, 60], [10, 110]], "roster": [[90, 80], [10, 110]]},
        {"roster": [[90, 80], [80, 69]]},
        {"counts": [[60, 60], [50, 69]]},
        {"bads": [[20, 30], [25, 26]]},
        {"counts": [[60, 60], [120]]},
    ],
)
def test_totals_that_are_no_sums_name_the_variable(forged):
    with pytest.raises(RowAsSum, match="t02"):
        describe(TWO, **{**GOOD, **forged}, rule=RULE)


def test_declared_totals_out_of_order_are_refused():
    with pytest.raises(RowAsSum):
        describe([], [], [], [], 10, 11, RULE)


def test_labels_that_differ_by_few_rows_are_refused():
    check_labels({"a": 100, "b": 150, "c": 300}, 50)
    with pytest.raises(CheckFailed, match="a and b"):
        check_labels({"a": 100, "b": 149, "c": 300}, 50)


def test_a_rule_that_protects_nobody_is_refused():
    for rows, of_class in ((50, 0), (30, 20)):
        with pytest.raises(InputError):
            Rule(rows, of_class)


def test_description_comes_back_from_json():
    told = release(levels(3, missing=True), [400, 300, 12], [60, 90, 7], RULE)
    assert Described.from_dict(json.loads(json.dumps(told.to_dict()))) == told
    with pytest.raises(InputError):
        Described.from_dict({"alias": "t01"})
