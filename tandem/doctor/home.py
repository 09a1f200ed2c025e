"""This machine: keys and their rights, our certificate, the peers' certificates, the contracts, the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tandem.contract import COORDINATOR, TELCO, Contract, Role, loads
from tandem.doctor.findings import Finding, failed, ok, warning, wrong
from tandem.errors import ContractError, InputError, TandemError
from tandem.node import disk, keys
from tandem.node.certificates import spki_pin
from tandem.node.keys import Keys, alignment_key
from tandem.node.side import Side

SOON = timedelta(days=30)
"""A certificate or contract that ends sooner is a warning."""


@dataclass(frozen=True)
class Agreed:
    """A contract's file: what it says, and whether it is live by our clock."""

    path: Path
    contract: Contract
    live: bool


def own_keys(side: Side) -> tuple[Keys | None, list[Finding]]:
    """Look at the folder of secrets."""
    folder = side.config.at(side.config.keys)
    ledger = side.config.ledger_place
    try:
        disk.require_private_folder(folder)
        found = keys.load(folder)
        if isinstance(ledger, Path) and ledger.exists():
            disk.require_private(ledger)
    except InputError as error:
        return None, [failed("keys", error)]
    try:
        private = load_pem_private_key(found.tls_key, password=None).public_key()
    except (ValueError, TypeError):
        return None, [wrong("keys", f"{folder / 'tls.key'} is no PEM private key without a password", "restore it")]
    shown = x509.load_pem_x509_certificate(found.tls_certificate).public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if private.public_bytes(*form) != shown.public_bytes(*form):
        return None, [wrong("keys", "tls.key and tls.pem do not belong together", "put the certificate back that was made for this key")]
    return found, [ok("keys", f"for their owner alone; pin {found.pin[:16]}...")]


def certificate(subject: str, pem: bytes, now: datetime, remedy: str) -> Finding:
    """Look at a certificate's dates."""
    found = x509.load_pem_x509_certificate(pem)
    start, end = found.not_valid_before_utc, found.not_valid_after_utc
    ours = f"this machine's clock says {now:%Y-%m-%d %H:%M}"
    if now < start:
        return wrong(subject, f"not valid before {start:%Y-%m-%d %H:%M} UTC; {ours}", "set the clocks of both machines by NTP")
    if now >= end:
        return wrong(subject, f"expired on {end:%Y-%m-%d %H:%M} UTC; {ours}", remedy)
    if now >= end - SOON:
        return warning(subject, f"expires on {end:%Y-%m-%d}", remedy)
    return ok(subject, f"valid until {end:%Y-%m-%d}")


def contracts(side: Side, own: Keys | None, now: datetime) -> tuple[list[Agreed], list[Finding]]:
    """Look at each contract's file. Expired ones beside a live one are no fault."""
    agreed, told = [], []
    for path in side.contracts:
        try:
            contract = loads(disk.read_text(path), str(path))
        except TandemError as error:
            told.append(failed(f"contract {path.name}", error))
            continue
        fault = _fault(side.role, own, contract)
        if fault:
            told.append(fault)
        agreed.append(Agreed(path, contract, False))
        try:
            contract.live(now)
        except ContractError as error:
            told.append(failed(f"contract {contract.id[:8]}", error))
            continue
        agreed[-1] = Agreed(path, contract, not fault)
        signers = "all three" if COORDINATOR in contract.roles else "both parties"
        told.append(ok(f"contract {contract.id[:8]}", f"signed by {signers}, live until {contract.expiry}"))
    if any(one.live for one in agreed):
        told = [replace(each, level="warning") if each.level == "wrong" else each for each in told]
    if not side.contracts:
        told.append(wrong("contract", "there is none in the folder of contracts", "put the file there that all three have signed"))
    return agreed, told


def _fault(role: Role, own: Keys | None, contract: Contract) -> Finding | None:
    """Hold our keys against the contract."""
    if own is None:
        return None
    subject = f"contract {contract.id[:8]}"
    if role not in contract.roles:
        return wrong(subject, f"it has no {role}: its bank solves", "take it out of this folder: it is a contract of others")
    party = contract.party(role)
    if own.pin not in party.tls_pin:
        return wrong(subject, f"it pins another TLS key for the {role} than ours", "use the keys whose card it was drafted with")
    if own.signing_key != party.signing_key:
        return wrong(subject, f"it names another signing key for the {role} than ours", "use the keys whose card it was drafted with")
    if role == TELCO and contract.telco.oprf_key not in {"", alignment_key(own.seed, contract).public.hex()}:
        return wrong(subject, "telco.oprf_key does not come from our seed", "use the keys that signed it")
    return None


def peer_certificate(side: Side, peer: Role, agreed: list[Agreed], now: datetime) -> tuple[bytes | None, list[Finding]]:
    """Look at peers/<peer>.pem: whether it is there, in date, and pinned by the contracts."""
    path = side.config.at(side.config.peers) / f"{peer}.pem"
    subject, remedy = f"{peer}: certificate", f"take in what the {peer} handed out, with `tandem admit`"
    try:
        pem = disk.read_text(path).encode()
        pin = spki_pin(pem)
    except InputError as error:
        return None, [replace(failed(subject, error), remedy=remedy)]
    except ValueError:
        return None, [wrong(subject, f"{path} is no certificate in PEM", remedy)]
    told = [certificate(subject, pem, now, f"ask the {peer} for its new certificate and take it in with `tandem admit`")]
    told += list(_unpinned(subject, pin, peer, agreed))
    return pem, told


def _unpinned(subject: str, pin: str, peer: Role, agreed: list[Agreed]) -> Iterator[Finding]:
    for one in agreed:
        if peer in one.contract.roles and pin not in one.contract.party(peer).tls_pin:
            text = f"contract {one.contract.id[:8]} pins another key than that of peers/{peer}.pem"
            level = wrong if one.live or not any(each.live for each in agreed) else warning
            yield level(subject, text, f"take in the {peer}'s present hand-out; if its key is new, draft a new contract with its card")
