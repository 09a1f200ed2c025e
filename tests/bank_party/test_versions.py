"""Two versions on the same customers: only whom neither trained on, and the figures that scikit-learn and statistics books give."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from typer.testing import CliRunner

from bank_party import records, scoring
from bank_party.evaluation import auc_difference
from bank_party.main import app
from bank_party.versions import _WORDS
from tandem.errors import InputError

COUNT = 1200


@pytest.fixture
def people():
    """Return identifiers, outcome, and a good and a poor probability of it."""
    rng = np.random.default_rng(7)
    trait = rng.normal(size=COUNT)
    y = (rng.random(COUNT) < 1 / (1 + np.exp(-1.5 * trait))).astype(int)

    def scored(noise):
        return np.round(1 / (1 + np.exp(-(trait + noise * rng.normal(size=COUNT)))), 6)

    return [f"138{i:08}" for i in range(COUNT)], y, scored(0.3), scored(3.0)


def write_scores(folder, ids, y, p, held_out, matched=None):
    folder.mkdir()
    with (folder / "scores.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(records.COLUMNS)
        for i, name in enumerate(ids):
            there = matched is None or matched[i]
            part = ("hold-out" if held_out[i] else "train") if there else ""
            writer.writerow((i + 1, name, int(there), part, int(y[i]), "0.5", *((p[i], p[i], 0) if there else ("", "", ""))))
    return folder


def write_scored(path, ids, p, extra=()):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow((*scoring.COLUMNS, *extra))
        writer.writerows((i + 1, name, 1, p[i], p[i], 0, *("x" for _ in extra)) for i, name in enumerate(ids))
    return path


def write_labels(path, ids, y, name="activated"):
    path.write_text(f"phone,{name}\n" + "".join(f"{one},{value}\n" for one, value in zip(ids, y, strict=True)))
    return path


def compared(*asked):
    file = asked[0].parent / "compared.json"
    done = CliRunner().invoke(app, ["compare", *map(str, asked), "--json", str(file)], catch_exceptions=False)
    return json.loads(file.read_text()), " ".join(done.stdout.split()).replace(f"{asked[0].parent}/", "")


def test_only_customers_held_out_by_both_count_and_the_figures_are_scikit_learns(tmp_path, people):
    ids, y, good, poor = people
    one_out, two_out = np.arange(COUNT) % 3 > 0, np.arange(COUNT) % 4 > 0
    first = write_scores(tmp_path / "v1", ids, y, poor, one_out)
    second = write_scores(tmp_path / "v2", ids[100:], y[100:], good[100:], two_out[100:])  # another file, in part of the same people
    found, told = compared(first, second)
    here = one_out & two_out & (np.arange(COUNT) >= 100)
    assert (found["rows"], found["positives"], found["trained"]) == (int(here.sum()), int(y[here].sum()), COUNT - 100 - int(here.sum()))
    for version, p in zip(found["versions"], (poor, good), strict=True):
        assert version["auc"][0] == pytest.approx(roc_auc_score(y[here], p[here]), abs=1e-12)
        assert version["brier"] == pytest.approx(brier_score_loss(y[here], p[here]), abs=1e-12)
        assert version["auc"][1] < version["auc"][0] < version["auc"][2]
        assert 0 < version["ks"][0] < 1
    paired = auc_difference(y[here], poor[here], good[here])
    assert found["difference"] == {"value": paired.value, "low": paired.low, "high": paired.high, "p": paired.p}
    assert found["verdict"] == "better"
    assert told.endswith("v2 is better than v1")
    assert "no hold-out flags" not in told


def test_the_other_way_round_it_is_worse_and_against_its_twin_not_shown(tmp_path, people):
    ids, y, good, poor = people
    everybody = np.ones(COUNT, dtype=bool)
    first = write_scores(tmp_path / "v1", ids, y, good, everybody)
    assert compared(first, write_scores(tmp_path / "v2", ids, y, poor, everybody))[0]["verdict"] == "worse"
    found, told = compared(first, write_scores(tmp_path / "v3", ids, y, good, everybody))
    assert (found["verdict"], found["difference"]["value"], found["difference"]["p"]) == ("not_shown", 0.0, None)
    assert "not shown: v3 is neither" in told


def test_a_file_without_flags_is_compared_and_said_to_have_none(tmp_path, people):
    ids, y, good, poor = people
    first = write_scored(tmp_path / "old.csv", [f"+86 {one}" for one in ids], poor, extra=("benefit",))
    second = write_scores(tmp_path / "v2", ids, y, good, np.arange(COUNT) % 2 == 0)
    found, told = compared(first, second)
    assert (found["rows"], found["trained"]) == (COUNT // 2, COUNT // 2)
    assert [one["flags"] for one in found["versions"]] == [False, True]
    assert "old.csv has no hold-out flags" in told


def test_the_outcome_may_come_from_a_file(tmp_path, people):
    ids, y, good, poor = people
    first, second = (write_scored(tmp_path / f"{name}.csv", ids, p) for name, p in (("a", poor), ("b", good)))
    with pytest.raises(InputError, match=r"neither .*a\.csv nor .*b\.csv has labels"):
        compared(first, second)
    labels = write_labels(tmp_path / "results.csv", ids[:600], y[:600])
    assert compared(first, second, "--labels", labels)[0]["rows"] == 600


def test_different_labels_are_not_one_outcome(tmp_path, people):
    ids, y, good, poor = people
    everybody = np.ones(COUNT, dtype=bool)
    first = write_scores(tmp_path / "v1", ids, y, poor, everybody)
    second = write_scores(tmp_path / "v2", ids, np.where(np.arange(COUNT) == 5, 1 - y, y), good, everybody)
    with pytest.raises(InputError, match=f"different labels for 1 of {COUNT} common customers"):
        compared(first, second)
    labels = write_labels(tmp_path / "labels.csv", ids, y)
    assert compared(first, second, "--labels", labels)[0]["verdict"] == "better"


@pytest.mark.parametrize(("positives", "enough"), [(19, False), (20, True)])
def test_fewer_than_twenty_of_a_label_say_nothing(tmp_path, people, positives, enough):
    ids, _, good, poor = people
    first, second = (write_scored(tmp_path / f"{name}.csv", ids, p) for name, p in (("a", poor), ("b", good)))
    labels = write_labels(tmp_path / "labels.csv", ids, np.arange(COUNT) < positives)
    text = (tmp_path / "labels.csv").read_text().replace("True", "1").replace("False", "0")
    labels.write_text(text)
    if enough:
        assert compared(first, second, "--labels", labels)[0]["positives"] == positives
    else:
        with pytest.raises(InputError, match="20 of each label are needed"):
            compared(first, second, "--labels", labels)


def test_customers_without_a_telco_score_are_no_part_of_it(tmp_path, people):
    ids, y, good, poor = people
    everybody = np.ones(COUNT, dtype=bool)
    first = write_scores(tmp_path / "v1", ids, y, poor, everybody, matched=np.arange(COUNT) < 1000)
    assert compared(first, write_scores(tmp_path / "v2", ids, y, good, everybody))[0]["rows"] == 1000


def test_other_files_are_refused(tmp_path, people):
    ids, y, good, _ = people
    first = write_scores(tmp_path / "v1", ids, y, good, np.ones(COUNT, dtype=bool))
    with pytest.raises(InputError, match="is named twice"):
        compared(first, first)
    (tmp_path / "x.csv").write_text("id,matched\n13800138000,1\n")
    with pytest.raises(InputError, match=r"neither a scores\.csv nor a scored\.csv"):
        compared(first, tmp_path / "x.csv")
    broken = write_scored(tmp_path / "y.csv", ids, ["much"] * COUNT)
    with pytest.raises(InputError, match="no number in column probability"):
        compared(first, broken)
    (tmp_path / "other").mkdir()
    same = write_scores(tmp_path / "other" / "v1", ids, y, good, np.ones(COUNT, dtype=bool))
    assert {one["name"] for one in compared(first, same)[0]["versions"]} == {str(first), str(same)}


def test_both_languages_have_the_same_blanks():
    def blanks(text):
        return sorted(part.split("}")[0].split(":")[0] for part in str(text).split("{")[1:])

    assert {key: blanks(text) for key, text in _WORDS["en"].items()} == {key: blanks(text) for key, text in _WORDS["zh"].items()}
