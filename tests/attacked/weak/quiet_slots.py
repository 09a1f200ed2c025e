"""Scores without noise: in no slot, or not above the last row's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tandem.crypto.slots import ScoreSlots


@contextmanager
def without_noise() -> Iterator[None]:
    """Have every telco send scores as they are, inside the block."""
    with patch.object(ScoreSlots, "mask", lambda *_: 0):
        yield


@contextmanager
def without_noise_above() -> Iterator[None]:
    """Have every telco put noise into the slots of rows alone."""

    def mask(slots: ScoreSlots, chance: Any, used: int) -> int:
        return sum(noise << (slots.width * s) for s, noise in enumerate(slots.noises(chance, used)))

    with patch.object(ScoreSlots, "mask", mask):
        yield
