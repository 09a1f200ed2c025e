"""How many operations each side of a study does, stage by stage. Pure counts: what one of them costs is measured elsewhere.

The counts follow the roles' own code, and take their cutting into tasks and groups from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from tandem.crypto.slots import Layout
from tandem.plan.job import Job
from tandem.score.summer import JOINT_LIMIT, SLOTS_A_TASK
from tandem.sums.cells import best_groups, halving_cost


@dataclass(frozen=True)
class Identifier:
    """What one identifier costs one side of an alignment."""

    hashes: int = 0
    """To the group."""
    points: int = 0
    """Points multiplied."""
    sums: int = 0
    """Points added."""


BLINDED = Identifier(hashes=1, points=1)
"""The seeker's before it asks."""
ANSWERED = Identifier(points=1)
"""The holder's: the proof is one for the whole alignment."""
CHECKED = Identifier(points=3, sums=2)
"""The seeker's once it has the answers: two weighted sums for the proof, and the blind taken off."""
TAGGED = Identifier(hashes=1, points=1)
"""The holder's for each row of its table, once a contract."""


@dataclass(frozen=True)
class Folding:
    """What the summer does with sealed rows: ciphertexts checked, products in workers while rows come, products in each worker after."""

    admitted: int
    products: int
    halved: int
    cells: int
    """Ciphertexts that each worker holds."""


@dataclass(frozen=True)
class Filling:
    """What the summer does to score the roster: squarings and products in workers, products in its own process after."""

    squared: int
    products: int
    merged: int


def folding(job: Job, layout: Layout, workers: int) -> Folding:
    """Return what summing the roster's rows takes, spread over `workers`."""
    copies, rows = layout.ciphertexts, job.matched
    groups = [[job.bins[j] for j in group] for group in best_groups(rows, job.bins, copies)]
    # Cells that no row of a worker fell into cost nothing; the joint table is gone through twice, all smaller ones are full.
    halved = sum(halving_cost(bins) - 2 * max(0, prod(bins) - -(-rows // workers)) for bins in groups if len(bins) > 1)
    cells = copies * sum(map(prod, groups))
    return Folding(rows * copies, rows * copies * len(groups), copies * max(0, halved), cells)


def filling(job: Job) -> Filling:
    """Return what scoring the roster takes."""
    groups, table = joint(job.bins, job.packs)
    tasks = -(-job.slots // SLOTS_A_TASK)
    return Filling(job.total * (job.slots - 1), job.matched * groups + job.slots * table, tasks * job.packs)


def joint(bins: Sequence[int], rows: int) -> tuple[int, int]:
    """Return (groups of variables, products for their joint tables) at one slot: as many to a group as `score.summer` puts there."""
    groups = table = 0
    size = JOINT_LIMIT + 1
    for own in bins:
        if groups and size * own <= min(JOINT_LIMIT, rows // 2):
            size *= own
            table += size
        else:
            groups, size = groups + 1, own
    return groups, table
