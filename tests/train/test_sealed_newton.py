"""Sealed Newton over the loopback against the pooled fit, its acted-out twin, and itself."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from loopback_study import Wire, make_study, tampered

from tandem.arguments import Seeded
from tandem.errors import InputError
from tandem.score.statement import POINT
from tandem.tables import CodedTable
from tandem.train import sealer, solver, summer
from tandem.train.pairs import pair_counts
from tandem.train.pooled import fit, scattering, sigma, simulate
from tandem.train.script import SERVE
from tandem.wire.messages import Own, Release, Sealed, Step


@cache
def played(passes=4, grain=0.25):
    study = make_study(4000, passes=passes, grain=grain)
    study.alter = Wire()
    progress, known = study.train()
    return study, progress, known, study.card(known)


def woe_of(known):
    return [known.described[j].values for j in known.kept]


def pooled(study, known, ridge=1.0):
    x_t = np.column_stack([woe[study.coded.table.codes[:, j]] for woe, j in zip(woe_of(known), known.kept, strict=True)])
    train = study.rows.train
    return fit(np.column_stack((study.rows.x, x_t))[train], study.rows.y[train], ridge)


def test_it_converges_to_the_pooled_fit():
    study, progress, known, _ = played()
    exact = pooled(study, known)
    assert progress.accepted == (True,) * 4
    assert progress.taus == (0.0,) * 4
    assert (np.abs(np.array(known.final) - exact.theta) / exact.se).max() < 0.25
    assert known.newton.se == pytest.approx(exact.se, rel=0.2)


def test_later_passes_are_far_nearer_than_the_sealer_alone():
    study, _, known, _ = played()
    exact = pooled(study, known)
    alone = np.append(sealer.begin(study.rows, 1.0).theta, np.zeros(3))
    steps = [np.array(step.theta) for step in study.alter.messages(Step)]
    away = [float((np.abs(theta - exact.theta[:4]) / exact.se[:4]).max()) for theta in (alone[:4], *steps)]
    assert away[0] > 1.5
    assert max(away[2:]) < 0.4


def test_it_does_what_its_twin_in_the_clear_does():
    """Same settings, other dither, no fixed point: the same way to the same place."""
    study, progress, known, _ = played()
    twin = simulate(
        study.rows.x, study.coded.table.codes, woe_of(known), study.rows.y, study.rows.train,
        passes=4, grain=0.25, min_bin=study.terms.min_bin, ridge=1.0, chance=Seeded(b"twin"),
    )
    assert (np.abs(twin[-1].theta - known.newton.theta) / known.newton.se).max() < 0.3
    assert twin[-1].se == pytest.approx(known.newton.se, rel=0.02)
    # Two dithers: each loss has the standard deviation that `scattering` derives, so their difference is held to three of its own.
    train = study.rows.train
    p = sigma(study.rows.x @ progress.theta + progress.scores)[train]
    assert abs(twin[-1].loss - progress.loss) < 3 * math.sqrt(2) * scattering(p, study.rows.y[train], study.terms.grain)
    first = study.alter.messages(Step)[0]
    unit = 0.05 * twin[0].se[:4]
    assert np.all(np.abs(np.array(first.theta) - twin[0].theta[:4]) < 0.51 * unit + 2e-4)  # before any dither: rounding, fixed point


def test_released_numbers_are_rounded():
    """S3: multiples of .05 se, three digits of se; the multiples are of the se that is told, or theta would tell the whole of it."""
    study, _, known, results = played()
    release = study.alter.messages(Release)[0]
    unit = 0.05 * np.array(release.se)
    assert np.array(release.se) == pytest.approx(known.newton.se, rel=0.005)
    multiples = np.array(release.theta) / unit
    assert np.abs(multiples - np.round(multiples)).max() < 1e-6
    assert np.abs(np.array(release.theta) - known.final).max() <= (unit / 2 * 1.0001).max()
    assert all(f"{value:.3g}" == f"{value:.10g}" for value in release.se)
    card = results["sealer"]
    assert (card.theta, card.se, card.points, card.aliases) == (release.theta, release.se, release.points, ("t01", "t02", "t03"))
    assert card.table == results["summer"][1].digest


def test_what_is_told_between_passes_is_as_rounded_as_the_card():
    """S3: the length of the telco's coefficients, or the sealer's own, at full precision would read what the card's rounding hides."""
    study, _, known, _ = played()
    last = study.alter.messages(Step)[-1]
    unit = 0.05 * np.array([float(f"{value:.3g}") for value in known.newton.se])
    theta = np.round(known.newton.theta / unit) * unit
    assert last.theta == tuple(theta[:4].tolist())
    assert last.square == float(theta[4:] @ theta[4:])
    assert not np.any(theta == known.newton.theta)


@pytest.mark.parametrize("ridge", [0.5, 1e6])
def test_a_sealer_under_a_ridge_of_its_own_is_found_out(ridge):
    """S3: under a heavy ridge each coefficient is a total of its own; under none, a few rows move it further."""
    study = make_study(1500, passes=2, min_bin=20, min_class=5, ridge=1.0)
    assert study.train(1.0)[1].failed == ""
    progress, known = study.train(ridge)
    assert progress.failed == known.failed == f"the sealer trains under a ridge of {ridge:g}; the contract says 1"

    def later(message):
        return replace(message, ridge=ridge) if isinstance(message, Own) else message

    study.corrupt = lambda name, here, role: tampered(role, said=later) if (name, here.stage) == ("sealer", 2) else role
    assert "the contract says 1" in study.train(1.0)[1].failed


def test_the_cards_points_are_the_released_theta_on_each_bin_and_come_back_exact():
    study, _, known, results = played()
    card = results["sealer"]
    by_bin = np.concatenate([theta * woe for theta, woe in zip(card.theta[4:], woe_of(known), strict=True)])
    assert card.points == tuple(np.round(by_bin / POINT).astype(int))
    parts = np.split(np.array(card.points), np.cumsum(study.coded.table.bins)[:-1])
    assert np.array_equal(card.row_points, sum(part[study.coded.table.codes[:, j]] for j, part in enumerate(parts)))
    log_odds = sealer.card_log_odds(study.rows.x, card.theta, card.row_points)
    x_t = np.column_stack([woe[study.coded.table.codes[:, j]] for j, woe in enumerate(woe_of(known))])
    assert np.abs(log_odds - np.column_stack((study.rows.x, x_t)) @ card.theta).max() < 3 * POINT / 2


def test_a_coarser_step_gives_multiples_of_it():
    study = make_study(1500, passes=1, card_step=4, min_bin=20, min_class=5)
    _, known = study.train()
    card = study.card(known)["sealer"]
    assert set(card.row_points % 4) == {0}
    parts = np.split(np.array(card.points), np.cumsum(study.coded.table.bins)[:-1])
    assert np.array_equal(card.row_points, 4 * sum(part[study.coded.table.codes[:, j]] for j, part in enumerate(parts)))


def small(**settings):
    return make_study(800, passes=2, min_bin=20, min_class=5, **settings)


def outcome(study):
    progress, known = study.train()
    card = study.card(known)["sealer"]
    return progress, known, card


def test_other_seals_and_masks_same_kept_secrets_same_model_card_and_scores():
    """A pass that is repeated after a crash, with fresh randomness, gives the same theta, card and scores, bit for bit."""
    first = small()
    one = outcome(first)
    other = small()
    chance = other.chance

    def fresh(*label):
        return Seeded(b"fresh").fork(*label) if label[0] in ("sealer", "summer") else chance(*label)

    other.chance = fresh
    other.alter, first.alter = Wire(), Wire()
    two = outcome(other)
    outcome(first)
    assert other.alter.messages(Sealed) != first.alter.messages(Sealed)
    assert one[1].final == two[1].final
    assert np.array_equal(one[0].scores, two[0].scores)
    assert np.array_equal(one[2].row_points, two[2].row_points)
    assert one[2].theta == two[2].theta
    assert one[2].table == two[2].table


def test_another_secret_of_the_summer_another_dither():
    one, other = small(), small()
    chance = other.chance
    other.chance = lambda *label: Seeded(b"other") if label == ("kept",) else chance(*label)
    first, second = outcome(one), outcome(other)
    assert (first[0].scores != second[0].scores).mean() > 0.9
    assert (np.abs(np.array(first[1].final) - second[1].final) / first[1].newton.se).max() < 0.5


def test_hold_out_rows_are_scored_and_change_nothing():
    one, other = small(), small()
    y = np.where(other.rows.train, other.rows.y, 1 - other.rows.y)
    other.rows = sealer.Rows(other.rows.x, y, other.rows.train)
    first, second = outcome(one), outcome(other)
    assert first[1].final == second[1].final
    assert len(first[2].row_points) == one.rows.count
    assert np.std(first[0].scores[~one.rows.train]) > 0.1


def test_the_sealers_own_block_is_symmetric_and_that_of_its_rows():
    study, _, _, _ = played()
    x, y = study.rows.x[study.rows.train], study.rows.y[study.rows.train]
    own = study.alter.messages(Own)[0]
    p = 1 / (1 + np.exp(-x @ own.theta))
    hessian = np.reshape(own.hessian, (4, 4))
    assert np.array_equal(hessian[0], hessian[:, 0])
    np.testing.assert_allclose(hessian, hessian.T, rtol=1e-9)
    np.testing.assert_allclose(hessian, (x.T * (p * (1 - p))) @ x, rtol=1e-4, atol=0.02)
    np.testing.assert_allclose(own.gradient, x.T @ (p - y), atol=0.02)


# Choice of variables


def correlated():
    """The second variable is nearly the first."""
    study = small()
    codes = study.coded.table.codes.copy()
    codes[:, 1] = np.minimum(codes[:, 0], 3)
    codes[:100, 1] = study.coded.table.codes[:100, 1]
    table = CodedTable(codes, study.coded.table.bins, study.coded.table.aliases)
    pairs = summer.fit_to_tell(pair_counts(codes, table.bins), 20)
    return replace(study, coded=summer.Coded(table, study.coded.outlines, pairs))


@cache
def without_choice(make):
    study = make()
    study.alter = Wire()
    outcome(study)
    return study.alter


@pytest.mark.parametrize(
    ("make", "choice", "kept"),
    [
        (small, sealer.Choice(keep=("t01", "t03")), ("t01", "t03")),
        (small, sealer.Choice(min_iv=0.1), ("t01",)),
        (correlated, sealer.Choice(max_correlation=0.7), ("t01", "t03")),
        (correlated, sealer.Choice(max_vif=3.0), ("t01", "t03")),
        (small, sealer.Choice(monotone=True), ("t01", "t02", "t03")),
    ],
)
def test_a_choice_takes_effect_at_the_solver_and_the_summer_sees_nothing_of_it(make, choice, kept):
    """T4: left or right, two choices."""
    chosen = make()
    chosen.choice, chosen.alter = choice, Wire()
    _, known, card = outcome(chosen)
    assert known.failed == ""
    names = tuple(known.described[j].alias for j in known.kept)
    if choice.max_vif:
        assert len(names) == 2
        assert "t03" in names
    else:
        assert names == kept
    assert card.aliases == names
    assert len(card.theta) == 4 + len(names)
    assert without_choice(make).view("summer") == chosen.alter.view("summer")
    left_out = [j for j in range(3) if j not in known.kept]
    parts = np.split(np.array(card.points), np.cumsum(chosen.coded.table.bins)[:-1])
    assert all(not parts[j].any() for j in left_out)


def test_a_chosen_subset_converges_to_the_pooled_fit_of_that_subset():
    study = make_study(4000, passes=3)
    study.choice = sealer.Choice(keep=("t01", "t03"))
    _, known = study.train()
    exact = pooled(study, known)
    assert len(exact.theta) == 6
    assert (np.abs(np.array(known.final) - exact.theta) / exact.se).max() < 0.3


def test_a_rare_bin_is_withheld_from_model_and_card():
    study = make_study(3000, passes=2)
    codes = study.coded.table.codes.copy()
    codes[codes[:, 2] == 2, 2] = 1
    codes[:60, 2] = 2  # 60 roster rows, some 42 of them training: under min_bin
    table = CodedTable(codes, study.coded.table.bins, study.coded.table.aliases)
    study.coded = summer.Coded(table, study.coded.outlines, summer.fit_to_tell(pair_counts(codes, table.bins), 50))
    progress, known, card = outcome(study)
    assert progress.described[2].group == (0, 1, 1)
    assert min(progress.described[2].counts) >= 50
    parts = np.split(np.array(card.points), np.cumsum(table.bins)[:-1])
    assert parts[2][1] == parts[2][2]
    assert known.failed == ""


# Where passes start and end


def test_a_pass_whose_loss_rises_is_not_accepted_and_the_old_point_stays(monkeypatch):
    study = small()
    monkeypatch.setattr(sealer, "acceptable", lambda *_: False)
    progress, known = study.train()
    assert progress.accepted == (False, False)
    assert np.array_equal(progress.theta, sealer.begin(study.rows, 1.0).theta)
    assert known.final == (*progress.theta, 0.0, 0.0, 0.0)
    card = study.card(known)["sealer"]
    assert set(card.row_points) == {0}


def test_statistics_come_with_the_first_pass_and_stay():
    study, progress, _, _ = played()
    assert list(progress.described) == study.describe()["sealer"][0]


def test_columns_beyond_their_bound_or_no_numbers_are_refused_before_anything_is_sealed():
    study = small()
    for wrong in (8.1, -9.0, np.nan, np.inf):
        x = study.rows.x.copy()
        x[7, 2] = wrong
        with pytest.raises(Exception, match="beyond 8"):
            sealer.Rows(x, study.rows.y, study.rows.train)


def test_too_few_rows_for_so_many_totals():
    """T9: the sealer refuses before a row leaves, whoever the others are in league with."""
    study = make_study(120)
    study.alter = Wire()
    with pytest.raises(InputError, match="for 9 totals"):
        study.train()
    assert study.alter.messages(Sealed) == []


def test_new_customers_are_scored_with_the_kept_card():
    study, _, known, results = played()
    key, table = results["summer"]
    codes = study.coded.table.codes[:50]
    fresh = CodedTable(codes, study.coded.table.bins, study.coded.table.aliases)
    here = study.here(0, "serve")
    served = study.play(SERVE, here, {
        "sealer": sealer.serve(study.secret, 50, 1, study.engine),
        "summer": summer.serve(key, table.data, 1, fresh, here, study.engine, summer.Secrets(Seeded(b"serve"), Seeded(b"kept"))),
    })
    assert np.array_equal(served["sealer"], results["sealer"].row_points[:50])
    assert isinstance(known, solver.Known)
