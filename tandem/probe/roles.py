"""The two roles of a probe. Time comes in as arguments, in seconds: `clock` is the time of day, `ticks` a count that never runs back."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from tandem.contract import PROTOCOL
from tandem.errors import Oversized
from tandem.probe.script import LOAD_LIMIT, LOADS
from tandem.wire.messages import Hello, Load

Clock = Callable[[], float]

MICRO = 1_000_000
"""Microseconds in a second: a clock goes over the wire as a whole number."""
ROUNDS = 3
"""Empty loads that measure the round trip; the shortest counts."""
SIZES = (32 * 1024, 128 * 1024, LOAD_LIMIT)
"""Bytes sent to measure throughput, one size after the other: a connection needs a while to reach its speed."""
PATIENT = 1.5
"""Seconds: if the next size would take longer, what is known must do."""


@dataclass(frozen=True)
class Sounding:
    """What the caller found. `ahead`: seconds by which the other clock is ahead of ours, give or take `within`; rates in bytes a second."""

    hello: Hello
    ahead: float
    within: float
    round_trip: float
    up: float
    down: float


def call(program: str, clock: Clock, ticks: Clock) -> Generator[Any, Any, Sounding]:
    """Ask the other end what it is and what time it has, and measure the way there and back."""
    before, began = clock(), ticks()
    yield _hello(program, before)
    hello = yield Hello
    took = ticks() - began
    trip = took
    for _ in range(ROUNDS):
        trip = min(trip, (yield from _round(Load(0, b""), ticks)))
    up = yield from _rate(lambda size: Load(0, bytes(size)), trip, ticks)
    down = yield from _rate(lambda size: Load(size, b""), trip, ticks)
    return Sounding(hello, hello.moment / MICRO - (before + took / 2), took / 2, trip, up, down)


def answer(program: str, clock: Clock) -> Generator[Any, Any, Hello]:
    """Say what we are, give back what is asked for, and return what the caller said of itself. Raises Oversized."""
    heard: Hello = yield Hello
    yield _hello(program, clock())
    loads = 0
    while load := (yield Load):
        loads += 1
        if loads > LOADS or max(load.back, len(load.data)) > LOAD_LIMIT:
            raise Oversized(f"load {loads} of a probe, {len(load.data)} bytes there and {load.back} back: more than a probe needs")
        yield Load(0, bytes(load.back))
    return heard


def _hello(program: str, now: float) -> Hello:
    return Hello(program, PROTOCOL, PROTOCOL, int(now * MICRO))


def _round(load: Load, ticks: Clock) -> Generator[Any, Any, float]:
    began = ticks()
    yield load
    yield Load
    return ticks() - began


def _rate(load: Callable[[int], Load], trip: float, ticks: Clock) -> Generator[Any, Any, float]:
    """Return the best rate of any size, bytes a second; stops before a size that would take too long."""
    best = 0.0
    for size in SIZES:
        if best and size / best > PATIENT:
            break
        took = yield from _round(load(size), ticks)
        best = max(best, size / max(took - trip, 1e-6))
    return best
