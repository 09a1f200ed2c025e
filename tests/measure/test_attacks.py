"""Parties that cheat in a measurement, each with the check that stops it, and what happens without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from loopback_study import small_key, tampered
from measured_campaign import TERMS, campaign

from tandem.arguments import Seeded
from tandem.crypto.slots import Layout, Slot
from tandem.engine.serial import Serial
from tandem.errors import OtherContent
from tandem.measure import sealer, solver, summer
from tandem.measure.solver import check
from tandem.measure.withholding import WITHHELD
from tandem.tables import CodedTable
from tandem.wire.messages import Campaign


def wide(honest):
    """Return a layout like the contract's, but for the range of a slot."""
    made = Layout(tuple(Slot(one.name, 0, 1 << 20) for one in honest.slots), honest.rows, honest.bits)
    object.__setattr__(made, "width", honest.width)  # cached: the same places, other values
    return made


def counted_often(times):
    """Return a campaign whose first person, at a level with others, is sealed as so many."""
    one = campaign(1)
    outcomes = one.rows.outcomes.copy()
    person = int(np.flatnonzero(outcomes[:, 0])[0])
    outcomes[person, 0] = times
    one = one.with_rows(outcomes)

    def cheating(secret, rows, terms, engine, chance):
        yield from sealer.say_key(secret, terms.contract)
        yield from sealer.seal_rows(secret, wide(terms.layout(secret.public)), rows.roster, engine, chance)
        yield Campaign(tuple(int(total) for total in rows.outcomes.sum(axis=0)))
        yield from sealer.open_shares(secret, engine)
        said = yield sealer.Measured
        return sealer.Heard((), said.failed) if said.failed else sealer.Heard(sealer.released.hear(said, terms), "")

    one.roles["sealer"] = cheating(small_key(), one.rows, TERMS, Serial(), Seeded(b"cheating"))
    return one, person


@pytest.mark.parametrize("times", [500, 1500])
def test_a_bank_whose_row_counts_many_times_is_found_out(times):
    """S1: a row outside 0 and 1 makes a level's total hang on one person."""
    one, _ = counted_often(times)
    results = one.play()
    assert "cannot be a sum over" in results["solver"] == results["sealer"].failed
    assert results["sealer"].told == ()


def test_after_rows_that_do_not_fit_the_job_answers_nothing():
    """S1, S3: else each attempt says of other crafted rows whether they fit, and that hangs on where one person is."""
    answered = set()

    def once(digest, _items=1):
        answered.add(digest)
        if len(answered) > 1:
            raise OtherContent("played before")

    crafted, _ = counted_often(500)
    crafted.once = once
    assert "cannot be a sum over" in crafted.play()["solver"]
    for seed in (b"1", b"2"):
        results = replace(campaign(1, once=once), seed=seed).play()
        assert results["solver"] == results["sealer"].failed == "played before"


def test_people_who_are_sealed_in_two_groups_give_one_person_away_by_difference():
    """S1, printed: every row is of 0 and 1 and every total a campaign's, and what is told of two groups differs at one person's level."""
    one = campaign(1)
    one.codes[:] = np.random.default_rng(2).integers(0, TERMS.levels, one.codes.shape)
    crafted, person = np.zeros_like(one.rows.outcomes), 7
    crafted[::3, [0, 4]] = 1
    crafted[person, 0] = 1
    results = one.with_rows(crafted).play()
    assert results["solver"] == ""
    for told, codes in zip(results["sealer"].told, one.codes.T, strict=True):
        differs = told.counts[:, 0, 0] - told.counts[:, 1, 0]
        assert np.flatnonzero(differs).tolist() == [told.joined[codes[one.rows.places[person]]]]


def without_a_level(one):
    """Return the campaign with a summer that leaves the rows of one level out of what it folds, and says so to nobody."""
    def dropping(table, terms, engine, chance):
        key = yield from summer.take_key(terms.contract, terms.key_bits)
        layout = terms.layout(key)
        ahead = summer.make_units(key, terms.codes * layout.ciphertexts, engine, chance.fork("units"))
        yield summer.tell(terms.outlines, table.counts)
        products = yield from summer.fold(key, table, layout, engine)
        fullest = int(np.argmax(table.counts[0]))
        products.values[fullest * layout.ciphertexts : (fullest + 1) * layout.ciphertexts] = [1] * layout.ciphertexts
        yield from summer.share(key, products, layout, ahead, chance)

    table = CodedTable(one.codes, TERMS.levels, ("s01", "s02"))
    one.roles["summer"] = dropping(table, TERMS, Serial(), Seeded(b"dropping"))
    return one


def test_a_telco_that_drops_a_level_is_found_out():
    """T6: totals of some people only would be told as those of all."""
    results = without_a_level(campaign(1)).play()
    assert results["solver"] == "segment 1: its levels do not add up to the declared totals; ask who sealed and who summed"


def test_without_the_sum_over_levels_the_dropped_one_is_not_missed(monkeypatch):
    monkeypatch.setattr(solver, "check", lambda *_: None)
    results = without_a_level(campaign(1)).play()
    assert results["solver"] == ""
    assert results["sealer"].told != ()


def test_a_bank_that_declares_other_totals_than_it_sealed_is_found_out():
    one = campaign(1)
    one.roles["sealer"] = tampered(
        sealer.measure(small_key(), one.rows, TERMS, Serial(), Seeded(b"lying")),
        said=lambda m: Campaign(m.totals[:-1]) if isinstance(m, Campaign) else m,
    )
    assert "7 totals were declared where a row has 8" in one.play()["solver"]


TOTALS = np.array([[20, 8, 5, 5, 30, 10, 9, 9], [15, 8, 5, 5, 30, 10, 9, 9], [0] * 8, [0] * 8, [35, 16, 10, 10, 60, 20, 18, 18],
                   [0] * 8, [0] * 8])
HELD = [np.array([60, 50, 0, 0]), np.array([110, 0, 0])]
DECLARED = tuple(TOTALS[:4].sum(axis=0).tolist())


def test_honest_totals_pass():
    check(TOTALS, HELD, DECLARED, TERMS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({(0, 1): 21, (1, 1): -5}, "more people with an outcome than were contacted"),
        ({(0, 0): 31, (1, 0): 4}, "have more people together than it has rows"),
        ({(4, 4): 59}, "do not add up to the declared totals"),
    ],
)
def test_totals_that_no_campaign_has_are_refused(change, said):
    found = TOTALS.copy()
    for at, value in change.items():
        found[at] = value
    if said.startswith("have more"):
        found[1, 1:4] = 4
    with pytest.raises(solver.RowAsSum, match=said):
        check(found, HELD, DECLARED, TERMS)


def small_level():
    """Return a campaign with three people of group 1 at the last level of the first segment."""
    one = campaign(3)
    rows = one.rows.places
    one.codes[rows, 0] = np.arange(len(rows)) % 3
    one.codes[rows[np.flatnonzero(one.rows.outcomes[:, 0])[:3]], 0] = 3
    return one


def test_a_small_level_cannot_be_had_by_subtraction_from_what_the_bank_knows():
    """S3: the bank knows its totals over all levels; what is told never leaves a few people over."""
    one = small_level()
    told = one.play()["sealer"].told[0]
    totals = one.rows.outcomes[:, 0].sum()
    shown = told.counts[:, 0, 0]
    left = totals - shown[shown != WITHHELD].sum()
    assert left == 0 or left >= TERMS.min_bin
    assert told.joined.count(told.joined[3]) == 2
