"""Levels of a column: numbered as the contract names them, and never guessed."""

from __future__ import annotations

import numpy as np
import pytest

from tandem.contract.levels import Levelled
from tandem.errors import InputError
from tandem.tables import Table
from telco_party.levels import codes

BENEFIT = Levelled(name="benefit", levels=["eat", "play"])


def _table(values: list[str | None]) -> Table:
    return Table([str(i) for i in range(len(values))], {"benefit": np.array(values, dtype=object), "spend": np.ones(len(values))})


def test_levels_are_numbered_in_the_contracts_order_and_all_else_comes_after() -> None:
    assert codes(_table(["play", None, "eat", "shop"]), BENEFIT).tolist() == [1, 2, 0, 2]


@pytest.mark.parametrize("levels", [["eat"], ["eat", "eat"], [str(i) for i in range(17)], ["eat", " play"]])
def test_too_few_too_many_or_equal_levels_are_refused(levels: list[str]) -> None:
    with pytest.raises(ValueError, match=r"levels|printable"):
        Levelled(name="benefit", levels=levels)


def test_a_column_that_is_missing_or_numeric_or_of_other_levels_is_refused() -> None:
    with pytest.raises(InputError, match="no column 'area'"):
        codes(_table(["eat"]), Levelled(name="area", levels=["a", "b"]))
    with pytest.raises(InputError, match="holds numbers"):
        codes(_table(["eat"]), Levelled(name="spend", levels=["a", "b"]))
    with pytest.raises(InputError, match="none of 2 rows"):
        codes(_table(["EAT", None]), BENEFIT)
