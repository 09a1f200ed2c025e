"""What callers make a node write into its log is bounded: a peer that is refused ten thousand times fills no disk."""

from __future__ import annotations

import time
from collections.abc import Callable

FEW, PERIOD = 60, 60.0
"""Lines that one caller can cause within so many seconds."""


class Sparing:
    """Passes on at most `FEW` lines of one caller in `PERIOD` seconds; how many were left out stands before the next line of its own.

    Callers are told apart by what they cannot choose, the pin of their key: sentences may quote what they say, and so differ each time.
    """

    def __init__(self, report: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._report, self._clock = report, clock
        self._since: dict[str, tuple[float, int]] = {}

    def __call__(self, caller: str, line: str) -> None:
        """Report the line, or count it."""
        now = self._clock()
        since, count = self._since.get(caller, (now, 0))
        if now - since >= PERIOD:
            self._left_out(count)
            since, count = now, 0
        self._since[caller] = since, count + 1
        if count < FEW:
            self._report(line)

    def close(self) -> None:
        """Say what is still left out."""
        for _, count in self._since.values():
            self._left_out(count)
        self._since.clear()

    def _left_out(self, count: int) -> None:
        if count > FEW:
            self._report(f"{count - FEW} more like the last ones of this caller were not written down")
