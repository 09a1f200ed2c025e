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


def write_usage(path: Path, pool: Pool | None) -> None:
    """Write the peak resident memory of this process and of its workers, in bytes, for whoever measures a run."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    workers = pool.peaks() if pool is not None else []
    disk.write(path, json.dumps({"peak_bytes": own, "worker_peak_bytes": workers}).encode())
