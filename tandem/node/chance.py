"""The operating system's randomness, handed to roles as their `Chance`."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """Fresh uniform bytes of the operating system. Has no state, so copies in worker processes never share a stream."""

    def draw(self, count: int) -> bytes:
        """Return `count` fresh uniform bytes."""
        return os.urandom(count)

    def fork(self, *label: str | int | bytes) -> System:  # noqa: ARG002 - every draw is independent, whatever the label
        """Return a source independent of this one: itself."""
        return self
