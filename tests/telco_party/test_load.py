from __future__ import annotations

import pytest

from tandem.errors import InputError
from telco_party.load import load


def test_columns_to_drop_are_not_offered(tmp_path):
    path = tmp_path / "telco.csv"
    path.write_text("phone,name,calls\n1,x,5\n2,y,6\n", encoding="utf-8")
    assert load(path, "phone", drop=["name"]).names == ["calls"]
    with pytest.raises(InputError, match="no column is left"):
        load(path, "phone", drop=["name", "calls"])
