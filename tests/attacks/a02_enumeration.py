"""A2, by the bank: ask for every number there is.

The range is cut into queries that a single job may have. Each is asked in a job of its own, in the hope that the count is kept by job or
in memory, and each job is played a second time with the part that comes next; the first one asks for everything and declares a part.
Procedure: enumeration of the input domain, which no private set intersection stops by itself (Kales, Rechberger, Schneider, Senker and
Weinert, "Mobile private contact discovery at scale", USENIX Security 2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Try(NamedTuple):
    """One opening: number of the job, attempt at it, how many identifiers it declares, and those that it asks."""

    job: int
    attempt: int
    declared: int
    asked: list[bytes]


def tries(numbers: Sequence[bytes], most: int) -> Iterator[Try]:
    """Yield what is asked, in order; at most `most` a job."""
    yield Try(0, 1, most, list(numbers))
    for first in range(0, len(numbers), most):
        part, after = list(numbers[first : first + most]), list(numbers[first + most : first + 2 * most])
        yield Try(1 + first, 1, len(part), part)
        if len(after) == len(part):
            yield Try(1 + first, 2, len(part), after)
