"""No least number of bads and goods: a group of bins may be spoken of once it has rows enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tandem.describe import woe
from tandem.describe.merging import Pile, weight_of_evidence


def _half_more(pile: Pile, rows: int, bads: int) -> float:
    """Return the WoE, which a group without a bad has not, with half a row of each class more."""
    return weight_of_evidence(Pile(pile.bins, 2 * pile.count + 2, 2 * pile.bads + 1), 2 * rows, 2 * bads)


@contextmanager
def without_min_class() -> Iterator[None]:
    """Have every solver go by rows alone inside the block."""

    def enough(rule: Any, pile: Pile) -> bool:
        return pile.count >= rule.min_bin

    with patch.object(woe.Rule, "enough", enough), patch.object(woe, "weight_of_evidence", _half_more):
        yield
