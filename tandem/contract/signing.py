"""Signatures of a contract: Ed25519 (RFC 8032) over DOMAIN and the canonical bytes, so that a signature fits no other kind of file."""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

DOMAIN = b"tandem-contract-v1\0"


def digest(canonical: bytes) -> bytes:
    """Return the 32 bytes by which every frame names its contract: SHA-256 of DOMAIN and the canonical bytes."""
    return hashlib.sha256(DOMAIN + canonical).digest()


def public_hex(key: Ed25519PrivateKey) -> str:
    """Return the public half as 64 hex digits, as it stands in a contract."""
    return key.public_key().public_bytes_raw().hex()


def sign(key: Ed25519PrivateKey, canonical: bytes) -> str:
    """Return the signature as 128 hex digits."""
    return key.sign(DOMAIN + canonical).hex()


def verifies(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether `signature` is one of `message` under the 32-byte key `public`. Wrong lengths and bad encodings are simply not valid."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_by(public: str, signature: str, canonical: bytes) -> bool:
    """Tell whether the hex `signature` is one of the contract with these canonical bytes under the hex key `public`."""
    try:
        return verifies(bytes.fromhex(public), bytes.fromhex(signature), DOMAIN + canonical)
    except ValueError:
        return False
