"""The contract that bank, telco and (mostly) coordinator sign: a value, its signatures, its text and its meaning in sentences."""

from __future__ import annotations

from tandem.contract.files import PartyCard, dumps, dumps_card, loads, loads_auditor, loads_card
from tandem.contract.layout import FIRST_RIDGE, RIDGES, Layout
from tandem.contract.signing import public_hex, sign, signed_by, verifies
from tandem.contract.value import (
    BANK,
    CARD_NOISE_BITS,
    COORDINATOR,
    PASS_NOISE_BITS,
    PROTOCOL,
    ROLES,
    SLOT_BITS,
    TELCO,
    Caps,
    Contract,
    Party,
    Role,
    Signatures,
    Telco,
)

__all__ = [
    "BANK",
    "CARD_NOISE_BITS",
    "COORDINATOR",
    "FIRST_RIDGE",
    "PASS_NOISE_BITS",
    "PROTOCOL",
    "RIDGES",
    "ROLES",
    "SLOT_BITS",
    "TELCO",
    "Caps",
    "Contract",
    "Layout",
    "Party",
    "PartyCard",
    "Role",
    "Signatures",
    "Telco",
    "dumps",
    "dumps_card",
    "loads",
    "loads_auditor",
    "loads_card",
    "public_hex",
    "sign",
    "signed_by",
    "verifies",
]
