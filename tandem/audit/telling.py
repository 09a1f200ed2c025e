"""An audit in sentences, for screen and page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from tandem.audit.findings import Audit, Read
from tandem.contract.words import Language, role_name
from tandem.ledger.comparison import Comparison, Finding
from tandem.pages import NONE, Words

WORDS = Path(__file__).with_name("words.toml")

SHORT = 16
"""Digits of a digest that a reader is shown where the whole would not fit."""


def words_in(language: Language) -> Words:
    """Return the words of screen and page."""
    return Words(WORDS, language)


def verdict(audit: Audit, words: Words) -> str:
    """Return in a line what came of it all."""
    unsound = sum(not each.sound for each in audit.read)
    if not audit.comparisons:
        return words("alone_breaks") if unsound else words("alone_holds", audit.read[0].source.rows)
    parts = []
    if unsound:
        parts.append(words("unsound", unsound))
    if audit.differences:
        parts.append(words("differ", audit.differences))
    return " ".join(parts or [words("agree")])


def extent(comparison: Comparison, words: Words) -> str:
    """Return how much was held against each other."""
    return words(
        "held", comparison.frames, sessions=words("sessions", comparison.sessions), contracts=words("contracts", comparison.contracts)
    )


def pair(comparison: Comparison, words: Words) -> str:
    """Return whose ledgers these are."""
    one, other = (role_name(party, words.language) for party in comparison.parties)
    return words("pair", one=one, other=other)


def outcome(comparison: Comparison, words: Words) -> str:
    """Return how many rows differ."""
    return words("pair_differ", len(comparison.findings)) if comparison.findings else words("pair_agree")


def finding(found: Finding, comparison: Comparison, words: Words) -> str:
    """Return what is wrong with a row, for a cell."""
    if found.kind == "changed":
        separator = ", " if words.language == "en" else "、"
        return words("finding_changed", fields=separator.join(words(f"field_{name}") for name in found.fields))
    if found.kind == "order":
        return words("finding_order")
    (party,) = found.rows
    (other,) = set(comparison.parties) - {party}
    return words("finding_alone", party=role_name(party, words.language), other=role_name(other, words.language))


def row(found: Finding, comparison: Comparison, words: Words) -> tuple[str, ...]:
    """Return the cells of a finding: what, number in each ledger, time, script, message."""
    numbers = (str(found.rows[party].number) if party in found.rows else NONE for party in comparison.parties)
    entry = found.entry
    return (finding(found, comparison, words), *numbers, moment(entry.time), str(entry.script), str(entry.message))


def heads(comparison: Comparison, words: Words) -> tuple[str, ...]:
    """Return the column heads that go with `row`."""
    numbers = (words("row_of", party=role_name(party, words.language)) for party in comparison.parties)
    return (words("finding"), *numbers, words("time"), words("script"), words("message"))


def cut_off(comparison: Comparison, words: Words) -> Iterator[str]:
    """Yield a sentence for each session that did not close and left frames that were never received."""
    ordered = sorted(comparison.unreceived, key=lambda each: (str(each.entry.session), tuple(each.rows)))
    for (session, sender), group in groupby(ordered, key=lambda each: (str(each.entry.session), next(iter(each.rows)))):
        entries = [each.entry for each in group]
        numbers: Sequence[int] = sorted(entry.number for entry in entries)
        yield words(
            "cut", len(entries), session=session[:SHORT], script=entries[0].script, sender=role_name(sender, words.language),
            first=f"{numbers[0]:,}", last=f"{numbers[-1]:,}",
        )


def signature(read: Read, words: Words) -> str:
    """Return what is known of who signed."""
    return words(f"signed_{read.signed}", key=read.source.key)


def chain(read: Read, words: Words) -> str:
    """Return whether the chain holds, or where not."""
    return words("chain_holds") if read.broken is None else words("chain_breaks", number=f"{read.broken.number:,}")


def moment(time: object) -> str:
    """Return a time to the second."""
    return str(time)[:19].replace("T", " ")
