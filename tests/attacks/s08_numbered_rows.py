"""S8: a bank numbers rows of the customers whose bins it is after, and tries to pass the audit of its rows.

Who: the bank, after a job in which it sealed P = 2^i for target i (S1); the other rows are honest.
Procedure: the sums of a bin spell out which targets are in it. When an auditor draws rows, the bank opens what it sealed (`frank`), or,
where a target was drawn, shows honest rows in place of those it sent (`facade`). Or it gives the numbers the form of honest
rows, and zeros to everybody else, as if all others were held out (`in_form`).
Source: protocols part 7, "commit and audit"; the rate at which k crafted rows of N are in a draw of q is 1 - (1 - k/N)^q.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


def numbered(plain: Sequence[int], targets: Sequence[int]) -> list[int]:
    """Return the plaintexts with the targets' replaced: 2^1 for the first, 2^2 for the second. 2^0 would be a row of honest form."""
    crafted = list(plain)
    for bit, target in enumerate(targets, 1):
        crafted[target] = 1 << bit
    return crafted


def in_form(count: int, targets: Sequence[int], top: int, place: Callable[[Sequence[int]], int]) -> list[int]:
    """Return plaintexts that are all zeros but for the targets': there r is 2^1, 2^2, ... and w that of the score which gives this r.

    Label 0, no column; `top` is the largest value of a slot, `place` packs (m, m*y, w, r).
    """
    crafted = [0] * count
    for bit, target in enumerate(targets, 1):
        p = (1 << bit) / top
        crafted[target] = place((1, 0, round(4 * top * p * (1 - p)), 1 << bit))
    return crafted


def frank(honest: Sequence[int], sent: Sequence[int], drawn: Sequence[int]) -> Sequence[int]:
    """Return the plaintexts to show: those that were sent."""
    del honest, drawn
    return sent


def facade(honest: Sequence[int], sent: Sequence[int], drawn: Sequence[int]) -> Sequence[int]:
    """Return the plaintexts to show: honest ones, as soon as one that was drawn is not."""
    return honest if any(honest[row] != sent[row] for row in drawn) else sent


def caught(crafted: int, rows: int, drawn: int) -> float:
    """Return the rate at which a draw of so many holds a crafted row."""
    return float(1.0 - (1.0 - crafted / rows) ** drawn)
