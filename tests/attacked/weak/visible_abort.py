"""Visible abort: a solver that stops the session where a check fails, instead of telling the sealer alone."""

from __future__ import annotations

from typing import Any

from tandem.errors import CheckFailed
from tandem.wire.messages import Statistics


def stops(role: Any) -> Any:
    """Play the solver until it says that a check failed, and stop there."""
    answer = None
    while True:
        try:
            wanted = role.send(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(wanted, Statistics) and wanted.failed:
            raise CheckFailed(wanted.failed)
        answer = yield wanted
