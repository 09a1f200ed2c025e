"""What a summer's variables look like, told to those who must count them: outlines and, for the solver, roster rows by bin."""

from __future__ import annotations

import numpy as np

from tandem.errors import InputError, Malformed
from tandem.sums.terms import Integers
from tandem.tables import Outline
from tandem.wire.messages import Shapes

LEAST_ROWS_A_TOTAL = 10
"""With fewer training rows than this for each independent total, totals tell about rows (T9)."""
FEW_ROWS_A_TOTAL = 50
"""Below this many, the owner of the rows is warned."""

MISSING, REST = 1, 2
"""Flags of `Shapes.special`."""


def tell(outlines: list[Outline], counts: list[Integers] | None = None) -> Shapes:
    """Return the message; with `counts`, the solver's version."""
    return Shapes(
        tuple(o.alias for o in outlines),
        tuple(o.bins for o in outlines),
        tuple(o.ordered for o in outlines),
        tuple(MISSING * o.missing + REST * o.rest for o in outlines),
        () if counts is None else tuple(int(c) for part in counts for c in part),
    )


def hear(said: Shapes, *, rows: int | None = None) -> tuple[list[Outline], list[Integers]]:
    """Return outlines and, where `rows` is given, the counts of each variable's bins. Raises Malformed if they do not fit together."""
    if len({len(said.aliases), len(said.bins), len(said.ordered), len(said.special)}) != 1 or len(set(said.aliases)) != len(said.aliases):
        raise Malformed("shapes whose lists differ in length, or an alias twice")
    if not said.aliases or max(said.special) > MISSING | REST:
        raise Malformed("shapes of no variable, or with a flag that is none")
    try:
        outlines = [
            Outline(alias, bins, ordered, missing=bool(special & MISSING), rest=bool(special & REST))
            for alias, bins, ordered, special in zip(said.aliases, said.bins, said.ordered, said.special, strict=True)
        ]
    except InputError as error:
        raise Malformed(f"shapes that no table has: {error}") from None
    if rows is None:
        return outlines, []
    if len(said.counts) != sum(said.bins):
        raise Malformed("shapes whose counts do not come one a bin")
    if max(said.counts) > rows:
        raise Malformed("shapes that count more rows in a bin than the roster has")
    counts = np.split(np.array(said.counts, dtype=np.int64), np.cumsum(said.bins)[:-1])
    if any(int(part.sum()) != rows for part in counts):
        raise Malformed("shapes whose counts do not add up to the roster")
    return outlines, counts


def independent(outlines: list[Outline]) -> int:
    """Return how many independent totals one slot gives: bins less one, over all variables."""
    return sum(outline.bins - 1 for outline in outlines)


def require_offered(outlines: list[Outline], variables: int) -> list[Outline]:
    """Return the outlines if they are as many as the contract names, whichever of them are used. Raises Malformed."""
    if len(outlines) != variables:
        raise Malformed(f"{len(outlines)} variables are offered where the contract names {variables}")
    return outlines


def require_rows(outlines: list[Outline], rows: int, *, exact: bool = False) -> None:
    """Refuse to sum over too few training rows, whoever would see the totals. Raises InputError; tells nothing that hangs on labels.

    Exact standard errors add a total for each pair of variables.
    """
    sums = independent(outlines) + (len(outlines) * (len(outlines) - 1) // 2 if exact else 0)
    if rows < LEAST_ROWS_A_TOTAL * sums:
        other = ', or a contract with se = "approximate"' if exact else ""
        raise InputError(
            f"{rows} training rows for {sums} totals; at least {LEAST_ROWS_A_TOTAL} a total are needed: take fewer variables or bins{other}"
        )
