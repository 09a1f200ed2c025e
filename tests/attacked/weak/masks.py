"""K8: masks that do not cover the whole plaintext, or that come again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tandem.arguments import Seeded, below
from tandem.sums import summer


@contextmanager
def per_slot(width: int, slots: int, bits: int) -> Iterator[None]:
    """Mask each slot with so many bits."""

    def mask(chance, _n):
        return sum(below(chance, 1 << bits) << (width * s) for s in range(slots))

    with mock.patch.object(summer, "below", mask):
        yield


@contextmanager
def used_again() -> Iterator[None]:
    """Take the same masks in every session that is played within."""
    chance = Seeded(b"stuck")
    with mock.patch.object(summer, "below", lambda _, n: below(chance, n)):
        yield
