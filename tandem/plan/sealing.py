"""Time what only the sealer does: it holds the secret key, so neither node may import this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from tandem.align.tags import WIDTH, Shelf
from tandem.arguments import Chance, Engine
from tandem.crypto.opening import SealRows, SecretKey
from tandem.crypto.paillier import Blinded, Foreign
from tandem.crypto.slots import Layout
from tandem.plan.kernels import SAMPLE
from tandem.plan.watch import SECONDS, Clock, Watch
from tandem.sums.sealer import OpenChunk
from tandem.train.pooled import fit

ROWS = 25
"""Rows of one sealing task: some 10 to 50 ms, as long as a worker waits for its next one without harm."""


@dataclass(frozen=True)
class Sealing:
    """What the sealer alone does, in seconds an operation, and what its workers need before the first one."""

    seal: float
    """Seal one ciphertext."""
    open: float
    """Admit and open one ciphertext."""
    remember: float
    """Note one ciphertext's randomness; in the node's own process, as all that follow."""
    fit: float
    """One row and one column of a logistic fit, to its end."""
    shelve: float
    """Shelve and sort one tag."""
    framing: float
    """Make a frame of a byte and read it again, without network."""
    start: float
    """Start the workers, once."""
    tables: float
    """Build the tables of the key in all workers, once."""


def measure(
    secret: SecretKey, layout: Layout, columns: int, engine: Engine, workers: int, chance: Chance, clock: Clock,
    frame: Callable[[Blinded], object],
) -> Sealing:
    """Return how fast this machine does what a sealer with `columns` of its own does. `frame` makes and reads a frame of sealed rows."""
    watch = Watch(engine, workers, clock)
    rows = np.zeros((ROWS, len(layout.slots)), dtype=np.int64)
    start = watch.once(abs, range(workers))
    task = SealRows(secret, layout, chance.fork("plan"))
    numbers = count()
    tables = watch.once(task, ((next(numbers), rows[:1]) for _ in range(workers)))
    seal = watch.time(task, ((next(numbers), rows) for _ in count()), 3 * SECONDS) / (len(rows) * layout.ciphertexts)
    sealed, many = engine.map(task, ((next(numbers), rows[:size]) for size in (4, len(rows))))  # not here: this process needs no tables
    opened = watch.time(OpenChunk(secret), (Foreign(sealed.encode()) for _ in count())) / len(sealed)
    rng = np.random.default_rng(int.from_bytes(chance.draw(8), "little"))
    x = np.column_stack((np.ones(SAMPLE // 2), rng.normal(size=(SAMPLE // 2, columns))))
    y = (rng.random(len(x)) < 1.0 / (1.0 + np.exp(-x[:, 1:3].sum(axis=1)))).astype(np.int64)
    tags = chance.draw(WIDTH * SAMPLE)

    def shelve(_: int) -> None:
        shelf = Shelf(SAMPLE)
        shelf.extend(tags)
        shelf.sort()

    return Sealing(
        seal=seal, open=opened, remember=watch.alone(lambda _: many.remember(set())) / len(many),
        fit=watch.alone(lambda _: fit(x, y)) / x.size, shelve=watch.alone(shelve) / SAMPLE,
        framing=watch.alone(lambda _: frame(many)) / len(many.encode()), start=start, tables=max(0.0, tables - seal * workers),
    )
