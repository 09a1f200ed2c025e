"""The whole catalogue, and how a line is run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from string import ascii_lowercase

from attacked.catalogue import NAMED, Line, Trial, alignment, audit, budgets, codes, exposure, keys, labels, network
from attacked.results import Result, Size

GROUPS = (alignment, keys, codes, exposure, audit, labels, network, budgets)
LINES: tuple[Line, ...] = tuple(sorted(
    (line for group in GROUPS for line in group.LINES), key=lambda line: (NAMED.index(line.id.rstrip(ascii_lowercase)), line.id)
))


@dataclass(frozen=True)
class Tried:
    """A line with what it came to: the fixture must fall, the shipped code must hold."""

    line: Line
    weakened: Result
    shipped: Result
    sentence: str = ""
    """Of a printed one: what the user reads."""
    commit: str = ""
    """What was tried: the commit, with a + if the tree was not clean."""

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with it, in words; nothing if both gates are met."""
        line, found = self.line, []
        if not line.control.holds(self.weakened):
            found.append(f"{line.id}: the attack no longer succeeds on its fixture ({self.weakened.shown}; wanted {line.control.text})")
        if not line.gate.holds(self.shipped):
            found.append(f"{line.id}: the shipped code does not meet its gate ({self.shipped.shown}; wanted {line.gate.text})")
        if line.outcome == "printed" and not self.sentence.strip():
            found.append(f"{line.id}: no sentence says what it can do")
        return tuple(found)


def run(line: Line, size: Size, clock: Callable[[], float] = time.perf_counter) -> Tried:
    """Try a line on its fixture and on the shipped code."""
    sentence = line.sentence() if line.sentence is not None else ""
    return Tried(line, _timed(line.weakened, size, clock), _timed(line.shipped, size, clock), sentence)


def _timed(trial: Trial, size: Size, clock: Callable[[], float]) -> Result:
    began = clock()
    found = trial(size)
    return found.timed(clock() - began, size.seeds)
