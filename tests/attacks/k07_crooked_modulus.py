"""K7. A bank whose modulus is not the product of two honest primes: r^n then hides less than it should, or anybody opens.

Channel: n = p*q_1*...*q_k where the q_i, 24 bits each, divide p - 1. An n-th power mod p has no part in the subgroup of order
M = q_1*...*q_k, so whatever rows carry there goes through any mask and any r^n: row i carries g^(2^i), and the cell's part is read by
logarithm (Pohlig and Hellman 1978). Factors of 24 bits are not met by trial division; only the proof of n-th roots sees them.
Prime n: c^(n-1) = 1 - m*n mod n^2, so anybody opens everything.
Source: protocol-review.md 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attacked.views import View
from gmpy2 import gcd, is_prime, mpz, next_prime, powmod

from attacks.ciphertexts import all_of, forged
from attacks.logarithms import SmoothGroup
from tandem.crypto.paillier import PublicKey
from tandem.crypto.proof import CHALLENGES
from tandem.wire.messages import Key, Opened, Sealed, Shares


class Channel:
    """A crooked key of about `bits` bits and the second channel under it."""

    def __init__(self, bits: int, draw: Callable[[int], int]) -> None:
        pool, at = [], next_prime((1 << 23) + draw(1 << 22))
        while len(pool) < bits // 48:
            pool.append(at)
            at = next_prime(at)
        self.primes, self.order = pool, mpz(1)
        for prime in pool:
            self.order *= prime
        width = bits - int(self.order.bit_length())
        while True:
            cofactor = (1 << (width - int(self.order.bit_length()))) + draw(1 << (width - int(self.order.bit_length())))
            self.p = 2 * cofactor * self.order + 1
            if is_prime(self.p) and all(gcd(cofactor, prime) == 1 for prime in pool):
                break
        self.n = int(self.p * self.order)
        x = mpz(2)
        while any(powmod(x, (self.p - 1) // prime, self.p) == 1 for prime in pool):
            x += 1
        self.group = SmoothGroup(powmod(x, (self.p - 1) // self.order, self.p), pool, self.p)
        self.base = powmod(x, (self.p - 1) // self.order, self.p)
        self.rows = int(self.order.bit_length()) - 1

    def spelled(self, row: int) -> mpz:
        """Return the randomness that row number `row` carries: g^(2^row) mod p, 1 mod M."""
        part = powmod(self.base, mpz(1) << row, self.p)
        return part + (1 - part) * powmod(self.p, -1, self.order) % self.order * self.p

    def read(self, view: View) -> list[frozenset[int] | None]:
        """Return the rows in each cell."""
        found: list[frozenset[int] | None] = []
        back = powmod((self.p - 1) // self.order, -1, self.order)
        for share in all_of(view, self.n, "Shares", sent=False):
            spelt = self.group.log(powmod(share % self.p, (self.p - 1) // self.order, self.p))
            bits = None if spelt is None else int(spelt * back % self.order)
            found.append(None if bits is None else frozenset(i for i in range(self.rows) if bits >> i & 1))
        return found


def sealer(n: int, rows: Sequence[mpz], proof: bytes) -> Iterator[Any]:
    """Play a sealer under a modulus that no secret key of ours could have: `rows` are his ciphertexts, in one chunk."""
    yield Key(PublicKey(n).to_bytes(), proof)
    yield Key(PublicKey(n).to_bytes(), proof)
    yield Sealed(0, forged(n, list(rows)))
    while (yield Shares):
        yield Opened(b"")


def sealed(n: int, plain: int, r: mpz) -> mpz:
    """Return a ciphertext as anybody can make it."""
    return (1 + plain * n) * powmod(r, n, n * n) % (n * n)


def open_under_prime(n: int, ciphertexts: Sequence[mpz]) -> list[int]:
    """Return what is sealed under a prime n."""
    return [int(-((powmod(c, n - 1, mpz(n) ** 2) - 1) // n) % n) for c in ciphertexts]


def roots(n: int, challenges: Sequence[mpz], exponent: int) -> bytes:
    """Return a proof as good as its owner can make it: each challenge to `exponent`, an inverse of n where there is one."""
    if len(challenges) != CHALLENGES:
        raise ValueError(f"{len(challenges)} challenges")
    width = PublicKey(n).plain_width
    return b"".join(max(mpz(1), powmod(x, exponent, n)).to_bytes(width, "little") for x in challenges)
