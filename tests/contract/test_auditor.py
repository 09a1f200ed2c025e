from __future__ import annotations

import pytest
from contracts import KEYS, fields, signed, unsigned

from tandem.contract import Contract, dumps, loads, loads_auditor, public_hex
from tandem.contract.words import pages
from tandem.errors import ContractError

CARD = {"name": "Auditors", "signing_key": "ab" * 32, "rows": 500}


def whole(contract, language="en"):
    return "\n".join(text for page in pages(contract, language) for _, text in page.rows)


def audited(**changes):
    return unsigned(**changes).amended({"auditor": CARD})


@pytest.mark.parametrize("change", [{"name": "Others"}, {"signing_key": "cd" * 32}, {"rows": 501}], ids=str)
def test_each_field_of_the_auditor_is_signed(change):
    contract = signed().amended({"auditor": CARD})
    assert "does not fit" in contract.signature_fault("bank")
    assert contract.amended({"auditor": change}).digest != contract.digest


def test_a_contract_with_an_auditor_survives_its_file():
    assert loads(dumps(audited())) == audited()
    assert loads(dumps(unsigned())).auditor is None


@pytest.mark.parametrize("role", KEYS)
def test_no_party_audits(role):
    with pytest.raises(ContractError, match=r"auditor\.signing_key must be the key of no party"):
        unsigned().amended({"auditor": {**CARD, "signing_key": public_hex(KEYS[role])}})


def test_a_scoring_contract_has_no_auditor():
    with pytest.raises(ContractError, match="auditor must be left out"):
        audited(kind="scoring", card="ab" * 32, training="cd" * 32)


@pytest.mark.parametrize("text", ["name = 1", "", 'name = "A"\nsigning_key = "ab"', "[["])
def test_a_card_that_is_none_is_refused_by_field(text):
    with pytest.raises(ContractError, match=r"auditor\.toml: "):
        loads_auditor(text, "auditor.toml")


def test_who_learns_what_is_said_with_the_numbers():
    text = whole(audited())
    assert "of at most 500 persons of the roster" in text
    assert "their label" in text
    assert "500 rows find a bank that crafted 1% of them in 99.3% of cases" in text
    assert "The auditor and the telco together know by name" in text
    assert "审计方与运营商合谋" in whole(audited(), "zh")
    assert "audit" not in whole(unsigned())


def test_a_measurement_speaks_of_groups_and_outcomes():
    asked = {"groups": 2, "segments": [{"name": "benefit", "levels": ["eat", "play"]}]}
    made = Contract.read({**fields(kind="measurement", telco={"variables": 1}), "measurement": asked, "auditor": CARD})
    assert "the group and every outcome that the bank sealed" in whole(made)
    assert "银行密封的各项结果" in whole(made, "zh")


def test_a_bank_that_solves_is_told_of_what_shows_its_rows():
    alone = fields(layout={"solver": "bank"})
    del alone["coordinator"]
    assert "nothing here prevents or shows that" in whole(Contract.read(alone))
    assert "an audit can show crafted rows alone" in whole(Contract.read({**alone, "auditor": CARD}))
