from __future__ import annotations

import csv

import numpy as np
import pytest

from bank_party.models import Model
from bank_party.scoring import write
from tandem.tables import NumericCoding, Table
from tandem.train.pooled import sigma


def test_scored_csv_says_what_the_card_and_what_the_bank_alone_think(tmp_path):
    model = Model("00", "11", 1, (NumericCoding("age", 40.0, 10.0, flag=False),), (), ("t01",), (-1.0, 0.5, 1.0), (0.1, 0.1, 0.1), (3, -3),
                  (-2.0, 0.25), 1.0)
    table = Table(["a", "b", "c"], {"age": np.array([40.0, 50.0, 60.0])})
    assert write(tmp_path / "scored.csv", model, table, np.array([2]), np.array([20])) == 1
    with (tmp_path / "scored.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["bank_probability"]) for row in rows] == pytest.approx(sigma(np.array([-2.0, -1.75, -1.5])), abs=1e-6)
    assert [row["probability"] == row["bank_probability"] for row in rows] == [True, True, False]
    assert float(rows[2]["probability"]) == pytest.approx(float(sigma(np.array([-1.0 + 2 * 0.5 + np.log(2)]))[0]), abs=1e-6)
    assert [row["telco_points"] for row in rows] == ["", "", "20"]
