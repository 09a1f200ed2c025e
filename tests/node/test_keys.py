from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contracts import unsigned
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from tandem.arguments import Seeded
from tandem.contract import ROLES, loads_card
from tandem.errors import InputError
from tandem.node import disk
from tandem.node.certificates import make_parties, spki_pin
from tandem.node.chance import System
from tandem.node.keys import alignment_key, derive, load, oprf_key

ROOT = Path(__file__).parents[2]
NAMES = ("tls.key", "tls.pem", "ca.pem", "sign.key", "seed")


@pytest.fixture
def place(tmp_path):
    make_parties(tmp_path / "parties", chance=Seeded(b"test"))
    return tmp_path / "parties"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_for_their_owner_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        make_parties(tmp_path / "parties")
    finally:
        os.umask(before)
    for role in ROLES:
        keys = tmp_path / "parties" / role / "keys"
        assert mode(keys) == 0o700
        assert {path.name for path in keys.iterdir()} == set(NAMES)
        assert {mode(path) for path in keys.iterdir()} == {0o600}
    assert mode(tmp_path / "parties" / "ca" / "ca.key") == 0o600


def test_what_was_made_is_what_is_loaded(place):
    for role in ROLES:
        keys = load(place / role / "keys")
        card = loads_card((place / role / f"{role}.toml").read_text(), "card")
        assert (card.role, card.name, card.tls_pin, card.signing_key) == (role, role, (keys.pin,), keys.signing_key)
        assert {path.stem for path in (place / role / "peers").iterdir()} == set(ROLES) - {role}
        assert repr(keys) == "Keys()"
    assert spki_pin((place / "bank" / "peers" / "telco.pem").read_bytes()) == load(place / "telco" / "keys").pin


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rights", [0o640, 0o604, 0o620])
def test_a_secret_open_to_others_is_refused(place, name, rights):
    path = place / "bank" / "keys" / name
    path.chmod(rights)
    with pytest.raises(InputError, match=f"chmod 600 .*{name}"):
        load(place / "bank" / "keys")


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_of_another_owner_is_refused(place, name, monkeypatch):
    real, inode = os.fstat, (place / "bank" / "keys" / name).stat().st_ino

    def fstat(handle):
        found = real(handle)
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:])) if found.st_ino == inode else found

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(InputError, match=f"{name} belongs to another user"):
        load(place / "bank" / "keys")


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_secret_is_named(place, name):
    (place / "bank" / "keys" / name).unlink()
    with pytest.raises(InputError, match=f"{name}: it does not exist"):
        load(place / "bank" / "keys")


@pytest.mark.parametrize(("name", "message"), [("sign.key", "PEM private key"), ("tls.pem", "no certificate"), ("seed", "8 bytes, not 32")])
def test_a_damaged_secret_is_named_and_not_printed(place, name, message):
    (place / "bank" / "keys" / name).write_bytes(b"S3CRET!!")
    with pytest.raises(InputError, match=message) as refused:
        load(place / "bank" / "keys")
    assert "S3CRET" not in str(refused.value)


def test_a_signing_key_of_another_kind_is_refused(place):
    (place / "bank" / "keys" / "sign.key").write_bytes((place / "bank" / "keys" / "tls.key").read_bytes())
    with pytest.raises(InputError, match="not an Ed25519 key"):
        load(place / "bank" / "keys")


def test_keys_are_never_overwritten(place):
    before = (place / "bank" / "keys" / "seed").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        make_parties(place)
    assert (place / "bank" / "keys" / "seed").read_bytes() == before


def test_certificates_say_what_tls_needs(tmp_path):
    now = datetime(2027, 1, 1, tzinfo=UTC)
    parties = make_parties(tmp_path / "p", days=30, now=now)
    authority = x509.load_pem_x509_certificate((tmp_path / "p" / "ca" / "ca.pem").read_bytes())
    serials = set()
    for role, party in parties.items():
        certificate = x509.load_pem_x509_certificate(party.keys.tls_certificate)
        certificate.verify_directly_issued_by(authority)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [f"{role}.tandem"]
        assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc == now + timedelta(days=30)
        key = certificate.public_key()
        assert isinstance(key, EllipticCurvePublicKey)
        assert key.curve.name == "secp256r1"
        serials.add(certificate.serial_number)
    assert len(serials) == len(ROLES)


def test_oblivious_keys_differ_by_contract_purpose_epoch_and_seed():
    keys = [
        oprf_key(seed, contract, purpose, epoch).public
        for seed in (bytes(32), b"\1" * 32) for contract in ("aa", "bb") for purpose in ("align", "lookup") for epoch in (1, 2)
    ]
    assert len(set(keys)) == len(keys) == 16
    assert oprf_key(bytes(32), "aa", "align", 1) == oprf_key(bytes(32), "aa", "align", 1)
    contract = unsigned()
    assert alignment_key(bytes(32), contract) == oprf_key(bytes(32), contract.id, "align", 1)


def test_derived_chance_repeats_and_differs_by_label():
    assert derive(b"s" * 32, "a", 1).draw(16) == derive(b"s" * 32, "a", 1).draw(16)
    assert derive(b"s" * 32, "a", 1).draw(16) != derive(b"s" * 32, "a", 2).draw(16)


def test_system_chance_is_fresh():
    chance = System()
    assert len({chance.draw(16) for _ in range(100)} | {chance.fork("a").draw(16) for _ in range(100)}) == 200


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "contract.toml"
    disk.write(path, b"old", disk.PUBLIC)
    assert mode(path) == 0o644

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full"):
        disk.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_where_nothing_can_be_is_told(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        disk.write(tmp_path / "no" / "file", b"")
    with pytest.raises(InputError, match="it does not exist"):
        disk.read_text(tmp_path / "nothing")
    (tmp_path / "latin").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        disk.read_text(tmp_path / "latin")
    (tmp_path / "large").write_bytes(b" " * (disk.TEXT_LIMIT + 1))
    with pytest.raises(InputError, match="larger"):
        disk.read_text(tmp_path / "large")


def test_an_open_folder_is_no_place_for_keys(tmp_path):
    (tmp_path / "keys").mkdir(mode=0o755)
    with pytest.raises(InputError, match="chmod 700"):
        disk.make_private_folder(tmp_path / "keys")


def test_a_key_with_a_password_is_refused(place):
    path = place / "bank" / "keys" / "sign.key"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    with pytest.raises(InputError, match="PEM private key"):
        load(place / "bank" / "keys")
