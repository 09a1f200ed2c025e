from __future__ import annotations

import pytest

from tandem.errors import InputError
from tandem.node.inputs.source import TableSource
from telco_party.load import load


def test_columns_to_drop_are_not_offered(tmp_path):
    path = tmp_path / "telco.csv"
    path.write_text("phone,name,calls\n1,x,5\n2,y,6\n", encoding="utf-8")
    assert load(TableSource(source="telco.csv", id="phone", drop=["name"]), tmp_path).names == ["calls"]
    with pytest.raises(InputError, match="no column is left"):
        load(TableSource(source="telco.csv", id="phone", drop=["name", "calls"]), tmp_path)


def test_the_telco_has_no_label(tmp_path):
    with pytest.raises(InputError, match="declared a label"):
        load(TableSource(source="telco.csv", columns={"phone": "id", "calls": "label"}), tmp_path)
