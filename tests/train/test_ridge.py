"""The ridge chosen from the first pass's totals: the closed form against the density it stands for, the study against its twin, a liar."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from loopback_study import Wire, make_study, replace, tampered

from tandem.arguments import Seeded
from tandem.contract import RIDGES
from tandem.errors import Malformed
from tandem.node.plain import pack, restore, unpack
from tandem.train import pooled, sealer, solver
from tandem.train.newton import Step as Newton
from tandem.train.newton import penalty
from tandem.train.pooled import exact_errors, fit, sigma, simulate
from tandem.train.ridge import choose, evidence
from tandem.wire.codec import encode
from tandem.wire.messages import Own, Step


def newton_point(H, g, t, ridge):
    """Return the Newton point from t under a ridge."""
    weights = penalty(len(t), ridge)
    covariance = np.linalg.inv(H + np.diag(weights))
    return Newton(t - covariance @ (g + weights * t), np.sqrt(np.diag(covariance)), covariance, 0.0)


def linear(seed, size=7, rows=40, strength=1.0):
    """Return X, y = X theta + noise of variance 1, where the quadratic model is the likelihood itself, and H and g at a point t."""
    rng = np.random.default_rng(seed)
    X = np.column_stack((np.ones(rows), rng.normal(size=(rows, size))))
    X[:, 2] += X[:, 1]
    y = X @ (strength * rng.normal(size=size + 1)) + rng.normal(size=rows)
    t = rng.normal(size=size + 1)
    return X, y, X.T @ X, X.T @ (X @ t - y), t


def density(X, y, ridge):
    """Return the log density of y under theta ~ N(0, 1/ridge), the intercept taken out by what is orthogonal to it."""
    Q = np.linalg.svd(X[:, :1].T)[2][1:]
    Z, v = Q @ X[:, 1:], Q @ y
    covariance = np.eye(len(v)) + Z @ Z.T / ridge
    return -0.5 * (np.linalg.slogdet(covariance)[1] + v @ np.linalg.solve(covariance, v))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("start", [1.0, 64.0])
def test_the_evidence_is_the_density_of_the_labels_where_the_model_is_quadratic(seed, start):
    """Computed another way: from the covariance of the labels. The point of the totals and the ridge of the step drop out."""
    X, y, H, g, t = linear(seed)
    got = evidence(newton_point(H, g, t, start), start, np.array(RIDGES))
    expected = np.array([density(X, y, ridge) for ridge in RIDGES])
    assert got - got[0] == pytest.approx(expected - expected[0], abs=1e-7)
    assert choose(newton_point(H, g, t, start), start) == RIDGES[int(np.argmax(expected))]


def test_the_weaker_the_columns_the_larger_the_ridge():
    chosen = [choose(newton_point(*linear(3, size=30, rows=200, strength=strength)[2:], 1.0), 1.0) for strength in (3.0, 1.0, 0.3, 0.1)]
    assert chosen == sorted(chosen)
    assert chosen[0] < 1.0 < chosen[-1]
    X, y, H, _, t = linear(3)
    assert choose(newton_point(H, X.T @ (X @ t - y.mean()), t, 1.0), 1.0) == RIDGES[-1]  # labels that are the intercept alone


def test_a_direction_of_no_information_has_no_say():
    """H_tt is estimated and may fall short of positive: under a ridge of 1 it is not, under a smaller one its evidence would be endless."""
    _, _, H, g, t = linear(1)
    larger = np.zeros((len(t) + 1,) * 2)
    larger[:-1, :-1], larger[-1, -1] = H, -0.9
    two = newton_point(larger, np.append(g, 5.0), np.append(t, 0.0), 1.0)
    one = newton_point(H, g, t, 1.0)
    assert evidence(two, 1.0, np.array(RIDGES)) == pytest.approx(evidence(one, 1.0, np.array(RIDGES)), abs=1e-8)


# A study


@cache
def played(passes=3, **terms):
    study = make_study(2500, passes=passes, chooses_ridge=True, **terms)
    study.alter = Wire()
    return study, *study.train()


def woe_of(known):
    return [known.described[j].values for j in known.kept]


def twin_of(study, known, ridge=None, grain=0.25):
    return simulate(
        study.rows.x, study.coded.table.codes[:, list(known.kept)], woe_of(known), study.rows.y, study.rows.train,
        passes=study.terms.passes, grain=grain, min_bin=study.terms.min_bin, ridge=ridge, chance=Seeded(b"twin"),
    )


@pytest.mark.parametrize("terms", [{}, {"open_weights": True}, {"exact": True}], ids=str)
def test_the_ridge_is_the_one_that_the_twin_chooses_and_everything_after_is_under_it(terms):
    study, progress, known = played(**terms)
    twin = twin_of(study, known)
    ridge = known.ridge
    assert ridge not in (0.0, 1.0)
    assert {one.ridge for one in twin} == {ridge} == {progress.ridge}
    assert [one.ridge for one in study.alter.messages(Step)] == [ridge] * 3
    assert [one.ridge for one in study.alter.messages(Own)] == [1.0, ridge, ridge]
    off = np.abs(np.array(study.alter.messages(Step)[0].theta) - twin[0].theta[:4])
    assert np.all(off < 0.51 * 0.05 * twin[0].se[:4] + 2e-4)  # before any dither: rounding, fixed point
    assert (np.abs(twin[-1].theta - known.newton.theta) / known.newton.se).max() < 0.3
    assert progress.accepted == (True,) * 3


def test_it_converges_to_the_pooled_fit_under_that_ridge_and_its_errors_are_of_that_fit():
    study, progress, known = played(exact=True)
    x_t = np.column_stack([woe[study.coded.table.codes[:, j]] for woe, j in zip(woe_of(known), known.kept, strict=True)])
    train = study.rows.train
    both = fit(np.column_stack((study.rows.x, x_t))[train], study.rows.y[train], known.ridge)
    assert (np.abs(np.array(known.final) - both.theta) / both.se).max() < 0.3
    p = sigma(study.rows.x @ progress.theta + progress.scores)
    twin, _ = exact_errors(
        study.rows.x, study.coded.table.codes[:, list(known.kept)], woe_of(known), train * p * (1 - p), min_bin=50, ridge=known.ridge
    )
    assert study.errors(progress, known).errors == pytest.approx(twin, rel=1e-5)


def test_exact_scores_reach_the_pooled_fit_under_the_chosen_ridge():
    """Without dither: the fixed point of twin and polish is the one of the ridge that was chosen, not of the one that it began with."""
    study, _, known = played()
    study = replace(study, terms=replace(study.terms, passes=7))
    last = twin_of(study, known, grain=0.0)[-1]
    x_t = np.column_stack([woe[study.coded.table.codes[:, j]] for woe, j in zip(woe_of(known), known.kept, strict=True)])
    train = study.rows.train
    both = fit(np.column_stack((study.rows.x, x_t))[train], study.rows.y[train], last.ridge)
    assert last.accepted
    assert (np.abs(last.theta - both.theta) / both.se).max() < 1e-3


def test_losses_are_compared_under_one_ridge_and_a_first_pass_that_is_refused_chose_it_all_the_same(monkeypatch):
    """Sealed and in the twin: the start, fitted under 1, is held to the chosen ridge as the pass is."""
    study = make_study(800, passes=2, min_bin=20, min_class=5, chooses_ridge=True)
    study.alter = Wire()
    before = []
    for where in (sealer, pooled):
        monkeypatch.setattr(where, "acceptable", lambda _, last, *__: before.append(last))
    progress, known = study.train()
    twin_of(study, known)
    start = fit(study.rows.x[study.rows.train], study.rows.y[study.rows.train], 1.0)
    assert known.ridge != 1.0
    loss = start.loss + 0.5 * (known.ridge - 1.0) * float(np.sum(start.theta[1:] ** 2))
    assert before == pytest.approx([loss] * 4, rel=1e-12)
    first, second = study.alter.messages(Step)
    assert progress.ridge == known.ridge == study.alter.messages(Own)[1].ridge == first.ridge == second.ridge


def test_played_again_after_a_crash_it_is_the_same_and_what_is_kept_has_it():
    one, other = (make_study(800, passes=2, min_bin=20, min_class=5, chooses_ridge=True) for _ in range(2))
    chance = other.chance
    other.chance = lambda *label: Seeded(b"fresh").fork(*label) if label[0] in ("sealer", "summer") else chance(*label)
    (progress, known), (progress_2, known_2) = one.train(), other.train()
    assert known.ridge == known_2.ridge
    assert known.final == known_2.final
    assert progress.theta.tobytes() == progress_2.theta.tobytes()
    assert restore(solver.Known, unpack(pack(known))).ridge == known.ridge
    assert restore(sealer.Progress, unpack(pack(progress))).ridge == progress.ridge


# Who lies


def telling(ridge, stage, **terms):
    """Return a study whose solver tells another ridge at a stage."""
    study = make_study(800, passes=2, min_bin=20, min_class=5, **terms)

    def corrupt(name, here, role):
        if (name, here.stage) != ("solver", stage):
            return role
        return tampered(role, said=lambda one: replace(one, ridge=ridge) if isinstance(one, Step) else one)

    study.corrupt = corrupt
    return study


@pytest.mark.parametrize("ridge", [0.0, -1.0, 3.0, RIDGES[0] / 2, RIDGES[-1] * 2, 1e300, 5e-324])
def test_a_ridge_that_may_not_be_chosen_is_refused(ridge):
    with pytest.raises(Malformed, match="no power of two from"):
        telling(ridge, 1, chooses_ridge=True).train()


@pytest.mark.parametrize("ridge", [float("nan"), float("inf")])
def test_a_ridge_that_is_no_number_is_refused(ridge):
    with pytest.raises(Malformed, match="not finite"):
        telling(ridge, 1, chooses_ridge=True).train()


@pytest.mark.parametrize("ridge", [0.0, RIDGES[-1]])
def test_a_ridge_that_is_chosen_anew_is_refused(ridge):
    with pytest.raises(Malformed, match="and the first pass was told"):
        telling(ridge, 2, chooses_ridge=True).train()


@pytest.mark.parametrize("stage", [1, 2])
def test_a_ridge_that_the_contract_gives_is_nobody_elses_to_tell(stage):
    with pytest.raises(Malformed, match="the contract gives it"):
        telling(2.0, stage).train()


def test_a_sealer_that_trains_under_another_ridge_than_was_chosen_is_found_out():
    study = make_study(800, passes=2, min_bin=20, min_class=5, chooses_ridge=True)
    lie = {"sealer": lambda role: tampered(role, said=lambda one: replace(one, ridge=1e6) if isinstance(one, Own) else one)}
    study.corrupt = lambda name, here, role: lie[name](role) if name in lie and here.stage == 2 else role
    progress, known = study.train()
    assert "was chosen in the first pass" in known.failed
    assert progress.failed == known.failed


def test_under_a_fixed_ridge_the_messages_have_no_byte_more():
    study = make_study(800, passes=1, min_bin=20, min_class=5)
    study.alter = Wire()
    study.train()
    step, = study.alter.messages(Step)
    assert step.ridge == 0.0
    assert len(encode(replace(step, ridge=2.0))) == len(encode(step)) + 9
