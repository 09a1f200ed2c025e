"""Cheating summers and sealers against the solver's checks; and that a failed check never shows at the summer (S1, S4, T6, T7)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from loopback_study import Wire, make_study, tampered

from tandem.crypto.paillier import Blinded, Foreign
from tandem.errors import CrookedModulus, LocalProtocolError, Malformed, SlotOverflow, TableForged
from tandem.train import sealer, solver
from tandem.train.pairs import pair_counts
from tandem.wire.codec import Frame
from tandem.wire.messages import Masks, Own, Pairs, Polish, Release, Sealed, Shares, Statistics, Step, Table, Wish

ROWS = 700


def small():
    """Rows 0 and 1 train, have the same label and differ in nothing but the sealer's columns and all codes; row 2 has the other label."""
    study = make_study(ROWS, passes=2, min_bin=20, min_class=5)
    y, train = study.rows.y.copy(), study.rows.train.copy()
    y[:3], train[:3] = (1, 1, 0), True
    study.rows = sealer.Rows(study.rows.x, y, train)
    study.alter = Wire()
    return study


def whole(study):
    progress, known = study.train()
    return progress, known, study.card(known)


HONEST = small()
_PROGRESS, _KNOWN, _CARD = whole(HONEST)


def cheating(who, stages=(1, 2), **changes):
    """Return a study in which `who` changes what it says or hears in training passes `stages`."""
    study = small()

    def corrupt(name, here, role):
        return tampered(role, **changes) if name == who and here.stage in stages else role

    study.corrupt = corrupt
    return study


def failed_silently(study, match, first=1):
    """Assert that sealer and solver were told, that nothing was released, and that the summer saw what it sees in an honest study."""
    progress, known, results = whole(study)
    assert match in progress.failed
    assert progress.failed == known.failed == results["sealer"].failed
    card = results["sealer"]
    assert (card.theta, card.se, card.points, card.aliases) == ((), (), (), ())
    assert not card.row_points.any()
    wire = study.alter
    assert wire.view("summer") == HONEST.alter.view("summer")
    assert wire.messages(Release) == [Release(progress.failed, (), (), (), (), b"", exact=False)]
    assert [step.failed != "" for step in wire.messages(Step)] == [stage >= first for stage in (1, 2)]
    assert not any(statistics.aliases for statistics in wire.messages(Statistics)[first - 1 :])
    assert not any(polish.accepted for polish in wire.messages(Polish)[first - 1 :])
    return progress, known


def test_control_the_honest_study_releases():
    assert _PROGRESS.failed == _KNOWN.failed == ""
    assert len(_CARD["sealer"].theta) == 7
    assert _CARD["sealer"].row_points.any()


# A summer that does not sum what it was given


def instead(mapping):
    """Return a change of what the summer hears: row `to` replaced by row `take`."""

    def change(message):
        if not isinstance(message, Sealed) or message.first:
            return message
        width = HONEST.secret.public.width
        rows = [message.rows.data[at : at + width] for at in range(0, len(message.rows.data), width)]
        for to, take in mapping.items():
            rows[to] = rows[take] if take is not None else rows[to]
        return replace(message, rows=Foreign(b"".join(rows)))

    return change


@pytest.mark.parametrize("stages", [(1, 2), (1,), (2,)])
@pytest.mark.parametrize(("dropped", "doubled"), [(0, 1), (0, 2), (2, 1)])
def test_a_row_doubled_and_another_dropped(dropped, doubled, stages):
    """T7: the sum of labels agrees where both rows have the same label; weights do not."""
    study = cheating("summer", stages, heard=instead({dropped: doubled}))
    failed_silently(study, "variable t01: its bins do not add up" if (dropped, doubled) == (0, 1) and stages[0] == 1 else "", stages[0])


def reordered(*places):
    """Return a change of what the summer says: shares and masks of two bins exchanged."""
    a, b = places

    def change(message):
        if isinstance(message, Shares):
            parts = [message.shares.part(i, i + 1) for i in range(len(message.shares))]
            parts[a], parts[b] = parts[b], parts[a]
            return Shares(Blinded.join(parts))
        if isinstance(message, Masks):
            width = HONEST.secret.public.plain_width
            parts = [message.values[at : at + width] for at in range(0, len(message.values), width)]
            parts[a], parts[b] = parts[b], parts[a]
            return Masks(b"".join(parts))
        return message

    return change


def test_bins_of_two_variables_exchanged():
    failed_silently(cheating("summer", said=reordered(0, 5)), "variable t0")


def test_bins_of_one_variable_exchanged_in_a_later_pass():
    failed_silently(cheating("summer", (2,), said=reordered(0, 1)), "not those of the first pass", first=2)


def test_the_last_passes_rows_once_more():
    """Counts and labels agree; weights and residuals are those of another score."""
    study, kept = small(), []

    def replayed(message):
        if not isinstance(message, Sealed):
            return message
        if len(kept) < len(HONEST.alter.messages(Sealed)) // 2:
            kept.append(message)
            return message
        return kept[len(study.alter.messages(Sealed)) - len(kept) - 1]

    study.corrupt = lambda name, here, role: tampered(role, heard=replayed) if name == "summer" and here.stage in (1, 2) else role
    failed_silently(study, "its bins do not add up", first=2)


def test_masks_that_do_not_belong_to_the_shares():
    def wrong(message):
        return Masks(bytes(len(message.values))) if isinstance(message, Masks) else message

    failed_silently(cheating("summer", said=wrong), "cannot be a sum")


def test_a_single_row_in_place_of_a_bin():
    """T2 without the solver's help: one bin's share is another bin's, so the variable no longer adds up."""
    def narrowed(message):
        if isinstance(message, Shares):
            return Shares(Blinded.join([message.shares.part(1, 2), message.shares.part(1, len(message.shares))]))
        if isinstance(message, Masks):
            width = HONEST.secret.public.plain_width
            return Masks(message.values[width : 2 * width] + message.values[width:])
        return message

    failed_silently(cheating("summer", said=narrowed), "variable t01")


def test_codes_of_another_roster_row_are_poison_and_not_found():
    """T10: a summer that lies about its own codes is consistent with itself. Not prevented; the report compares on hold-out rows."""
    study = small()
    codes = np.random.default_rng(9).permutation(study.coded.table.codes)
    study.coded = replace(study.coded, table=replace(study.coded.table, codes=codes), pairs=pair_counts(codes, study.coded.table.bins))
    progress, known, _ = whole(study)
    assert progress.failed == known.failed == ""


# A sealer that does not seal what it should


def crafted(monkeypatch, change, own=lambda m: m, wish=lambda m: m):
    """Return a study whose sealer seals change(rows, fixed point)."""
    study = small()
    honest = sealer._sealable

    def sealable(rows, w, r, terms, *, failed):
        plain = honest(rows, w, r, terms, failed=failed)
        return plain if failed else change(rows, plain)

    monkeypatch.setattr(sealer, "_sealable", sealable)

    def said(message):
        return own(message) if isinstance(message, Own) else wish(message) if isinstance(message, Wish) else message

    study.corrupt = lambda name, here, role: tampered(role, said=said) if name == "sealer" and here.stage in (1, 2) else role
    return study


def column(number, value, where=slice(None)):
    def change(_, plain):
        plain = plain.copy()
        plain[where, number] = value
        return plain

    return change


def test_weights_beyond_a_quarter(monkeypatch):
    """S4: hold-out rows weigh as well, so that a bin's mean weight over its training rows is beyond 1/4."""
    top = HONEST.terms.largest
    study = crafted(monkeypatch, column(2, top))
    failed_silently(study, "variable t01: a bin's weight or residual is more than its training rows can have")


def test_a_single_weight_beyond_a_quarter_cannot_be_sealed(monkeypatch):
    for number, value in ((2, HONEST.terms.largest + 1), (2, -1), (3, HONEST.terms.largest + 1), (0, 2), (1, -1)):
        with monkeypatch.context() as patched, pytest.raises(SlotOverflow):
            crafted(patched, column(number, value, 5)).train()


def test_residuals_of_rows_that_do_not_train(monkeypatch):
    study = crafted(monkeypatch, column(3, HONEST.terms.largest))
    failed_silently(study, "weight or residual")


def test_all_weight_on_one_row(monkeypatch):
    """S4: without the check, theta would be that row's codes."""

    def one_row(rows, plain):
        plain = plain.copy()
        plain[:, [2, *range(4, plain.shape[1])]] = 0
        plain[0, 2] = HONEST.terms.largest
        return plain

    study = crafted(monkeypatch, one_row)
    failed_silently(study, "variable t01: the rows of a released group weigh less than 2 together")


def test_a_released_group_whose_weight_is_at_the_least(monkeypatch):
    """Just above it, the group may speak."""
    codes = HONEST.coded.table.codes[:, 2]
    group = (codes == 0) & HONEST.rows.train

    def light(total):
        def change(_, plain):
            plain = plain.copy()
            plain[group, 2] = 0
            plain[np.flatnonzero(group)[:20], 2] = round(total / 20 * HONEST.terms.scales[2])
            return plain

        return change

    with monkeypatch.context() as patched:
        failed_silently(crafted(patched, light(1.9)), "variable t03: the rows of a released group weigh less than 2")
    with monkeypatch.context() as patched:
        _, known = crafted(patched, light(2.1)).train()
    assert "weigh less" not in known.failed


def test_a_variable_that_was_left_out_needs_no_weight(monkeypatch):
    """Its groups move no coefficient."""
    study = crafted(monkeypatch, column(2, 0, (HONEST.coded.table.codes[:, 2] == 0)))
    study.choice = sealer.Choice(keep=("t01", "t02"))
    _, known = study.train()
    assert "weigh less" not in known.failed


def test_numbered_rows(monkeypatch):
    """S1: 2^i in row i would spell out who is in a bin; a count above its rows is no count."""
    def numbered(rows, plain):
        plain = np.zeros_like(plain)
        plain[:13, 3] = 1 << np.arange(13)
        return plain

    failed_silently(crafted(monkeypatch, numbered), "do not add up to the declared rows")


def test_labels_changed_after_the_first_pass(monkeypatch):
    """S3: two passes that differ in one row's label would tell that row's codes by difference."""
    passes = []

    def flip(rows, plain):
        passes.append(1)
        plain = plain.copy()
        if len(passes) == 2:
            plain[0, 1], plain[2, 1] = plain[2, 1], plain[0, 1]
        return plain

    failed_silently(crafted(monkeypatch, flip), "not those of the first pass", first=2)


@pytest.mark.parametrize(
    ("own", "match"),
    [
        (lambda m: replace(m, hessian=m.hessian[:-1]), "own block is not of the 4 columns"),
        (lambda m: replace(m, gradient=()), "own block is not of the 4 columns"),
        (lambda m: replace(m, theta=(*m.theta, 0.0)), "own block is not of the 4 columns"),
        (lambda m: replace(m, ridge=0.0), "ridge"),
        (lambda m: replace(m, ridge=-1.0), "ridge"),
        (lambda m: replace(m, hessian=tuple(2 * v for v in m.hessian)), "do not add up"),
        (lambda m: replace(m, hessian=(m.hessian[0] + 1e-4, *m.hessian[1:])), "do not add up"),
        (lambda m: replace(m, gradient=(m.gradient[0] + 1e-4, *m.gradient[1:])), "do not add up"),
        (lambda m: replace(m, hessian=(*m.hessian[:5], -1.0, *m.hessian[6:])), "not positive definite"),
        (lambda m: replace(m, hessian=(*m.hessian[:5], 1e308, *m.hessian[6:])), ""),
        (lambda m: replace(m, theta=(1e308,) * 4), ""),
        (lambda m: replace(m, gradient=(m.gradient[0], 1e308, -1e308, 1e308)), ""),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_an_own_block_that_does_not_fit(monkeypatch, own, match):
    study = crafted(monkeypatch, lambda _, plain: plain, own=own)
    progress, known = study.train()
    assert match in known.failed
    assert progress.failed == known.failed != ""


@pytest.mark.parametrize("wish", [{"rows": ROWS}, {"events": 3}, {"keep": ("t77",)}, {"min_iv": 9.0}, {"max_correlation": -1.0}])
def test_a_wish_that_does_not_fit(monkeypatch, wish):
    study = crafted(monkeypatch, lambda _, plain: plain, wish=lambda m: replace(m, **wish))
    assert failed_silently(study, "")[0].failed


# After a failure


def test_zeros_are_sealed_from_then_on(monkeypatch):
    sealed = []
    honest = sealer.seal_rows

    def noted(secret, layout, rows, engine, chance, keep):
        sealed.append(rows)
        return honest(secret, layout, rows, engine, chance, keep)

    monkeypatch.setattr(sealer, "seal_rows", noted)
    cheating("summer", (1,), heard=instead({0: 2})).train()
    assert sealed[0].any()
    assert not sealed[1].any()
    assert sealed[0].shape == sealed[1].shape


def test_a_failure_in_the_last_pass_keeps_the_card_shut():
    failed_silently(cheating("summer", (2,), heard=instead({0: 2})), "", first=2)


def test_the_summers_results_do_not_tell():
    """What the summer keeps is a table like any other."""
    _, _, results = whole(cheating("summer", heard=instead({0: 2})))
    key, table = results["summer"]
    assert len(table.points) == sum(HONEST.coded.table.bins)
    assert key == HONEST.secret.public
    assert table.digest != _CARD["summer"][1].digest
    assert [len(part.points.data) for part in HONEST.alter.messages(Table)] == [len(table.data)] * 3


def test_pair_counts_that_make_no_hessian():
    """Whether they do may hang on the weights, so it may not show. Here: rows only where one variable is high and the other low."""
    def crossed(message):
        if not isinstance(message, Pairs):
            return message
        counts = np.zeros((12, 12), dtype=np.int64)
        counts[0:2, 7:9] = counts[3:5, 5:7] = ROWS
        return Pairs(tuple(counts[np.triu_indices(12)].tolist()))

    study = cheating("summer", said=crossed)
    progress, known, results = whole(study)
    assert "pair counts cannot be those" in progress.failed
    assert results["sealer"].failed == known.failed
    ours, theirs = ([(a, b, kind) for a, b, kind, _ in wire.view("summer")] for wire in (study.alter, HONEST.alter))
    assert ours == theirs


# What is no check on totals but a broken peer


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda m: replace(m, theta=m.theta[:-1]), "other columns"),
        (lambda m: replace(m, theta=(*m.theta, 0.0)), "other columns"),
        (lambda m: replace(m, square=-1.0), "other columns"),
    ],
)
def test_a_newton_point_that_is_none(change, text):
    with pytest.raises(Malformed, match=text):
        cheating("solver", said=lambda m: change(m) if isinstance(m, Step) else m).train()


@pytest.mark.parametrize(
    "counts", [lambda c: c[:-1], lambda c: (*c, 0), lambda c: (), lambda c: (2**64 - 1, *c[1:]), lambda c: (c[0] + 10 * ROWS, *c[1:])]
)
def test_pair_counts_that_no_table_has(counts):
    with pytest.raises(Malformed, match="pair"):
        cheating("summer", said=lambda m: Pairs(counts(m.counts)) if isinstance(m, Pairs) else m).train()


def test_a_polish_of_other_columns():
    with pytest.raises(Malformed, match="polish of other columns"):
        cheating("sealer", said=lambda m: replace(m, theta=m.theta[:-1]) if isinstance(m, Polish) else m).train()


def test_a_table_that_the_solver_did_not_sign_is_not_used():
    study = small()
    study.verify = lambda signature, statement: False
    with pytest.raises(TableForged):
        study.train()
    assert "Scores" not in {Frame.from_bytes(data).kind for _, _, data in study.alter.frames}


def test_a_modulus_below_the_contracts():
    study = small()
    study.terms = replace(study.terms, key_bits=1024)
    with pytest.raises((CrookedModulus, LocalProtocolError)):
        study.train()


def test_the_least_weight_is_what_the_security_document_says():
    assert solver.LEAST_WEIGHT == 2.0
    assert solver.ROUNDING == 0.05
