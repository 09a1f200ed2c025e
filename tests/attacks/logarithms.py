"""Discrete logarithms where the order of the group has small factors only, or the exponent is short."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from gmpy2 import invert, mpz, powmod


class Steps:
    """Baby steps of one base, for many logarithms below `bound` (Shanks 1971): `babies` of them are kept, bound/babies giant ones taken."""

    def __init__(self, base: mpz, bound: int, modulus: mpz, babies: int = 0) -> None:
        self.modulus, self.babies = modulus, babies or isqrt(bound) + 1
        self.giants = -(-bound // self.babies)
        self.table: dict[int, int] = {}
        power = mpz(1)
        for exponent in range(self.babies):
            self.table.setdefault(hash(power), exponent)
            power = power * base % modulus
        self.base, self.back = base, invert(power, modulus)

    def log(self, value: mpz) -> int | None:
        """Return e with base^e = value, 0 <= e < bound, or None."""
        at = value
        for giant in range(self.giants):
            baby = self.table.get(hash(at))
            if baby is not None:
                found = giant * self.babies + baby
                if powmod(self.base, found, self.modulus) == value:
                    return found
            at = at * self.back % self.modulus
        return None


class SmoothGroup:
    """The group that `generator` generates mod `modulus`, its order the product of different small primes (Pohlig and Hellman 1978)."""

    def __init__(self, generator: mpz, primes: Sequence[int], modulus: mpz) -> None:
        self.modulus, self.primes = modulus, list(primes)
        self.order = mpz(1)
        for prime in primes:
            self.order *= prime
        self.steps = [Steps(powmod(generator, self.order // prime, modulus), prime, modulus) for prime in primes]

    def log(self, value: mpz) -> int | None:
        """Return the exponent of `value` in [0, order), or None if it lies outside the group."""
        found = mpz(0)
        for prime, steps in zip(self.primes, self.steps, strict=True):
            cofactor = self.order // prime
            part = steps.log(powmod(value, cofactor, self.modulus))
            if part is None:
                return None
            found += part * cofactor * invert(cofactor, prime)
        return int(found % self.order)
