"""Calibration against statsmodels, and what it does to probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from bank_party.campaign.recalibration import log_odds, recalibration
from tandem.errors import InputError
from tandem.train.pooled import sigma


def cases(slope, intercept=0.0, rows=4000, seed=2):
    chance = np.random.default_rng(seed)
    z = chance.normal(-1.0, 1.0, rows)
    return sigma(z), (chance.random(rows) < sigma(intercept + slope * z)).astype(int)


def test_slope_and_level_are_those_of_statsmodels():
    p, y = cases(0.8, 0.2)
    found = recalibration(p, y)
    z = np.log(p / (1 - p))
    both = sm.GLM(y, sm.add_constant(z), family=sm.families.Binomial()).fit()
    level = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=z).fit()
    np.testing.assert_allclose(found.slope, [both.params[1], *both.conf_int()[1]], atol=1e-7)
    np.testing.assert_allclose(found.level, [level.params[0], *level.conf_int()[0]], atol=1e-7)
    np.testing.assert_allclose(found.apply(p), both.predict(sm.add_constant(z)), atol=1e-7)
    assert found.rows == len(y)


def test_calibrated_probabilities_stand_and_others_are_mended():
    p, y = cases(1.0)
    kept = recalibration(p, y)
    assert not kept.applied
    assert kept.apply(p) is p
    for slope, intercept in [(0.6, 0.0), (1.0, 0.4)]:
        q, outcome = cases(slope, intercept)
        found = recalibration(q, outcome)
        assert found.applied
        assert abs(found.apply(q).mean() - outcome.mean()) < 1e-6 < abs(q.mean() - outcome.mean())
        again = recalibration(found.apply(q), outcome)
        assert not again.applied
        assert again.slope.value == pytest.approx(1.0)
    assert recalibration(p, y, "always").applied
    assert not recalibration(*cases(0.6), "never").applied


def test_the_probabilities_0_and_1_have_log_odds():
    assert np.isfinite(log_odds(np.array([0.0, 0.5, 1.0]))).all()


def test_no_answer_is_said():
    with pytest.raises(InputError, match="the hold-out's 50 scores cannot be calibrated"):
        recalibration(np.linspace(0.1, 0.9, 50), np.ones(50, dtype=int))
