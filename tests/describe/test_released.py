"""DESCRIBE over the loopback equals an independent crosstab, and what is told is what is heard."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from loopback_study import Wire, make_study, tampered

from tandem.crypto.paillier import Blinded
from tandem.describe.released import hear, tell
from tandem.describe.woe import Described
from tandem.errors import InputError, Malformed
from tandem.tables import CodedTable, Outline
from tandem.train import sealer
from tandem.wire.codec import decode, encode
from tandem.wire.messages import Sealed, Shapes, Shares, Statistics, Wish


def crosstab(study, j):
    train = study.rows.train
    table = pd.crosstab(study.coded.table.codes[train, j], study.rows.y[train])
    return table[0].to_numpy(), table[1].to_numpy()


def test_statistics_equal_an_independent_crosstab():
    study = make_study(2000)
    described, failed = study.describe()["sealer"]
    assert failed == ""
    assert [one.alias for one in described] == ["t01", "t02", "t03"]
    for j, one in enumerate(described):
        goods, bads = crosstab(study, j)
        assert one.counts == tuple(goods + bads)
        assert one.bads == tuple(bads)
        woe = np.log(bads / bads.sum()) - np.log(goods / goods.sum())
        assert one.woe == pytest.approx(woe, rel=1e-12)
        assert one.iv == pytest.approx(float(((bads / bads.sum() - goods / goods.sum()) * woe).sum()), rel=1e-12)
        assert one.group == tuple(range(len(goods)))


def test_hold_out_rows_and_decoys_count_nowhere():
    study = make_study(2000)
    other = sealer.Rows(study.rows.x, np.where(study.rows.train, study.rows.y, 1 - study.rows.y), study.rows.train)
    assert study.describe()["sealer"] == replace(study, rows=other).describe()["sealer"]


def rare(study, bin_size):
    """Return the study with a bin of the first variable that holds `bin_size` rows."""
    codes = study.coded.table.codes.copy()
    codes[codes[:, 0] == 4, 0] = 3
    codes[:bin_size, 0] = 4
    table = CodedTable(codes, study.coded.table.bins, study.coded.table.aliases)
    return replace(study, coded=replace(study.coded, table=table))


def test_a_rare_bin_is_withheld():
    study = rare(make_study(2000), 40)
    described = study.describe()["sealer"][0][0]
    goods, bads = crosstab(study, 0)
    assert (goods + bads)[4] < study.terms.min_bin
    assert described.group == (0, 1, 2, 3, 3)
    assert described.counts[3] == (goods + bads)[3:].sum()
    assert min(described.counts) >= study.terms.min_bin


def test_a_choice_is_applied_and_its_reason_told():
    study = replace(make_study(2000), choice=sealer.Choice(keep=("t01", "t03"), min_iv=0.2))
    reasons = {one.alias: one.reason for one in study.describe()["sealer"][0]}
    assert reasons["t01"] == ""
    assert "not among those to keep" in reasons["t02"]
    assert "is below 0.2" in reasons["t03"]


def doubling(message):
    """Row 0 twice, row 1 not at all."""
    if not isinstance(message, Sealed) or message.first:
        return message
    width = len(message.rows.data) // 2000
    return replace(message, rows=type(message.rows)(message.rows.data[:width] * 2 + message.rows.data[2 * width :]))


def first_two_differ(study):
    """Return the study with rows 0 and 1 both training, of different label."""
    y, train = study.rows.y.copy(), study.rows.train.copy()
    y[:2], train[:2] = (0, 1), True
    return replace(study, rows=sealer.Rows(study.rows.x, y, train))


def test_a_failed_check_reaches_sealer_and_solver_and_the_summer_sees_nothing_of_it():
    """T6, T7: a row doubled and one dropped; the session is played to its last frame all the same."""
    honest, cheated = first_two_differ(make_study(2000)), first_two_differ(make_study(2000))
    honest.alter, cheated.alter = Wire(), Wire()
    cheated.corrupt = lambda name, _, role: tampered(role, heard=doubling) if name == "summer" else role
    fine, found = honest.describe(), cheated.describe()
    assert fine["sealer"][1] == fine["solver"] == ""
    described, failed = found["sealer"]
    assert described == []
    assert failed == found["solver"]
    assert "t01" in failed
    assert honest.alter.view("summer") == cheated.alter.view("summer")


@pytest.mark.parametrize(
    "wrong", [{"rows": 1900}, {"events": 7}, {"events": 2**40}, {"keep": ("t09",)}, {"min_iv": -1.0}, {"max_vif": 0.5}]
)
def test_a_wish_that_does_not_fit_is_a_failed_check_not_a_broken_session(wrong):
    study = make_study(2000)
    study.corrupt = lambda name, _, role: (
        tampered(role, said=lambda m: replace(m, **wrong) if isinstance(m, Wish) else m) if name == "sealer" else role
    )
    found = study.describe()
    assert found["sealer"] == ([], found["solver"])
    assert found["solver"]


def test_shares_that_are_no_sums_release_nothing():
    study = make_study(2000)

    def crooked(message):
        if not isinstance(message, Shares):
            return message
        parts = [message.shares.part(i, i + 1) for i in range(len(message.shares))]
        return Shares(Blinded.join([parts[-1], *parts[1:-1], parts[0]]))

    study.corrupt = lambda name, _, role: tampered(role, said=crooked) if name == "summer" else role
    described, failed = study.describe()["sealer"]
    assert described == []
    assert failed


def test_too_few_rows_for_so_many_totals():
    """T9: 9 independent totals; the sealer itself refuses, before a row leaves."""
    study = make_study(120)
    study.alter = Wire()
    with pytest.raises(InputError, match="training rows for 9 totals; at least 10"):
        study.describe()
    assert study.alter.messages(Sealed) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, counts=(2**64 - 1, *m.counts[1:])) if m.counts else m,
        lambda m: replace(m, counts=m.counts[:-1]) if m.counts else m,
        lambda m: Shapes((), (), (), (), ()),
        lambda m: replace(m, bins=(6, *m.bins[1:])),
    ],
)
def test_shapes_that_do_not_fit_have_a_name(change):
    study = make_study(2000)
    study.corrupt = lambda name, _, role: (
        tampered(role, said=lambda m: change(m) if isinstance(m, Shapes) else m) if name == "summer" else role
    )
    with pytest.raises((Malformed, InputError)):
        study.describe()


# The message


ONE = Described("t01", (0, 1, -1, 1), (60, 90), (20, 30), (0.1, -0.2), 0.3, 1, "")
TWO = Described("t02", (0, 0), (150,), (50,), (0.0,), 0.0, -1, "one bin")


def test_told_is_heard():
    assert hear(decode(Statistics, encode(tell([ONE, TWO])))) == [ONE, TWO]
    failed = decode(Statistics, encode(tell([], "why")))
    assert (hear(failed), failed.failed) == ([], "why")


@pytest.mark.parametrize(
    "changes",
    [
        {"aliases": ("t01",)}, {"bins": (4,)}, {"bins": (4, 3)}, {"bins": (3, 3)}, {"group": (0, 1, -1, 1, 0)},
        {"group": (0, 2, -1, 1, 0, 0)},
        {"group": (0, -2, -1, 1, 0, 0)}, {"groups": (2, 2)}, {"groups": (1, 1)}, {"groups": (3, 0)}, {"counts": (60, 90)},
        {"counts": (60, 90, 150, 1)}, {"events": (20, 30)}, {"woe": (0.1, -0.2)}, {"woe": (0.1, -0.2, 0.0, 0.0)}, {"iv": ()},
        {"counts": (60, 90, 150, 1), "events": (20, 30, 50, 1), "woe": (0.1, -0.2, 0.0, 0.0)}, {"group": (0, 1, -1, 1, 0, 0, 0)},
        {"host": (2, -1)}, {"host": (-2, -1)}, {"reasons": ("",)},
    ],
)
def test_lists_that_do_not_fit_together(changes):
    with pytest.raises(Malformed):
        hear(replace(tell([ONE, TWO]), **changes))


def test_outlines_of_the_study_are_those_of_its_table():
    study = make_study(300)
    assert [o.bins for o in study.coded.outlines] == list(study.coded.table.bins)
    assert all(isinstance(o, Outline) for o in study.coded.outlines)
