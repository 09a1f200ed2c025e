from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from vectors import shared_data

from tandem.arguments import Seeded
from tandem.errors import CheckFailed, InputError
from tandem.train.newton import SAFELY_POSITIVE, TAUS, Totals, block_t, coding, safeguard, step
from tandem.train.pairs import blanked, completed, pair_counts, starts
from tandem.train.pooled import acceptable, fit, penalised_loss, polish, sigma, simulate


def study(rows=4000, seed=1, strength=1.0):
    """Four columns here, three variables of 5 bins there, correlated, with a label that hangs on both."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 7))
    hidden[:, 4:] += 0.5 * hidden[:, :3]
    codes = np.column_stack([np.digitize(hidden[:, 4 + j], [-1.0, -0.3, 0.3, 1.0]) for j in range(3)])
    woe = [np.array([-0.8, -0.3, 0.0, 0.4, 1.1]) * (1 + j / 2) for j in range(3)]
    x_b = np.column_stack((np.ones(rows), hidden[:, :4]))
    x_t = np.column_stack([woe[j][codes[:, j]] for j in range(3)])
    scores = -1.5 + x_b[:, 1:] @ [0.5, -0.4, 0.2, 0.0] * strength + x_t @ [0.9, 0.8, 1.0] * strength
    y = (rng.random(rows) < sigma(scores)).astype(np.int64)
    return x_b, codes, woe, x_t, y


# The plain fit


def test_equals_scikit_learn_under_a_ridge():
    x_b, _, _, x_t, y = study()
    X = np.column_stack((x_b, x_t))
    other = LogisticRegression(C=1 / 3.0, tol=1e-10, max_iter=1000).fit(X[:, 1:], y)
    assert fit(X, y, ridge=3.0).theta == pytest.approx(np.append(other.intercept_, other.coef_[0]), abs=1e-5)


def test_equals_statsmodels_without_a_ridge_standard_errors_and_loss_included():
    x_b, _, _, x_t, y = study()
    X = np.column_stack((x_b, x_t))
    other = sm.Logit(y, X).fit(disp=0, tol=1e-12)
    found = fit(X, y, ridge=0.0)
    assert found.theta == pytest.approx(other.params, abs=1e-7)
    assert found.se == pytest.approx(other.bse, rel=1e-6)
    assert found.covariance == pytest.approx(other.cov_params(), rel=1e-5)
    assert found.loss == pytest.approx(-other.llf, rel=1e-12)


def test_an_offset_is_added_to_the_scores():
    x_b, _, _, x_t, y = study()
    offset = x_t @ [0.9, 0.8, 1.0]
    other = sm.GLM(y, x_b, family=sm.families.Binomial(), offset=offset).fit(tol=1e-12)
    assert fit(x_b, y, 0.0, offset=offset).theta == pytest.approx(other.params, abs=1e-6)


def test_any_start_gives_the_same_answer():
    x_b, _, _, _, y = study()
    far = np.array([9.0, -30.0, 40.0, 10.0, -20.0])
    assert fit(x_b, y, start=far).theta == pytest.approx(fit(x_b, y).theta, abs=1e-6)


def test_separable_labels_stay_finite_under_a_ridge_and_are_refused_without():
    X = np.column_stack((np.ones(40), np.linspace(-1, 1, 40)))
    y = (X[:, 1] > 0).astype(np.int64)
    assert np.abs(fit(X, y, ridge=1.0).theta).max() < 10
    assert np.abs(fit(X, y, ridge=1e-6).theta).max() < 1e4
    with pytest.raises(InputError, match="separate"):
        fit(X, y, ridge=0.0)


def test_repeated_columns_are_refused_without_a_ridge():
    x_b, _, _, _, y = study(300)
    with pytest.raises(InputError, match="repeat each other"):
        fit(np.column_stack((x_b, x_b[:, 1])), y, ridge=0.0)


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda X, y: (X, np.ones_like(y)), "one class"),
        (lambda X, y: (X, y * 2), "neither 0 nor 1"),
        (lambda X, y: (np.where(np.arange(len(X))[:, None] == 7, np.nan, X), y), "row 7 holds"),
        (lambda X, y: (X, y[:-1]), "shape"),
    ],
)
def test_bad_tables_are_named(spoil, text):
    x_b, _, _, _, y = study(200)
    with pytest.raises(InputError, match=text):
        fit(*spoil(x_b, y))


def test_the_loss_stays_finite_for_any_score():
    X = np.array([[1.0], [1.0]])
    assert penalised_loss(X, np.array([1, 0]), np.array([1e4]), 1.0) == pytest.approx(1e4)
    assert penalised_loss(X, np.array([0, 1]), np.array([2.0]), np.array([3.0])) == pytest.approx(
        np.log1p(np.exp(2)) + np.log1p(np.exp(-2)) + 6
    )


# The solver's algebra


def test_pair_counts_are_the_gram_matrix_of_the_one_hot_rows():
    _, codes, _, _, _ = study(500)
    one_hot = np.concatenate([np.eye(5, dtype=np.int64)[codes[:, j]] for j in range(3)], axis=1)
    assert np.array_equal(pair_counts(codes, [5, 5, 5]), one_hot.T @ one_hot)
    assert starts([5, 2, 3]).tolist() == [0, 5, 7, 10]
    with pytest.raises(ValueError, match="outside its 4 bins"):
        pair_counts(codes, [5, 4, 5])


@given(st.integers(0, 2**32 - 1), st.integers(2, 60))
def test_blanking_hides_small_cells_and_keeps_the_matrix_positive(seed, min_bin):
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.geometric(0.5, size=(120, 3)) - 1, 3)
    pairs = pair_counts(codes, [4, 4, 4])
    shown = blanked(pairs, min_bin)
    off = shown[~np.eye(12, dtype=bool)]
    assert not ((off > 0) & (off < min_bin)).any()
    assert np.array_equal(shown.sum(axis=1), pairs.sum(axis=1))
    assert np.linalg.eigvalsh(shown.astype(float))[0] > -1e-9
    assert np.array_equal(blanked(shown, min_bin), shown)


def test_blanking_without_the_diagonal_would_break_the_matrix():
    """The control: the same cells blanked, their count dropped instead of moved."""
    _, codes, _, _, _ = study(500)
    codes[:, 2] = 0
    pairs = pair_counts(codes, [5, 5, 1])
    dropped = np.where((pairs < 30) & ~np.eye(11, dtype=bool), 0, pairs)
    assert np.linalg.eigvalsh(dropped.astype(float))[0] < -1
    assert np.linalg.eigvalsh(blanked(pairs, 30).astype(float))[0] > -1e-9


def dependent(count):
    """Two variables of eight bins of which the second follows the first: most pairs of bins are rare, as in real data."""
    rng = np.random.default_rng(4)
    first = rng.integers(0, 8, count)
    second = np.clip(first + rng.choice(range(-2, 3), count, p=[0.05, 0.15, 0.6, 0.15, 0.05]), 0, 7)
    return np.column_stack((first, second, rng.integers(0, 4, count)))


def test_blanked_cells_are_estimated_within_the_margins_that_were_told():
    codes, bins = dependent(3000), (8, 8, 4)
    pairs = pair_counts(codes, bins)
    told, n = blanked(pairs, 50), np.diag(pairs)
    filled = completed(told, n, bins, 50)
    assert np.array_equal(np.diag(filled), n)
    assert filled == pytest.approx(filled.T)
    at = starts(bins)
    for j, k in ((0, 1), (0, 2), (1, 2)):
        block = filled[at[j] : at[j + 1], at[k] : at[k + 1]]
        assert block.sum(axis=1) == pytest.approx(n[at[j] : at[j + 1]], rel=0.01)
        assert block.sum(axis=0) == pytest.approx(n[at[k] : at[k + 1]], rel=0.01)
    shown = (told > 0) & ~np.eye(20, dtype=bool)
    assert np.array_equal(filled[shown], pairs[shown])
    assert np.array_equal(completed(pairs, n, bins, 1), pairs)  # nothing blanked, nothing estimated


def test_estimating_blanked_cells_is_what_makes_dependent_variables_converge(monkeypatch):
    codes = dependent(4000)
    woe = [np.linspace(-1, 1, 8), np.linspace(-1, 1, 8), np.array([-0.5, 0.5, 0.0, 0.2])]
    x_t = np.column_stack([woe[j][codes[:, j]] for j in range(3)])
    x_b = np.ones((4000, 1))
    y = (np.random.default_rng(5).random(4000) < sigma(x_t @ np.array([0.8, 0.4, 1.0]) - 1)).astype(int)
    train = np.arange(4000) % 10 < 7
    pooled = fit(np.column_stack((x_b, x_t))[train], y[train])

    def last():
        history = simulate(x_b, codes, woe, y, train, passes=4, grain=0.25, min_bin=50, ridge=1.0, chance=Seeded(b"1"))
        return deviations(history, pooled)[-1], np.abs(history[-1].se / pooled.se - 1).max()

    apart, error = last()
    assert apart < 0.25
    # The control: small cells moved to the diagonal, as the first design had it.
    monkeypatch.setattr("tandem.train.newton.completed", lambda pairs, n, bins, min_bin: blanked(pairs, min_bin))
    slow, wrong = last()
    assert slow > 2 * apart
    assert wrong > error


def test_the_block_is_exact_on_the_diagonal_and_where_weights_do_not_vary():
    _, codes, _, _, _ = study(3000)
    pairs = pair_counts(codes, [5, 5, 5])
    n = np.diag(pairs)
    w = np.arange(15) / 100 * n
    assert np.diag(block_t(w, n, pairs)) == pytest.approx(w)
    assert block_t(0.2 * n, n, pairs) == pytest.approx(0.2 * pairs)
    assert not block_t(np.zeros(15), n * 0, pairs * 0).any()


def test_a_step_is_newtons_where_the_block_is_exact():
    """One variable: its block is diagonal, so A is the true Hessian and the step is that of the plain fit."""
    x_b, codes, woe, x_t, y = study(3000)
    X = np.column_stack((x_b, x_t[:, :1]))
    theta = np.array([-1.0, 0.3, 0.1, 0.0, -0.2, 0.5])
    p = sigma(X @ theta)
    w, r = p * (1 - p), p - y
    one = np.eye(5)[codes[:, 0]]
    n, pairs = one.sum(axis=0).astype(int), pair_counts(codes[:, :1], [5])
    totals = Totals((x_b.T * w) @ x_b, x_b.T @ r, (one.T * w) @ x_b, one.T @ r, n, pairs, (5,))
    ridge = np.diag([0.0, 2, 2, 2, 2, 2])
    H = (X.T * w) @ X + ridge
    got = step(theta, totals, coding(woe[:1]), ridge=2.0, min_bin=50)
    assert got.tau == 0.0
    assert got.theta == pytest.approx(theta - np.linalg.solve(H, X.T @ r + ridge @ theta))
    assert got.se == pytest.approx(np.sqrt(np.diag(np.linalg.inv(H))))


def test_the_safeguard_takes_the_smallest_tau_that_is_safely_positive():
    H_bb, N = np.eye(2) * 100.0, np.eye(2) * 400.0
    exact, tau = safeguard(H_bb, np.eye(2) * 30.0, np.eye(2) * 40.0, N, 1.0)
    assert (tau, exact[0, 0]) == (0.0, 41.0)
    H_bt, A = np.eye(2) * 60.0, np.eye(2) * 30.0  # A says less than b explains: 30 + 1 < 36, so plain Newton would climb
    assert np.linalg.eigvalsh(np.block([[H_bb, H_bt], [H_bt, A + np.eye(2)]]))[0] < 0
    H_tt, tau = safeguard(H_bb, H_bt, A, N, 1.0)
    assert tau == 0.1
    assert np.linalg.eigvalsh(H_tt - 36 * np.eye(2))[0] > SAFELY_POSITIVE * H_tt[0, 0]
    below = TAUS[TAUS.index(tau) - 1]
    assert (1 - below) * 30 + below * 100 + 1 - 36 < SAFELY_POSITIVE * ((1 - below) * 30 + below * 100 + 1)


def test_where_no_tau_will_do_the_bound_is_taken():
    assert safeguard(np.eye(1), np.full((1, 1), 10.0), np.full((1, 1), 1.0), np.full((1, 1), 4.0), 1.0)[1] == 1.0


def test_a_step_refuses_no_ridge_and_a_crooked_block():
    x = np.ones((1, 1))
    totals = Totals(x, x[0], x, x[0], np.array([1]), np.array([[1]]), (1,))
    with pytest.raises(InputError, match="ridge is 0"):
        step(np.zeros(2), totals, x, 0.0, 50)
    with pytest.raises(CheckFailed, match="not positive definite"):
        step(np.zeros(2), Totals(-x, x[0], x, x[0], np.array([1]), np.array([[1]]), (1,)), x, 1.0, 50)


# The whole iteration


def deviations(history, pooled):
    return [float(np.max(np.abs(one.theta - pooled.theta) / pooled.se)) for one in history]


@pytest.mark.parametrize("ridge", [1.0, 300.0])
def test_exact_scores_reach_the_pooled_fit(ridge):
    x_b, codes, woe, x_t, y = study(6000)
    train = np.arange(6000) % 10 < 7
    pooled = fit(np.column_stack((x_b, x_t))[train], y[train], ridge)
    history = simulate(x_b, codes, woe, y, train, passes=7, grain=0.0, min_bin=50, ridge=ridge, chance=Seeded(b"1"))
    assert all(one.accepted for one in history)
    assert deviations(history, pooled)[-1] < 0.002


def test_dithered_scores_come_near_it_in_four_passes():
    x_b, codes, woe, x_t, y = study(6000)
    train = np.arange(6000) % 10 < 7
    pooled = fit(np.column_stack((x_b, x_t))[train], y[train])
    history = simulate(x_b, codes, woe, y, train, passes=4, grain=0.25, min_bin=50, ridge=1.0, chance=Seeded(b"1"))
    assert deviations(history, pooled)[-1] < 0.25
    assert history[-1].tau == 0.0
    assert np.abs(history[-1].se / pooled.se - 1).max() < 0.2


def test_without_the_ridge_on_the_scale_it_ends_elsewhere():
    """The control of the polish (review 1.7): the same loop with the scale left free."""
    x_b, _, _, x_t, y = study(6000)
    pooled = fit(np.column_stack((x_b, x_t)), y, 300.0)
    newest = pooled.theta[5:]
    u = x_t @ newest
    right = polish(x_b, u, y, float(newest @ newest), 300.0, 0.0)
    free = fit(np.column_stack((x_b, u)), y, np.array([0, 300.0, 300, 300, 300, 0]))
    assert right.scale == pytest.approx(1.0, abs=1e-4)
    assert right.theta_b == pytest.approx(pooled.theta[:5], abs=1e-4)
    assert free.theta[-1] > 1.05


def test_the_polish_leaves_scores_that_are_dither_alone():
    x_b, _, _, _, y = study(1000)
    alone = fit(x_b, y)
    got = polish(x_b, np.linspace(-0.1, 0.1, 1000), y, 0.0, 1.0, 0.25)
    assert got.scale == 1.0
    assert got.theta_b == pytest.approx(alone.theta)
    assert got.loss == pytest.approx(alone.loss)


def test_the_dither_adds_what_is_taken_off_the_loss():
    x_b, _, _, x_t, y = study(60000)
    theta = fit(np.column_stack((x_b, x_t)), y).theta[5:]
    u = x_t @ theta
    dither = np.random.default_rng(3).random(60000) - 0.5
    exact = polish(x_b, u, y, float(theta @ theta), 1.0, 0.0)
    coarse = polish(x_b, u + 2 * dither, y, float(theta @ theta), 1.0, 2.0)
    raw = exact.loss + 0.5 * 4 / 12 * np.sum(sigma(coarse.scores) * sigma(-coarse.scores))
    assert abs(coarse.loss - exact.loss) < 0.25 * (raw - exact.loss)


def test_a_pass_that_raises_the_loss_is_not_followed():
    assert acceptable(100.0999, 100.0)
    assert not acceptable(100.11, 100.0)
    x_b, codes, woe, _, y = study(2000)
    train = np.ones(2000, dtype=bool)
    wild = simulate(x_b, codes, woe, y, train, passes=3, grain=40.0, min_bin=50, ridge=1.0, chance=Seeded(b"1"))
    refused = [one for one in wild if not one.accepted]
    assert refused
    for before, after in pairwise(wild):
        if not before.accepted:  # the old point stays, and the next step from it is a shorter one
            assert after.tau > before.tau or after.tau == TAUS[-1]


def test_rows_outside_training_do_not_change_the_answer_beyond_the_pair_counts():
    x_b, codes, woe, _, y = study(3000)
    train = np.arange(3000) % 10 < 7
    flipped = np.where(train, y, 1 - y)
    runs = [simulate(x_b, codes, woe, one, train, passes=2, grain=0.25, min_bin=50, ridge=1.0, chance=Seeded(b"1")) for one in (y, flipped)]
    assert np.array_equal(runs[0][-1].theta, runs[1][-1].theta)


# Public data


def bin_quickly(column, label, train):
    """Six equal-frequency bins or the levels, small ones joined to a rest; WoE from training rows. A stand-in for the real binning."""
    if column.dtype.kind in "if" and column.nunique() > 8:
        cuts = np.unique(np.quantile(column[train], np.arange(1, 6) / 6))
        codes = np.searchsorted(cuts, column, side="left")
    else:
        common = column[train].value_counts()
        codes = column.map({level: at for at, level in enumerate(common[common >= 100].index[:7])}).fillna(7).to_numpy(dtype=np.int64)
    codes = np.unique(codes, return_inverse=True)[1]
    bads, rows = np.bincount(codes[train], label[train]), np.bincount(codes[train])
    woe = np.log((bads + 0.5) / label[train].sum()) - np.log((rows - bads + 0.5) / (1 - label[train]).sum())
    return codes, np.where(rows >= 50, woe, 0.0)


def public(folder: Path):
    own, other = pd.read_csv(folder / "bank.csv"), pd.read_csv(folder / "telco.csv")
    both = own.merge(other, on="phone").drop(columns="phone")
    y = both.pop("label").to_numpy()
    train = np.random.default_rng(7).random(len(y)) < 0.7
    coded = {name: bin_quickly(both[name], y, train) for name in both}
    x_b = np.column_stack([np.ones(len(y))] + [woe[codes] for name, (codes, woe) in coded.items() if name in own])
    theirs = [pair for name, pair in coded.items() if name not in own]
    return x_b, np.column_stack([codes for codes, _ in theirs]), [woe for _, woe in theirs], y, train


@pytest.mark.parametrize("name", ["bank_marketing", "uci_credit_card"])
def test_four_passes_on_public_data_are_within_a_quarter_of_a_standard_error(name, record_property):
    folder = shared_data(f"{name}/bank.csv").parent
    x_b, codes, woe, y, train = public(folder)
    x_t = np.column_stack([woe[j][codes[:, j]] for j in range(len(woe))])
    pooled = fit(np.column_stack((x_b, x_t))[train], y[train])
    for seed in (b"1", b"2", b"3"):
        history = simulate(x_b, codes, woe, y, train, passes=4, grain=0.25, min_bin=50, ridge=1.0, chance=Seeded(seed))
        apart = deviations(history, pooled)
        record_property(f"largest difference in standard errors, seed {seed.decode()}", [round(value, 3) for value in apart])
        assert apart[-1] < 0.25
        assert [one.tau for one in history] == [0.0] * 4
