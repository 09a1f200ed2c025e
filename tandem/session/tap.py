"""The place where every frame can be seen: by the ledger, by progress bars, by tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Tapped:
    """One frame, as it left or came in."""

    sent: bool
    peer: str
    script: str
    stage: int
    kind: str
    number: int
    frame: bytes = field(repr=False)


Tap = Callable[[Tapped], None]


def untapped(_: Tapped) -> None:
    """Look away."""
