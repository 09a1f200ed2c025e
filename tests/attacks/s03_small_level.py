"""S3 in a measurement: a small level is worked out by taking what is told from what the bank knows over all levels.

Who: the bank, following the protocol. Procedure: of each segment and group, own total less the levels that are told; what is left
belongs to the withheld ones, and if that is one code, it is that level's people. Source: protocols part 3 and our reading of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attacked.views import View

from tandem.wire.messages import Measured


def left_over(view: View, codes: Sequence[int], width: int, total: int) -> list[dict[int, int]]:
    """Return, a segment each, how many of the first group's `total` people are at each code of which a number can be told."""
    said: Measured = view.messages(Measured, sent=False)[-1]
    found, first, at = [], 0, 0
    for size in codes:
        joined = np.array(said.joined[first : first + size])
        told = int(joined.max()) + 1
        counts = np.array(said.counts[at : at + told * width]).reshape(told, width)[:, 0]
        hidden = np.flatnonzero(counts < 0)
        numbers = {level: int(count) for level, count in enumerate(counts) if count >= 0}
        if len(hidden) == 1:
            numbers[int(hidden[0])] = total - sum(numbers.values())
        alone = {level: np.flatnonzero(joined == level) for level in numbers}
        found.append({int(at[0]): numbers[level] for level, at in alone.items() if len(at) == 1})
        first, at = first + size, at + told * width
    return found
