from __future__ import annotations

from typing import get_args

import pytest

from tandem.contract import ROLES
from tandem.errors import LocalProtocolError
from tandem.ledger.disclosure import DECLARED, WORDS, Disclosed, declared, sentence
from tandem.wire.messages import Message


def test_every_message_is_declared_and_nothing_else():
    assert set(DECLARED) == {kind.__name__ for kind in get_args(Message)}


def test_an_undeclared_message_is_refused():
    with pytest.raises(LocalProtocolError, match="'Labels' has no declared disclosure"):
        declared("Labels")


def test_the_telco_receives_nothing_label_derived_in_clear():
    towards = [each for each in DECLARED.values() if any(listener == "telco" for _, listener in each.routes)]
    assert {"Query", "Sealed", "Table"} <= {each.message for each in towards}
    assert [each.message for each in towards if each.label_in_clear] == ["Points"], "which only open weights ever send"


def test_masks_pairs_and_tables_never_pass_the_bank():
    for name in ("Masks", "Pairs", "Table", "Signature"):
        assert all("bank" not in route for route in declared(name).routes)


def test_who_learns_is_who_listens():
    for each in DECLARED.values():
        assert set(each.learns) <= {listener for _, listener in each.routes}
        assert all(speaker != listener and {speaker, listener} <= set(ROLES) for speaker, listener in each.routes)
        assert all(what in WORDS for what in each.learns.values())


def test_label_derived_messages_are_those_that_hang_on_labels():
    assert {each.message for each in DECLARED.values() if each.label_derived} == {
        "Sealed", "Shares", "Opened", "PairSums", "Crossed", "Wish", "Statistics", "Own", "Step", "Polish", "Release", "Table", "Scores",
        "Points", "OpenScores", "Campaign", "Measured",
    }


def test_a_bank_that_solves_learns_more_from_what_its_key_opens():
    for message, usual, more in (("Masks", (), "totals"), ("PairSums", (Disclosed("coordinator", "ran"),), "pair-totals")):
        assert declared(message).to("coordinator") == declared(message).to("coordinator", reader="coordinator") == usual
        assert declared(message).to("coordinator", reader="bank") == (Disclosed("bank", more),)
    assert declared("Scores").to("bank", 7, "bank") == (Disclosed("bank", "scores", 7),)


def test_bits_are_counted_for_scores_and_told_levels_alone():
    assert declared("Scores").to("bank", 7) == (Disclosed("bank", "scores", 7),)
    assert declared("Answer").to("bank", 7) == (Disclosed("bank", "matches", 0),)
    assert declared("Opened").to("coordinator", 7) == (Disclosed("coordinator", "totals"),)
    assert declared("Shares").to("bank") == ()
    assert [each.message for each in DECLARED.values() if each.by_person] == ["Scores", "OpenScores", "Told"]


def test_every_word_has_both_languages():
    assert all(english and chinese and english != chinese for english, chinese in WORDS.values())
    assert sentence("asked", "zh") == "被询问的标识个数"
    assert sentence("of-a-later-version") == "of-a-later-version"
