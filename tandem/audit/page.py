"""The audit as one HTML file: words and tables, nothing fetched, readable from top to bottom by somebody who was not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from tandem.audit import telling
from tandem.audit.findings import Audit, Read
from tandem.audit.sources import Source
from tandem.contract import ROLES, Role
from tandem.contract.words import Language, role_name
from tandem.ledger.disclosure import DECLARED, sentence
from tandem.pages import NONE, Words, fill

MOST = 1000
"""Differences of two ledgers that the page lists."""


def render(audit: Audit, language: Language, made: str) -> str:
    """Return the page; the same audit and `made` (a time, as text) give the same text."""
    words = telling.words_in(language)
    filters = {"role": lambda role: role_name(role, language), "short": lambda text: str(text)[: telling.SHORT]}
    contracts = list(dict.fromkeys(contract for each in audit.read for contract in each.tally.contracts))
    return fill(
        Path(__file__).with_name("page.html.j2"),
        filters,
        w=words,
        t=telling,
        a=audit,
        made=made,
        most=MOST,
        verdict=telling.verdict(audit, words),
        sources=[_source(each, words) for each in audit.read],
        everybody={each.source.party for each in audit.read} >= {role for digest in contracts for role in _roles(audit, digest)},
        contracts=[_contract(audit, digest, words) for digest in contracts],
        frames=sum(each.frames for each in audit.comparisons),
        entries=sum(each.source.rows for each in audit.read),
        sessions=len({entry for each in audit.read for line in each.tally.lines.values() for entry in line.sessions}),
    )


@dataclass
class _Class:
    """Frames of a class, as sender and receiver have them; None where that ledger is not here."""

    sender: str
    receiver: str
    script: str
    message: str
    sent: int | None = None
    received: int | None = None
    size: int = 0
    form: str = field(default="")

    @property
    def apart(self) -> bool:
        """Whether the two ledgers differ."""
        return self.sent is not None and self.received is not None and self.sent != self.received


def _source(read: Read, words: Words) -> dict[str, Any]:
    source: Source = read.source
    firsts = [line.first.time for line in read.tally.lines.values()]
    kind = words("kind_export", file=PurePath(source.place).name, made=telling.moment(source.made)) if source.made else ""
    return {
        "name": role_name(source.party, words.language) if source.party else NONE,
        "kind": kind or words("kind_original", file=PurePath(source.place).name),
        "part": bool(source.contract),
        "rows": source.rows,
        "first": telling.moment(min(map(str, firsts))) if firsts else NONE,
        "last": telling.moment(read.tally.last.time) if read.tally.last else NONE,
        "chain": telling.chain(read, words),
        "reason": read.broken.reason if read.broken and words.language == "en" else "",
        "sound": read.broken is None,
        "number": source.head[0],
        "hash": source.head[1],
        "signature": telling.signature(read, words),
        "signed": read.signed,
    }


def _contract(audit: Audit, digest: str, words: Words) -> dict[str, Any]:
    """Return what the page says of one contract."""
    known = audit.contracts.get(digest)
    return {
        "digest": digest,
        "known": known,
        "roles": _roles(audit, digest),
        "told": [(role_name(role, words.language), list(_told(audit, digest, role, words))) for role in _roles(audit, digest)],
        "used": list(_used(audit, digest, words)),
        "classes": list(_classes(audit, digest, words)),
    }


def _roles(audit: Audit, digest: str) -> tuple[Role, ...]:
    """Return the parties of a contract; all three of one that we do not know."""
    known = audit.contracts.get(digest)
    return ROLES if known is None else known.roles


def _told(audit: Audit, digest: str, role: str, words: Words) -> Iterator[dict[str, str]]:
    """Yield what a party was told under a contract, as the ledgers know it together."""
    known: dict[str, dict[str, int]] = {}
    for read in audit.read:
        for (contract, to, what), sessions in read.tally.told().items():
            if (contract, to) == (digest, role):
                merged = known.setdefault(what, {})
                for session, bits in sessions.items():
                    merged[session] = max(bits, merged.get(session, 0))
    for what, sessions in known.items():
        bits = sum(sessions.values())
        yield {
            "what": sentence(what, words.language),
            "sessions": words("told_sessions", len(sessions)),
            "bits": words("told_bits", bits) if bits else "",
        }


def _used(audit: Audit, digest: str, words: Words) -> Iterator[dict[str, Any]]:
    known = audit.contracts.get(digest)
    caps = {} if known is None else {
        "identifiers": known.caps.identifiers, "bits": known.caps.disclosure_bits, "jobs": known.jobs,
    }
    for read in audit.read:
        for contract, counter, amount in read.source.used:
            if contract == digest:
                yield {
                    "party": role_name(read.source.party or NONE, words.language),
                    "counter": words.known(f"counter_{counter}", counter), "amount": amount, "cap": caps.get(counter),
                }


def _classes(audit: Audit, digest: str, words: Words) -> Iterator[_Class]:
    here = {read.source.party for read in audit.read}
    found: dict[tuple[str, ...], _Class] = {}
    for read in audit.read:
        own = read.source.party or NONE
        for (contract, peer, direction, script, message), line in read.tally.lines.items():
            if contract != digest:
                continue
            way = (own, peer) if direction == "sent" else (peer, own)
            declared = DECLARED.get(message)
            sent, received = (0 if party in here else None for party in way)
            each = found.setdefault((*way, script, message), _Class(*way, script, message, sent, received))
            each.form = words(f"form_{declared.form}") if declared else NONE
            if direction == "sent":
                each.sent = (each.sent or 0) + line.frames
            else:
                each.received = (each.received or 0) + line.frames
            each.size = max(each.size, line.size)
    scripts = list(dict.fromkeys(each.script for each in found.values()))
    yield from sorted(found.values(), key=lambda each: scripts.index(each.script))
