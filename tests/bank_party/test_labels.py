from __future__ import annotations

import numpy as np
import pytest

from bank_party.labels import two_valued
from tandem.errors import InputError


def texts(*values):
    column = np.empty(len(values), dtype=np.object_)
    column[:] = values
    return column


@pytest.mark.parametrize(
    ("zero", "one"),
    [("0", "1"), ("no", "yes"), ("N", "Y"), ("False", "TRUE"), ("good", "Bad"), ("否", "是"), ("0.0", "1"), ("f", "t")],
)
def test_known_pairs(zero, one):
    assert two_valued(texts(one, zero, f" {one} "), "label").tolist() == [1, 0, 1]


def test_numbers_are_labels_too():
    assert two_valued(np.array([0.0, 1.0]), "label").tolist() == [0, 1]


def test_positive_names_the_one():
    assert two_valued(texts("late", "paid", "LATE"), "label", "late").tolist() == [1, 0, 1]
    assert two_valued(texts("1", "2"), "label", "2.0").tolist() == [0, 1]
    assert two_valued(texts("1", "0"), "label", "0").tolist() == [0, 1]


@pytest.mark.parametrize(
    ("cells", "positive", "message"),
    [
        (("1", None, "0", None), None, r"missing in 2 of 4 rows \(rows 2, 4\)"),
        (("1", "1"), None, "one value in all 2 rows"),
        (("1234567", "1234568", "1234569"), None, "3 different values in 3 rows"),
        (("1", "2", "2"), None, "in 1 and 2 rows"),
        (("secret", "0"), "other", "stands in none of 2 rows"),
    ],
)
def test_errors_count_and_never_quote(cells, positive, message):
    with pytest.raises(InputError, match=message) as caught:
        two_valued(texts(*cells), "label", positive)
    assert "secret" not in str(caught.value)
    assert "123456" not in str(caught.value)
