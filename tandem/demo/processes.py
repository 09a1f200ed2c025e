"""The processes of a demo: nodes that listen while a context lasts, and commands that run to their end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from tandem.errors import PeerLost

STARTING = 120.0
"""Seconds in which a node must begin to listen: it hashes the telco's table first."""
ENDING = 30.0
"""Seconds in which a process that was told to stop must have ended; then it is killed."""
_FOLLOWING = (sys.executable, "-m", "tandem.following")
"""What we start ends when we do: it reads the other end of a pipe that is closed by nobody but us."""


@contextmanager
def node(folder: Path, role: str) -> Iterator[None]:
    """Run a party's node while the context lasts. Raises PeerLost with the end of its log if it does not come up."""
    log = folder / "node.log"
    with log.open("w") as file:
        command = [*_FOLLOWING, role, "serve", "--config", str(folder / "node.toml")]
        process = subprocess.Popen(command, stdout=file, stderr=file, stdin=subprocess.PIPE, start_new_session=True)
    try:
        deadline = time.monotonic() + STARTING
        while "listens at" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PeerLost(f"the {role}'s node did not start; the end of {log}: {_tail(log)}")
            time.sleep(0.1)
        yield
    finally:
        _end(process)


def run(*command: str) -> None:
    """Run a command of ours in a process of its own; its output is ours, and so is its failure."""
    process = subprocess.Popen([*_FOLLOWING, *command], stdin=subprocess.PIPE)
    try:
        code = process.wait()
    except KeyboardInterrupt:  # a terminal told it too: let it say so and end by itself
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)
        raise
    finally:
        _end(process)
    if code:
        raise typer.Exit(code if code > 0 else 128 - code)


def unwind_on_signals() -> None:
    """Unwind on a signal that would end us at once: the nodes must not outlive the demo."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _orderly)


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:  # its standard input is closed last: it would take that as another SIGTERM
        process.terminate()
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _orderly(number: int, _: object) -> None:
    sys.exit(128 + number)


def _tail(log: Path) -> str:
    return " / ".join(log.read_text().strip().splitlines()[-3:])
