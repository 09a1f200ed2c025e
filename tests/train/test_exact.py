"""Exact standard errors over the loopback: against the twin in the clear, against cheats, and what each side sees of them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback_study import Wire, make_study, tampered

from tandem.arguments import Seeded
from tandem.crypto.paillier import Blinded, Checked, Foreign
from tandem.errors import InputError, Malformed
from tandem.sums.pairs import places
from tandem.tables import CodedTable
from tandem.train import sealer, solver, summer
from tandem.train.exact import UNIT, Told, balance, block, check_balance, check_range, crossings
from tandem.train.pairs import blanked, pair_counts, told
from tandem.train.pooled import exact_errors, fit, sigma
from tandem.wire.codec import Frame
from tandem.wire.messages import Crossed, Opened, PairSums, Release, Sealed, Shares


def woe_of(known):
    return [known.described[j].values for j in known.kept]


@cache
def trained(count=3000, **settings):
    study = make_study(count, passes=3, exact=True, **settings)
    return study, *study.train()


def with_errors(study, progress, known, **changes):
    """Play ERRORS and CARD on a copy of the study; return it with what the solver and the sealer end with."""
    study = replace(study, alter=Wire(), **changes)
    after = study.errors(progress, known)
    return study, after, study.card(after)["sealer"]


@cache
def played():
    return with_errors(*trained())


@pytest.fixture(autouse=True, scope="module")
def _honest_first():
    """Play the honest one before any test of this process has put a cheat in place: `failed_silently` compares with it."""
    played()


def weights(study, progress):
    p = sigma(study.rows.x @ progress.theta + progress.scores)
    return study.rows.train * p * (1 - p)


def test_they_are_those_of_the_pooled_fit():
    study, progress, known = trained()
    _, after, card = played()
    x_t = np.column_stack([woe[study.coded.table.codes[:, j]] for woe, j in zip(woe_of(known), known.kept, strict=True)])
    train = study.rows.train
    pooled = fit(np.column_stack((study.rows.x, x_t))[train], study.rows.y[train], 1.0)
    assert after.failed == ""
    assert after.exact
    assert after.errors == pytest.approx(pooled.se, rel=0.005)
    assert np.abs(known.newton.se / pooled.se - 1).max() > np.abs(after.errors / pooled.se - 1).max()
    assert card.exact
    assert card.se == tuple(float(f"{value:.3g}") for value in after.errors)
    units = np.array(card.theta) / (0.05 * np.array(card.se))
    assert np.abs(units - np.round(units)).max() < 1e-6
    assert progress.accepted == (True,) * 3


def rare():
    """Two cells of the roster are small: few rows of the first variable's last bin are in a bin of the third."""
    study = make_study(3000, passes=3, exact=True)
    codes = study.coded.table.codes.copy()
    last = np.flatnonzero(codes[:, 0] == 4)
    codes[last[:-30], 2] = np.where(codes[last[:-30], 2] == 2, 1, codes[last[:-30], 2])
    codes[last[-30:], 2] = 2
    table = CodedTable(codes, study.coded.table.bins, study.coded.table.aliases)
    return replace(study, coded=summer.Coded(table, study.coded.outlines, summer.fit_to_tell(pair_counts(codes, table.bins), 50)))


@cache
def hidden():
    study = rare()
    return study, *study.train()


@pytest.mark.parametrize("make", [trained, hidden])
def test_they_are_those_of_the_twin_in_the_clear(make):
    """Fixed point apart: 15 bits of a weight."""
    study, progress, known = make()
    _, after, _ = with_errors(study, progress, known)
    twin, tau = exact_errors(
        study.rows.x, study.coded.table.codes[:, list(known.kept)], woe_of(known), weights(study, progress), min_bin=50, ridge=1.0
    )
    assert tau == 0.0
    assert after.exact
    assert after.errors == pytest.approx(twin, rel=1e-5)


def test_the_answers_are_the_weighted_sums_to_the_last_digit(monkeypatch):
    study, progress, known = hidden()
    said = []
    honest = solver.cross

    def noted(sealed, asked, chance):
        answers = yield from honest(sealed, asked, chance)
        said.append((asked, answers))
        return answers

    monkeypatch.setattr(solver, "cross", noted)
    with_errors(study, progress, known)
    (asked, answers), = said
    fixed = np.rint(weights(study, progress) * study.terms.scales[2]).astype(np.int64)
    bins = study.coded.table.bins
    line = study.coded.table.codes.astype(int) + np.concatenate(([0], np.cumsum(bins)[:-1])).astype(int)
    sums = [int(fixed[(line == a).any(axis=1) & (line == b).any(axis=1)].sum()) for a, b in places(bins).T]
    shown = [value for value, fit_to_tell in zip(sums, told(study.coded.pairs, bins), strict=True) if fit_to_tell]
    assert len(shown) < len(sums)
    assert answers == [sum(int(w) * shown[cell] for cell, w in zip(one.cells, one.weights, strict=True)) for one in asked]
    assert len(answers) == 1 + 3


# What is asked for


def made(seed, bins, rows=600, min_bin=20):
    """Return what is told of a made-up table, WoE, and totals of w by pair of bins (M, M), all of them; in units of 2^-17."""
    rng = np.random.default_rng(seed)
    common = rng.random(rows)
    codes = np.column_stack([np.minimum((common * size + rng.random(rows) * 2).astype(int), size - 1) for size in bins]).astype(np.uint8)
    pairs = pair_counts(codes, bins)
    hot = np.zeros((rows, sum(bins)))
    hot[np.arange(rows)[:, None], codes + np.concatenate(([0], np.cumsum(bins)[:-1])).astype(int)] = 1.0
    sums = (hot.T * rng.integers(0, 1 << 15, rows)) @ hot / (1 << 17)
    return Told(tuple(bins), np.diag(pairs).copy(), blanked(pairs, min_bin), min_bin), [rng.normal(size=b) for b in bins], sums


def answered(shown, values, kept, sums):
    w = np.diag(sums)
    cells = sums[tuple(places(shown.bins))][told(shown.pairs, shown.bins)]
    parts = [float(one.weights @ cells[one.cells]) / UNIT + rest for one, rest in crossings(shown, values, kept, w)]
    return block(shown, values, kept, w, parts)


def exact_block(shown, values, kept, sums):
    C = np.zeros((sum(shown.bins), len(kept)))
    for at, j in enumerate(kept):
        C[shown.part(j), at] = values[j]
    return C.T @ sums @ C


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.lists(st.integers(1, 6), min_size=1, max_size=5))
def test_where_every_cell_is_told_the_block_is_exact(seed, bins):
    shown, values, sums = made(seed, bins, min_bin=1)
    kept = tuple(range(len(bins)))
    assert answered(shown, values, kept, sums) == pytest.approx(exact_block(shown, values, kept, sums), abs=1e-3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 999), st.lists(st.integers(2, 6), min_size=2, max_size=4))
def test_hidden_cells_cost_nothing_where_products_are_additive_and_little_elsewhere(seed, bins):
    shown, values, sums = made(seed, bins)
    kept = tuple(range(len(bins)))
    w = np.diag(sums)
    flat = [np.ones(bins[0]), *values[1:]]  # 1 * z_b is additive: exact whatever is hidden
    found, expected = answered(shown, flat, kept, sums), exact_block(shown, flat, kept, sums)
    assert found[0] == pytest.approx(expected[0], abs=1e-3)
    assert np.diag(answered(shown, values, kept, sums)) == pytest.approx(np.diag(exact_block(shown, values, kept, sums)))
    assert [len(one.cells) for one, _ in crossings(shown, values, (0, 1), w)] == [
        int((shown.pairs[shown.part(0), shown.part(1)] > 0).sum())
    ]


def test_a_hidden_cell_enters_no_sum():
    shown, values, sums = made(3, [5, 5, 4])
    assert (~told(shown.pairs, shown.bins)).any()
    other = sums.copy()
    rows, columns = places(shown.bins)
    blank = ~told(shown.pairs, shown.bins)
    other[rows[blank], columns[blank]] = other[columns[blank], rows[blank]] = 999.0
    assert np.array_equal(answered(shown, values, (0, 1, 2), sums), answered(shown, values, (0, 1, 2), other))


def test_the_share_of_hidden_rows_is_the_largest_of_a_pair():
    shown, _, _ = made(3, [5, 5, 4])
    rows = shown.n[:5].sum()
    shares = [1 - shown.pairs[shown.part(j), shown.part(k)].sum() / rows for j, k in ((0, 1), (0, 2), (1, 2))]
    assert shown.hidden((0, 1, 2)) == max(shares) > 0
    assert shown.hidden((0, 2)) == shares[1]
    assert shown.hidden((1,)) == 0.0


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 999), st.lists(st.integers(1, 5), min_size=1, max_size=4))
def test_the_balance_holds_for_sums_of_rows_and_for_nothing_else(seed, bins):
    shown, _, real = made(seed, bins)
    sums = np.rint(real * (1 << 17)).astype(np.int64)
    asked, by_bin = balance(shown, Seeded(b"balance"))
    cells = sums[tuple(places(bins))][told(shown.pairs, shown.bins)]
    right = sum(int(weight) * int(cell) for weight, cell in zip(asked.weights, cells, strict=True))
    check_balance(right, by_bin, np.diag(sums).tolist())
    for weight in asked.weights[asked.weights > 0].tolist():
        with pytest.raises(Exception, match="do not add up"):
            check_balance(right + weight, by_bin, np.diag(sums).tolist())


def test_a_sum_beyond_what_its_rows_can_weigh_is_refused():
    shown, values, sums = made(3, [5, 5, 4])
    (one, _), *_ = crossings(shown, values, (0, 1), np.diag(sums))
    counts = shown.pairs[tuple(places(shown.bins))]
    reach = sum(abs(int(w)) * int(counts[counts > 0][cell]) for cell, w in zip(one.cells, one.weights, strict=True)) * 100
    check_range(shown, one, int(reach * (1 - 1e-9)), 100)
    for answer in (int(reach * (1 + 1e-9)), -int(reach * (1 + 1e-9))):
        with pytest.raises(Exception, match="more than their rows can weigh"):
            check_range(shown, one, answer, 100)


# Not exact


def test_where_much_is_hidden_they_stay_approximate(monkeypatch):
    study, progress, known = trained()
    monkeypatch.setattr(solver, "MOST_HIDDEN", -0.1)
    _, after, card = with_errors(study, progress, known)
    assert after.errors is not None
    assert not after.exact
    assert not card.exact


def test_without_the_session_they_are_those_of_the_last_pass():
    study, _, known = trained()
    card = study.card(known)["sealer"]
    assert not card.exact
    assert card.se == tuple(float(f"{value:.3g}") for value in known.newton.se)


def test_pairs_of_variables_count_as_totals():
    """T9: 9 totals by bin and 3 pairs: 115 rows are enough for the first and too few for both."""
    for exact, text in ((False, "for 9 totals"), (True, r'for 12 totals; .*se = "approximate"')):
        study = make_study(160 if exact else 120, exact=exact)
        assert (90 < study.rows.train.sum() < 120) == exact
        study.alter = Wire()
        with pytest.raises(InputError, match=text):
            study.train()
        assert study.alter.messages(Sealed) == []


# Cheats


def cheating(who, make=trained, **changes):
    study, progress, known = make()

    def corrupt(name, here, role):
        return tampered(role, **changes) if name == who and here.stage == 4 else role

    return with_errors(study, progress, known, corrupt=corrupt)


def failed_silently(outcome, match):
    study, after, card = outcome
    assert match in after.failed
    assert card.failed == after.failed
    assert (card.theta, card.se, card.points) == ((), (), ())
    assert study.alter.view("summer") == played()[0].alter.view("summer")


def in_stream(number, change):
    """Return a change of what the summer hears: only of the first chunk of the rows (0) or of the weights alone (1)."""
    firsts = []

    def heard(message):
        if isinstance(message, Sealed) and message.first == 0:
            firsts.append(message)
        return change(message) if isinstance(message, Sealed) and message.first == 0 and len(firsts) == number + 1 else message

    return heard


def doubled(message):
    width = trained()[0].secret.public.width
    data = message.rows.data
    return replace(message, rows=Foreign(data[width : 2 * width] + data[width:]))


@pytest.mark.parametrize(("stream", "text"), [(0, ""), (1, "totals of pairs of bins do not add up")])
def test_a_row_dropped_and_another_doubled(stream, text):
    """T7, in the rows or in the weights alone."""
    failed_silently(cheating("summer", heard=in_stream(stream, doubled)), text)


def exchanged(a, b):
    def said(message):
        if not isinstance(message, PairSums):
            return message
        parts = [message.sums.part(i, i + 1) for i in range(len(message.sums))]
        parts[a], parts[b] = parts[b], parts[a]
        return PairSums(Blinded.join(parts))

    return said


@pytest.mark.parametrize(("a", "b"), [(0, 1), (3, 4), (1, 6)])
def test_sealed_totals_of_two_cells_exchanged(a, b):
    failed_silently(cheating("summer", said=exchanged(a, b)), "totals of pairs of bins do not add up")


def test_what_rides_above_a_weight_is_found_even_if_it_balances(monkeypatch):
    """K9: here no noise drowns it, so the sum is held against what its rows can weigh."""
    monkeypatch.setattr(solver, "check_balance", lambda *_: None)
    honest = summer.fold_by_pairs

    def loaded(key, table, engine):
        products = yield from honest(key, table, engine)
        products.values[6] = products.values[6] * (1 + (1 << 100) * key.n) % key.n2
        return products

    monkeypatch.setattr(summer, "fold_by_pairs", loaded)
    failed_silently(with_errors(*trained()), "more than their rows can weigh")


@pytest.mark.parametrize("change", [lambda m: PairSums(m.sums.part(1, len(m.sums))), lambda m: PairSums(Blinded.join([m.sums, m.sums]))])
def test_sealed_totals_more_or_fewer_than_are_told(change):
    with pytest.raises(Malformed, match="sealed totals of pairs where"):
        cheating("summer", said=lambda m: change(m) if isinstance(m, PairSums) else m)


def test_weights_alone_that_are_not_those_of_the_rows(monkeypatch):
    """S4: all weight on one row would have the errors tell its codes; bins must weigh what they weigh in the rows."""
    honest = sealer.seal_rows

    def crafted(secret, layout, rows, engine, chance, keep):
        if rows.shape[1] == 1:
            rows = np.zeros_like(rows)
            rows[0] = 32767
        return honest(secret, layout, rows, engine, chance, keep)

    monkeypatch.setattr(sealer, "seal_rows", crafted)
    failed_silently(with_errors(*trained()), "totals of pairs of bins do not add up")


def test_other_labels_than_in_the_passes(monkeypatch):
    study, progress, known = trained()
    y = study.rows.y.copy()
    first = np.flatnonzero(study.rows.train & (y == 1))[0]
    y[first] = 0
    monkeypatch.setattr(study, "rows", sealer.Rows(study.rows.x, y, study.rows.train))
    failed_silently(with_errors(study, progress, known), "not those of the first pass")


def test_an_opening_that_is_another():
    def said(message):
        return Crossed(bytes([message.values[0] ^ 1]) + message.values[1:]) if isinstance(message, Crossed) else message

    failed_silently(cheating("sealer", said=said), "do not add up")


def test_a_study_that_failed_before_goes_on_with_zeros(monkeypatch):
    study, progress, known = trained()
    rows = []
    honest = sealer.seal_rows

    def noted(secret, layout, plain, engine, chance, keep):
        rows.append(plain)
        return honest(secret, layout, plain, engine, chance, keep)

    monkeypatch.setattr(sealer, "seal_rows", noted)
    outcome = with_errors(study, replace(progress, failed="a check"), replace(known, failed="a check"))
    failed_silently(outcome, "a check")
    assert [plain.any() for plain in rows] == [False, False]
    assert outcome[0].alter.messages(Crossed) == []


# What is seen


def test_sealer_and_wire_see_nothing_twice():
    """Masks are uniform and fresh; sealed totals are re-randomised: no ciphertext of one run is one of another."""
    study, progress, known = trained()
    one, other = played()[0], with_errors(study, progress, known, seed=b"other")[0]
    for kind, name in ((Crossed, "values"), (Opened, "values"), (PairSums, "sums"), (Shares, "shares")):
        first, second = (
            b"".join(getattr(getattr(m, name), "data", getattr(m, name)) for m in each.alter.messages(kind)) for each in (one, other)
        )
        assert len(first) == len(second) > 0
        assert first != second
    width = study.secret.public.plain_width
    values = [m.values[at : at + width] for m in one.alter.messages(Crossed) for at in range(0, len(m.values), width)]
    assert len(set(values)) == len(values) == 1 + 3
    assert all(int.from_bytes(value, "little").bit_length() > study.secret.public.bits - 40 for value in values)


def test_cells_leave_the_summer_re_randomised(monkeypatch):
    """K5: a bare product would tell an eavesdropper on both links which rows are in it."""
    study, progress, known = trained()
    products = []
    honest = summer.say_sealed

    def noted(key, values, ahead):
        products.extend(values.values)
        return honest(key, values, ahead)

    monkeypatch.setattr(summer, "say_sealed", noted)
    after = with_errors(study, progress, known)[0]
    width = study.secret.public.width
    sent = [m.sums.data[at : at + width] for m in after.alter.messages(PairSums) for at in range(0, len(m.sums.data), width)]
    assert len(sent) == len(products) == int(told(study.coded.pairs, study.coded.table.bins).sum())
    assert not {int.from_bytes(value, "little") for value in sent} & {int(value) for value in products}
    opened = study.secret.open(Checked(study.secret.public, [mpz(int.from_bytes(value, "little")) for value in sent]))
    assert opened == study.secret.open(Checked(study.secret.public, products))


def test_small_cells_do_not_leave_even_sealed():
    study, progress, known = hidden()
    after = with_errors(study, progress, known)[0]
    sent = sum(len(m.sums.data) for m in after.alter.messages(PairSums)) // study.secret.public.width
    pairs = pair_counts(study.coded.table.codes, study.coded.table.bins)
    large = pairs[tuple(places(study.coded.table.bins))] >= 50
    assert sent == int(large.sum()) < len(large)


def test_the_release_says_which_kind_and_the_summer_hears_none_of_it():
    assert [m.exact for m in played()[0].alter.messages(Release)] == [True]
    kinds = [Frame.from_bytes(data).kind for _, to, data in played()[0].alter.frames if to == "summer"]
    assert {"Shares", "Crossed", "PairSums", "Opened", "Own", "Release"} & set(kinds) == set()
