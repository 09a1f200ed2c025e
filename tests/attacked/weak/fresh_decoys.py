"""Cover drawn by the bank, anew in each contract: f - 1 strangers for each customer, for it cannot draw the same ones twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from attacked.views import changed
from tandem.wire.messages import Roster


def with_decoys(table: int, cover: int, seed: int) -> Callable[[Any], Any]:
    """Return what makes a shipped seeker, aligned without cover groups, name strangers too: as many as there are, at most."""
    rng = np.random.default_rng(seed)

    def add(roster: Roster) -> Roster:
        own = np.frombuffer(roster.positions, "<u4")
        others = np.setdiff1d(np.arange(table, dtype=np.uint32), own)
        drawn = rng.choice(others, min(len(others), (cover - 1) * len(own)), replace=False)
        return Roster(np.sort(np.concatenate((own, drawn))).astype("<u4").tobytes())

    return lambda seeker: changed(seeker, Roster, add)
