"""Who counts as one bank: a signing key, and every other key that shares its name or a TLS key, or that the operator says belongs to it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from tandem.contract import Contract
from telco_party.limits import Limits

Known = tuple[tuple[str, str], ...]
"""(signing key, mark) of every bank that a contract was used with."""


def marks(contract: Contract) -> tuple[str, ...]:
    """Return what a bank may be known by again."""
    bank = contract.bank
    return (_named(bank.name), *(f"pin {pin}" for pin in bank.tls_pin))


def together(bank: str, known: Known, limits: Limits) -> tuple[str, ...]:
    """Return all signing keys that count as one with `bank`, sorted: whoever shares a mark with one of them is another of them."""
    if limits.pool:
        return tuple(sorted({key for key, _ in known} | {bank}))
    alike = [{_named(name) for name in names} for names in limits.same]
    group, size = {bank}, 0
    while len(group) > size:
        size = len(group)
        shared = {mark for key, mark in known if key in group}
        for names in alike:
            shared |= names if names & shared else set()
        group |= {key for key, mark in known if mark in shared}
    return tuple(sorted(group))


def name_of(group: Iterable[str], known: Known) -> str:
    """Return the names of a group for its operator."""
    names = {mark.removeprefix("name ") for key, mark in known if key in group and mark.startswith("name ")}
    return ", ".join(sorted(names))


def _named(name: str) -> str:
    return "name " + " ".join(unicodedata.normalize("NFKC", name).casefold().split())
