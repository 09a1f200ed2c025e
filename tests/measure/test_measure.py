"""A sealed measurement equals the table counted in the clear, whoever is cover; and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback_study import Wire, small_key, tampered
from measured_campaign import TERMS, campaign, same

from tandem.arguments import Seeded
from tandem.engine.serial import Serial
from tandem.errors import InputError, Malformed, OtherContent
from tandem.measure import released, sealer, summer
from tandem.measure.twin import tabulated
from tandem.measure.withholding import WITHHELD
from tandem.tables import CodedTable
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Campaign, Measured, Sealed


def expected(one):
    return tabulated(one.rows.roster, one.codes, one.terms)


@pytest.mark.parametrize("cover", [1, 3])
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_sealed_measurement_is_the_table_counted_in_the_clear(cover, seed):
    one = campaign(seed, cover)
    results = one.play()
    assert results["solver"] == ""
    assert same(results["sealer"].told, expected(one))


def test_some_numbers_are_told_and_some_are_withheld():
    told = [one.counts for one in expected(campaign(1))]
    assert any((counts > 0).any() for counts in told)
    assert any((counts == WITHHELD).any() for counts in told)


def test_cover_changes_nothing_but_the_number_of_rows():
    alone = campaign(4)
    rng = np.random.default_rng(5)
    codes = rng.integers(0, TERMS.levels, (3 * alone.rows.count, 2)).astype(np.uint8)
    places = 3 * np.arange(alone.rows.count) + 1
    codes[places] = alone.codes[alone.rows.places]
    covered = replace(alone, codes=codes, rows=replace(alone.rows, places=places, count=3 * alone.rows.count))
    ordered = replace(alone, rows=replace(alone.rows, places=np.arange(alone.rows.count)), codes=alone.codes[alone.rows.places])
    assert same(covered.play()["sealer"].told, ordered.play()["sealer"].told)


def test_what_the_summer_sees_does_not_hang_on_who_was_contacted():
    one, other = (campaign(seed, alter=Wire()) for seed in (1, 2))
    other.codes = one.codes
    one.play()
    other.play()
    assert one.alter.view("summer") == other.alter.view("summer")
    heard = {kind for speaker, listener, kind, _ in one.alter.view("summer") if listener == "summer"}
    assert heard == {"Opening", "Key", "Sealed", "End", "Closing"}
    assert len({len(message.rows.data) // small_key().public.width for message in one.alter.messages(Sealed)}) == 1
    (sealed,) = one.alter.messages(Sealed)
    width = small_key().public.width
    rows = [sealed.rows.data[at : at + width] for at in range(0, len(sealed.rows.data), width)]
    assert len(rows) == len(set(rows)) == one.rows.count * TERMS.layout(small_key().public).ciphertexts


def test_a_check_that_fails_looks_the_same_to_the_summer():
    honest, lying = campaign(1, alter=Wire()), campaign(1, alter=Wire())
    lying.roles["sealer"] = tampered(
        sealer.measure(small_key(), lying.rows, TERMS, Serial(), Seeded(lying.seed).fork("sealer")),
        said=lambda m: Campaign((m.totals[0] + 1, *m.totals[1:])) if isinstance(m, Campaign) else m,
    )
    honest.play()
    results = lying.play()
    assert "do not add up to the declared totals" in results["sealer"].failed == results["solver"]
    assert results["sealer"].told == ()
    assert lying.alter.view("summer") == honest.alter.view("summer")


def test_few_people_for_many_levels_are_refused_before_anything_is_sealed():
    one = campaign(1, count=40, alter=Wire())
    with pytest.raises(InputError, match="people contacted, of those whom the telco knows, for 5 totals"):
        one.play()
    assert one.alter.messages(Sealed) == []


def test_once_is_asked_before_anything_is_told():
    def once(_digest, _items=1):
        raise OtherContent("asked before")

    one, honest = campaign(1, once=once, alter=Wire()), campaign(1, alter=Wire())
    results = one.play()
    honest.play()
    assert results["solver"] == results["sealer"].failed == "asked before"
    assert [len(message.counts) for message in one.alter.messages(Measured)] == [0]
    assert one.alter.view("summer") == honest.alter.view("summer")


def test_other_outcomes_are_another_look_and_the_same_ones_are_not():
    seen = []
    one = campaign(1, once=lambda digest, _items=1: seen.append(digest))
    one.play()
    replace(one, seed=b"another attempt").play()
    changed = one.rows.outcomes.copy()
    changed[changed[:, 0] == 1, 1] = 0
    one.with_rows(changed).play()
    assert seen[0] == seen[1] != seen[2]


def test_segments_of_other_levels_than_the_contract_names_are_refused():
    one = campaign(1)
    other = replace(TERMS, levels=(5, 3))
    table = CodedTable(one.codes, other.levels, ("s01", "s02"))
    one.roles["summer"] = summer.measure(table, other, Serial(), Seeded(b"other"))
    with pytest.raises(Malformed, match="other levels than the contract names"):
        one.play()


def test_what_is_told_is_what_is_heard():
    told = expected(campaign(7))
    assert same(released.hear(released.tell(told), TERMS), told)
    assert released.hear(released.tell((), "a check"), TERMS) == ()


BAD = {
    "a code more": lambda m: replace(m, joined=(*m.joined, 0)),
    "a level for nobody": lambda m: replace(m, joined=(5, *m.joined[1:])),
    "a number more": lambda m: replace(m, counts=(*m.counts, 1)),
    "a number less": lambda m: replace(m, counts=m.counts[:-1]),
    "a number below nothing": lambda m: replace(m, counts=(-2, *m.counts[1:])),
}


@pytest.mark.parametrize("what", BAD)
def test_releases_that_do_not_fit_the_contract_are_refused(what):
    with pytest.raises(Malformed):
        released.hear(BAD[what](released.tell(expected(campaign(7)))), TERMS)


def test_the_solver_sees_what_the_picture_says_and_no_row():
    one = campaign(1, alter=Wire())
    one.play()
    heard = {kind for _, listener, kind, _ in one.alter.view("solver") if listener == "solver"}
    assert heard == {"Opening", "Key", "Shapes", "Campaign", "Opened", "Masks", "End", "Closing"}
    (said,) = one.alter.messages(Campaign)
    assert list(said.totals) == one.rows.outcomes.sum(axis=0).tolist()
    assert [decode(Measured, Frame.from_bytes(data).payload) for _, to, data in one.alter.frames
            if to == "sealer" and Frame.from_bytes(data).kind == "Measured"] == [released.tell(expected(one))]
