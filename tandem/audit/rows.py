"""What an honest bank's sealed row can be: the numbers of one row held against its layout, against each other, and against other passes.

    m in {0, 1};  m = 0: all other numbers are 0        a hold-out row, cover, or a job whose check failed
    y = my in {0, 1};  p = r / top + y lies in [0, 1], known up to half a step;  w = 4 top p (1 - p) up to three
    |w x_j| <= w * bound, up to one

In a measurement all numbers are 0 or 1, of one group at most, and there is no outcome without contact.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tandem.audit.received import AnyTerms, Sealing
from tandem.crypto.slots import Layout, signed_digits
from tandem.measure.terms import Terms as MeasureTerms
from tandem.sums.terms import Terms

LOOSE = 3
"""Steps by which w may differ from what label and residual say: r is rounded by 1/2, which moves 4 top p(1-p) by 2 at most; w by 1/2."""
BY_CHANCE = 1e-6
"""Chance at which an honest bank's draw is taken for one with too few training rows."""


def values(layout: Layout, plain: Sequence[int]) -> list[int] | None:
    """Return the numbers in a row's plaintexts, in slot order; None if there is anything else in them (K9)."""
    found: list[int] = []
    for part, number in enumerate(plain):
        found += signed_digits(number, layout.width, len(layout.part(part)))
    return found if all(layout.place(found, part) == number for part, number in enumerate(plain)) else None


def faults(terms: AnyTerms, layout: Layout, row: Sequence[int]) -> Iterator[str]:
    """Yield what no honest row has, as the audit's words call it."""
    if not all(slot.low <= value <= slot.high for slot, value in zip(layout.slots, row, strict=True)):
        yield "range"
    elif isinstance(terms, MeasureTerms):
        yield from _measured(terms, row)
    elif len(row) > 1:  # weights alone are held against the rows that they belong to
        yield from _trained(terms, row)


def _trained(terms: Terms, row: Sequence[int]) -> Iterator[str]:
    m, label, *rest = row
    if not m:
        if any(row):
            yield "not_zero"
        return
    if not rest:
        return
    top, (w, r, *columns) = terms.largest, rest
    p = r / top + label
    if not 0 <= p <= 1 or abs(w - 4 * top * p * (1 - p)) > LOOSE:
        yield "weight"
    if any(abs(value) > w + 1 for value in columns):
        yield "column"


def _measured(terms: MeasureTerms, row: Sequence[int]) -> Iterator[str]:
    step = len(terms.outcomes)
    groups = [row[at : at + step] for at in range(0, len(row), step)]
    if sum(any(one) for one in groups) > 1:
        yield "two_groups"
    if any(any(one) and not one[0] for one in groups):
        yield "no_contact"


def too_few_train(terms: AnyTerms, sealing: Sealing, rows: Sequence[Sequence[int]], share: float) -> bool:
    """Tell whether so few of the drawn rows train as chance gives an honest bank once in a million draws (Hoeffding, JASA 58, 1963).

    A bank that seals a few rows of honest form and zeros for all others has sums that speak of these few.
    """
    if isinstance(terms, MeasureTerms) or sealing.part:
        return False
    return sum(row[0] for row in rows) < share * len(rows) - math.sqrt(len(rows) * math.log(1 / BY_CHANCE) / 2)


def disagree(terms: AnyTerms, one: Sequence[int], other: Sequence[int]) -> Iterator[str]:
    """Yield what differs between rows of one person in two passes of a job that may not: label, own columns. Rows of zeros say nothing."""
    if isinstance(terms, MeasureTerms):
        if list(one) != list(other):
            yield "differs"
        return
    if min(len(one), len(other)) < 2 or not (one[0] and other[0]):
        return
    if one[1] != other[1]:
        yield "label_differs"
    # w, w', w x and w' x are rounded by 1/2 each, and |x| is at most 1 in these units: w x w' - w' x w is at most w + w' + 3/2
    if any(abs(a * other[2] - b * one[2]) > one[2] + other[2] + 2 for a, b in zip(one[4:], other[4:], strict=False)):
        yield "column_differs"
