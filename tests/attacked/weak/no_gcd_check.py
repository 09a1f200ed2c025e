"""K4: what a peer calls ciphertexts is read and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from tandem.crypto import paillier
from tandem.score import summer as scoring
from tandem.sums import cells, sealer, solver


@contextmanager
def no_gcd_check() -> Iterator[None]:
    with _admitting(lambda key, foreign, _repeats=None: paillier.Checked(key, paillier.read(foreign.data, key.width))):
        yield


@contextmanager
def no_look_at_randomness() -> Iterator[None]:
    """K1, K6: the gcd is looked at, c mod n = 1 is not."""

    def admit(key, foreign, repeats=None):
        values = paillier.read(foreign.data, key.width)
        if any(not 0 < c < key.n2 or paillier.gmpy2.gcd(c, key.n) != 1 for c in values):
            return paillier.admit(key, foreign, repeats)
        return paillier.Checked(key, values)

    with _admitting(admit):
        yield


@contextmanager
def _admitting(admit) -> Iterator[None]:
    with ExitStack() as stack:
        for module in (cells, sealer, solver, scoring):
            stack.enter_context(mock.patch.object(module, "admit", admit))
        yield
