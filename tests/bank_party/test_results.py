"""results.csv: what is wrong in it is said by rows and columns, never by person or value."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from measured_site import FIELDS, configure, make_measured, outcomes, prepare, write_results
from rich.console import Console

from bank_party import measuring
from tandem.contract import BANK
from tandem.errors import ContractError, InputError
from tandem.measure.withholding import WITHHELD, Told

CONTACTED, RESPONDED, ACTIVATED, SPEND, GROUP = 2, 3, 7, 8, 1


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_measured(tmp_path_factory.mktemp("results"))


@pytest.fixture
def site(made):
    configure(made)
    write_results(made, outcomes())
    return made


def changed(site, *changes):
    rows = outcomes()
    for row, column, value in changes:
        rows[row][column] = value
    write_results(site, rows)


def test_results_become_zeros_and_ones_by_group_in_the_order_of_the_table(site):
    changed(site, (0, GROUP, "high"), *((0, at, 1) for at in range(2, 8)), (0, SPEND, 100), (2, SPEND, 0))
    prepared = prepare(site)
    assert prepared.results.groups == ("high", "low")
    assert prepared.results.outcomes[0].tolist() == [1] * 7 + [0] * 7
    assert prepared.of.tolist() == [*range(300), *[-1] * 60]
    configure(site, groups=["low", "high"])
    assert prepare(site).results.outcomes[0].tolist() == [0] * 7 + [1] * 7


def test_phones_written_otherwise_are_the_same_people(site):
    rows = outcomes()
    for row in rows:
        row[0] = f" {row[0]} "
    write_results(site, rows)
    assert prepare(site).unknown == 0


def test_people_who_are_not_in_the_table_are_counted(site):
    write_results(site, [*outcomes(), ["stranger", "high", 1, 0, 0, 0, 0, 0, 0]])
    assert prepare(site).unknown == 1


WRONG = {
    "two": (((4, RESPONDED, 2),), "1 of 300 rows \\(rows 5\\) have neither 0 nor 1 in column 'responded'"),
    "nothing": (((4, RESPONDED, ""),), "neither 0 nor 1 in column 'responded'"),
    "no contact": (
        ((6, CONTACTED, 0), (6, RESPONDED, 1), (7, CONTACTED, 0), (7, RESPONDED, 1)), "2 of 300 rows \\(rows 7, 8\\) have a step"
    ),
    "no spend": (((6, SPEND, ""),), "have nothing, or less than nothing, in column 'spend'"),
    "negative spend": (((6, SPEND, -1),), "less than nothing, in column 'spend'"),
    "contact without a group": (((8, CONTACTED, 1), (8, GROUP, "")), "\\(rows 9\\) are of people contacted, and name no group"),
    "a person twice": (((9, 0, "p0001"),), "a repetition of an earlier one: row 10"),
}


@pytest.mark.parametrize("what", WRONG)
def test_impossible_results_are_refused_by_row(site, what):
    changes, said = WRONG[what]
    changed(site, *changes)
    with pytest.raises(InputError, match=said):
        prepare(site)


def test_people_held_back_who_came_by_themselves_are_told_and_not_counted(site):
    changed(site, *((6, at, 0) for at in range(2, 7)), (6, ACTIVATED, 1), *((7, at, 0) for at in range(2, 8)), (7, SPEND, 500))
    prepared = prepare(site)
    assert prepared.results.apart == 2
    assert not prepared.results.outcomes[[6, 7]].any()


def test_words_where_numbers_are_due_are_refused(site):
    changed(site, (3, RESPONDED, "yes"))
    with pytest.raises(InputError, match="responded"):
        prepare(site)


def test_a_missing_column_is_named(site):
    write_results(site, [row[:-1] for row in outcomes()], FIELDS[:-1])
    with pytest.raises(InputError, match="spend"):
        prepare(site)


def test_an_unknown_group_is_refused(site):
    changed(site, (5, GROUP, "hihg"))
    with pytest.raises(ContractError, match=r"measurement.groups is 2, results.csv has 3"):
        prepare(site)
    configure(site, groups=["high", "low"])
    with pytest.raises(InputError, match="1 of 300 rows \\(rows 6\\) name a group that the study's `groups` do not") as caught:
        prepare(site)
    assert "hihg" not in str(caught.value)


def test_a_group_in_which_nobody_was_contacted_is_refused(site):
    write_results(site, [[*row[:2], *[0] * 7] if row[1] == "low" else row for row in outcomes()])
    with pytest.raises(InputError, match="nobody in group 'low' was contacted"):
        prepare(site)


def test_a_study_without_results_and_results_of_strangers_are_refused(site):
    write_results(site, [[f"q{row[0]}", *row[1:]] for row in outcomes()])
    with pytest.raises(InputError, match=r"nobody of 300 is in bank\.csv"):
        prepare(site)
    text = site.study.read_text().replace('results = "results.csv"\n', "")
    site.study.write_text(text)
    with pytest.raises(InputError, match="the study names no results"):
        prepare(site)


def test_a_roster_of_those_contacted_alone_is_warned_of(site):
    assert not prepare(site).exposed
    customers = (site.folder(BANK) / "bank.csv").read_text()
    rows = [row for row in outcomes() if row[2]]
    (site.folder(BANK) / "few.csv").write_text("phone,age\n" + "".join(f"{row[0]},30\n" for row in rows))
    configure(site, table={"file": "few.csv", "id": "phone"})
    assert prepare(site).exposed
    assert customers.count("\n") > len(rows)


def test_the_file_has_null_where_nothing_is_told_and_names_of_groups_and_levels(site):
    prepared = prepare(site)
    counts = [[[50, 20, 10, 9, 8, 30, WITHHELD], [40] * 7], [[WITHHELD] * 7, [30] * 7]]
    told = Told((0, 1, 1), np.array(counts))
    found = measuring.facts(site.contract, prepared, measuring.Measured(320, 300, (told,)))
    json.dumps(found)
    (segment,) = found["segments"]
    assert segment["merged"] == ["b", "none of them"]
    assert [(level["level"], level["people"]) for level in segment["levels"]] == [("a", 90), ("rest", None)]
    high = segment["levels"][0]["groups"][0]
    assert (high["group"], high["contacted"], high["activated"], high["spend_100"]) == ("high", 50, 30, None)
    assert found["contract"] == site.contract.digest.hex()


@pytest.mark.parametrize(("language", "said"), [("en", "320 of 360 customers matched"), ("zh", "360 位客户中匹配 320 位")])
def test_the_table_shows_what_the_file_says(site, language, said):
    prepared = prepare(site)
    told = Told((0, 1, 1), np.array([[[51, 20, 10, 9, 8, 30, WITHHELD], [40] * 7], [[WITHHELD] * 7, [30] * 7]]))
    found = measuring.facts(site.contract, prepared, measuring.Measured(320, 300, (told,)), language)
    console = Console(width=120, record=True, file=io.StringIO())
    measuring.show(console, found, prepared, language)
    text = console.export_text()
    assert said in text
    assert "51" in text
    assert "-1" not in text
