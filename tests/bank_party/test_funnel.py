from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from bank_party.funnel import Steps, funnel
from tandem.errors import InputError

STEPS = ["selected", "contacted", "responded", "applied", "approved", "first_card"]
RATES = ["response_rate", "application_rate", "approval_rate", "first_card_rate"]


def people(seed):
    """Return one row a person, 1 where the step was reached; each step only by those of the step before."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({"selected": np.ones(400, dtype=int)})
    for name, before in zip(STEPS[1:], STEPS, strict=False):
        table[name] = table[before] * (rng.random(400) < 0.7)
    table["activated"] = (rng.random(400) < 0.3).astype(int)
    return table


@pytest.mark.parametrize("seed", range(5))
def test_the_vocabulary_by_rows_and_by_counts(seed):
    table = people(seed)
    found = funnel(table.sum().to_dict(), 0.9)
    for name, part, of in zip(RATES, STEPS[2:], STEPS[1:], strict=False):
        among = table.loc[table[of] == 1, part]
        assert getattr(found, name) == pytest.approx((among.mean(), *proportion_confint(among.sum(), len(among), 0.1, "wilson")), abs=1e-9)
    assert found.activation_rate.value == pytest.approx(table["activated"].mean())
    sent = table[table["contacted"] == 1]
    assert found.overall_effect.value == pytest.approx(sent["first_card"].mean())
    assert found.overall_effect.value == pytest.approx(np.prod([getattr(found, name).value for name in RATES]))


def test_the_facts_are_those_of_the_campaigns_file():
    found = funnel({"selected": 10, "contacted": 8, "responded": 0, "activated": 3, "spend": 7}).facts()
    assert list(found) == [*STEPS, "activated", *RATES, "overall_effect", "activation_rate"]
    assert found["application_rate"] is found["approval_rate"] is found["first_card_rate"] is None
    assert found["overall_effect"]["value"] == 0.0
    assert set(found["response_rate"]) == {"value", "low", "high"}


def test_a_group_of_nobody_has_no_rate():
    found = funnel(Steps())
    assert [getattr(found, name) for name in (*RATES, "overall_effect", "activation_rate")] == [None] * 6


@given(st.lists(st.integers(0, 100), min_size=6, max_size=6))
def test_a_step_larger_than_the_one_before_is_refused(numbers):
    counts = dict(zip(STEPS, numbers, strict=True))
    if numbers == sorted(numbers, reverse=True):
        assert funnel(counts).steps.first_card == numbers[-1]
    else:
        with pytest.raises(InputError, match="every step counts people of the step before"):
            funnel(counts)


def test_more_activated_than_selected_are_refused():
    with pytest.raises(InputError, match="activated counts 3 people and selected 2"):
        Steps(selected=2, activated=3)
