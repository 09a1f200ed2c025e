"""A start beside the bank's own fit, in the clear twin: it leads to the same place, and the pass is as exact as its Hessian, no more."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.arguments import Seeded
from tandem.train.pooled import fit, sigma, simulate


def study(variables, rows=4000):
    rng = np.random.default_rng(3)
    hidden = rng.normal(size=(rows, 2 + variables))
    hidden[:, 2:] += 0.7 * hidden[:, :1]
    codes = np.column_stack([np.digitize(hidden[:, 2 + j], [-1.0, 0.0, 1.0]) for j in range(variables)])
    woe = [np.array([-0.9, -0.2, 0.3, 1.0])] * variables
    x_b = np.column_stack((np.ones(rows), hidden[:, :2]))
    x_t = np.column_stack([woe[j][codes[:, j]] for j in range(variables)])
    y = (rng.random(rows) < sigma(-1.0 + 0.5 * hidden[:, 0] + x_t.sum(axis=1))).astype(np.int64)
    train = np.arange(rows) % 10 < 7
    return x_b, codes, woe, y, train, np.column_stack((x_b, x_t))


def acted(start, variables, passes):
    x_b, codes, woe, y, train, X = study(variables)
    pooled = fit(X[train], y[train])
    beside = None if start is None else start(X @ pooled.theta - x_b @ fit(x_b[train], y[train]).theta)
    history = simulate(
        x_b, codes, woe, y, train, passes=passes, grain=0.25, min_bin=20, ridge=1.0, chance=Seeded(b"1"), beside=beside
    )
    return [float(np.abs((one.theta - pooled.theta) / pooled.se).max()) for one in history]


def test_from_the_answer_one_pass_is_the_answer_where_the_hessian_is_exact():
    """One variable has no pairs to be estimated: the point told as theta_t = 0 with r - w * beside is the pooled fit."""
    assert acted(lambda away: away, 1, 1)[0] < 1e-4
    assert acted(None, 1, 1)[0] > 0.5


def test_with_several_variables_no_start_takes_the_estimated_hessian_away():
    assert acted(lambda away: away, 3, 1)[0] > 0.1


@pytest.mark.parametrize("share", [0.5, 1.0, -0.5])
def test_a_start_right_half_right_or_wrong_leads_to_the_same_place(share):
    apart = acted(lambda away: share * away, 3, 4)
    assert apart[-1] < 0.25
