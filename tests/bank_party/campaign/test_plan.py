"""Pool, groups, benefits and segments against independent computations; what is drawn, and what is refused."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from bank_campaign import BENEFITS, LEVELS, config, make, read_csv
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from bank_party.campaign.config import SegmentsConfig
from bank_party.campaign.groups import draw
from bank_party.campaign.plan import plan
from bank_party.campaign.pool import People, pool
from bank_party.campaign.segments import segmented
from tandem.arguments import Seeded
from tandem.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("bank"))


@pytest.fixture(scope="module")
def drawn(folder):
    return plan(config(folder))


@pytest.fixture(scope="module")
def frame(folder, drawn):
    """The same people as a pandas table, with calibrated probabilities."""
    bank, scored = pd.read_csv(folder / "bank.csv", dtype={"phone": str}), pd.read_csv(folder / "scored.csv", keep_default_na=False)
    return pd.concat([bank, scored], axis=1).assign(p=drawn.people.probability)


def some(rows, seed=0, matched=0.8):
    chance = np.random.default_rng(seed)
    told = tuple(LEVELS[at] for at in chance.integers(0, 3, rows))
    flat = [chance.integers(0, 9, rows).astype(float) for _ in range(4)]
    known = chance.random(rows) < matched
    return People(tuple(map(str, range(rows))), chance.random(rows) < 0.95, known, chance.random(rows), chance.random(rows), *flat,
                  tuple("" for _ in range(rows)), told)


def test_the_pool_is_who_is_scoreable_and_likely_enough(drawn, frame):
    expected = (frame.matched == 1) & (frame.p >= 0.1)
    assert drawn.candidates.tolist() == expected.tolist()
    counts = drawn.facts()["population"]
    assert counts == {
        "customers": 6000, "dormant": len(frame) + 30, "matched": int(frame.matched.sum()), "pool": int(expected.sum()),
        "pool_share": expected.sum() / 6000,
    }


def test_the_control_group_is_the_bank_rules_first_and_the_others_come_from_the_pool(drawn, frame):
    control, low, high = drawn.groups
    ruled = frame.sort_values(["past_payments", "debit_balance"], ascending=False).index[: control.size]
    assert set(control.rows) == set(ruled)
    left = frame.drop(index=control.rows)[lambda rows: drawn.candidates[rows.index]]
    assert set(low.rows) <= set(left.index[left.p < 0.3])
    assert set(high.rows) <= set(left.index[left.p >= 0.3])
    assert (low.available, high.available) == (int((left.p < 0.3).sum()), int((left.p >= 0.3).sum()))
    assert abs(left.p[low.rows].mean() - left.p[left.p < 0.3].mean()) < 0.02  # by lot: no favourites
    facts = {one["name"]: one for one in drawn.facts()["groups"]}
    assert facts["control"]["mean_payments"] == pytest.approx(frame.past_payments[control.rows].mean())
    assert facts["high"]["mean_probability"] == pytest.approx(frame.p[high.rows].mean())
    assert facts["control"]["mean_payments"] > facts["high"]["mean_payments"]


def test_sizes_are_those_of_a_power_calculation(drawn):
    facts = drawn.facts()["power"]
    effect = proportion_effectsize(facts["baseline"] + facts["detect"], facts["baseline"])
    by_arcsine = NormalIndPower().solve_power(effect, alpha=0.05, power=0.8)  # another approximation to the same
    assert facts["needed"] == pytest.approx(by_arcsine, rel=0.03)
    assert [one["size"] for one in facts["rows"]] == [facts["needed"]] * 2
    assert facts["rows"][0]["detectable"] == pytest.approx(facts["detect"], rel=0.01)


def test_groups_are_never_larger_than_there_are_people(folder):
    huge = plan(config(folder, sizes={"detect": 0.02}))
    for group in huge.groups[1:]:
        assert group.size == group.available < huge.needed
    rows = huge.facts()["power"]["rows"]
    assert rows[1]["detectable"] > 0.02
    given_sizes = plan(config(folder, sizes={"control": 11, "low": 12, "high": 13}))
    assert [group.size for group in given_sizes.groups] == [11, 12, 13]


def test_the_same_seed_gives_the_same_contacts_and_another_gives_others(folder, tmp_path):
    files = [tmp_path / name for name in ("one", "two", "three")]
    for out, seed in zip(files, (1, 1, 2), strict=True):
        plan(config(folder, seed=seed)).write(out)
    one, two, three = [(out / "contacts.csv").read_bytes() for out in files]
    assert one == two != three
    assert {path.stat().st_mode & 0o777 for path in files[0].iterdir()} == {0o600}


@settings(max_examples=40, deadline=None)
@given(st.integers(60, 400), st.integers(0, 2**32), st.integers(1, 60), st.integers(1, 80), st.integers(1, 80))
def test_groups_are_disjoint_and_of_people_who_may_be_in_them(rows, seed, control, low, high):
    people = some(rows, seed)
    candidates = pool(people, 0.05)
    try:
        groups = draw(people, candidates, 0.3, {"control": control, "low": low, "high": high}, Seeded(bytes(8)))
    except InputError as failure:
        assert "is empty" in str(failure)  # noqa: PT017 - small draws may leave nobody
        return
    every = np.concatenate([group.rows for group in groups])
    assert len(set(every)) == len(every)
    assert people.contactable[every].all()
    for group, size in zip(groups, (control, low, high), strict=True):
        assert 0 < group.size == min(size, group.available)
    for group in groups[1:]:
        assert people.scoreable[group.rows].all()
        assert ((people.probability[group.rows] >= 0.3) == (group.name == "high")).all()


def test_benefits_are_matched_in_model_groups_and_segments_told_where_the_level_was(drawn, frame, tmp_path):
    drawn.write(tmp_path / "out")
    contacts = read_csv(tmp_path / "out" / "contacts.csv")
    assert list(contacts[0]) == ["phone", "group", "benefit", "segment", "probability", "bank_probability"]
    by_phone = frame.set_index(frame.phone)
    low, high = np.quantile(frame.own_use_3m[drawn.candidates], [1 / 3, 2 / 3])
    words = {
        ("low", 0): "potential", ("low", 1): "potential", ("low", 2): "key", ("middle", 0): "lost cause", ("middle", 1): "key",
        ("middle", 2): "key", ("high", 0): "lost cause", ("high", 1): "lost cause", ("high", 2): "maintain",
    }
    for one in contacts:
        row = by_phone.loc[one["phone"]]
        assert one["benefit"] == ("" if one["group"] == "control" else row.benefit)
        own = int(row.own_use_3m > low) + int(row.own_use_3m > high)
        assert one["segment"] == (words[row.finance_activity, own] if row.finance_activity else "")
        assert float(one["probability"]) == pytest.approx(row.p, abs=1e-6)
    facts = drawn.facts()
    model = [one for one in contacts if one["group"] != "control"]
    assert [one["people"] for one in facts["benefits"]] == [sum(one["benefit"] == name for one in model) for name in BENEFITS]
    assert facts["not_told"] == sum(not one["benefit"] for one in model) > 0
    told = frame[drawn.candidates & (frame.finance_activity != "").to_numpy()]
    assert sum(map(sum, facts["segment_map"]["people"])) == sum(one["people"] for one in facts["segments"]) == len(told)
    table = pd.crosstab(told.finance_activity, (told.own_use_3m > low).astype(int) + (told.own_use_3m > high))
    assert facts["segment_map"]["people"] == table.loc[list(LEVELS)].to_numpy().tolist()
    assert {one["name"]: (one["deck_low"], one["deck_high"]) for one in facts["segments"]}["maintain"] == (None, 0.2)


def test_cut_offs_and_map_are_parameters():
    people = some(90)
    among = np.ones(90, dtype=bool)
    found = segmented(people, among, SegmentsConfig(own_low=2, own_high=5, low=("key", "key", "maintain")))
    assert (found.own_low, found.own_high) == (2, 5)
    assert {found.names[row] for row in range(90) if people.finance[row] == "low" and people.own_use[row] > 5} == {"maintain"}
    assert {found.names[row] for row in range(90) if people.finance[row] == "low" and people.own_use[row] <= 5} == {"key"}
    with pytest.raises(InputError, match="at both quantiles"):
        segmented(people, people.own_use == 3, SegmentsConfig())
    with pytest.raises(ValidationError, match="own_low must be below own_high"):
        SegmentsConfig(own_low=3, own_high=3)


def test_without_what_the_telco_tells_there_are_groups_all_the_same(tmp_path):
    facts = plan(config(make(tmp_path, told=False))).facts()
    assert facts["not_told"] == sum(one["size"] for one in facts["groups"][1:])
    assert [one["share"] for one in facts["segments"]] == [None] * 4


def test_probabilities_that_are_too_sure_are_mended_before_anybody_is_drawn(tmp_path):
    drawn = plan(config(make(tmp_path, sure=2.0)))
    assert drawn.calibrated.joint.applied
    assert drawn.calibrated.joint.slope.high < 0.7
    kept = plan(config(tmp_path, recalibrate="never"))
    assert not np.allclose(kept.people.probability, drawn.people.probability)


def test_those_held_back_are_drawn_by_lot_and_no_contacts(folder, tmp_path):
    drawn = plan(config(folder, sizes={"detect": 0.1, "holdback": 0.25}))
    drawn.write(tmp_path / "out")
    contacts, held = read_csv(tmp_path / "out" / "contacts.csv"), read_csv(tmp_path / "out" / "heldback.csv")
    assert not {one["phone"] for one in contacts} & {one["phone"] for one in held}
    assert {one["group"] for one in held} == {"low", "high"}
    for one in drawn.facts()["groups"][1:]:
        assert one["held_back"] == sum(row["group"] == one["name"] for row in held)
        assert one["held_back"] / (one["held_back"] + one["size"]) == pytest.approx(0.25, abs=0.01)


def test_contacts_that_may_have_been_sent_are_not_replaced_by_others(folder, tmp_path):
    plan(config(folder)).write(tmp_path / "out")
    plan(config(folder)).write(tmp_path / "out")
    with pytest.raises(InputError, match="holds other contacts, which may have been sent"):
        plan(config(folder, seed=9)).write(tmp_path / "out")


def rewritten(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


@pytest.mark.parametrize(("name", "old", "new", "text"), [
    ("scored.csv", "bank_probability", "bank", "columns row, id, matched, probability, bank_probability must be there"),
    ("scored.csv", "13800000007", "13800000000", "is not of bank.csv"),
    ("scored.csv", "online shopping", "sleep", "others have a benefit that is none of eat, play, online shopping, shopping"),
    ("bank.csv", "own_use_3m", "own_use", "own_use_3m"),
    ("bank.json", "2025-10-01", "2025-07-01", "the campaign's as_of is 2025-10-01, and .* says 2025-07-01"),
    ("bank.json", "400", "20", "20 customers, 230 dormant, and 200 rows"),
])
def test_files_that_do_not_fit_each_other_are_refused(tmp_path, name, old, new, text):
    make(tmp_path, 200)
    rewritten(tmp_path, name, old, new)
    with pytest.raises(InputError, match=text):
        plan(config(tmp_path, sizes={"control": 5, "low": 5, "high": 5}))


def test_an_empty_group_is_an_error_that_says_what_to_do(folder, tmp_path):
    with pytest.raises(InputError, match="group high is empty: lower threshold"):
        plan(config(folder, threshold=0.99))
    with pytest.raises(InputError, match="group low is empty: lower pool_floor"):
        plan(config(folder, pool_floor=0.2999999))
    with pytest.raises(InputError, match=r"nobody has a probability of 0\.98 or more"):
        plan(config(folder, pool_floor=0.98, threshold=0.99))
    with pytest.raises(ValidationError, match="pool_floor must be below threshold"):
        config(folder, pool_floor=0.3)
    make(tmp_path, 60)
    (tmp_path / "bank.json").unlink()
    with pytest.raises(InputError, match="add customers = "):
        plan(config(tmp_path, sizes={"control": 5, "low": 5, "high": 5}))


def test_facts_are_json_and_name_the_day(drawn):
    facts = json.loads(json.dumps(drawn.facts(), allow_nan=False))
    assert (facts["as_of"], facts["format"]) == (date(2025, 10, 1).isoformat(), 1)
    assert facts["deck"] == {"auc_train": 0.81, "auc_test": 0.79, "pool_share": 0.2, "low_over_control": 0.2, "high_over_control": 2.0}
