"""K10: powers that take as long as their exponent is heavy, and rows that take as long as they are full."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import gmpy2

from tandem.arguments import Seeded
from tandem.crypto import group, opening


class _Fast:
    """gmpy2 with one power for both."""

    powmod_sec = staticmethod(gmpy2.powmod)

    def __getattr__(self, name: str) -> object:
        return getattr(gmpy2, name)


@contextmanager
def variable_powers() -> Iterator[None]:
    with mock.patch.object(opening, "gmpy2", _Fast()):
        yield


@contextmanager
def double_and_add() -> Iterator[None]:
    def multiply(out, scalar, point):
        total, power, bits = None, point, int.from_bytes(scalar, "little")
        for bit in range(bits.bit_length()):
            if bits >> bit & 1:
                total = power if total is None else group.add((total, power))
            power = group.add((power, power))
        out.raw = total
        return 0

    with mock.patch.object(group, "_multiply", multiply):
        yield


@contextmanager
def sealed_on_the_way(secret: opening.SecretKey, rows: int) -> Iterator[None]:
    """Randomness is made beforehand (here all from two); what is left, 1 + P*n times rho, is done as chunks are sent."""
    first, step = secret.residues(2, Seeded(b"pool"))
    pool = [first]
    while len(pool) < rows:
        pool.append(pool[-1] * step % secret.public.n2)

    def residues(_self, count, _chance):
        return [pool.pop() for _ in range(count)]

    def factors(key, plain):
        return [1 + number * key.n for number in plain]

    with mock.patch.object(opening.SecretKey, "residues", residues), mock.patch.object(opening, "factors", factors):
        yield
