from __future__ import annotations

import pytest
from vectors import shared_data

from bank_party import load as loading
from tandem.errors import InputError
from tandem.node.inputs.source import TableSource


def load(path, id_column, label_column=None, *, positive=None, **options):
    return loading.load(TableSource(source=path.name, id=id_column, **options), path.parent, label_column, positive=positive)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("phone,age,job,label\n1,30,clerk,Yes\n2,,smith,no\n3,50,,NO\n", encoding="utf-8")
    return path


def test_label_and_columns(path):
    customers = load(path, "phone", "label")
    assert customers.labels.tolist() == [1, 0, 0]
    assert customers.table.names == ["age", "job"]
    assert load(path, "phone", "label", positive="no", drop=["age"]).labels.tolist() == [0, 1, 1]


def test_customers_to_score_need_no_label(path):
    customers = load(path, "phone", drop=["label"])
    assert customers.labels is None
    assert customers.table.rows == 3


def test_a_label_that_is_something_else_too_is_refused(path):
    for arguments in ({"id_column": "label"}, {"id_column": "phone", "drop": ["label"]}, {"id_column": "phone", "numeric": ["label"]}):
        with pytest.raises(InputError, match="is the label"):
            load(path, label_column="label", **arguments)


def test_public_credit_card():
    customers = load(shared_data("uci_credit_card/bank.csv"), "phone", "label")
    assert customers.table.rows == 28457
    assert len(customers.table.names) == 17
    assert customers.labels.mean() == pytest.approx(0.22, abs=0.005)
