"""An auditor's request: in which sealings, and by which seed, rows are drawn. Signed with the key that the contract names."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tandem.audit import signed
from tandem.audit.received import Sealing, persons
from tandem.contract import Contract
from tandem.contract.auditor import Auditor
from tandem.errors import ContractError, InputError

KIND = "tandem-audit-request"
SEED_WIDTH = 32


@dataclass(frozen=True)
class Request:
    """`rows`: persons asked about; `sealings`: (session, part, rows received) of each, as the telco's ledger has them."""

    seed: bytes
    rows: int
    sealings: tuple[tuple[str, int, int], ...]
    digest: str
    """SHA-256 (hex) of the file."""


def auditor_of(contract: Contract) -> Auditor:
    """Return the contract's auditor. Raises ContractError if it names none."""
    if contract.auditor is None:
        raise ContractError(f"contract {contract.id} names no auditor: bank and telco name one when it is drafted (--auditor)")
    return contract.auditor


def ask(contract: Contract, sealings: Sequence[Sealing], rows: int, seed: bytes, key: Ed25519PrivateKey, made: str) -> bytes:
    """Return the file of a request. Raises InputError, ContractError for more rows than the contract allows."""
    auditor = auditor_of(contract)
    if not sealings:
        raise InputError("the telco's ledger holds no sealed rows of this contract: there is nothing to audit yet")
    opened = persons(seed, rows, [(one.job, one.rows) for one in sealings])
    if opened > auditor.rows:
        raise ContractError(
            f"contract {contract.id}: {rows} rows in every session are {opened} persons, those of several jobs, or of sessions that were"
            f" cut off, taken together; auditor.rows is {auditor.rows}: ask for fewer with --rows"
        )
    fields = {
        "seed": seed.hex(), "rows": rows, "made": made, "sealings": [[one.session, one.part, one.rows] for one in sealings],
    }
    return signed.dumps(KIND, contract, fields, key)


def read(data: bytes, contract: Contract, what: str = "the request") -> Request:
    """Return the request. Raises InputError unless the contract's auditor signed it, for this contract and within its limit."""
    auditor = auditor_of(contract)
    found = signed.loads(KIND, contract, data, auditor.signing_key, what)
    try:
        sealings = tuple((str(session), int(part), int(rows)) for session, part, rows in found["sealings"])
        made = Request(bytes.fromhex(found["seed"]), int(found["rows"]), sealings, hashlib.sha256(data).hexdigest())
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{what} is no request of this version: have the auditor make it with `tandem audit ask`") from None
    if len(made.seed) != SEED_WIDTH or len(set(sealings)) != len(sealings) or not 1 <= made.rows <= auditor.rows:
        raise InputError(f"{what} asks for {made.rows} rows, and auditor.rows is {auditor.rows}; or its seed or sessions are none")
    return made
