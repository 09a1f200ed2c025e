"""`tandem init` and `tandem admit`: three folders made apart come to talk to each other, and nothing is ever overwritten."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tomllib
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bank_party.config import ChoiceConfig, StudyConfig
from coordinator.config import CoordinatorConfig
from tandem import cli
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, loads_card
from tandem.demo.processes import node
from tandem.demo.site import free_port
from tandem.node import folder, keys
from tandem.node.certificates import make_authority, server_name, spki_pin
from tandem.node.config import read
from tandem.node.drafts import config_name
from tandem.node.inputs.source import TableSource
from telco_party.config import TelcoConfig

CONFIGS = {BANK: StudyConfig, TELCO: TelcoConfig, COORDINATOR: CoordinatorConfig}


def run(*arguments, expect=0):
    with pytest.raises(SystemExit) as ended:
        cli.main([str(each) for each in arguments])
    assert (ended.value.code or 0) == expect


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def files(place):
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.fixture
def three(tmp_path):
    for role in ROLES:
        run("init", role, tmp_path / role)
    return tmp_path


@pytest.mark.parametrize("role", ROLES)
def test_secrets_are_for_their_owner_alone_whatever_the_umask(tmp_path, role):
    place, before = tmp_path / "node", os.umask(0)
    try:
        run("init", role, place, "--name", "甲银行")
    finally:
        os.umask(before)
    for path in [place, place / "keys", place / "authority", *(place / "keys").iterdir(), place / "authority" / "ca.key"]:
        assert mode(path) & 0o077 == 0, path
    loaded = keys.load(place / "keys")
    card = loads_card((place / f"{role}.toml").read_text(), "card")
    assert (card.name, card.role, card.tls_pin, card.signing_key) == ("甲银行", role, (loaded.pin,), loaded.signing_key)
    private = [path for path, data in files(place).items() if b"PRIVATE KEY" in data]
    assert sorted(private) == ["authority/ca.key", "keys/sign.key", "keys/tls.key"]


def test_what_is_handed_out_is_public_and_whole(three):
    for role in ROLES:
        handed = files(three / role / "hand-out")
        assert set(handed) == {f"{role}.toml", "tls.pem", "ca.pem"}
        own = files(three / role)
        secrets = [own["keys/seed"], own["keys/tls.key"], own["keys/sign.key"], own["authority/ca.key"]]
        assert not any(secret in data for data in handed.values() for secret in secrets)


@pytest.mark.parametrize("role", ROLES)
def test_the_configuration_is_valid_as_it_stands(three, role):
    config = read(three / role / config_name(role), CONFIGS[role])
    bare = CONFIGS[role].model_validate({"table": {"file": "table.csv", "id": "phone"}} if role != COORDINATOR else {})
    given = {"name", "telco", "coordinator", "label", "listen", "table", "folder", "workers"}
    for name in set(CONFIGS[role].model_fields) - given:
        assert getattr(config, name) == getattr(bare, name)


@pytest.mark.parametrize("role", ROLES)
def test_every_field_there_is_stands_in_it_with_its_default(three, role):
    text = (three / role / config_name(role)).read_text()
    uncommented = re.sub(r"^# (\[?[a-z_.]+\]?( =|\s+#))", r"\1", text, flags=re.MULTILINE)
    found = tomllib.loads(uncommented)
    assert set(found) == set(CONFIGS[role].model_fields) - {"folder"}
    if role != COORDINATOR:
        assert set(found["table"]) == set(TableSource.model_fields)
    if role == BANK:
        assert ChoiceConfig.model_validate(found["choice"]) == ChoiceConfig()
    told = CONFIGS[role].model_validate(found)
    for name in ("keys", "peers", "state", "ledger", "patience"):
        assert getattr(told, name) == CONFIGS[role].model_fields[name].default


def test_the_header_of_a_table_is_read_and_no_row(tmp_path):
    table = tmp_path / "subscribers.csv"
    table.write_text('id,Mobile,"a ""quoted"", name",年龄\n7,13800138000,geheim,44\n', encoding="utf-8")
    run("init", TELCO, tmp_path / "t", "--table", table)
    text = (tmp_path / "t" / "node.toml").read_text()
    config = read(tmp_path / "t" / "node.toml", TelcoConfig)
    assert (config.table.source, config.table.id) == (str(table), "Mobile")
    assert "FILL IN" not in text
    assert '"a \\"quoted\\", name"' in text
    assert "年龄" in text
    assert not any(b"13800138000" in data or b"geheim" in data for data in files(tmp_path / "t").values())
    assert "--variables 3" in (tmp_path / "t" / "README.txt").read_text()


def test_a_bank_names_its_label_and_peers(tmp_path):
    table = tmp_path / "customers.csv"
    table.write_text("phone,age,limit,activated\n")
    peers = ("--telco", "10.0.0.1:1", "--coordinator", "c.test:2")
    run("init", BANK, tmp_path / "b", "--table", table, "--label", "activated", *peers)
    config = read(tmp_path / "b" / "study.toml", StudyConfig)
    assert (config.telco, config.coordinator, config.label) == ("10.0.0.1:1", "c.test:2", "activated")
    assert "--bank-columns 2" in (tmp_path / "b" / "README.txt").read_text()
    note = (tmp_path / "b" / "FIREWALL.txt").read_text()
    assert "incoming   nothing" in note
    assert "outgoing   10.0.0.1:1/tcp, c.test:2/tcp" in note


def test_the_firewall_notes_of_those_who_listen(tmp_path):
    run("init", TELCO, tmp_path / "t", "--host", "telco.test", "--port", "9443", "--coordinator", "c.test:9444")
    run("init", COORDINATOR, tmp_path / "c")
    telco, coordinator = ((tmp_path / name / "FIREWALL.txt").read_text() for name in "tc")
    assert "incoming   9443/tcp from the bank" in telco
    assert "outgoing   c.test:9444/tcp" in telco
    assert "incoming   7444/tcp from bank and telco" in coordinator
    assert "outgoing   nothing" in coordinator
    assert read(tmp_path / "t" / "node.toml", TelcoConfig).listen == "0.0.0.0:9443"


@pytest.mark.parametrize("arguments", [
    ("judge", "x"), (BANK, "x", "--host", "bank.test"), (BANK, "x", "--telco", "nowhere"), (COORDINATOR, "x", "--table", "t.csv"),
    (TELCO, "x", "--table", "missing.csv"),
])
def test_what_makes_no_sense_is_refused_before_anything_is_made(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    run("init", *arguments, expect=2)
    assert list(tmp_path.iterdir()) == []


def test_an_id_that_is_no_column_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    run("init", TELCO, tmp_path / "x", "--table", tmp_path / "t.csv", "--id", "phone", expect=2)
    assert not (tmp_path / "x").exists()


def test_nothing_is_overwritten(tmp_path, capsys):
    run("init", BANK, tmp_path / "b")
    before = files(tmp_path / "b")
    run("init", BANK, tmp_path / "b", expect=2)
    run("init", TELCO, tmp_path / "b", expect=2)
    assert files(tmp_path / "b") == before
    assert "keys are never overwritten" in " ".join(capsys.readouterr().err.split())


def test_the_request_is_for_our_key_and_the_roles_name(three):
    found = x509.load_pem_x509_csr((three / BANK / "node.csr").read_bytes())
    assert found.is_signature_valid
    own = load_pem_private_key((three / BANK / "keys" / "tls.key").read_bytes(), None)
    assert found.public_key() == own.public_key()
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [server_name(BANK)]
    assert x509.load_pem_x509_csr(folder.request((three / BANK / "keys" / "tls.key").read_bytes(), BANK, "x" * 65)).is_signature_valid


def test_openssl_renews_a_certificate_as_the_page_says_and_the_pin_stays(three):
    place = three / TELCO
    before = keys.load(place / "keys")
    command = (
        "openssl x509 -req -in node.csr -CA authority/ca.pem -CAkey authority/ca.key -copy_extensions copy -days 365 -out keys/tls.pem"
    )
    assert command in (Path(__file__).parents[1] / "docs" / "three-machines.md").read_text()
    subprocess.run(command.split(), cwd=place, check=True, capture_output=True)
    after = keys.load(place / "keys")
    assert after.tls_certificate != before.tls_certificate
    assert after.pin == before.pin
    (place / "hand-out" / "tls.pem").write_bytes(after.tls_certificate)
    run("admit", three / BANK, place / "hand-out")


# -- admit --


def test_admitting_keeps_certificate_card_and_authority(three, capsys):
    capsys.readouterr()
    run("admit", three / BANK, three / TELCO / "hand-out")
    telco = keys.load(three / TELCO / "keys")
    assert telco.pin in capsys.readouterr().out
    assert (three / BANK / "peers" / "telco.pem").read_bytes() == telco.tls_certificate
    assert loads_card((three / BANK / "peers" / "telco.toml").read_text(), "card").role == TELCO
    admitted = (three / BANK / "keys" / "ca.pem").read_bytes()
    assert len(x509.load_pem_x509_certificates(admitted)) == 2
    assert mode(three / BANK / "keys" / "ca.pem") == 0o600
    run("admit", three / BANK, three / TELCO / "hand-out")
    assert (three / BANK / "keys" / "ca.pem").read_bytes() == admitted


def test_a_hand_out_that_does_not_hold_together_is_refused(three, capsys):
    handed = three / TELCO / "hand-out"
    good = files(handed)
    other = files(three / COORDINATOR / "hand-out")

    def refused(word, **changed):
        for name, data in {**good, **changed}.items():
            (handed / name.replace("_", ".")).write_bytes(data)
        run("admit", three / BANK, handed, expect=2)
        for name in changed:
            (handed / name.replace("_", ".")).unlink()
        assert word in " ".join(capsys.readouterr().err.split())

    refused("another key than telco.toml pins", tls_pem=other["tls.pem"])
    refused("was not issued by any certificate", ca_pem=make_authority().pem)
    refused("no certificate in PEM", ca_pem=b"-----")
    refused("2 public cards", bank_toml=b"")
    assert not (three / BANK / "peers" / "telco.pem").exists()


def test_ones_own_hand_out_is_not_admitted(three):
    run("admit", three / BANK, three / BANK / "hand-out", expect=2)


def test_another_key_of_the_same_role_is_admitted_only_on_request(three, tmp_path):
    run("init", TELCO, tmp_path / "second")
    run("admit", three / BANK, three / TELCO / "hand-out")
    run("admit", three / BANK, tmp_path / "second" / "hand-out", expect=2)
    assert (three / BANK / "peers" / "telco.pem").read_bytes() == keys.load(three / TELCO / "keys").tls_certificate
    run("admit", three / BANK, tmp_path / "second" / "hand-out", "--replace")
    assert spki_pin((three / BANK / "peers" / "telco.pem").read_bytes()) == keys.load(tmp_path / "second" / "keys").pin


# -- all of it --


def test_three_parties_that_made_their_own_keys_meet(tmp_path):
    """The path of docs/three-machines.md up to the doctor, with nodes in processes of their own."""
    ports = {role: free_port() for role in (TELCO, COORDINATOR)}
    places = {role: f"127.0.0.1:{port}" for role, port in ports.items()}
    (tmp_path / "bank.csv").write_text("phone,age,label\n" + "".join(f"1380013{i:04},{20 + i % 50},{i % 2}\n" for i in range(300)))
    (tmp_path / "telco.csv").write_text("phone,calls,days\n" + "".join(f"1380013{i:04},{i % 9},{i % 31}\n" for i in range(100, 400)))
    run("init", BANK, tmp_path / BANK, "--table", tmp_path / "bank.csv", "--telco", places[TELCO], "--coordinator", places[COORDINATOR])
    run("init", TELCO, tmp_path / TELCO, "--table", tmp_path / "telco.csv", "--port", ports[TELCO], "--coordinator", places[COORDINATOR])
    run("init", COORDINATOR, tmp_path / COORDINATOR, "--port", ports[COORDINATOR])
    for role in ROLES:
        for other in ROLES:
            if role != other:
                run("admit", tmp_path / role, tmp_path / other / "hand-out")
    bank, draft = tmp_path / BANK, tmp_path / BANK / "contract.toml"
    cards = ("--bank", bank / "bank.toml", "--telco", bank / "peers" / "telco.toml", "--coordinator", bank / "peers" / "coordinator.toml")
    sizes = ("--identifiers", 300, "--table", 300, "--bank-columns", 1, "--min-matched", 100)
    run("contract", "new", draft, *cards, "--description", "x", *sizes)
    for role in (TELCO, BANK, COORDINATOR):
        run("contract", "sign", draft, "--keys", tmp_path / role / "keys", "--yes", *(("--variables", 2) if role == TELCO else ()))
    for role in (TELCO, COORDINATOR):
        (tmp_path / role / "contracts" / "contract.toml").write_bytes(draft.read_bytes())
    with ExitStack() as stack:
        for role in (COORDINATOR, TELCO):
            stack.enter_context(node(tmp_path / role, role))
        for role in (TELCO, BANK):
            command = [sys.executable, "-m", "tandem.cli", "doctor", str(tmp_path / role / config_name(role))]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout
            assert " 0 warnings, 0 wrong" in done.stdout
