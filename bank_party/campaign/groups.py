"""Three disjoint groups: control by the bank's own rule, low and high at random from the pool by the model's probability.

The control group takes the most card payments in the past, then the largest balance; what is still tied goes by lot. It is drawn first, so
nobody whom the old rule would have contacted is counted for the model. Groups drawn by a rule are no randomised experiment: the control
group differs in kind from the model groups, as it did in the deck.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bank_party.campaign.pool import Mask, People
from tandem.arguments import Chance
from tandem.errors import InputError
from tandem.sums.terms import Integers

Name = Literal["control", "low", "high"]
GROUPS: tuple[Name, ...] = ("control", "low", "high")
_EMPTY = {
    "control": "no customer is left to contact: check the identifiers of the table",
    "low": "lower pool_floor, raise threshold, or make the control group smaller",
    "high": "lower threshold, or make the control group smaller",
}


@dataclass(frozen=True)
class Group:
    """A group: rows drawn, ascending, of so many who could have been."""

    name: Name
    rows: Integers = field(repr=False)
    available: int

    @property
    def size(self) -> int:
        """People in it."""
        return len(self.rows)


def draw(people: People, candidates: Mask, threshold: float, wanted: Mapping[Name, int], chance: Chance) -> list[Group]:
    """Return control, low, high, of the wanted sizes or as many as there are. The same chance gives the same groups.

    Raises InputError for a group that is empty.
    """
    lots = np.random.Generator(np.random.PCG64(int.from_bytes(chance.draw(32), "big")))
    lot = lots.permutation(len(people))
    order = np.lexsort((lot, -_ranked(people.balance), -_ranked(people.payments)))
    ruled = order[people.contactable[order]]
    free = np.ones(len(people), dtype=np.bool_)
    groups = []
    for name in GROUPS:
        if name == "control":
            queue = ruled
        else:
            of_group = free & candidates & ((people.probability >= threshold) == (name == "high"))
            queue = np.flatnonzero(of_group)[np.argsort(lot[of_group])]
        if not len(queue):
            raise InputError(f"group {name} is empty: {_EMPTY[name]}")
        rows = np.sort(queue[: wanted[name]]).astype(np.int64)
        free[rows] = False
        groups.append(Group(name, rows, len(queue)))
    return groups


def _ranked(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the values with missing ones last."""
    return np.where(np.isnan(values), -np.inf, values)
