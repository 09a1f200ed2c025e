"""Blinds that blind nothing: of 1, or those of the job before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import PropertyMock, patch

from bank_party.jobs import Job
from tandem.arguments import Seeded


class Ones:
    """Chance of which every scalar is 1."""

    def draw(self, count: int) -> bytes:
        """Return `count` bytes that reduce to ones, 64 bytes each."""
        return (b"\1" + bytes(63)) * (count // 64)

    def fork(self, *_: str | int | bytes) -> Ones:
        """Return itself."""
        return self


ALWAYS = Seeded(b"blinds of every job")


@contextmanager
def reused() -> Iterator[None]:
    """Give every job the blinds of the first."""
    with patch.object(Job, "blinds", PropertyMock(return_value=ALWAYS)):
        yield
