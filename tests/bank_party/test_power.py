from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import power_proportions_2indep, samplesize_proportions_2indep_onetail

from bank_party.lift import compare
from bank_party.power import detectable, needed, rows_needed
from tandem.errors import InputError

CASES = [(0.1, 0.02, 0.95, 0.8, 1.0), (0.1, 0.02, 0.9, 0.9, 0.5), (0.3, -0.05, 0.99, 0.7, 3.0), (0.0, 0.01, 0.95, 0.8, 1.0),
         (0.005, 0.003, 0.95, 0.8, 2.0)]


@pytest.mark.parametrize(("baseline", "detect", "level", "power", "ratio"), CASES)
def test_people_needed_are_those_of_statsmodels(baseline, detect, level, power, ratio):
    theirs = samplesize_proportions_2indep_onetail(detect, baseline, power, ratio, 1 - level)
    assert rows_needed(baseline, detect, level, power, ratio) == pytest.approx(theirs, rel=1e-9)
    assert needed(baseline, detect, level, power, ratio) == (ceil(theirs), ceil(ratio * theirs))


@pytest.mark.parametrize(("baseline", "detect", "level", "power", "ratio"), CASES)
def test_groups_of_that_size_have_the_power(baseline, detect, level, power, ratio):
    group, control = needed(baseline, detect, level, power, ratio)
    reached = power_proportions_2indep(detect, baseline, group, control / group, 1 - level, return_results=False)
    assert power <= reached < power + 0.01


@given(st.floats(0.001, 0.9), st.integers(50, 100_000), st.floats(0.1, 10.0), st.sampled_from([0.8, 0.9]))
def test_what_a_size_detects_needs_that_size(baseline, group, ratio, power):
    control = max(1, int(group * ratio))
    least = detectable(baseline, group, control, power=power)
    if least is None:
        assert rows_needed(baseline, 1.0 - baseline, power=power, ratio=control / group) > group
    else:
        assert rows_needed(baseline, least, power=power, ratio=control / group) == pytest.approx(group, rel=1e-6)


def test_with_more_people_less_is_detected():
    found = [detectable(0.1, size) for size in (20, 100, 1_000, 100_000)]
    assert found == sorted(found, reverse=True)
    assert detectable(0.1, 1_000) == pytest.approx(detectable(0.1, 1_000, 1_000))
    assert detectable(0.1, 1_000, 4_000) < detectable(0.1, 1_000)


@pytest.mark.parametrize(("baseline", "group", "control"), [(0.2, 0, 10), (0.2, 10, 0), (1.0, 10, 10), (0.9, 5, 5)])
def test_what_cannot_be_detected_is_none(baseline, group, control):
    assert detectable(baseline, group, control) is None


def test_the_verdict_has_the_power_that_was_planned():
    """Drawn with the rates that were planned for, Newcombe's interval shows it about as often as the z test would."""
    group, control = needed(0.1, 0.04, ratio=0.5)
    rng = np.random.default_rng(3)
    drawn = zip(rng.binomial(group, 0.14, 2000), rng.binomial(control, 0.1, 2000), strict=True)
    shown = np.mean([compare((int(x), group), (int(y), control)).shown == "higher" for x, y in drawn])
    assert shown == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((0.1, 0.0), "smallest that would matter"), ((1.1, 0.1), "is no rate"), ((0.9, 0.2), "together: 1.1 is no rate"),
        ((0.1, -0.2), "no rate"), ((0.1, 0.1, 1.0), "level"), ((0.1, 0.1, 0.95, 0.05), "power"), ((0.1, 0.1, 0.95, 1.0), "power"),
        ((0.1, 0.1, 0.95, 0.8, 0.0), "above 0"),
    ],
)
def test_what_cannot_be_planned_is_refused(arguments, told):
    with pytest.raises(InputError, match=told):
        needed(*arguments)


def test_a_size_that_is_none_is_refused():
    with pytest.raises(InputError, match="not negative"):
        detectable(0.1, -1)
    with pytest.raises(InputError, match="power"):
        detectable(0.1, 0, power=2.0)
