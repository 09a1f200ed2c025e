"""A party's file: can it be read, what do its identifiers look like, does it fit the contract. Counts, never values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import get_args

from tandem.align.identifiers import Form, Identifiers, normalise
from tandem.contract import Contract
from tandem.doctor.findings import Finding, failed, ok, warning, wrong
from tandem.errors import TandemError
from tandem.node.side import Holding

TASTED = 10_000
"""Rows from which other forms are guessed."""
LIKELY = 0.9
"""Share of well-formed identifiers from which a form is named as the likely one."""


def look(holding: Holding, contract: Contract | None) -> Iterator[Finding]:
    """Look at the table, and hold it against the contract where there is one."""
    source = holding.source
    try:
        table = holding.read()
    except TandemError as error:
        yield failed(holding.name, error)
        return
    yield ok(holding.name, f"{table.rows} rows, {len(table.columns)} columns beside {source.id!r}")
    if contract is None:
        form = likely(table.ids)
        yield ok(_identifiers(holding), f"most look like {form}" if form else "of no form but text")
        return
    count = _counts(table.ids, contract.identifier)
    yield _judged(count, table.rows, contract.identifier, table.ids, holding)
    try:
        holding.fit(contract, table)
    except TandemError as error:
        yield failed(holding.name, error)
    else:
        yield ok(holding.name, f"fits contract {contract.id[:8]}")


def strangers(holding: Holding, contracts: Sequence[Contract]) -> Iterator[Finding]:
    """Tell of ids that the table was given to and that begin no contract's."""
    for text in holding.named:
        if not any(contract.id.startswith(text) for contract in contracts):
            told = f"it is for contract {text}, and none in the folder of contracts is called so"
            yield warning(holding.name, told, "put that contract there, or mend the id")


def _identifiers(holding: Holding) -> str:
    return "identifiers" if holding.name == "table" else f"identifiers, {holding.name}"


def likely(values: Sequence[str | None]) -> str:
    """Return the form that most of the first rows have, "" if none but text, which anything has."""
    taste = values[:TASTED]
    for form in get_args(Form):
        if form != "text" and taste and _good(_counts(taste, form)) >= LIKELY * len(taste):
            return str(form)
    return ""


def _counts(values: Sequence[str | None], form: Form) -> Identifiers:
    return normalise(values, form, "first", drop_bad=True)


def _good(count: Identifiers) -> int:
    return len(count) + count.repeated


def _judged(count: Identifiers, rows: int, form: Form, values: Sequence[str | None], holding: Holding) -> Finding:
    source, subject = holding.source, _identifiers(holding)
    text = (
        f"{len(count)} of {rows} look like {form}, {count.malformed} malformed, {count.empty} empty, {count.repeated} repeated; "
        f"the contract says {form}"
    )
    other = likely(values)
    if _good(count) < rows / 2:
        hint = f"most look like {other}: " if other and other != form else ""
        return wrong(subject, text, f"{hint}name the right column as table.id, or agree on another form in a new contract")
    remedies = []
    if (count.malformed or count.empty) and not source.drop_bad:
        remedies.append("mend the file, or leave those rows out with drop_bad = true")
    if count.repeated and source.keep == "error":
        remedies.append('keep one row a person, or say keep = "first" or "last"')
    if remedies:
        return wrong(subject, text, "; ".join(remedies))
    if count.malformed or count.empty or count.repeated:
        return warning(subject, text, "rows that are left out cannot match: mend the file if they are many")
    if form != "text" or not other:
        return ok(subject, text)
    remedy = f"ask the other side: a contract in form {other} would match more spellings"
    return warning(subject, f"{text}, yet most look like {other}", remedy)
