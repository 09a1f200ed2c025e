"""One oblivious key for all contracts, epochs and purposes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tandem.crypto.voprf import KeyPair, derive_key_pair
from tandem.node import keys


@contextmanager
def one_key() -> Iterator[None]:
    """Derive the key from the telco's seed alone."""
    def always(seed: bytes, *_: object) -> KeyPair:
        return derive_key_pair(keys.derive(seed, "oprf").draw(keys.SEED_WIDTH), b"")

    with patch.object(keys, "oprf_key", always):
        yield
