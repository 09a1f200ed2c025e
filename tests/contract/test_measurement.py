"""The measurement contract: what it takes and refuses, and what it says to whoever signs."""

from __future__ import annotations

import pytest
from contracts import fields, unsigned

from tandem.contract import Contract, dumps, loads
from tandem.contract.measurement import OUTCOMES, segment
from tandem.contract.words import costs, pages
from tandem.errors import ContractError, InputError

BENEFIT = {"name": "benefit", "levels": ["eat", "play", "online shopping", "shopping"]}
ASKED = {"groups": 3, "segments": [BENEFIT]}


def whole(contract, language="en"):
    return "\n".join(text for page in pages(contract, language) for _, text in page.rows)


def measuring(measurement=None, **changes):
    made = fields(kind="measurement", **changes)
    made["telco"] = {**made["telco"], "variables": 1}
    return Contract.read({**made, "measurement": {**ASKED, **(measurement or {})}})


def test_a_measurement_has_its_funnel_and_counts_no_bits():
    contract = measuring({"spend_bands": [100, 1000]})
    assert contract.measurement.slots == (*OUTCOMES, "spend_100", "spend_1000")
    assert contract.measurement.levels == (5,)
    assert (contract.job_bits, contract.jobs) == (0, contract.caps.trainings)
    assert loads(dumps(contract)).digest == contract.digest


def test_a_contract_of_another_kind_has_the_bytes_that_it_had():
    assert b"measurement" not in unsigned().canonical
    assert b'"measurement":{"groups":3' in measuring().canonical


WRONG = {
    "groups": ({"groups": 9}, "groups must be at most 8"),
    "no contact": ({"outcomes": ["responded", "activated"]}, '"contacted" first'),
    "one outcome": ({"outcomes": ["contacted"]}, "must hold 2 to 10 different outcomes"),
    "spend": ({"outcomes": ["contacted", "spend_100"]}, "say in spend_bands"),
    "bands": ({"spend_bands": [100, 100]}, "whole amounts above 0, rising"),
    "no segment": ({"segments": []}, "1 to 8 different columns"),
    "twice": ({"segments": [BENEFIT, BENEFIT]}, "1 to 8 different columns"),
    "one level": ({"segments": [{"name": "benefit", "levels": ["eat"]}]}, "2 to 16 different levels"),
}


@pytest.mark.parametrize("what", WRONG)
def test_measurements_that_make_no_sense_are_refused(what):
    change, said = WRONG[what]
    with pytest.raises(ContractError, match=said):
        measuring(change)


def test_the_section_goes_with_the_kind_and_the_number_of_variables_with_the_segments():
    with pytest.raises(ContractError, match="measurement must be given for a measurement contract"):
        Contract.read(fields(kind="measurement"))
    with pytest.raises(ContractError, match="and for no other"):
        Contract.read({**fields(), "measurement": ASKED})
    with pytest.raises(ContractError, match=r"telco\.variables must be the number of measurement\.segments"):
        Contract.read({**fields(kind="measurement"), "measurement": ASKED})


def test_who_learns_what_is_said_in_both_languages():
    text = whole(measuring())
    assert "no group, no outcome, and not who was contacted: every row of the roster is sealed" in text
    assert "how many people of the roster are at each level, and of these how many in each unnamed group" in text
    assert "at least 50 of the group were contacted, at least 20 have the outcome" in text
    assert "benefit: eat, play, online shopping, shopping; or none of them" in text
    assert "Telco and coordinator together can open single rows" in text
    assert "it can see on its own network who is contacted" in text
    for gone in ("score", "weight", "pass", "bits a person", "card", "trainings", "grain", "no column name"):
        assert gone not in text.replace("Dormant cards", "").replace("first_card", "")
    chinese = whole(measuring(), "zh")
    assert "得不到组别和结果，也不知道谁被联系过" in chinese
    assert "名册中各层级的人数" in chinese


def test_a_bank_that_solves_its_own_measurement_costs_the_telcos_trust():
    contract = measuring(layout={"solver": "bank"}, coordinator=None)
    assert "nobody withholds small numbers from it" in costs(contract)[0]
    learns = [said for who, said in pages(contract)[1].rows if who == "bank"]
    assert any("before anything is joined or withheld" in said for said in learns)
    assert costs(measuring()) == ()


def test_cover_says_nothing_of_scores_here():
    assert "are scored too" not in whole(measuring(layout={"cover": 3}, caps={"roster": 20000}))


@pytest.mark.parametrize("text", ["benefit", "=eat,play", "benefit="])
def test_a_segment_is_written_as_column_and_levels(text):
    assert segment("benefit = eat, online shopping") == {"name": "benefit", "levels": ["eat", "online shopping"]}
    with pytest.raises(InputError, match="column=level,level"):
        segment(text)
