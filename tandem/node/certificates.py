"""Certificates of a private authority, the pin of a key, and a party's public card.

A certificate only lets TLS start: whose key it is, the pin in the contract says. So the name in it is the role's, and no name is trusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tandem.arguments import Chance
from tandem.contract import ROLES, PartyCard, Role, dumps_card
from tandem.node import disk
from tandem.node.chance import System
from tandem.node.keys import SEED_WIDTH, Keys, save, spki_pin

__all__ = ["Authority", "Party", "issue", "key_pem", "make_authority", "make_parties", "make_party", "server_name", "spki_pin"]

SKEW = timedelta(hours=1)
"""How far a peer's clock may lag behind ours when it first sees a new certificate."""

DAYS = 365
"""Validity of a certificate unless said otherwise."""


def server_name(role: str) -> str:
    """Return the DNS name in the certificate of `role`, whatever host it runs on."""
    return f"{role}.tandem"


@dataclass(frozen=True)
class Authority:
    """A private certificate authority."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        """The certificate that every party trusts."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The secret half: whoever holds it can start TLS with us, and is then refused for want of a pin."""
        return key_pem(self.key)


@dataclass(frozen=True)
class Party:
    """A new party: what it keeps, and what it hands out."""

    keys: Keys
    card: PartyCard


def key_pem(key: EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM (PKCS 8, no password: the file's rights guard it)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_authority(days: int = DAYS, now: datetime | None = None) -> Authority:
    """Return a new authority, valid for `days`."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tandem private authority")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )
    certificate = (
        _certificate(name, name, key, days, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return Authority(certificate, key)


def issue(authority: Authority, role: str, days: int = DAYS, now: datetime | None = None) -> tuple[bytes, bytes]:
    """Return (private key, certificate) in PEM for `role`: ECDSA P-256, both TLS server and client, a serial of its own."""
    key = generate_private_key(SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, server_name(role))])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate = (
        _certificate(name, authority.certificate.subject, key, days, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(both, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(server_name(role))]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .sign(authority.key, SHA256())
    )
    return key_pem(key), certificate.public_bytes(Encoding.PEM)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, days: int, now: datetime | None,
) -> x509.CertificateBuilder:
    start = now or datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - SKEW)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def make_party(authority: Authority, role: Role, name: str, *, days: int = DAYS, now: datetime | None = None, chance: Chance) -> Party:
    """Return a new party: TLS key and certificate, signing key and seed (the last two drawn from `chance`), and its public card."""
    tls_key, certificate = issue(authority, role, days, now)
    signing = Ed25519PrivateKey.from_private_bytes(chance.draw(SEED_WIDTH))
    keys = Keys(tls_key, certificate, authority.pem, signing, chance.draw(SEED_WIDTH))
    return Party(keys, PartyCard(name=name, tls_pin=(keys.pin,), signing_key=keys.signing_key, role=role))


def make_parties(
    directory: Path,
    *,
    days: int = DAYS,
    names: Mapping[Role, str] | None = None,
    now: datetime | None = None,
    chance: Chance | None = None,
) -> dict[Role, Party]:
    """Write an authority and all three parties below `directory`; what each party must keep to itself lies in a folder of its own.

        ca/ca.key ca.pem     <role>/keys/...     <role>/<role>.toml (public card)     <role>/peers/<other>.pem (public certificates)

    Raises InputError if anything of it exists: keys are never overwritten.
    """
    chance, authority = chance or System(), make_authority(days, now)
    parties = {
        role: make_party(authority, role, (names or {}).get(role, role), days=days, now=now, chance=chance.fork(role)) for role in ROLES
    }
    disk.make_private_folder(directory / "ca")
    disk.write(directory / "ca" / "ca.key", authority.key_pem, replace=False)
    disk.write(directory / "ca" / "ca.pem", authority.pem, disk.PUBLIC, replace=False)
    for role, party in parties.items():
        save(directory / role / "keys", party.keys)
        disk.write(directory / role / f"{role}.toml", dumps_card(party.card).encode(), disk.PUBLIC, replace=False)
        (directory / role / "peers").mkdir(exist_ok=True)
        for other, peer in parties.items():
            if other != role:
                disk.write(directory / role / "peers" / f"{other}.pem", peer.keys.tls_certificate, disk.PUBLIC, replace=False)
    return parties
