"""How an operation is timed: the workers warm and all of them busy, or alone in this process. The clock is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from tandem.arguments import Engine

Clock = Callable[[], float]
"""Seconds since some moment."""

SECONDS = 0.25
"""How long a kernel is timed, once it is warm: with eight to ten kernels about two seconds a side."""


@dataclass
class Watch:
    """A clock, and the workers whose work it times; without an engine only what runs in this process."""

    engine: Engine | None
    workers: int
    clock: Clock

    def time(self, task: Callable[[Any], Any], items: Iterable[Any], seconds: float = SECONDS) -> float:
        """Return seconds an item: the workers are warmed up, then kept busy for about `seconds`."""
        endless = iter(items)
        self.once(task, list(islice(endless, 2 * self.workers)))
        guess = self.once(task, list(islice(endless, 2 * self.workers))) / 2
        rounds = max(1, min(64, round(seconds / max(guess, 1e-6))))
        batch = list(islice(endless, rounds * self.workers))
        return self.once(task, batch) / len(batch)

    def once(self, task: Callable[[Any], Any], items: Iterable[Any]) -> float:
        """Return the seconds of all items together."""
        if self.engine is None:
            raise RuntimeError("no engine was given to time on")
        began = self.clock()
        for _ in self.engine.map(task, items):
            pass
        return self.clock() - began

    def alone(self, work: Callable[[int], object]) -> float:
        """Return seconds a call in this process, the median of some."""
        work(0)
        began, taken = self.clock(), []
        for number in self._while(began):
            before = self.clock()
            work(number)
            taken.append(self.clock() - before)
        return float(np.median(taken))

    def _while(self, began: float) -> Iterator[int]:
        for number in range(1, 200):
            yield number
            if self.clock() - began > SECONDS / 3:
                return
