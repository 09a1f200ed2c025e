"""Run a listening node until it is told to stop: one line when it is ready, a note of what it used when it ends."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tandem.engine.pool import Pool
from tandem.node import disk
from tandem.node.server import Server


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
    report(f"{name} stopped")


def own_peaks(name: str, pool: Pool | None) -> dict[str, int]:
    """Return the peak resident memory of this process and of each of its workers, in bytes, under names that say whose they are."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    workers = pool.peaks() if pool is not None else []
    return {name: own} | {f"{name} worker {number}": peak for number, peak in enumerate(workers, 1)}


def write_usage(path: Path, name: str, pool: Pool | None) -> None:
    """Write `own_peaks` into a file, for whoever measures a run."""
    disk.write(path, json.dumps(own_peaks(name, pool)).encode())
