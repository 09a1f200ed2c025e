"""Run a listening node until it is told to stop: one line when it is ready, a note of what it used when it ends."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tandem.node import disk, machine
from tandem.node.server import Server

ENDING = 2.0
"""Seconds for calls that were hung up to unwind."""


def report(line: str) -> None:
    """Tell the operator, with the time, on stderr."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stderr.flush()


def serve(make: Callable[[], Server], address: str, name: str) -> None:
    """Serve until SIGINT or SIGTERM. Raises ContractError if the address cannot be had."""
    asyncio.run(_serve(make, address, name))


async def _serve(make: Callable[[], Server], address: str, name: str) -> None:
    server, stop = make(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    port = await server.start(address)
    report(f"{name} listens at {address.rpartition(':')[0]}:{port}; Ctrl-C stops it")
    await stop.wait()
    await server.stop()
    if calls := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(calls, timeout=ENDING)  # gRPC's own tasks; cut off, they would print tracebacks
    report(f"{name} stopped")


def peaks(name: str, workers: Sequence[int]) -> dict[str, int]:
    """Return the peak resident memory in bytes of this process and, as they told it, of its workers, under names that say whose it is."""
    return {name: machine.peak()} | {f"{name} worker {number}": peak for number, peak in enumerate(workers, 1)}


def write_usage(path: Path, name: str, workers: Sequence[int] = ()) -> None:
    """Write `peaks` into a file, for whoever measures a run."""
    disk.write(path, json.dumps(peaks(name, workers)).encode())
