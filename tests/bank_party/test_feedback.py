"""Campaign results as the next training table: who was contacted, as the table says they were, with what came of it."""

from __future__ import annotations

import csv
import io
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bank_party.config import StudyConfig
from bank_party.feedback import _WORDS, feed
from bank_party.load import load
from bank_party.main import app
from bank_party.people import People, read_people
from tandem.errors import InputError

BANK = """phone,age,city
+86 138-0013-8000,31,Nanjing
13800138001,,"Xi'an, west"
13800138002,45,
13800138003,07,Wuhan
13800138009,1,x
"""
RESULTS = """phone,group,contacted,responded,activated,spend
13800138000,high,1,1,1,120.5
13800138001,low,1,0,0,0
13800138002,control,0,0,0,0
13800138003,high,1,0,0,0
13900139000,low,1,1,1,3
"""


def files(folder, bank=BANK, results=RESULTS):
    (folder / "bank.csv").write_text(bank)
    (folder / "results.csv").write_text(results)
    return [
        "feedback", "--bank", str(folder / "bank.csv"), "--results", str(folder / "results.csv"), "--out", str(folder / "next.csv")
    ]


def run(asked):
    return CliRunner().invoke(app, asked, catch_exceptions=False)


def test_people_contacted_keep_their_cells_and_get_group_and_label(tmp_path):
    done = run(files(tmp_path))
    rows = list(csv.reader(io.StringIO((tmp_path / "next.csv").read_text(encoding="utf-8"))))
    assert rows == [
        ["phone", "age", "city", "group", "activated"], ["+86 138-0013-8000", "31", "Nanjing", "high", "1"],
        ["13800138001", "", "Xi'an, west", "low", "0"], ["13800138003", "07", "Wuhan", "high", "0"],
    ]
    assert (tmp_path / "next.csv").stat().st_mode & 0o077 == 0
    told = " ".join(done.stdout.split())
    assert "3 people were contacted" in told
    assert "1 who were not contacted, 1 of the results who are not in" in told
    assert "chosen by a model, not at random" in told


def test_the_study_that_it_suggests_can_be_read_and_leaves_the_group_out(tmp_path):
    done = run(files(tmp_path))
    start = done.stdout.index('label = "activated"')
    study = StudyConfig.model_validate(tomllib.loads(done.stdout[start:]))
    customers = load(study.table, tmp_path, study.label_column)
    assert list(customers.table.columns) == ["age", "city"]
    assert customers.labels.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("results", "text"),
    [
        (RESULTS.replace("contacted", "called"), "there is no column contacted"),
        (RESULTS.replace("low,1,0,0,0", "low,yes,0,0,0"), "column contacted must hold 0 or 1 in every row, and row 2"),
        (RESULTS.replace("high,1,1,1,120.5", "high,1,1,,120.5"), "column activated must hold 0 or 1 in every row, and row 1"),
        (RESULTS.replace("control,0,0,0", "control,0,0,1"), "1 people have activated = 1 and were not contacted"),
        (RESULTS.replace("1,1,1,120.5", "1,1,0,120.5"), "all 3 people contacted have activated = 0"),
        (RESULTS.replace("138001380", "158001380"), "nobody who was contacted"),
        (RESULTS + "13800138001,low,1,0,0,0\n", r"results\.csv: .*rows"),
        (RESULTS.split("\n", maxsplit=1)[0] + "\n", "no row below"),
    ],
)
def test_results_that_cannot_be_learnt_from_are_refused(tmp_path, results, text):
    with pytest.raises(InputError, match=text):
        run(files(tmp_path, results=results))
    assert not (tmp_path / "next.csv").exists()


@pytest.mark.parametrize("name", ["group", "activated"])
def test_a_table_that_has_the_columns_already_is_not_the_one_that_was_scored(tmp_path, name):
    with pytest.raises(InputError, match=f"already has a column {name}"):
        run(files(tmp_path, bank=BANK.replace("age", name)))


def test_an_identifier_of_no_known_form_is_refused(tmp_path):
    with pytest.raises(InputError, match="--identifier 'mail' is not known: phone"):
        run([*files(tmp_path), "--identifier", "mail"])


def test_both_languages_have_the_same_blanks():
    def blanks(text):
        return sorted(part.split("}")[0] for part in str(text).split("{")[1:])

    assert {key: blanks(text) for key, text in _WORDS["en"].items()} == {key: blanks(text) for key, text in _WORDS["zh"].items()}


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=3, max_size=40))
def test_everybody_is_counted_once(people):
    """(known to the bank, contacted, activated where contacted): kept, idle and unknown part the results."""
    results = People(
        "results",
        {
            "id": [str(i) for i in range(len(people))], "group": ["a"] * len(people),
            "contacted": [str(int(one[1])) for one in people], "y": [str(int(one[1] and one[2])) for one in people],
        },
        {b"%d" % i: i for i in range(len(people))},
    )
    known = [i for i, one in enumerate(people) if one[0]]
    bank = People("bank", {"id": [str(i) for i in known]}, {b"%d" % i: row for row, i in enumerate(known)})
    kept = [one for one in people if one[0] and one[1]]
    if len({one[2] for one in kept}) < 2:
        with pytest.raises(InputError):
            feed(bank, results, "id", "y")
        return
    text, fed = feed(bank, results, "id", "y")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [str(i) for i in known if people[i][1]]
    assert (fed.kept, fed.kept + fed.idle + fed.unknown) == (len(kept), len(people))
    assert fed.groups == {"a": (len(kept), sum(one[2] for one in kept))}
    assert np.sum([int(row["y"]) for row in rows]) == sum(one[2] for one in kept)


def test_a_column_that_stands_twice_is_refused(tmp_path):
    (tmp_path / "two.csv").write_text("phone,a,a\n13800138000,1,2\n")
    with pytest.raises(InputError, match="stands twice"):
        read_people(tmp_path / "two.csv", "phone", [], "phone")
