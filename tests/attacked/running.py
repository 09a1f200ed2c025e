"""The whole catalogue, and how a line is run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from attacked.catalogue import Line, Trial, alignment, audit, codes, keys, labels, network
from attacked.results import Result, Size

LINES: tuple[Line, ...] = (*alignment.LINES, *keys.LINES, *codes.LINES, *audit.LINES, *labels.LINES, *network.LINES)


@dataclass(frozen=True)
class Tried:
    """A line with what it came to: the fixture must fall, the shipped code must hold."""

    line: Line
    weakened: Result
    shipped: Result

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with it, in words; nothing if both gates are met."""
        line, found = self.line, []
        if not line.control.holds(self.weakened):
            found.append(f"{line.id}: the attack no longer succeeds on its fixture ({self.weakened.shown}; wanted {line.control.text})")
        if not line.gate.holds(self.shipped):
            found.append(f"{line.id}: the shipped code does not meet its gate ({self.shipped.shown}; wanted {line.gate.text})")
        return tuple(found)


def run(line: Line, size: Size, clock: Callable[[], float] = time.perf_counter) -> Tried:
    """Try a line on its fixture and on the shipped code."""
    return Tried(line, _timed(line.weakened, size, clock), _timed(line.shipped, size, clock))


def _timed(trial: Trial, size: Size, clock: Callable[[], float]) -> Result:
    began = clock()
    found = trial(size)
    return found.timed(clock() - began, size.seeds)
