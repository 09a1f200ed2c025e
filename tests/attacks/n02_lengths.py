"""N2, by whoever reads the line: lengths of frames alone, in their order, tell two secrets apart.

It plays either secret itself a few times and takes an unknown transcript for the one whose lengths lie nearer. Source: traffic analysis of
encrypted records, as in Dyer et al., Peek-a-Boo, I Still See You (IEEE S&P 2012).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attacked.views import View

Lengths = tuple[tuple[str, int], ...]


def lengths(views: Sequence[View]) -> Lengths:
    """Return (link and direction, length) of every frame on the line, link by link."""
    return tuple((f"{view.role} > {one.peer}", len(one.frame)) for view in views for one in view.seen if one.sent)


def which(unknown: Lengths, left: Sequence[Lengths], right: Sequence[Lengths]) -> int:
    """Return 0 if the unknown transcript is nearer to what the left secret gave, 1 if to the right's; 0 where it cannot tell."""
    return int(min(_apart(unknown, one) for one in right) < min(_apart(unknown, one) for one in left))


def _apart(one: Lengths, other: Lengths) -> float:
    if [link for link, _ in one] != [link for link, _ in other]:
        return float("inf")
    return float(np.abs(np.subtract([size for _, size in one], [size for _, size in other])).sum())
