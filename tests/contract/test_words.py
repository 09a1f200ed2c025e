from __future__ import annotations

import pytest
from contracts import signed, unsigned

from tandem.contract.words import NAMES, costs, language_of, pages
from tandem.errors import InputError
from tandem.ledger.disclosure import DECLARED, sentence


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


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["training", "scoring"])
def test_what_plan_and_doctor_tell_is_said_in_the_words_of_their_declared_disclosures(kind, language):
    card = {} if kind == "training" else {"card": "ab" * 32, "training": "cd" * 32}
    said = whole(unsigned(kind=kind, **card), language)
    declared = {word for name in ("Offer", "Speed", "Probe", "Hello", "Load") for word in DECLARED[name].learns.values()}
    assert declared == {"offer", "speed", "probed"}
    assert [sentence(word, language) for word in declared if sentence(word, language) not in said] == []


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


def test_where_the_bank_solves_the_cost_stands_first_and_no_coordinator_is_spoken_of():
    contract = unsigned(layout={"solver": "bank", "key_bits": 2048}, coordinator=None)
    text = whole(contract)
    assert "nobody checks its rows" in text
    assert "up to 7 bits a person from every table of points" in text
    assert costs(contract) == pages(contract)[3].rows[0][1:]
    assert dict(pages(contract)[0].rows)["coordinator"] == "none: the bank solves"
    learns = [said for who, said in pages(contract)[1].rows if who == "bank"]
    assert any(said.startswith("totals by bin") for said in learns)
    assert any("before small bins are withheld" in said for said in learns)
    for gone in ("together", "face 84 totals", "the coordinator's checks"):
        assert gone not in text
    assert costs(unsigned()) == ()
    assert costs(unsigned(kind="scoring", card="ab" * 32, training="cd" * 32, layout={"solver": "bank"}, coordinator=None)) == ()


def test_a_bank_that_solves_learns_the_weight_of_every_pair_of_bins_from_exact_errors():
    more, alone = "the total weight of every pair of bins of at least 50 rows", {"solver": "bank", "key_bits": 2048}
    assert more in whole(unsigned(layout={**alone, "se": "exact"}, coordinator=None))
    assert more not in whole(unsigned(layout=alone, coordinator=None))
    assert more not in whole(unsigned(layout={"se": "exact"}))
    assert "每个两两分箱（至少 50 人）的权重合计" in whole(unsigned(layout={**alone, "se": "exact"}, coordinator=None), "zh")


def test_open_weights_say_what_the_telco_then_learns():
    contract = unsigned(layout={"weights": "open"})
    text = whole(contract)
    assert "weights that come from labels" in text
    assert "nearly the share of bads in each bin" in text
    assert "differ in one customer can read that customer's label" in text
    assert "It also sees when a check fails" in text
    assert "no label, no column of the bank, no weight" not in text
    assert costs(contract) == pages(contract)[3].rows[0][1:]
    scoring = whole(unsigned(kind="scoring", card="ab" * 32, training="cd" * 32, layout={"weights": "open"}))
    assert "on the card: weights that come from labels" in scoring
    assert "pass" not in scoring
    assert len(costs(unsigned(layout={"solver": "bank", "weights": "open"}, coordinator=None))) == 2


def test_a_ridge_left_to_the_solver_says_who_chooses_it():
    assert "chooses" not in whole(unsigned())
    assert dict(pages(unsigned(layout={"ridge": "auto"}))[0].rows)["ridge"].startswith("the coordinator chooses it in the first pass")
    text = whole(unsigned(layout={"ridge": "auto", "solver": "bank"}, coordinator=None))
    assert "the bank chooses it in the first pass, by what the totals say: a power of two from 0.125 to 4096" in text
    assert "由协调方在第一轮中根据合计选定" in whole(unsigned(layout={"ridge": "auto"}), "zh")


CHOICES = [
    {}, {"layout": {"ridge": "auto", "key_bits": 2048}}, {"layout": {"weights": "open", "key_bits": 2048}},
    {"layout": {"solver": "bank", "key_bits": 2048}, "coordinator": None},
]


@pytest.mark.parametrize("changes", CHOICES)
def test_both_languages_say_the_same_things(changes):
    contract = unsigned(**{"layout": {"key_bits": 2048}, **changes})
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
    assert "not from a telco that forges its groups, does not keep them, or leaves people out of later tables" in text  # A9, A10, A11
    assert "grow up to 4-fold" in text
    assert "scored too, and their scores come back to the bank, under tags" in text  # A12
    assert "in each of whom at least one is a customer" in text
    assert "1 in 1" not in text
    assert "a matched customer" not in text


def test_without_cover_nothing_is_said_of_it():
    assert "cover" not in whole(unsigned()).lower()


def test_the_share_of_rows_found_is_said_with_its_limit_where_there_is_one():
    free, limited = unsigned(), unsigned(layout={"max_exposure": "1/4"})
    for contract in (free, limited):
        assert "the bank will know most customers' bins" in whole(contract)
        assert "银行将知道大多数客户的分箱" in whole(contract, "zh")
    assert "at most 25% of rows" in whole(limited)
    assert "至多 25% 的行" in whole(limited, "zh")
    assert "signs only if it predicts" not in whole(free)
    assert free.digest != limited.digest == unsigned(layout={"max_exposure": "0.25"}).digest
