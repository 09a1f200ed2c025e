"""Sums in the open: a telco that masks nothing, so that the bank opens them unchecked; or one that puts no noise above the slots."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tandem.crypto.paillier import Products, blind
from tandem.crypto.slots import Layout
from tandem.sums.terms import chunk_length
from tandem.train import summer
from tandem.wire.messages import Masks, Shares


def _share(key: Any, products: Products, _layout: Any, ahead: Any, _chance: Any, _noise: Any = None) -> Any:
    step = chunk_length(key.width)
    for first in range(0, len(products), step):
        part = Products(key, products.values[first : first + step])
        yield Shares(blind(key, part, [0] * len(part), [next(ahead) for _ in part.values]))
        yield Masks(bytes(key.plain_width * len(part)))


@contextmanager
def unmasked() -> Iterator[None]:
    """Have every telco send its sums as they are, inside the block."""
    with patch.object(summer, "share", _share):
        yield


@contextmanager
def without_top_noise() -> Iterator[None]:
    """Have every telco mask its sums, and fill nothing above the declared slots."""
    with patch.object(Layout, "top_noise", lambda *_: 0):
        yield
