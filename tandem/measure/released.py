"""Released totals of a measurement as a message and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tandem.errors import Malformed
from tandem.measure.terms import Terms
from tandem.measure.withholding import WITHHELD, Told
from tandem.wire.messages import Measured


def tell(told: Sequence[Told], failed: str = "") -> Measured:
    """Return the message that releases `told`, or that says which check failed."""
    return Measured(
        joined=tuple(at for one in told for at in one.joined),
        counts=tuple(int(count) for one in told for count in one.counts.ravel()),
        failed=failed,
    )


def hear(said: Measured, terms: Terms) -> tuple[Told, ...]:
    """Return what was released; nothing where a check failed. Raises Malformed if it does not fit the contract's segments."""
    if said.failed:
        return ()
    if len(said.joined) != terms.codes or min(said.counts, default=0) < WITHHELD:
        raise Malformed("released totals of other segments than the contract names")
    found, first, taken = [], 0, 0
    for codes in terms.levels:
        joined = said.joined[first : first + codes]
        levels = max(joined) + 1
        if set(joined) != set(range(levels)):
            raise Malformed("released totals in which a level is told for nobody")
        counts = said.counts[taken : taken + levels * terms.width]
        if len(counts) != levels * terms.width:
            raise Malformed("released totals that are cut short")
        found.append(Told(joined, np.array(counts, dtype=np.int64).reshape(levels, terms.groups, len(terms.outcomes))))
        first, taken = first + codes, taken + len(counts)
    if taken != len(said.counts):
        raise Malformed("released totals of more levels than there are")
    return tuple(found)
