from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
    score_test_proportions_2indep,
)

from bank_party.evaluation import Interval
from bank_party.lift import WORDS, Counts, compare, decimals, facts, rate, together, verdict
from tandem.errors import InputError

SEEN = [((30, 200), (12, 190)), ((3894, 21307), (2262, 21306)), ((267, 21307), (122, 21306)), ((1, 9), (4, 5)), ((40, 50), (45, 51))]
EDGES = [((0, 12), (3, 15)), ((12, 12), (3, 15)), ((3, 12), (15, 15)), ((12, 12), (15, 15)), ((1, 1), (1, 2)), ((0, 1), (1, 1))]
LEVELS = [0.8, 0.95, 0.999]
TINY = 1e-9

counts = st.integers(1, 5_000).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("group", "control"), SEEN + EDGES)
def test_rate_difference_and_p_are_those_of_statsmodels(group, control, level):
    found = compare(group, control, level)
    assert found.rate == pytest.approx((group[0] / group[1], *proportion_confint(*group, 1 - level, "wilson")), abs=TINY)
    expected = confint_proportions_2indep(*group, *control, "newcomb", "diff", 1 - level)
    assert found.difference == pytest.approx((group[0] / group[1] - control[0] / control[1], *expected), abs=TINY)
    if found.p is not None:
        assert found.p == pytest.approx(proportions_ztest([group[0], control[0]], [group[1], control[1]])[1], rel=TINY, abs=1e-300)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("group", "control"), SEEN)
def test_the_ratio_is_that_of_statsmodels(group, control, level):
    expected = confint_proportions_2indep(*group, *control, "score", "ratio", 1 - level)
    assert compare(group, control, level).ratio[1:] == pytest.approx(expected, rel=TINY)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("group", "control"), SEEN + EDGES)
def test_a_ratio_at_its_limit_has_the_p_of_the_level_by_another_route(group, control, level):
    """Statsmodels' own limits come of a cubic that loses its digits where a group has only successes; its test of a ratio does not."""
    value, low, high = compare(group, control, level).ratio
    assert low <= value <= high
    for limit in {low, high} - {0.0}:
        assert score_test_proportions_2indep(*group, *control, limit, "ratio").pvalue == pytest.approx(1 - level, abs=1e-7)


@given(counts, counts, st.sampled_from(LEVELS))
def test_intervals_hold_their_value_and_stay_where_they_belong(group, control, level):
    found = compare(group, control, level)
    assert -1.0 <= found.difference.low <= found.difference.value <= found.difference.high <= 1.0
    assert 0.0 <= found.rate.low <= found.rate.value <= found.rate.high <= 1.0
    if control[0]:
        assert 0.0 <= found.ratio.low <= found.ratio.value <= found.ratio.high


@given(counts, counts)
def test_with_the_sides_swapped_everything_is_turned_round(group, control):
    one, two = compare(group, control), compare(control, group)
    assert one.difference == pytest.approx((-two.difference.value, -two.difference.high, -two.difference.low), abs=1e-14)
    assert one.p == (None if two.p is None else pytest.approx(two.p))
    assert {one.shown, two.shown} in ({"not shown"}, {"higher", "lower"})
    if group[0] and control[0]:
        assert one.ratio == pytest.approx((1 / two.ratio.value, 1 / two.ratio.high, 1 / two.ratio.low), rel=1e-6)


@given(counts, counts, st.sampled_from(LEVELS))
def test_the_verdict_is_what_the_interval_says(group, control, level):
    found = compare(group, control, level)
    said = {(True, False): "higher", (False, True): "lower", (False, False): "not shown"}
    assert found.shown == said[found.difference.low > 0.0, found.difference.high < 0.0]
    words = {"higher": ("higher by", "高"), "lower": ("lower by", "低"), "not shown": ("not shown:", "未显示差异：")}[found.shown]
    assert verdict(found, "en").startswith(words[0])
    assert verdict(found, "zh").startswith(words[1])


@pytest.mark.parametrize(
    ("limits", "said"), [((0.0, 0.2), "not shown"), ((-0.2, 0.0), "not shown"), ((1e-9, 0.2), "higher"), ((-0.2, -1e-9), "lower")]
)
def test_an_interval_that_ends_at_0_shows_nothing(limits, said):
    assert replace(compare((1, 2), (1, 2)), judged=Interval(sum(limits) / 2, *limits)).shown == said


@given(counts, counts, st.integers(2, 50))
def test_more_people_of_the_same_rates_narrow_the_interval(group, control, times):
    assume(group[0] * control[1] != control[0] * group[1])
    many = compare((group[0] * times, group[1] * times), (control[0] * times, control[1] * times)).difference
    few = compare(group, control).difference
    assert many.value == pytest.approx(few.value)
    assert many.high - many.low < few.high - few.low


@given(counts, counts)
def test_a_higher_level_widens_the_interval(group, control):
    found = [compare(group, control, level).difference for level in LEVELS]
    assert all(wide.low <= narrow.low and narrow.high <= wide.high for narrow, wide in pairwise(found))


@pytest.mark.parametrize(
    ("group", "control", "absent"),
    [
        ((0, 0), (1, 2), {"rate", "difference", "ratio", "p"}), ((1, 2), (0, 0), {"difference", "ratio", "p"}), ((1, 2), (0, 2), {"ratio"}),
        ((0, 2), (0, 3), {"ratio", "p"}), ((2, 2), (3, 3), {"p"}),
    ],
)
def test_a_denominator_of_zero_gives_none_and_nothing_is_shown(group, control, absent):
    found = compare(group, control)
    assert {name for name in ("rate", "difference", "ratio", "p") if getattr(found, name) is None} == absent
    if "difference" in absent:
        assert found.shown == "not shown"
        assert verdict(found) == WORDS["en"]["told_nothing"]
        assert facts(found, "zh")["verdict"] == WORDS["zh"]["told_nothing"]
        assert together([found]) == [found]


def test_a_rate_of_nobody_is_none():
    assert rate(0, 0) is None


@pytest.mark.parametrize("wrong", [(3, 2), (-1, 2), (1, -1)])
def test_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError, match="between 0 and the size"):
        compare(wrong, (1, 2))
    with pytest.raises(InputError, match="between 0 and the size"):
        rate(*wrong)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, float("nan")])
def test_a_level_is_a_share(level):
    with pytest.raises(InputError, match=r"0\.95 for 95 %"):
        compare((1, 2), (1, 2), level)


def test_one_comparison_is_judged_at_its_own_level():
    alone = compare((30, 200), (12, 190))
    assert together([alone]) == [alone]
    assert (alone.judged, alone.judged_level) == (alone.difference, 0.95)


def test_several_are_judged_by_holms_steps():
    tests = [((30, 200), (12, 190)), ((58, 200), (40, 200)), ((90, 200), (40, 200)), ((41, 200), (40, 200)), ((0, 0), (1, 2))]
    found = together([compare(*one) for one in tests])
    assert [one.shown for one in found] == ["higher", "not shown", "higher", "not shown", "not shown"]
    assert [one.judged_level for one in found] == pytest.approx([1 - 0.05 / 3, 0.975, 1 - 0.05 / 4, 0.975, 0.95])
    assert compare(*tests[1]).shown == "higher"  # by itself
    for one in found[:4]:
        assert one.judged == one.group.difference(one.control, one.judged_level)
    assert "97.5 % interval" in verdict(found[1])


@given(st.lists(st.tuples(counts, counts), min_size=2, max_size=6))
def test_together_nothing_is_shown_that_is_not_shown_alone_and_the_words_agree_with_the_interval(pairs):
    alone = [compare(*pair) for pair in pairs]
    for one, other in zip(together(alone), alone, strict=True):
        assert one.shown in {other.shown, "not shown"}
        assert (one.judged.low > 0.0, one.judged.high < 0.0) == (one.shown == "higher", one.shown == "lower")
        assert one.difference == other.difference


@pytest.mark.parametrize("seed", range(8))
def test_with_many_people_it_is_the_holm_of_statsmodels(seed):
    """Newcombe's interval and the z test differ next to the border only, where none of these is."""
    pairs = np.random.default_rng(seed).integers(400, 500, (6, 2)).tolist()
    alone = [compare((one, 4000), (two, 4000)) for one, two in pairs]
    adjusted = multipletests([one.p for one in alone], 0.05, "holm")[1]
    assert min(abs(p - 0.05) for p in adjusted) > 0.003
    assert [one.shown != "not shown" for one in together(alone)] == [p < 0.05 for p in adjusted]


def test_groups_drawn_by_chance_differ_as_often_as_the_level_says():
    draws = np.random.default_rng(1).hypergeometric(700, 5300, 3000, 2000)
    silent = np.mean([compare((int(x), 3000), (700 - int(x), 3000)).shown == "not shown" for x in draws])
    assert 0.93 <= silent <= 0.965


def test_both_languages_have_every_word():
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert [WORDS["zh"][word] for word in ("higher", "lower", "not shown")] == ["较高", "较低", "未显示差异"]


def test_the_sentence_has_the_figures_of_the_interval_in_points():
    found = compare((3894, 21307), (2262, 21306))
    assert verdict(found) == "higher by 7.66 points, 95 % interval +7.00 to +8.32"
    assert verdict(found, "zh") == "高 7.66 个百分点，95% 区间 +7.00 至 +8.32"
    assert verdict(compare((10, 100), (11, 100))) == "not shown: the difference is -1.00 points, 95 % interval -9.85 to +7.82"


def test_facts_are_fit_for_json():
    found = facts(compare((30, 200), (0, 190)))
    assert found["ratio"] is None
    assert set(found["difference"]) == {"value", "low", "high"}
    assert found["shown"] == "higher"


@pytest.mark.parametrize(("values", "places"), [([], 3), ([1.9, -1.9], 3), ([2.0, -1.9], 2), ([10.0, 0.1], 2), ([1000.0], 1)])
def test_decimals_follow_the_largest(values, places):
    assert decimals(values) == places


def test_the_score_interval_is_right_where_the_cubic_fails():
    """All of a large control succeed: the ratio is the group's own rate, and its interval Wilson's."""
    ratio = Counts(1, 4).ratio(Counts(200_000, 200_000), 0.95)
    assert ratio == pytest.approx(rate(1, 4), abs=1e-4)
