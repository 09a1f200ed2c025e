"""A progress bar for what may take long: it appears after two seconds, on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PATIENCE = 2.0
"""Seconds without a bar."""
_EVERY = 1000
"""Entries between two looks at the clock."""


@contextmanager
def waiting(what: str, total: int, console: Console | None = None) -> Iterator[Callable[[int], None]]:
    """Give a function to be told of each piece of work done, of `total`."""
    console = console or Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=18), MofNCompleteColumn(), TimeRemainingColumn(), console=console,
        transient=True, disable=not console.is_terminal,
    )
    task, begun, done = bar.add_task(what, total=total), time.monotonic(), 0

    def tick(pieces: int) -> None:
        nonlocal done
        done += pieces
        if done % _EVERY < pieces:
            if time.monotonic() - begun > PATIENCE:
                bar.start()
            bar.update(task, completed=done)

    try:
        yield tick
    finally:
        bar.stop()
