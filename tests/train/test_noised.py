"""A study with the telco's noise over the loopback: what the solver finds, what the sealer says, and the model at the end."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from loopback_study import Wire, make_study

from bank_party import own_score
from tandem.arguments import Seeded
from tandem.contract.noise import SLOTS, WIDEST_SCORE, Noise
from tandem.sums import solver as sums
from tandem.sums.noise import draw
from tandem.sums.terms import Terms
from tandem.tables import CodedTable
from tandem.train import noised, sealer, summer
from tandem.train.newton import Totals, coding
from tandem.train.pairs import pair_counts
from tandem.train.pooled import fit
from tandem.wire.messages import Masks, Own, Pairs, Polish, Shapes, Statistics, Step, Wish

NOISE = Noise(2.0, 3)


def rounded(seed=1):
    rng = np.random.default_rng(seed)
    return lambda scale, count: np.rint(rng.normal(size=count) * scale).astype(np.int64)


def noisy(noise=NOISE, seed=1, codes=None, **settings):
    """Return a study under noise, its bank's own score in place of three columns, and the rows with all of them."""
    study = make_study(3000, passes=1, noise=noise, **settings)
    whole = study.rows
    study.terms = replace(study.terms, columns=1)
    study.rows, _ = own_score.folded(whole, 1.0)
    table = study.coded.table if codes is None else CodedTable(codes, study.coded.table.bins, study.coded.table.aliases)
    pairs = pair_counts(table.codes, table.bins)
    drawn = draw(noise, rounded(seed), table.bins, [slot.size for slot in study.terms.slots()], pairs)
    study.coded = summer.Coded(table, study.coded.outlines, summer.fit_to_tell(drawn.pairs, study.terms.min_bin), drawn)
    study.alter = Wire()
    return study, whole


@cache
def played():
    study, whole = noisy()
    found = []
    study.once = lambda _: lambda digest, _=1: found.append(digest)
    progress, known = study.train()
    return study, whole, progress, known, study.card(known)["sealer"], found


def truth(study):
    """Return the true totals (M, slots) in reals, as they are before any noise."""
    x, y, train = study.rows.x, study.rows.y, study.rows.train
    p = 1 / (1 + np.exp(-x @ fit(x[train], y[train], 1.0).theta))
    rows = train[:, None] * np.column_stack((np.ones(len(y)), y, p * (1 - p), p - y, (p * (1 - p))[:, None] * x[:, 1:]))
    starts = np.concatenate(([0], np.cumsum(study.coded.table.bins)[:-1]))
    totals = np.zeros((sum(study.coded.table.bins), rows.shape[1]))
    for j, start in enumerate(starts):
        np.add.at(totals, start + study.coded.table.codes[:, j].astype(int), rows)
    return totals


def solved(study):
    """Play a pass and return the reals that the solver unpacked."""
    seen = []
    kept = sums.totals
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "totals", lambda *given: seen.append(kept(*given)) or seen[-1])
        _, known = study.train()
    assert not known.failed
    return study.terms.real(seen[0]), seen[0]


def in_spreads(study):
    """Return the root mean square of what the solver finds beside the truth, by slot, in the standard deviations that were reckoned."""
    found, _ = solved(study)
    limits = np.array([slot.size for slot in study.terms.slots()]) / study.terms.scales
    spreads = limits * [NOISE.spread(what) for what in SLOTS]
    return np.sqrt((((found - truth(study)) / spreads) ** 2).mean(axis=0))


def test_the_solver_finds_totals_off_by_the_noise_that_was_reckoned_and_exact_sums_over_a_variable():
    study, _ = noisy()
    assert np.all((in_spreads(study) > 0.4) & (in_spreads(study) < 1.6))
    _, whole = solved(study)
    sums = [part.sum(axis=0) for part in np.split(whole, np.cumsum(study.coded.table.bins)[:-1])]
    assert np.array_equal(sums[0], sums[1])
    assert np.array_equal(sums[0], sums[2])
    assert tuple(sums[0][:2]) == (study.rows.train.sum(), study.rows.y[study.rows.train].sum())


def test_a_telco_that_leaves_the_noise_out_of_the_totals_is_found_out():
    study, _ = noisy()
    quiet = np.zeros_like(study.coded.noise.totals)
    study.coded = replace(study.coded, noise=replace(study.coded.noise, totals=quiet))
    assert np.all(in_spreads(study) < 0.01)


def test_counts_and_pairs_are_told_with_their_noise_and_blanked_after_it():
    study, *_ = played()
    wire = study.alter
    said = next(one for one in wire.messages(Shapes) if one.counts)
    assert said.counts == tuple(study.coded.noise.counts.tolist())
    true = np.concatenate(study.coded.table.counts)
    assert 0 < np.abs(np.array(said.counts) - true).max() < 10 * NOISE.spread("counts")
    pairs = np.array([count for one in wire.messages(Pairs) for count in one.counts])
    assert not np.array_equal(pairs, pair_counts(study.coded.table.codes, study.coded.table.bins)[np.triu_indices(len(true))])
    assert not set(pairs.tolist()) & set(range(1, study.terms.min_bin))


def test_a_step_that_is_played_again_is_answered_with_the_same_noise():
    """The masks are fresh, what is under them is not: the solver's digest of it is the same."""
    study, _, _, known, _, found = played()
    again, _ = noisy()
    chance = again.chance
    again.chance = lambda *label: Seeded(b"fresh").fork(*label) if label[0] in ("sealer", "summer") else chance(*label)
    digests = []
    again.once = lambda _: lambda digest, _=1: digests.append(digest)
    _, other = again.train()
    assert again.alter.messages(Masks) != study.alter.messages(Masks)
    assert digests[0] == found[0]
    assert other.final == known.final
    drawn_anew, _ = noisy(seed=2)
    digests.clear()
    drawn_anew.once = again.once
    drawn_anew.train()
    assert digests[0] != found[0]


def test_what_the_sealer_says_does_not_hang_on_its_scores():
    """Its own block and its wish are of its rows alone; after the scores it repeats the solver's own step."""
    study, *_ = played()
    other, _ = noisy(codes=np.roll(study.coded.table.codes, 1, axis=0))
    other.train()
    for kind in (Wish, Own):
        assert other.alter.messages(kind) == study.alter.messages(kind)
    for wire in (study.alter, other.alter):
        assert [(one.accepted, one.scale, one.newton) for one in wire.messages(Polish)] == [(True, 1.0, True)]
        assert wire.messages(Polish)[0].theta == wire.messages(Step)[0].theta


def test_without_noise_what_the_sealer_says_does_hang_on_them():
    study = make_study(1500, passes=1, min_bin=20, min_class=5)
    study.alter = Wire()
    study.train()
    assert study.alter.messages(Polish)[0].theta != study.alter.messages(Step)[0].theta


def test_a_study_ends_with_a_card_that_beats_the_bank_alone():
    study, whole, progress, known, card, _ = played()
    assert not known.failed
    assert progress.accepted == (True,)
    full = own_score.unfolded(card, whole, 1.0)
    assert len(full.theta) == len(full.se) == 4 + len(card.aliases)
    out, y = ~whole.train, whole.y

    def loss(scores):
        return float(np.sum(np.logaddexp(0.0, scores[out]) - y[out] * scores[out]))

    alone = loss(whole.x @ fit(whole.x[whole.train], y[whole.train], 1.0).theta)
    with_noise = loss(sealer.card_log_odds(whole.x, full.theta, card.row_points))
    woe = [one.values for one in known.described]
    x = np.column_stack((whole.x, *(values[study.coded.table.codes[:, j]] for j, values in enumerate(woe))))
    pooled = loss(x @ fit(x[whole.train], y[whole.train], 1.0).theta)
    assert alone - with_noise > 0.8 * (alone - pooled)


def test_the_released_statistics_add_up_to_the_sealers_rows():
    study, *_ = played()
    said = study.alter.messages(Statistics)[0]
    assert not said.failed
    train, y = study.rows.train, study.rows.y
    for one in played()[3].described:
        assert (sum(one.counts), sum(one.bads)) == (train.sum(), y[train].sum())
        assert min(one.counts) >= study.terms.min_bin


def test_statistics_alone_have_the_same_noise():
    study, _ = noisy()
    study.describe()
    assert study.alter.messages(Statistics)[0].counts == played()[0].alter.messages(Statistics)[0].counts


def test_a_total_beyond_what_noise_can_do_is_still_found_out():
    study, _ = noisy()
    far = study.coded.noise.totals.copy()
    far[0, 0] -= 3 * NOISE.spare + 3000
    far[1, 0] += 3 * NOISE.spare + 3000
    study.coded = replace(study.coded, noise=replace(study.coded.noise, totals=far))
    _, known = study.train()
    assert "the total of m cannot be a sum over 3000 rows" in known.failed


def test_sums_over_a_variable_are_still_checked_for_equality():
    study, _ = noisy()
    one = study.coded.noise.totals.copy()
    one[0, 3] += 1
    study.coded = replace(study.coded, noise=replace(study.coded.noise, totals=one))
    _, known = study.train()
    assert "do not add up to the totals of the sealer's own rows" in known.failed


def test_without_noise_layout_and_range_are_what_they_were():
    plain = Terms(bytes(32), columns=3, variables=3, rows=1000)
    key = make_study(100, passes=1).secret.public
    assert (plain.spare, plain.column_bound, plain.layout(key).spare) == (0, 8.0, 0)
    under = replace(plain, noise=NOISE)
    assert under.layout(key).width > plain.layout(key).width
    assert under.column_bound == WIDEST_SCORE


def test_a_score_is_cut_to_its_declared_range():
    whole = make_study(3000).rows
    wide = replace(whole, x=whole.x * np.array([1.0, 2.0, 2.0, 2.0]))
    rows, alone = own_score.folded(wide, 1.0)
    assert np.abs(rows.x[:, 1]).max() == WIDEST_SCORE
    assert alone == pytest.approx(fit(wide.x[wide.train], wide.y[wide.train], 1.0).theta)


def test_a_hopeless_direction_is_stepped_along_no_further_than_noise_allows():
    """A singular Schur complement: plain Newton has no step there, the lifted one is bounded by the floor."""
    S, A = np.array([[1.0, 1.0], [1.0, 1.0]]), np.diag([1.0, 1.0])
    inverse = noised.lifted(S, A, 0.5)
    assert np.linalg.eigvalsh(inverse) == pytest.approx([0.5, 2.0])
    assert noised.lifted(np.diag([4.0, 9.0]), np.diag([4.0, 9.0]), 0.5) == pytest.approx(np.diag([1 / 4, 1 / 9]))


def test_errors_hold_the_noise_of_the_gradient():
    study, _, _, known, _, _ = played()
    table, totals = study.coded.table, truth(study)
    C = coding([one.values for one in known.described])[:, list(known.kept)]
    at = Totals(
        0.2 * study.rows.x.T @ study.rows.x, np.zeros(2), totals[:, [2, 4]], totals[:, 3], np.concatenate(table.counts),
        pair_counts(table.codes, table.bins), table.bins,
    )
    small, large = (noised.step(np.zeros(2 + C.shape[1]), at, C, 1.0, 50, Noise(rho, 3)).se for rho in (1e9, 0.05))
    assert np.all(large[2:] > 1.2 * small[2:])
