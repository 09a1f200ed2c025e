"""A contract and its three signing keys for tests: fixed, so that digests are known answers."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tandem.contract import ROLES, Contract, public_hex

NOW = datetime(2027, 2, 1, tzinfo=UTC)
KEYS = {role: Ed25519PrivateKey.from_private_bytes(hashlib.sha256(role.encode()).digest()) for role in ROLES}
CAPS = {"identifiers": 20000, "table": 100000, "roster": 20000, "disclosure_bits": 30, "trainings": 1}


def fields(**changes):
    """Return the fields of a draft that the telco completed, as TOML would give them."""
    parties = {
        role: {"name": f"The {role}", "tls_pin": [hashlib.sha256(f"pin{role}".encode()).hexdigest()], "signing_key": public_hex(key)}
        for role, key in KEYS.items()
    }
    parties["telco"] |= {"oprf_key": hashlib.sha256(b"oprf").hexdigest(), "variables": 12}
    draft = {
        "format": 1, "id": "00112233445566778899aabbccddeeff", "kind": "training", "purpose": "marketing",
        "description": "Dormant cards 休眠卡",
        "identifier": "phone", "start": "2027-01-01T00:00:00Z", "expiry": "2027-04-01T00:00:00Z",
        **parties, "caps": dict(CAPS),
        "layout": {"bank_columns": 12},
    }
    for name, value in changes.items():
        draft[name] = {**draft[name], **value} if isinstance(value, dict) else value
    return draft


def unsigned(**changes):
    return Contract.read(fields(**changes))


def signed(**changes):
    contract = unsigned(**changes)
    for role in ROLES:
        contract = contract.signed(KEYS[role])
    return contract
