from __future__ import annotations

from collections import Counter

import pytest
from ledgers import conversation, honest

from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.ledger.owner import owner


def classes(rows):
    return [(*key, count) for key, count in Counter((row.direction, row.peer, row.script, row.message) for row in rows).items()]


@pytest.mark.parametrize("role", ROLES)
def test_a_ledger_says_whose_it_is(role):
    assert owner(classes(honest(conversation())[role])) == role


def test_an_alignment_alone_has_no_coordinator():
    assert owner([("sent", TELCO, "align", "Opening", 1)]) == BANK
    assert owner([("received", BANK, "align", "Opening", 1)]) == TELCO


def test_a_changed_row_is_outvoted():
    rows = classes(honest(conversation())[BANK])
    assert owner([*rows, ("received", TELCO, "train", "Table", 1), ("sent", "nobody", "x", "Labels", 5)]) == BANK


def test_what_fits_two_parties_names_none():
    assert owner([]) is None
    assert owner([("sent", TELCO, "train", "Opening", 3)]) is None
    assert owner([("sent", COORDINATOR, "train", "Masks", 1), ("sent", TELCO, "train", "Sealed", 1)]) is None
