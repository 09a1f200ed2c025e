"""K3, K5: randomness as powers of a fixed base in place of r^n for a uniform r; or none at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from gmpy2 import mpz, powmod

from tandem.arguments import Seeded, below
from tandem.crypto import opening, paillier


@contextmanager
def sealing_by(h: mpz, exponent_bits: int) -> Iterator[None]:
    """K3: the sealer takes h^a, a of so many bits, for rho."""

    def residues(self, count, chance):
        return [powmod(h, below(chance, 1 << exponent_bits), self.public.n2) for _ in range(count)]

    with mock.patch.object(opening.SecretKey, "residues", residues):
        yield


@contextmanager
def blinding_by(h: mpz, exponent_bits: int) -> Iterator[None]:
    """K5: the summer takes h^a, a of so many bits, for r^n: a base of the key's owner, or an exponent that is short."""

    def units(key, chance, count):
        return [powmod(h, below(chance, 1 << exponent_bits), key.n2) for _ in range(count)]

    with mock.patch.object(paillier, "units", units):
        yield


@contextmanager
def no_rerandomisation() -> Iterator[None]:
    """K5, K6: the summer's products leave with their mask alone."""
    with mock.patch.object(paillier, "units", lambda _key, _chance, count: [mpz(1)] * count):
        yield


def square_base(n: int, seed: bytes) -> mpz:
    """Return h = x^(2n) mod n^2: the published base of Damgard, Jurik and Nielsen up to its sign; its symbol is +1."""
    n = mpz(n)
    return powmod(below(Seeded(seed), int(n)), 2 * n, n * n)
