"""A party's secrets: a folder `keys/` (0700) of files (0600), and what is derived from its seed.

    tls.key     TLS key, ECDSA P-256
    tls.pem     its certificate
    ca.pem      the authority that all parties trust
    sign.key    Ed25519, signs contracts and point tables
    seed        32 bytes, the root of derived secrets

The loader refuses a file that others may read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from tandem.arguments import Seeded
from tandem.contract import Contract, public_hex
from tandem.crypto.voprf import KeyPair, derive_key_pair
from tandem.errors import InputError
from tandem.node import disk

SEED_WIDTH = 32
ALIGNMENT = "align"
"""Purpose of the oblivious key of an alignment; a look-up has another, and so another key (A8)."""


def spki_pin(certificate: bytes) -> str:
    """Return SHA-256 (hex) of the DER SubjectPublicKeyInfo (RFC 7469, section 2.4) of a PEM certificate. Raises ValueError otherwise."""
    key = x509.load_pem_x509_certificate(certificate).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@dataclass(frozen=True)
class Keys:
    """What `load` read. TLS parts are PEM. Nothing of it is ever printed."""

    tls_key: bytes = field(repr=False)
    tls_certificate: bytes = field(repr=False)
    authority: bytes = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)
    seed: bytes = field(repr=False)

    @property
    def pin(self) -> str:
        """SHA-256 of our TLS public key, as a contract pins it."""
        return spki_pin(self.tls_certificate)

    @property
    def signing_key(self) -> str:
        """Our public signing key in hex, as a contract names it."""
        return public_hex(self.signing)


def load(folder: Path) -> Keys:
    """Return the secrets in `folder`. Raises InputError naming a file that is missing, malformed, not ours or open to others."""
    key = read_signing(folder / "sign.key")
    seed = disk.read_private(folder / "seed")
    if len(seed) != SEED_WIDTH:
        raise InputError(f"{folder / 'seed'} has {len(seed)} bytes, not {SEED_WIDTH}: restore it, or make new keys")
    certificate = disk.read_private(folder / "tls.pem")
    try:
        spki_pin(certificate)
    except ValueError:
        raise InputError(f"{folder / 'tls.pem'} is no certificate in PEM: restore it, or make new keys") from None
    return Keys(disk.read_private(folder / "tls.key"), certificate, disk.read_private(folder / "ca.pem"), key, seed)


def read_signing(path: Path) -> Ed25519PrivateKey:
    """Return the signing key in a private file. Raises InputError."""
    try:
        key = load_pem_private_key(disk.read_private(path), password=None)
    except (ValueError, TypeError):
        raise InputError(f"{path} is no PEM private key without a password: make new keys with `tandem init`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(f"{path} is not an Ed25519 key: make new keys with `tandem init`")
    return key


def save(folder: Path, keys: Keys) -> None:
    """Write the secrets into a new folder (0700, files 0600). Raises InputError if one of them exists: keys are never overwritten."""
    disk.make_private_folder(folder)
    pem = keys.signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {"tls.key": keys.tls_key, "tls.pem": keys.tls_certificate, "ca.pem": keys.authority, "sign.key": pem, "seed": keys.seed}
    for name, data in files.items():
        disk.write(folder / name, data, replace=False)


def derive(seed: bytes, *label: str | int | bytes) -> Seeded:
    """Return repeatable chance for one purpose: a function of seed and label alone."""
    return Seeded(seed).fork("tandem-party", *label)


def oprf_key(seed: bytes, contract_id: str, purpose: str, epoch: int) -> KeyPair:
    """Return the oblivious key of a contract, purpose and epoch (RFC 9497, section 3.2.1): another of any of them, unrelated tags (A8)."""
    info = f"{contract_id}|{purpose}|{epoch}".encode()
    return derive_key_pair(derive(seed, "oprf").draw(SEED_WIDTH), info)


def alignment_key(seed: bytes, contract: Contract) -> KeyPair:
    """Return the key whose public half is the contract's `telco.oprf_key`."""
    return oprf_key(seed, contract.id, ALIGNMENT, contract.epoch)
