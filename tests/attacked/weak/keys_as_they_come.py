"""K7: a peer's modulus is believed; or looked at, but not its proof."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tandem.crypto import paillier
from tandem.sums import summer


@contextmanager
def no_modulus_proof() -> Iterator[None]:
    with mock.patch.object(summer, "verify_modulus"):
        yield


@contextmanager
def keys_as_they_come() -> Iterator[None]:
    def load(data, _minimum_bits=0):
        return paillier.PublicKey(int.from_bytes(data, "little"))

    with no_modulus_proof(), mock.patch.object(paillier.PublicKey, "load", load):
        yield
