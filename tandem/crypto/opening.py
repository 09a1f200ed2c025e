"""The secret side of Paillier's cryptosystem, and the only place that decrypts: sealing fast, opening, proving the modulus.

    p = 2*c*p' + 1, q likewise          seal   c = (1 + P*n) * rho mod n^2,   rho a uniform n-th residue
    n = p*q                             open   m mod p = L_p(c^(p-1) mod p^2) * h_p,  L_p(x) = (x-1)/p  (Paillier 1999, section 7)

The n-th residues mod p^2 are the subgroup of order p-1. A generator of it raised to a uniform exponent, the same mod q^2, and the two
joined by the Chinese remainder theorem: textbook Paillier's distribution of r^n exactly, at a fraction of its price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import gmpy2
import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from tandem.arguments import Chance, below
from tandem.crypto.comb import Comb, comb
from tandem.crypto.paillier import Blinded, Checked, PublicKey, factors, leave, read, write
from tandem.crypto.primes import FactoredPrime, draw_prime
from tandem.crypto.proof import challenges
from tandem.crypto.slots import Layout
from tandem.errors import InputError

MAGIC = b"tandem-paillier-secret-1"

PUBLISHED = frozenset({"f5bc502624afd3b6497878cc66603f208d58c1a0ee30e39eebe8d4f77fab8325"})
"""Digests of public keys whose factors are printed somewhere (the test vectors): never loaded from a file."""


class SecretKey:
    """The factors of n and what follows from them. `repr` shows the public half alone."""

    def __init__(self, p: int, q: int, factored: tuple[FactoredPrime, FactoredPrime] | None = None) -> None:
        """Take two primes of one length; where p-1 and q-1 are not factored, sealing is slow. Raises ValueError for an unsound pair."""
        self._p, self._q, self._factored = mpz(p), mpz(q), factored
        self.public = PublicKey(self._p * self._q)
        length = self._p.bit_length()
        if gmpy2.gcd(self.public.n, (self._p - 1) * (self._q - 1)) != 1:
            raise ValueError("the two primes make no key: n shares a factor with phi(n)")
        if length != self._q.bit_length() or abs(self._p - self._q) >> (length // 2) == 0:
            raise ValueError("the two primes make no key: they differ in length or lie too close together")
        self._p2, self._q2 = self._p**2, self._q**2
        self._hp = gmpy2.invert((self._p - 1) * self._q, self._p)
        self._hq = gmpy2.invert((self._q - 1) * self._p, self._q)
        self._p_inverse, self._p2_inverse = gmpy2.invert(self._p, self._q), gmpy2.invert(self._p2, self._q2)
        self.opened = 0

    @classmethod
    def generate(cls, bits: int, chance: Chance) -> SecretKey:
        """Draw a key whose n has exactly `bits` bits (even, 128 at least); about a second at 3072 bits."""
        if bits % 2:
            raise ValueError(f"{bits} bits cannot be shared by two primes of one length")
        while True:
            p, q = draw_prime(bits // 2, chance), draw_prime(bits // 2, chance)
            if abs(p.p - q.p) >> (bits // 4):
                return cls(p.p, q.p, (p, q))

    def seal(self, plain: Sequence[int], chance: Chance) -> Blinded:
        """Encrypt numbers of (-n, n), each with fresh uniform randomness; zeros take as long as anything else.

        Raises SlotOverflow for any other number. The first call in a process builds the tables (about a second, 56 MB at 3072 bits).
        """
        return leave(self.public, factors(self.public, plain), self.residues(len(plain), chance))

    def residues(self, count: int, chance: Chance) -> list[mpz]:
        """Return `count` uniform n-th residues mod n^2."""
        if self._factored is None:
            return self._residues_slowly(count, chance)
        left, right = _tables(*self._factored)
        return [
            self._join_squares(left.power(one), right.power(other))
            for one, other in zip(left.draw(chance, count).tolist(), right.draw(chance, count).tolist(), strict=True)
        ]

    def open(self, sealed: Checked) -> list[int]:
        """Return the numbers in [0, n) that are sealed. Powers take the same time whatever the key and the ciphertext (`powmod_sec`)."""
        if sealed.key != self.public:
            raise ValueError("these ciphertexts belong to another key")
        self.opened += len(sealed)
        p, q = self._p, self._q
        opened = []
        for c in sealed.values:
            left = (gmpy2.powmod_sec(c % self._p2, p - 1, self._p2) - 1) // p * self._hp % p
            right = (gmpy2.powmod_sec(c % self._q2, q - 1, self._q2) - 1) // q * self._hq % q
            opened.append(int(self._join(left, right)))
        return opened

    def roots(self, sealed: Blinded) -> list[int]:
        """Return for each of our own ciphertexts the r in Z_n* of c = (1 + P*n) * r^n: what shows others its plaintext (`paillier.reveal`).

        Only for what we sealed: the root of a number that somebody else chose says more than he knew.
        """
        if sealed.key != self.public:
            raise ValueError("these ciphertexts belong to another key")
        return self._roots(read(sealed.encode(), self.public.width))

    def prove(self, context: bytes) -> bytes:
        """Return the proof for `proof.verify_modulus`: the n-th root mod n of each challenge."""
        return write(map(mpz, self._roots(challenges(self.public, context))), self.public.plain_width)

    def to_bytes(self) -> bytes:
        """Return the key for a file that only its owner may read (0600: the caller's duty)."""
        if self._factored is None:
            raise ValueError("a key without the factors of p-1 and q-1 is for tests; it is not kept")
        p, q = self._factored
        parts = [int(number).to_bytes((int(number).bit_length() + 7) // 8, "big") for number in (p.core, p.cofactor, q.core, q.cofactor)]
        return MAGIC + b"".join(len(part).to_bytes(2, "big") + part for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> SecretKey:
        """Inverse of `to_bytes`. Raises InputError for anything else, and for a key that was published."""
        numbers, rest = [], data.removeprefix(MAGIC) if data.startswith(MAGIC) else b""
        while rest:
            size = 2 + int.from_bytes(rest[:2], "big")
            numbers.append(int.from_bytes(rest[2:size], "big"))
            rest = rest[size:]
        if len(numbers) != 4:
            raise InputError("the Paillier key file is damaged or no such file; restore it from its backup or make a new key")
        p, q = FactoredPrime(mpz(numbers[0]), numbers[1]), FactoredPrime(mpz(numbers[2]), numbers[3])
        if PublicKey(p.p * q.p).digest.hex() in PUBLISHED:
            raise InputError("the Paillier key file holds a published test key, which everybody can open; make a new key")
        if not all(gmpy2.is_prime(number) for number in (p.core, q.core, p.p, q.p)):
            raise InputError("the Paillier key file is damaged: its numbers are not prime; restore it from its backup or make a new key")
        try:
            key = cls(p.p, q.p, (p, q))
        except ValueError as error:
            raise InputError(f"the Paillier key file holds no sound key: {error}; make a new key") from None
        if key.to_bytes() != data:
            raise InputError("the Paillier key file has bytes that do not belong there; restore it from its backup or make a new key")
        return key

    def __repr__(self) -> str:
        return f"SecretKey({self.public!r})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Pickle the primes, for our own worker processes alone."""
        return SecretKey, (self._p, self._q, self._factored)

    def _roots(self, values: Sequence[mpz]) -> list[int]:
        """Return the n-th root mod n of each value: there is one, since gcd(n, phi(n)) = 1."""
        p, q, n = self._p, self._q, self.public.n
        dp, dq = gmpy2.invert(n, p - 1), gmpy2.invert(n, q - 1)
        return [int(self._join(gmpy2.powmod_sec(x % p, dp, p), gmpy2.powmod_sec(x % q, dq, q))) for x in values]

    def _join(self, left: mpz, right: mpz) -> mpz:
        """Return the number mod n that is `left` mod p and `right` mod q."""
        return left + (right - left) * self._p_inverse % self._q * self._p

    def _join_squares(self, left: mpz, right: mpz) -> mpz:
        """Return the number mod n^2 that is `left` mod p^2 and `right` mod q^2."""
        return left + (right - left) * self._p2_inverse % self._q2 * self._p2

    def _residues_slowly(self, count: int, chance: Chance) -> list[mpz]:
        """Twin of `residues` by plain powers: t^p mod p^2 for t uniform in Z_p* is uniform in the subgroup of order p-1."""
        p, q = self._p, self._q
        return [
            self._join_squares(
                gmpy2.powmod_sec(mpz(1 + below(chance, int(p) - 1)), p, self._p2),
                gmpy2.powmod_sec(mpz(1 + below(chance, int(q) - 1)), q, self._q2),
            )
            for _ in range(count)
        ]


@dataclass(frozen=True)
class SealRows:
    """Sealing as a task for workers: item (chunk number, rows of whole numbers (rows, slots)), numbers all different.

    The result holds a row's ciphertexts side by side (row 0 part 0, row 0 part 1, ..., row 1 part 0, ...). Chance is forked by chunk, so
    the bytes do not depend on which worker takes which chunk, and no two chunks share a stream.
    """

    secret: SecretKey
    layout: Layout
    chance: Chance = field(repr=False)

    def __call__(self, item: tuple[int, NDArray[np.int64]]) -> Blinded:
        """Return the sealed rows of one item. Raises SlotOverflow for a value outside its slot's declared range."""
        chunk, rows = item
        packed = self.layout.pack(rows)
        return self.secret.seal([number for row in zip(*packed, strict=True) for number in row], self.chance.fork("seal", chunk))


@lru_cache(maxsize=2)
def _tables(p: FactoredPrime, q: FactoredPrime) -> tuple[Comb, Comb]:
    """Return the combs of generators of the groups of order p-1 mod p^2 and q-1 mod q^2, once a process and key."""
    left, right = (comb(gmpy2.powmod(x.generator(), x.p, x.p**2), x.p - 1, x.p**2) for x in (p, q))
    return left, right
