"""A party's folder: made whole by `make`, and joined with what another party handed out by `admit`.

    keys/ authority/     secret, 0700            hand-out/   card, certificate, authority: for the two others, all public
    peers/               of the two others       contracts/  signed contracts (telco, coordinator)
    <role>.toml          public card             node.csr    request for a certificate of one's own company's authority

Each party makes its own; nobody else ever sees its keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from tandem.arguments import Chance
from tandem.contract import BANK, ROLES, PartyCard, Role, dumps_card, loads_card
from tandem.errors import InputError
from tandem.node import disk, keys
from tandem.node.certificates import make_authority, make_party, server_name, spki_pin

HAND_OUT = "hand-out"
ORGANISATION = 64
"""Characters of an organisation's name in a certificate (RFC 5280, appendix A)."""


@dataclass(frozen=True)
class HandOut:
    """What a party gives to the others, all of it public. `authority`: PEM certificates of whoever signed its certificate."""

    card: PartyCard
    certificate: bytes
    authority: bytes

    def save(self, folder: Path) -> None:
        """Write the three files. Raises InputError if one exists."""
        folder.mkdir(parents=True, exist_ok=True)
        disk.write(folder / f"{self.card.role}.toml", dumps_card(self.card).encode(), disk.PUBLIC, replace=False)
        disk.write(folder / "tls.pem", self.certificate, disk.PUBLIC, replace=False)
        disk.write(folder / "ca.pem", self.authority, disk.PUBLIC, replace=False)

    @classmethod
    def load(cls, folder: Path) -> HandOut:
        """Return what lies in `folder`. Raises InputError for files missing or not of one party, ContractError for a bad card."""
        names = [f"{role}.toml" for role in ROLES if (folder / f"{role}.toml").exists()]
        if len(names) != 1:
            raise InputError(f"{folder} holds {len(names)} public cards: name the hand-out of one party, with its <role>.toml in it")
        card = loads_card(disk.read_text(folder / names[0]), str(folder / names[0]))
        found = cls(card, disk.read_text(folder / "tls.pem").encode(), disk.read_text(folder / "ca.pem").encode())
        try:
            shown, issuers = x509.load_pem_x509_certificate(found.certificate), x509.load_pem_x509_certificates(found.authority)
        except ValueError:
            raise InputError(f"{folder}: tls.pem or ca.pem is no certificate in PEM: have it sent again") from None
        if spki_pin(found.certificate) not in card.tls_pin:
            raise InputError(f"{folder}: tls.pem holds another key than {names[0]} pins: have both sent again, by a way that you trust")
        if not any(_issued(shown, issuer) for issuer in issuers):
            raise InputError(f"{folder}: tls.pem was not issued by any certificate in ca.pem: have both sent again")
        return found


def make(folder: Path, role: Role, name: str, days: int, chance: Chance) -> HandOut:
    """Make keys, an authority and a certificate of one's own, and the folders around them. Raises InputError if `folder` is not empty."""
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty: choose a new folder; keys are never overwritten")
    authority = make_authority(days)
    party = make_party(authority, role, name, days=days, chance=chance)
    disk.make_private_folder(folder)
    keys.save(folder / "keys", party.keys)
    disk.make_private_folder(folder / "authority")
    disk.write(folder / "authority" / "ca.key", authority.key_pem, replace=False)
    disk.write(folder / "authority" / "ca.pem", authority.pem, disk.PUBLIC, replace=False)
    disk.write(folder / "node.csr", request(party.keys.tls_key, role, name), disk.PUBLIC, replace=False)
    disk.write(folder / f"{role}.toml", dumps_card(party.card).encode(), disk.PUBLIC, replace=False)
    for below in ("peers", *(() if role == BANK else ("contracts",))):
        disk.make_private_folder(folder / below)
    made = HandOut(party.card, party.keys.tls_certificate, authority.pem)
    made.save(folder / HAND_OUT)
    return made


def request(tls_key: bytes, role: Role, name: str) -> bytes:
    """Return a certificate request (PKCS 10, PEM) for the key: the name in it is the role's, as every peer expects it."""
    key = load_pem_private_key(tls_key, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise InputError("tls.key is not an elliptic-curve key: make new keys with `tandem init`")
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, server_name(role))]
    if len(name) <= ORGANISATION:
        subject.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, name))
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(subject))
    names = x509.SubjectAlternativeName([x509.DNSName(server_name(role))])
    return builder.add_extension(names, critical=False).sign(key, SHA256()).public_bytes(Encoding.PEM)


def admit(folder: Path, handed: HandOut, *, replace: bool = False) -> None:
    """Keep what another party handed out: its card and certificate in peers/, its authority among those that we let in.

    Raises InputError if it is our own, or if another certificate of that role was admitted before and is not to be replaced.
    """
    role = handed.card.role
    own = keys.load(folder / "keys")
    if spki_pin(handed.certificate) == own.pin or handed.card.signing_key == own.signing_key:
        raise InputError(f"this is what {folder} itself hands out: send it to the two others, and admit theirs")
    path = folder / "peers" / f"{role}.pem"
    if path.exists() and path.read_bytes() != handed.certificate and not replace:
        raise InputError(f"another certificate of the {role} was admitted before: compare pins by telephone, then use --replace")
    if handed.authority.strip() not in own.authority:
        disk.write(folder / "keys" / "ca.pem", own.authority.rstrip() + b"\n" + handed.authority)
    disk.write(folder / "peers" / f"{role}.toml", dumps_card(handed.card).encode(), disk.PUBLIC)
    disk.write(path, handed.certificate, disk.PUBLIC)


def _issued(shown: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        shown.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
