"""K9: slots that are too narrow, and nothing above the declared ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from unittest import mock

from tandem.crypto.slots import Layout


class Narrow(Layout):
    """One bit short of what totals need: two less than shipped, which has one to spare."""

    @cached_property
    def width(self) -> int:
        return max(slot.bits for slot in self.slots) + (self.rows + self.spare - 1).bit_length() - 1


@contextmanager
def no_top_noise() -> Iterator[None]:
    with mock.patch.object(Layout, "top_noise", return_value=0):
        yield
