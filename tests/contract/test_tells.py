"""Told columns in a contract: where they may stand, what they cost, and what is said of them."""

from __future__ import annotations

import json

import pytest
from contracts import fields, unsigned

from tandem.contract import Contract, dumps, loads
from tandem.contract.words import costs, pages
from tandem.errors import ContractError

TELLS = [{"name": "benefit", "levels": ["eat", "play", "shop", "travel"]}, {"name": "activity", "levels": ["low", "middle", "high"]}]
SCORING = {"kind": "scoring", "training": "11" * 32, "card": "22" * 32}


def telling(**changes):
    return unsigned(**SCORING, **{"tells": TELLS, **changes})


def test_bits_are_of_the_answers_there_are_none_of_them_included():
    contract = telling()
    assert [column.bits for column in contract.tells] == [3, 2]
    assert (contract.told_bits, contract.job_bits, unsigned(**SCORING).job_bits) == (5, 14, 9)
    for count, bits in ((2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (16, 5)):
        names = [{"name": "x", "levels": [str(i) for i in range(count)]}]
        assert telling(tells=names).told_bits == bits


def test_told_bits_count_against_the_cap():
    """Without them a contract of 13 bits would pass."""
    assert telling(caps={"disclosure_bits": 14}).jobs == 1
    with pytest.raises(ContractError, match=r"caps\.disclosure_bits must be at least 14"):
        telling(caps={"disclosure_bits": 13})
    assert telling(caps={"disclosure_bits": 27, "trainings": 9}).jobs == 1


def test_a_contract_without_them_has_the_canonical_bytes_of_before():
    contract = unsigned(**SCORING)
    assert "tells" not in json.loads(contract.canonical)
    assert "tells" not in dumps(contract)
    assert contract.digest == Contract.read(fields(**SCORING, tells=[])).digest != telling().digest


@pytest.mark.parametrize(("changes", "why"), [
    ({"layout": {"cover": 2}}, "tells does not go with layout.cover above 1: it would tell of people who are no customers"),
    ({"kind": "training", "training": "", "card": ""}, 'tells must be left out unless kind is "scoring"'),
    ({"tells": [TELLS[0], TELLS[0]]}, "tells must name each column once"),
    ({"tells": [{"name": "benefit", "levels": ["eat"]}]}, "2 to 16 different levels"),
    ({"tells": [{"name": "benefit", "levels": ["eat", "eat"]}]}, "2 to 16 different levels"),
])
def test_where_they_may_not_stand(changes, why):
    with pytest.raises(ContractError, match=why):
        unsigned(**{**SCORING, "tells": TELLS, **changes})


def test_each_change_to_them_is_another_contract_and_the_file_keeps_them():
    contract = telling()
    assert loads(dumps(contract)) == contract
    turned = [{"name": "benefit", "levels": ["play", "eat", "shop", "travel"]}, TELLS[1]]
    others = [telling(tells=TELLS[:1]), telling(tells=TELLS[::-1]), telling(tells=turned)]
    assert len({one.digest for one in (contract, *others)}) == 4


@pytest.mark.parametrize(("language", "said"), [
    ("en", ['"benefit": eat, play, shop, travel, or none of them; 3 bits', '"activity": low, middle, high, or none of them; 2 bits']),
    ("zh", ["“benefit”列的档位：eat、play、shop、travel，或均不属于；3 比特", "“activity”列的档位：low、middle、high，或均不属于；2 比特"]),
])
def test_whoever_signs_reads_every_column_with_its_levels_and_bits(language, said):
    text = "\n".join(text for page in pages(telling(), language) for _, text in page.rows)
    assert [one for one in said if one not in text] == []
    (cost,) = costs(telling(), language)
    assert cost in text
    assert ("telco's word" if language == "en" else "运营商的说法") in cost
    score = "9 bits a person" if language == "en" else "每人 9 比特"
    assert score in "\n".join(text for page in pages(telling(caps={"disclosure_bits": 14}), language) for _, text in page.rows)
