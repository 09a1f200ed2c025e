"""Primes for the Paillier modulus: p = 2*c*p' + 1 with p' prime and c small, so that all prime factors of p-1 are known.

Knowing them, the owner can tell a generator of the group of order p-1 (opening.py). Shoup's threshold RSA and Damgard-Jurik take primes
of this kind with c = 1; a free c makes the search some hundred times shorter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import gmpy2
from gmpy2 import mpz

from tandem.arguments import Chance, below

FIXED_BASES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
ROUNDS = 64
"""Miller-Rabin rounds, fixed and drawn bases together: a composite survives the 52 drawn ones with chance below 4^-52 = 2^-104."""

SIEVE = gmpy2.primorial(1 << 16)
"""Product of the primes below 2^16: one gcd replaces 6 542 trial divisions."""

COFACTOR_BITS = 24
"""Length of c. One candidate in ln(2^1536)/2 = 532 is prime, so 2^22 values of c leave no chance of a search without end."""


def is_prime(number: int, chance: Chance) -> bool:
    """Tell whether `number` is prime, by 64 rounds of Miller-Rabin; negative numbers, 0 and 1 are not.

    Fixed bases alone could be fooled by a composite made for them (Arnault 1995), hence 52 bases drawn from `chance`.
    """
    n = mpz(number)
    if n < 2:
        return False
    for small in FIXED_BASES:
        if n % small == 0:
            return bool(n == small)
    if not all(gmpy2.is_strong_prp(n, base) for base in FIXED_BASES):
        return False
    drawn = (2 + below(chance, int(n) - 3) for _ in range(ROUNDS - len(FIXED_BASES)))
    return all(gmpy2.is_strong_prp(n, base) for base in drawn)


@dataclass(frozen=True)
class FactoredPrime:
    """A prime p = 2 * cofactor * core + 1 with `core` prime and `cofactor` below 2^24 or so."""

    core: mpz = field(repr=False)
    cofactor: int = field(repr=False)

    @property
    def p(self) -> mpz:
        """The prime."""
        return 2 * self.cofactor * self.core + 1

    def divisors(self) -> tuple[mpz, ...]:
        """Return the different primes that divide p - 1."""
        return tuple(sorted({mpz(2), self.core, *(mpz(f) for f in small_factors(self.cofactor))}))

    def generator(self) -> mpz:
        """Return the smallest h that generates the whole group mod p: h^((p-1)/f) != 1 for every prime f of p - 1."""
        p = self.p
        h = mpz(2)
        while any(gmpy2.powmod(h, (p - 1) // f, p) == 1 for f in self.divisors()):
            h += 1
        return h


def small_factors(number: int) -> set[int]:
    """Return the prime factors of a number small enough for trial division (2^24 takes 4 096 steps)."""
    found, divisor = set(), 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            found.add(divisor)
            number //= divisor
        divisor += 1
    return found | ({number} if number > 1 else set())


def draw_prime(bits: int, chance: Chance) -> FactoredPrime:
    """Return p of exactly `bits` bits, its two highest bits set (so that n = p*q has exactly 2 * bits). Raises ValueError below 64 bits."""
    if bits < 64:
        raise ValueError(f"primes of {bits} bits are too short to hide a cofactor in")
    length = bits - COFACTOR_BITS
    while True:
        core = (mpz(1) << (length - 1)) + below(chance, 1 << (length - 1)) | 1
        if _may_be_prime(core) and is_prime(core, chance):
            break
    low, high = -(-(mpz(3) << (bits - 2)) // (2 * core)), ((mpz(1) << bits) - 1) // (2 * core)
    while True:
        found = FactoredPrime(core, int(low) + below(chance, int(high - low)))
        if _may_be_prime(found.p) and is_prime(found.p, chance):
            return found


def _may_be_prime(number: mpz) -> bool:
    """Refuse what has a factor below 2^16 (numbers up to 2^16 never come here) before the dear test."""
    return bool(gmpy2.gcd(SIEVE % number, number) == 1)
