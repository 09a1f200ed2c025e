"""Files of an audit that travel: a JSON object about one contract, signed by whoever made it, under a domain of its kind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tandem.contract import Contract, verifies
from tandem.errors import InputError

FORMAT = 1


def dumps(kind: str, contract: Contract, fields: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """Return the object with its signature, Ed25519 over the kind's domain and the object's canonical JSON."""
    whole = {**fields, "kind": kind, "format": FORMAT, "contract": contract.digest.hex()}
    return _line({**whole, "signature": key.sign(_covered(kind, whole)).hex()})


def loads(kind: str, contract: Contract, data: bytes, public: str, what: str) -> dict[str, Any]:
    """Return the fields of an object about this contract. Raises InputError unless it is canonical and signed under `public` (hex)."""
    fault = InputError(f"{what} is no {kind} of this version, or was changed: fetch it again")
    try:
        found: dict[str, Any] = json.loads(data)
        canonical = _line(found) == data
        signature = bytes.fromhex(found.pop("signature"))
        head = (found["kind"], found["format"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise fault from None
    if not canonical or head != (kind, FORMAT):
        raise fault
    if found["contract"] != contract.digest.hex():
        raise InputError(f"{what} is about another contract: nothing of this one is told")
    if not verifies(bytes.fromhex(public), signature, _covered(kind, found)):
        raise InputError(f"{what} is not signed with the key that the contract names, or was changed since: nothing is done with it")
    return found


def _covered(kind: str, fields: Mapping[str, Any]) -> bytes:
    return kind.encode() + b"-v1\0" + _line(fields)


def _line(fields: Mapping[str, Any]) -> bytes:
    return (json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n").encode()
