from __future__ import annotations

import pytest
from contracts import signed, unsigned

from tandem.contract.words import NAMES, language_of, pages
from tandem.errors import InputError


def whole(contract, language="en"):
    return "\n".join(text for page in pages(contract, language) for _, text in page.rows)


PRINTED = [
    "which numbers of its table are the bank's customers, 1 in 1",  # A3
    "guess who else looks like a customer",  # A10
    "Two trainings that differ in a few customers",  # S3
    "Coordinator and bank together can read the telco's codes",  # S9
    "Telco and coordinator together can open single rows",  # T2
    "random or inverted codes is not prevented",  # T10
    "30 bits a person",
]


@pytest.mark.parametrize("sentence", PRINTED)
def test_what_is_not_prevented_is_said(sentence):
    assert sentence in whole(unsigned())


def test_a_short_key_is_warned_of():
    assert "WARNING" in whole(unsigned(layout={"key_bits": 2048, "min_matched": 10000}))
    assert "WARNING" not in whole(unsigned(layout={"min_matched": 10000}))
    assert "警告" in whole(unsigned(layout={"key_bits": 2048}), "zh")


def test_few_rows_a_total_are_warned_of():
    assert "700 training rows, the fewest allowed, face 84 totals" in whole(unsigned())


def test_exact_errors_say_what_the_coordinator_learns_more():
    told, more = "one total of weights times both variables' WoE", "face 150 totals"
    assert told not in whole(unsigned())
    text = whole(unsigned(layout={"se": "exact"}))
    assert told in text
    assert more in text
    assert "乘以两变量的 WoE" in whole(unsigned(layout={"se": "exact"}), "zh")


def test_a_scoring_contract_speaks_of_scoring_only():
    text = whole(unsigned(kind="scoring", card="ab" * 32, training="cd" * 32))
    assert "one card score" in text
    assert "ab" * 32 in text
    assert "pass" not in text
    assert "trainings" not in text


def test_both_languages_say_the_same_things():
    contract = signed(layout={"key_bits": 2048})
    english, chinese = pages(contract, "en"), pages(contract, "zh")
    assert [len(page.rows) for page in english] == [len(page.rows) for page in chinese]
    for here, there in zip(english, chinese, strict=True):
        assert here.heading != there.heading
        assert all(bool(a[0]) == bool(b[0]) for a, b in zip(here.rows, there.rows, strict=True))


def test_signatures_are_shown_as_they_are():
    contract = signed()
    assert whole(contract).count("the signature holds") == len(NAMES)
    assert "does not fit" in whole(contract.amended({"epoch": 2}))
    assert whole(unsigned()).count("not signed") == len(NAMES)


def test_an_unknown_language_is_refused():
    with pytest.raises(InputError, match="en or zh"):
        language_of("fr")


def test_cover_says_what_it_hides_what_it_costs_and_what_it_does_not():
    text = whole(unsigned(layout={"cover": 4}))
    assert "Cover hides a customer among 4 people, on average, from a telco without side knowledge: not row by row" in text
    assert "1 in 3.4 if 10% of the telco's people are" in text
    assert "not from a telco that forges its groups or does not keep them" in text  # A9, A10
    assert "grow up to 4-fold" in text
    assert "scored too, and their scores come back to the bank, under tags" in text  # A12
    assert "in each of whom at least one is a customer" in text
    assert "1 in 1" not in text
    assert "a matched customer" not in text


def test_without_cover_nothing_is_said_of_it():
    assert "cover" not in whole(unsigned()).lower()
