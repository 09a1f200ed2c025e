"""Budgets that can be walked around: none beside the contract's own, banks known by key alone, kept in memory, rosters not compared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from telco_party import budgets
from telco_party.budgets import Budgets


@contextmanager
def by_contract_alone() -> Iterator[None]:
    """Count what each contract allows, and nothing over contracts."""
    with (
        patch.object(Budgets, "begin", lambda *_: None), patch.object(Budgets, "admit", lambda *_: None),
        patch.object(Budgets, "tell", lambda *_: None), patch.object(Budgets, "score", lambda *_: None),
    ):
        yield


@contextmanager
def by_key_alone() -> Iterator[None]:
    """Take every signing key for another bank."""
    with patch.object(budgets, "together", lambda bank, *_: (bank,)):
        yield


@contextmanager
def in_memory() -> Iterator[None]:
    """Forget at each start of the node."""
    begin = Budgets.__init__

    def forget(self, ledger, *rest):
        begin(self, ledger, *rest)
        with ledger.together() as database:
            database.execute("DELETE FROM budget_spent")

    with patch.object(Budgets, "__init__", forget):
        yield


@contextmanager
def without_comparing() -> Iterator[None]:
    """Take any roster, however near an earlier one."""
    with patch.object(Budgets, "_apart", lambda *_: None):
        yield
