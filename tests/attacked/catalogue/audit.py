"""Line S8: the audit of a bank's rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cache
from pathlib import Path

from attacks.s08_numbered_rows import caught, facade, frank, in_form, numbered
from three_parties import paillier_key

from attacked.audits import Cheat, Honest, small_terms
from attacked.catalogue import Line
from attacked.results import ALL, NONE, Result, Size, at_guess, rate
from attacked.weak.trusting_audit import without_comparing, without_counting, without_digests, without_ranges
from bank_party.sealings import KeptRows
from tandem.audit.received import layout_of
from tandem.node import disk
from tandem.node.plain import pack, restore, unpack

CRAFTED = 100
"""One row in so many is numbered."""
AS_OFTEN = replace(at_guess(), text="found as often as 1 - (1 - k/N)^q, within 3 standard errors")


@cache
def cheat(bits: int, rows: int) -> Cheat:
    return Cheat.make(bits, rows, lambda plain: numbered(plain, range(0, rows, CRAFTED)))


@cache
def masked_cheat() -> Cheat:
    """Return a bank that numbers 13 rows in honest form among zeros."""
    terms = small_terms(512, 2000)
    place = layout_of(terms, "train").place
    return Cheat.make(512, 2000, lambda plain: in_form(len(plain), range(13), terms.largest, lambda row: place((*row, 0, 0), 0)))


def escapes(
    show: Callable, drawn: int, taken_out: Callable[[], AbstractContextManager], made: Callable[[], Cheat] = lambda: cheat(512, 2000)
) -> Callable[[Size], Result]:
    """Return the trial of how often the bank gets away with it where a check is taken out."""

    def trial(size: Size) -> Result:
        bank, audits = made(), size.of(10, 100)
        with taken_out():
            passed = sum(bank.passes(b"%d" % number, drawn, show) for number in range(audits))
        return rate("not found", passed, audits, note=f"{drawn} rows drawn")

    return trial


def found(show: Callable, drawn: int, change: int, nightly: int) -> Callable[[Size], Result]:
    """Return the trial of the shipped audit: how often it finds the bank."""

    def trial(size: Size) -> Result:
        rows, audits = size.of(2000, 10_000), size.of(change, nightly)
        bank = cheat(size.of(512, 1024), rows)
        passed = sum(bank.passes(b"%d" % number, drawn, show) for number in range(audits))
        note = f"{rows // CRAFTED} of {rows} rows crafted, {drawn} drawn"
        return rate("found", audits - passed, audits, caught(rows // CRAFTED, rows, drawn), note)

    return trial


def changed(taken_out: Callable[[], AbstractContextManager]) -> Callable[[Size], Result]:
    """Return the trial of a bank whose files were changed after sealing. Raises AssertionError if an honest one does not pass."""

    def trial(size: Size) -> Result:
        passed, tries = 0, size.of(4, 40)
        with tempfile.TemporaryDirectory() as folder:
            for number in range(tries):
                bank = Honest(Path(folder) / f"{number}", paillier_key(), 40, seed=number)
                if not bank.passes(b"honest", 10):
                    raise AssertionError("an honest bank's rows are taken for crafted ones")
                kept: KeptRows = restore(KeptRows, unpack(bank.rows_file.read_bytes()))
                disk.write(bank.rows_file, pack(_altered(kept, number)))
                with taken_out():
                    passed += bank.passes(b"changed", 10)
        return rate("passed with changed seed or row", passed, tries, note=f"{tries} honest runs passed")

    return trial


def _altered(kept: KeptRows, number: int) -> KeptRows:
    """Change the seed, or turn one row into another of honest form."""
    if number % 2:
        return replace(kept, seed=bytes(len(kept.seed)))
    rows = kept.rows.copy()
    rows[number] = rows[kept.rows[:, 0] == 1][-1]
    rows[number, -1] -= 1
    return replace(kept, rows=rows)


LINES: tuple[Line, ...] = (
    Line(
        "S8a", "numbered rows, and honest ones shown in their place", "bank", "bounded", "audit that trusts the frames it is shown",
        escapes(facade, 500, without_digests), ALL, found(facade, 500, 60, 400), AS_OFTEN,
    ),
    Line(
        "S8b", "numbered rows, opened as they are", "bank", "bounded", "audit that looks at no range",
        escapes(frank, 70, without_ranges), ALL, found(frank, 70, 100, 500), AS_OFTEN,
    ),
    Line(
        "S8c", "seed or rows changed after sealing; honest runs pass", "bank", "bounded", "frames sealed again, compared with nothing",
        changed(without_comparing), ALL, changed(nullcontext), NONE,
    ),
    Line(
        "S8d", "rows numbered in honest form, among zeros", "bank", "bounded", "audit that does not count who trains",
        escapes(frank, 70, without_counting, masked_cheat), ALL, escapes(frank, 70, nullcontext, masked_cheat), NONE,
    ),
)
