from __future__ import annotations

import json

import pytest
from attacked.audits import AUDITOR, CARD, CONTRACT
from contracts import KEYS

from tandem.audit import request as requests
from tandem.audit import signed
from tandem.audit.answer import KIND, Answer, writing
from tandem.audit.received import Sealing
from tandem.errors import ContractError, InputError

OTHER = CONTRACT.amended({"epoch": 2})
SEED = bytes(32)
SEALING = Sealing("00" * 16, "train", 0, 1, "", ["ab"], 40)


def asked(contract=CONTRACT, sealings=(SEALING,), rows=5):
    return requests.ask(contract, sealings, rows, SEED, AUDITOR, "2027-02-01")


def test_a_request_says_what_was_asked():
    found = requests.read(asked(), CONTRACT)
    assert (found.seed, found.rows, found.sealings) == (SEED, 5, (("00" * 16, 0, 40),))


def test_the_same_auditors_request_or_banks_answer_under_another_contract_is_refused(tmp_path):
    with pytest.raises(InputError, match="is about another contract"):
        requests.read(asked(OTHER), CONTRACT)
    with writing(tmp_path / "answer.zip", OTHER, "aa", [], KEYS["bank"]):
        pass
    Answer(tmp_path / "answer.zip", OTHER, "aa").close()
    with pytest.raises(InputError, match="is about another contract"):
        Answer(tmp_path / "answer.zip", CONTRACT, "aa")


def test_a_signature_of_one_kind_is_none_of_another():
    data = signed.dumps(KIND, CONTRACT, {"request": ""}, AUDITOR)
    with pytest.raises(InputError, match="is no tandem-audit-request"):
        requests.read(data, CONTRACT)
    fields = json.loads(data)
    fields["kind"] = requests.KIND
    with pytest.raises(InputError, match="not signed with the key"):
        requests.read((json.dumps(fields, sort_keys=True, separators=(",", ":")) + "\n").encode(), CONTRACT)


@pytest.mark.parametrize("change", [
    {"rows": 0}, {"rows": CARD["rows"] + 1}, {"seed": "00"}, {"seed": "xx"}, {"sealings": [["a", 0, 1], ["a", 0, 1]]}, {"sealings": [1]},
], ids=str)
def test_a_signed_request_that_makes_no_sense_is_refused(change):
    fields = {"seed": SEED.hex(), "rows": 5, "made": "", "sealings": [["a", 0, 1]], **change}
    with pytest.raises(InputError, match=r"no request of this version|or its seed or sessions are none"):
        requests.read(signed.dumps(requests.KIND, CONTRACT, fields, AUDITOR), CONTRACT)


def test_nothing_to_audit_is_said():
    with pytest.raises(InputError, match="there is nothing to audit yet"):
        asked(sealings=())
    with pytest.raises(ContractError, match="names no auditor"):
        asked(CONTRACT.amended({"auditor": None}))


def test_persons_of_several_jobs_are_asked_for_within_the_contracts_limit():
    jobs = [Sealing(f"{job:032x}", "train", 0, job, "", ["ab"], CARD["rows"]) for job in (1, 2)]
    asked(sealings=jobs, rows=CARD["rows"] // 2 - 1)
    with pytest.raises(ContractError, match=f"auditor.rows is {CARD['rows']}: ask for fewer"):
        asked(sealings=jobs, rows=CARD["rows"] // 2 + 1)


def test_a_signed_request_written_otherwise_is_refused():
    with pytest.raises(InputError, match="of this version, or was changed"):
        requests.read(json.dumps(json.loads(asked()), indent=1).encode(), CONTRACT)
