from __future__ import annotations

import hashlib
import json
import tomllib
from datetime import UTC, datetime, timedelta

import pytest
from contracts import KEYS, NOW, fields, signed, unsigned
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import shared

from tandem.contract import ROLES, Contract, dumps, loads, verifies
from tandem.errors import ContractError

HEX = "ab" * 32


def test_canonical_bytes_and_digest_are_known_answers():
    contract = unsigned()
    assert contract.canonical.startswith(b'{"bank":{"name":"The bank","signing_key":"')
    assert '"description":"Dormant cards 休眠卡"'.encode() in contract.canonical
    assert b'"hold_out":"3/10"' in contract.canonical
    assert b": " not in contract.canonical
    assert b"signatures" not in contract.canonical
    again = json.dumps(json.loads(contract.canonical), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert contract.canonical == again.encode()
    assert contract.digest == hashlib.sha256(b"tandem-contract-v1\0" + contract.canonical).digest()
    assert contract.digest.hex() == "d5b1f87c5e757f264b3e46586a37461e6d51fa63512411da8cecdc1f1d390a29"


def test_three_signatures_make_it_live():
    contract = signed()
    contract.live(NOW)
    assert contract.digest == unsigned().digest, "signatures are not part of what is signed"


@pytest.mark.parametrize("role", ROLES)
def test_one_signature_missing_or_forged_is_named(role):
    contract = signed()
    with pytest.raises(ContractError, match=f"the {role} has not signed"):
        contract.amended({"signatures": {role: ""}}).live(NOW)
    other = next(each for each in ROLES if each != role)
    with pytest.raises(ContractError, match=f"signature of the {role} does not fit"):
        contract.amended({"signatures": {role: getattr(contract.signatures, other)}}).live(NOW)


CHANGES = {
    "id": "ff" * 16, "epoch": 2, "purpose": "credit", "licence": "L2", "description": "Other", "identifier": "sha256",
    "start": "2027-01-02T00:00:00Z", "expiry": "2028-01-01T00:00:00Z",
    "bank": {"name": "Another", "tls_pin": [HEX], "signing_key": HEX},
    "coordinator": {"name": "Another", "tls_pin": [HEX], "signing_key": HEX},
    "telco": {"name": "Another", "tls_pin": [HEX], "signing_key": HEX, "oprf_key": HEX, "variables": 13},
    "caps": {"identifiers": 30000, "table": 200000, "roster": 19999, "disclosure_bits": 60, "trainings": 2},
    "layout": {
        "bank_columns": 13, "value_bits": 17, "bins": 9, "min_bin": 51, "min_class": 21, "min_matched": 1001, "passes": 2, "key_bits": 2048,
        "grain": "1/8", "card_step": 2, "weights": "open", "ridge": "2", "se": "exact", "hold_out": "1/5", "cover": 4,
        "delta": "0.0001", "max_exposure": "1/2",
    },
}
ONE_BY_ONE = [
    (path, {path[0]: value} if len(path) == 1 else {path[0]: {path[1]: value}})
    for path, value in (
        [((name,), value) for name, value in CHANGES.items() if not isinstance(value, dict)]
        + [((name, inner), value) for name, section in CHANGES.items() if isinstance(section, dict) for inner, value in section.items()]
    )
]


@pytest.mark.parametrize(("path", "change"), ONE_BY_ONE, ids=[".".join(path) for path, _ in ONE_BY_ONE])
def test_each_field_changed_after_signing_is_noticed(path, change):
    contract = signed(licence="L1")
    changed = contract.amended(change)
    assert changed.digest != contract.digest
    with pytest.raises(ContractError, match="does not fit"):
        changed.live(NOW)


def test_every_field_has_a_place_in_that_test():
    one_value = {
        "format", "protocol", "signatures", "kind", "training", "card", "measurement", "layout.labels", "layout.solver", "layout.epsilon",
        "tells", "auditor",
    }
    every = set()
    for name, value in unsigned().model_dump().items():
        every |= {f"{name}.{inner}" for inner in value} if isinstance(value, dict) and name != "signatures" else {name}
    assert every - {".".join(path) for path, _ in ONE_BY_ONE} == one_value


def test_time_is_an_argument_and_expiry_is_not_included():
    contract = signed()
    start, expiry = datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
    contract.live(start)
    contract.live(expiry - timedelta(microseconds=1))
    with pytest.raises(ContractError, match="expiry was 2027-04-01"):
        contract.live(expiry)
    with pytest.raises(ContractError, match="start is 2027-01-01"):
        contract.live(start - timedelta(microseconds=1))


def test_a_draft_cannot_be_signed_nor_be_live():
    draft = unsigned(telco={"oprf_key": "", "variables": 0})
    assert not draft.complete
    with pytest.raises(ContractError, match="not filled in"):
        draft.signed(KEYS["bank"])
    with pytest.raises(ContractError, match="it is a draft"):
        signed().amended({"telco": {"oprf_key": "", "variables": 0}}).live(NOW)


def test_a_strangers_key_cannot_sign():
    with pytest.raises(ContractError, match="no party"):
        unsigned().signed(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def test_role_follows_from_the_pin():
    contract = unsigned(bank={"tls_pin": [HEX, "cd" * 32]})
    assert contract.role_of_pin("cd" * 32) == "bank"
    assert contract.role_of_pin(contract.telco.tls_pin[0]) == "telco"
    with pytest.raises(ContractError, match="TLS key belongs to no party"):
        contract.role_of_pin("ef" * 32)


WRONG = [
    ("layout", {"passes": 5}, "layout.passes must be at most 4"),
    ("layout", {"passes": 0}, "layout.passes must be at least 1"),
    ("layout", {"passes": True}, "layout.passes must be a whole number"),
    ("layout", {"passes": 3.0}, "layout.passes must be a whole number"),
    ("layout", {"passes": "3"}, "layout.passes must be a whole number"),
    ("layout", {"se": "none"}, "layout.se must be 'approximate' or 'exact'"),
    ("layout", {"bins": 33}, "layout.bins must be at most 32"),
    ("layout", {"key_bits": 1024}, "layout.key_bits must be at least 2048"),
    ("layout", {"key_bits": 2049}, "multiple of 256"),
    ("layout", {"card_step": 21}, "layout.card_step must be at most 20"),
    ("layout", {"grain": 0.25}, "layout.grain must be text"),
    ("layout", {"grain": "1/0"}, "layout.grain must be a fraction"),
    ("layout", {"grain": "1e999999999"}, "layout.grain must be a fraction"),
    ("layout", {"grain": "1/100"}, "layout.grain must lie between"),
    ("layout", {"ridge": "nan"}, "layout.ridge must be a number"),
    ("layout", {"ridge": "1e999999999"}, "layout.ridge must lie between"),
    ("layout", {"ridge": "one"}, "layout.ridge must be a number"),
    ("layout", {"ridge": 0}, "layout.ridge must lie between"),
    ("layout", {"ridge": "Auto"}, 'or "auto"'),
    ("layout", {"hold_out": "9/10"}, "layout.hold_out must lie between"),
    ("layout", {"solver": "bank"}, 'coordinator must be left out where layout.solver is "bank"'),
    ("layout", {"solver": "telco"}, "layout.solver must be 'coordinator' or 'bank'"),
    ("layout", {"cover": 0}, "layout.cover must be at least 1"),
    ("layout", {"cover": 17}, "layout.cover must be at most 16"),
    ("layout", {"cover": 4, "min_matched": 5001}, "min_matched times layout.cover must not exceed"),
    ("layout", {"labels": 2}, "one label a contract"),
    ("layout", {"weights": "clear"}, "layout.weights must be 'blind' or 'open'"),
    ("layout", {"dp": {"epsilon": 1}}, "layout.dp is no field"),
    ("layout", {"min_matched": 50000}, "min_matched times layout.cover must not exceed"),
    ("caps", {"roster": 20001}, "caps.roster must not exceed caps.identifiers times layout.cover, or caps.table"),
    ("caps", {"disclosure_bits": 29}, "caps.disclosure_bits must be at least 30"),
    ("caps", {"table": 1 << 32}, "caps.table must be at most"),
    ("bank", {"tls_pin": []}, "bank.tls_pin must hold one pin"),
    ("bank", {"tls_pin": [HEX, HEX]}, "bank.tls_pin must hold one pin"),
    ("bank", {"tls_pin": [HEX.upper()]}, "bank.tls_pin.0 must be 64 hex digits"),
    ("bank", {"signing_key": "xyz"}, "bank.signing_key must be 64 hex digits"),
    ("bank", {"name": "Bank\x1b[2J"}, "bank.name must be one line of printable text"),
    ("bank", {"name": "\u202eknaB"}, "bank.name must be one line of printable text"),
    ("telco", {"oprf_key": "00" * 32}, "telco.oprf_key must not be zero"),
    ("format", 2, "format must be 1"),
    ("protocol", 2, "protocol must be 1"),
    ("id", "1234", "id must be 32 hex digits"),
    ("purpose", "credit", "licence must be given"),
    ("purpose", "espionage", "purpose must be 'marketing' or 'credit'"),
    ("kind", "scoring", "card and training must both be given"),
    ("card", HEX, "card and training must both be given"),
    ("expiry", "2026-01-01T00:00:00Z", "expiry must come after start"),
    ("expiry", "2027-13-01T00:00:00Z", "expiry must be a moment in UTC"),
    ("expiry", "2027-4-1T00:00:00Z", "expiry must be a moment in UTC"),
    ("expiry", datetime(2027, 4, 1), "expiry must say its time zone"),  # noqa: DTZ001 - what a careless TOML file gives
    ("description", "", "description must not be empty"),
    ("surprise", 1, "surprise is no field"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG, ids=[f"{name}-{message[:30]}" for name, _, message in WRONG])
def test_a_wrong_field_is_named_with_what_to_do(name, value, message):
    draft = fields()
    draft[name] = {**draft[name], **value} if isinstance(value, dict) else value
    with pytest.raises(ContractError) as refused:
        Contract.read(draft, "the file")
    assert str(refused.value).startswith("the file: ")
    assert message in str(refused.value)


NEEDED = (
    "format", "id", "kind", "purpose", "description", "identifier", "start", "expiry", "bank", "telco", "coordinator", "caps", "layout",
)


@pytest.mark.parametrize("name", NEEDED)
def test_a_missing_field_is_named(name):
    draft = fields()
    del draft[name]
    with pytest.raises(ContractError, match=f"{name} is missing"):
        Contract.read(draft)


def test_one_key_for_two_parties_is_refused():
    draft = fields()
    draft["coordinator"]["signing_key"] = draft["telco"]["signing_key"]
    with pytest.raises(ContractError, match="signing_key must differ"):
        Contract.read(draft)
    draft = fields()
    draft["coordinator"]["tls_pin"] = draft["telco"]["tls_pin"]
    with pytest.raises(ContractError, match="tls_pin must differ"):
        Contract.read(draft)


def test_equal_terms_have_one_form():
    plain = unsigned(layout={"grain": "2/8", "ridge": 1.50, "hold_out": "0.3"})
    assert (plain.layout.grain, plain.layout.ridge, plain.layout.hold_out) == ("1/4", "1.5", "3/10")
    assert plain.digest == unsigned(layout={"ridge": "1.5"}).digest
    dated = unsigned(expiry=datetime(2027, 4, 1, 8, tzinfo=UTC) - timedelta(hours=8))
    assert dated.digest == unsigned().digest
    assert unsigned(layout={"ridge": 100}).layout.ridge == "100"


def test_a_ridge_may_be_left_to_the_solver():
    layout = unsigned(layout={"ridge": "auto"}).layout
    assert (layout.chooses_ridge, layout.ridge_weight) == (True, 1)
    assert (unsigned().layout.chooses_ridge, unsigned(layout={"ridge": "2"}).layout.ridge_weight) == (False, 2)


def test_bits_a_person():
    contract = unsigned()
    assert (contract.pass_bits, contract.card_bits, contract.job_bits, contract.jobs) == (7, 9, 30, 1)
    assert unsigned(layout={"passes": 4}, caps={"disclosure_bits": 80, "trainings": 5}).jobs == 2, "37 bits a job"
    scoring = unsigned(kind="scoring", card=HEX, training=HEX, caps={"disclosure_bits": 9})
    assert (scoring.job_bits, scoring.totals, scoring.rows_cap) == (9, 84, 20000)
    assert unsigned(layout={"se": "exact"}).totals == 84 + 66


def test_require_names_what_differs():
    contract = signed()
    contract.require(kind="training", purpose="marketing", digest=contract.digest)
    with pytest.raises(ContractError, match='kind is "training", but "scoring" was asked'):
        contract.require(kind="scoring")
    with pytest.raises(ContractError, match='purpose is "marketing"'):
        contract.require(purpose="credit")
    with pytest.raises(ContractError, match="another digest"):
        contract.require(digest=bytes(32))


def test_where_the_bank_solves_two_sign_and_there_is_no_third():
    contract = unsigned(layout={"solver": "bank"}, coordinator=None)
    assert (contract.roles, contract.solver) == (("bank", "telco"), "bank")
    assert [contract.filled_by(role) for role in ROLES] == ["bank", "telco", "bank"]
    with pytest.raises(ContractError, match="the telco has not signed"):
        contract.signed(KEYS["bank"]).live(NOW)
    both = contract.signed(KEYS["bank"]).signed(KEYS["telco"])
    both.live(NOW)
    assert loads(dumps(both)) == both
    with pytest.raises(ContractError, match="signing key belongs to no party"):
        both.signed(KEYS["coordinator"])
    with pytest.raises(ContractError, match="it has no coordinator"):
        both.party("coordinator")


def test_with_a_coordinator_two_signatures_are_not_enough():
    contract = unsigned().signed(KEYS["bank"]).signed(KEYS["telco"])
    assert (contract.roles, contract.solver) == (ROLES, "coordinator")
    with pytest.raises(ContractError, match="the coordinator has not signed"):
        contract.live(NOW)


def test_a_contract_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="frozen"):
        unsigned().epoch = 2


text = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    name=text, description=text, grain=st.integers(1, 16), ridge=st.decimals(min_value="0.001", max_value=1000, places=4),
    passes=st.integers(1, 4), roster=st.integers(1000, 20000), licence=text,
)
def test_canonical_bytes_survive_the_file(name, description, grain, ridge, passes, roster, licence):
    contract = signed(
        bank={"name": name}, description=description, licence=licence, caps={"roster": roster, "disclosure_bits": 100},
        layout={"grain": f"{grain}/16", "ridge": str(ridge), "passes": passes},
    )
    text = dumps(contract)
    back = loads(text)
    assert back == contract
    assert back.canonical == contract.canonical
    assert dumps(back) == text
    back.live(NOW)


@pytest.mark.parametrize("text", ["", "x", "= 1", "[bank\nname = 1", "format = 1", "\x00"])
def test_what_is_no_contract_is_refused_with_the_files_name(text):
    with pytest.raises(ContractError, match=r"^broken\.toml: "):
        loads(text, "broken.toml")


def test_a_huge_file_is_refused():
    with pytest.raises(ContractError, match="larger"):
        loads("#" * (1 << 21))


def test_the_file_is_plain_toml():
    assert tomllib.loads(dumps(unsigned()))["layout"]["grain"] == "1/4"


def test_wycheproof_ed25519_through_our_check():
    groups = json.loads(shared("wycheproof/ed25519_test.json").read_text())["testGroups"]
    wrong = []
    for group in groups:
        key = bytes.fromhex(group["publicKey"]["pk"])
        wrong += [
            case["tcId"]
            for case in group["tests"]
            if verifies(key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])) != (case["result"] == "valid")
        ]
    assert sum(len(group["tests"]) for group in groups) == 151
    assert wrong == []


def test_rfc_8032_section_7_1_test_2():
    key = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verifies(key, signature, b"\x72")
    assert not verifies(key, signature, b"\x73")
    assert not verifies(key, signature[:-1], b"\x72")
    assert not verifies(key[:-1], signature, b"\x72")


def test_a_roster_may_hold_the_cover_of_every_identifier():
    contract = unsigned(layout={"cover": 4}, caps={"roster": 80_000})
    assert contract.rows_cap == 80_000
    with pytest.raises(ContractError, match=r"caps\.roster must not exceed"):
        unsigned(layout={"cover": 4}, caps={"roster": 80_001})
