"""What this machine has: cores and memory. Figures that the system does not tell are 0."""

from __future__ import annotations

import ctypes
import os
import resource
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tandem.arguments import Engine
from tandem.wire.messages import Speed

FRESH = 60.0
"""Seconds for which a measured speed is told again: whoever plans all day does not keep this machine busy."""


def cores() -> int:
    """Return how many cores there are."""
    return os.cpu_count() or 1


def resident() -> int:
    """Return the memory that this process has now, in bytes."""
    return _field(Path("/proc/self/status"), "VmRSS:")


def peak() -> int:
    """Return the most memory that this process ever had, in bytes.

    Linux hands a new program the peak of the process that started it as `ru_maxrss`: its own stands under VmHWM.
    """
    return _field(Path("/proc/self/status"), "VmHWM:") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def free() -> int:
    """Return the memory that new work could take without swapping, in bytes."""
    return _field(Path("/proc/meminfo"), "MemAvailable:")


def give_back() -> None:
    """Hand memory that was freed back to the system: glibc keeps it otherwise, and what comes next does not fit into the holes."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def worker(engine: Engine, workers: int) -> int:
    """Return the memory of the largest worker, in bytes."""
    return max(engine.map(_resident_of, range(2 * workers)))


class Gauge:
    """Measures this machine for whoever plans: one at a time, and what was measured a short while ago is told again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._measured: dict[int, tuple[float, Speed]] = {}

    def speed(self, key_bits: int, measure: Callable[[], Speed], engine: Engine | None = None) -> Speed:
        """Return what `measure` says of a key of `key_bits`, with this process's memory and that of the engine's workers."""
        began = self._clock()
        with self._lock:
            last = self._measured.get(key_bits)
            if last is None or self._clock() - last[0] > FRESH:
                last = self._measured[key_bits] = (self._clock(), measure())
            found = last[1]
            largest = 0 if engine is None else worker(engine, found.workers)
        memory = replace(found, resident=resident(), peak=peak(), worker=largest, free=free())
        return replace(memory, took=self._clock() - began)


def _resident_of(_: int) -> int:
    return resident()


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:  # not Linux
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)
