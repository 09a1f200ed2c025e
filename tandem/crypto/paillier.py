"""The public side of Paillier's cryptosystem (Paillier 1999): ciphertexts c = (1 + m*n) * r^n mod n^2, multiplied to add what is sealed.

    Foreign --admit--> Checked --(multiply, fold)--> Products --blind--> Blinded --encode--> bytes
                                                     numbers --encrypt / seal--^

Safe at the door: only `Blinded` can be encoded, and it is made only by `blind`, `encrypt` and the secret key's `seal`; only `Checked` may
be computed on or opened. Numbers on the wire are little-endian of fixed width. Pickling serves our own worker processes alone and repeats
no check: it is never applied to a peer's bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NoReturn

import gmpy2
from gmpy2 import mpz

from tandem.arguments import Chance, below
from tandem.errors import CrookedModulus, FactorPlanted, ForeignElement, NakedCiphertext, RandomiserRepeated, SlotOverflow, UnblindedLeaving

MINIMUM_BITS = 2048
MAXIMUM_BITS = 8192
"""Longer moduli are refused: they would let a peer choose our running time."""

SMALLEST_FACTOR = 1 << 20
"""No prime below this may divide n. 2^16 is what the root proof needs for its soundness (proof.py); 2^20 costs a millisecond."""

FERMAT_STEPS = 64
"""Steps of Fermat's method: they find p and q that agree in their upper halves."""


@cache
def _small_primes() -> mpz:
    """Return the product of all primes below `SMALLEST_FACTOR`: 80 ms to make, 190 kB to keep."""
    return gmpy2.primorial(SMALLEST_FACTOR)


class PublicKey:
    """The modulus n and what follows from it. The constructor checks nothing: a peer's key enters by `load`."""

    def __init__(self, n: int) -> None:
        self.n = mpz(n)
        self.n2 = self.n * self.n
        self.bits = int(self.n.bit_length())
        self.plain_width = (self.bits + 7) // 8
        self.width = 2 * self.plain_width

    @classmethod
    def load(cls, data: bytes, minimum_bits: int = MINIMUM_BITS) -> PublicKey:
        """Return the key in `data` (n, little-endian, no trailing zero byte) after every check that needs no proof.

        Raises CrookedModulus for n too short or long, even, with a factor below 2^20, prime, a power, or of nearly equal factors (K7). That
        gcd(n, phi(n)) = 1 is seen from the root proof alone: call `proof.verify_modulus` before using the key.
        """
        n = mpz(int.from_bytes(data, "little"))
        bits = n.bit_length()
        if not minimum_bits <= bits <= MAXIMUM_BITS or len(data) != (bits + 7) // 8:
            raise CrookedModulus(f"the peer's modulus has {bits} bits in {len(data)} bytes; {minimum_bits} to {MAXIMUM_BITS} are accepted")
        if gmpy2.gcd(_small_primes(), n) != 1:
            raise CrookedModulus(f"the peer's modulus has a prime factor below {SMALLEST_FACTOR}")
        if gmpy2.is_strong_prp(n, 2):  # a prime never fails this, so whatever fails is composite
            raise CrookedModulus("the peer's modulus is prime: anybody could open what is sealed under it")
        if gmpy2.is_power(n):
            raise CrookedModulus("the peer's modulus is a power of another number")
        middle = gmpy2.isqrt(n)
        if any(gmpy2.is_square((middle + step) ** 2 - n) for step in range(1, FERMAT_STEPS + 1)):
            raise CrookedModulus("the two factors of the peer's modulus are so close that anybody finds them")
        return cls(n)

    def to_bytes(self) -> bytes:
        """Return n, little-endian, as short as it can be."""
        return bytes(self.n.to_bytes(self.plain_width, "little"))

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of n's bytes: the name of the key in contracts and ledgers."""
        return hashlib.sha256(b"tandem-paillier-key" + self.to_bytes()).digest()

    def centred(self, opened: int) -> int:
        """Return the number in [-n/2, n/2) that is `opened` mod n: how a negative sum reads where no top noise was added."""
        return int(opened - self.n) if 2 * opened >= self.n else int(opened)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicKey) and self.n == other.n

    def __hash__(self) -> int:
        return hash(self.n)

    def __repr__(self) -> str:
        return f"PublicKey({self.bits} bits, {self.digest.hex()[:16]})"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _key_of, (self.to_bytes(),)


@dataclass(frozen=True)
class Foreign:
    """Bytes that a peer calls ciphertexts; nobody has looked at them yet."""

    data: bytes = field(repr=False)


class Checked:
    """Ciphertexts that were admitted: units mod n, fit to be multiplied and opened."""

    def __init__(self, key: PublicKey, values: list[mpz]) -> None:
        """Wrap values that `admit` looked at, or that were multiplied from such values."""
        self.key = key
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _checked_of, (self.key, write(self.values, self.key.width))


class Products:
    """Results of multiplication. Their randomness tells which rows are in them (K5), so they can neither be encoded nor pickled."""

    def __init__(self, key: PublicKey, values: list[mpz]) -> None:
        self.key = key
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __reduce__(self) -> NoReturn:
        raise UnblindedLeaving(f"{len(self.values)} products were about to be written without a fresh r^n; pass them through blind()")


class Blinded:
    """Ciphertexts fit to leave, kept as the bytes that leave."""

    __slots__ = ("_data", "key")
    _data: bytes
    key: PublicKey

    def __init__(self) -> None:
        raise UnblindedLeaving("ciphertexts become fit to leave by blind(), encrypt() or SecretKey.seal(), not by calling this class")

    def encode(self) -> bytes:
        """Return the ciphertexts one after the other, each `key.width` bytes, little-endian."""
        return self._data

    def part(self, first: int, last: int) -> Blinded:
        """Return ciphertexts first to last - 1."""
        return _fit(self.key, self._data[first * self.key.width : last * self.key.width])

    @staticmethod
    def join(parts: Sequence[Blinded]) -> Blinded:
        """Return all ciphertexts of `parts` (at least one, all of one key) in order."""
        if len({part.key for part in parts}) != 1:
            raise ValueError("only ciphertexts of one key, and at least one part of them, can be joined")
        return _fit(parts[0].key, b"".join(part._data for part in parts))  # noqa: SLF001 - its own class

    def remember(self, repeats: set[int]) -> None:
        """Add the hashes of c mod n to `repeats`; raises RandomiserRepeated for one that is there already (K2): the sealer's own check."""
        _remember((c % self.key.n for c in read(self._data, self.key.width)), repeats)

    def __len__(self) -> int:
        return len(self._data) // int(self.key.width)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blinded) and self.key == other.key and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"Blinded({len(self)} ciphertexts)"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _fit, (self.key, self._data)


def admit(key: PublicKey, foreign: Foreign, repeats: set[int] | None = None) -> Checked:
    """Check ciphertexts from a peer and let them in.

    Raises ForeignElement unless the bytes are whole ciphertexts; FactorPlanted unless 0 < c < n^2 and gcd(c, n) = 1 (K4); NakedCiphertext
    for c mod n = 1 (K1); RandomiserRepeated if c mod n was met before, here or in `repeats`, which then remembers these (K2); without a
    set nothing is looked for, since a set grows with the rows.
    """
    if len(foreign.data) % key.width:
        raise ForeignElement(f"{len(foreign.data)} bytes are no whole number of ciphertexts of {key.width} bytes")
    values = read(foreign.data, key.width)
    n, n2, product = key.n, key.n2, mpz(1)
    residues = []
    for position, c in enumerate(values):
        if not 0 < c < n2:
            raise FactorPlanted(f"ciphertext {position} of {len(values)} is 0 or not below n^2")
        residue = c % n
        if residue == 1:
            raise NakedCiphertext(f"ciphertext {position} of {len(values)} carries no randomness: anybody can read it")
        product = product * residue % n
        residues.append(residue)
    if gmpy2.gcd(product, n) != 1:  # 0 included; a common factor of one c stays in the product, so one gcd serves them all
        raise FactorPlanted(f"one of {len(values)} ciphertexts shares a factor with n: opening it would hand out the key")
    if repeats is not None:
        _remember(residues, repeats)
    return Checked(key, values)


def reveal(sealed: Checked, roots: Sequence[int]) -> list[int]:
    """Return the plaintexts in [-n/2, n/2) of ciphertexts whose randomness r is shown: (1 + P*n) * r^n = c mod n^2 for one P alone.

    Raises ForeignElement for an r that is not that of its ciphertext. Nobody can show another plaintext: gcd(n, phi(n)) = 1 was proved.
    """
    key, plain = sealed.key, []
    for position, (c, root) in enumerate(zip(sealed.values, roots, strict=True)):
        if not 0 < root < key.n or gmpy2.gcd(root, key.n) != 1:
            raise ForeignElement(f"the randomness shown for ciphertext {position} of {len(sealed)} is no unit below n")
        bare = c * gmpy2.invert(gmpy2.powmod(root, key.n, key.n2), key.n2) % key.n2
        if bare % key.n != 1:
            raise ForeignElement(f"the randomness shown for ciphertext {position} of {len(sealed)} is not its own")
        plain.append(key.centred((bare - 1) // key.n))
    return plain


def units(key: PublicKey, chance: Chance, count: int) -> list[mpz]:
    """Return `count` values r^n mod n^2, r uniform in Z_n*: the dear half of `blind` and `encrypt`, made ahead of need.

    No shorter exponent and no base published by the key's owner will do: the owner could see through both (K5).
    """
    made: list[mpz] = []
    while len(made) < count:
        r = mpz(below(chance, int(key.n)))
        if gmpy2.gcd(r, key.n) == 1:
            made.append(gmpy2.powmod(r, key.n, key.n2))
    return made


@dataclass(frozen=True)
class MakeUnits:
    """`units` as a task for workers: item (number, count), numbers all different; each draws from a fork of its own."""

    key: PublicKey
    chance: Chance = field(repr=False)

    def __call__(self, item: tuple[int, int]) -> list[mpz]:
        """Return the units of one item."""
        number, count = item
        return units(self.key, self.chance.fork("units", number), count)


def blind(key: PublicKey, products: Products, plain: Sequence[int], fresh: list[mpz]) -> Blinded:
    """Return product * (1 + plain*n) * r^n for every product: `plain` is added to what is sealed, r^n hides where it came from.

    Takes as many units off the end of `fresh` as it needs, so none serves twice. Raises UnblindedLeaving if there are too few.
    """
    return leave(key, (c * f for c, f in zip(products.values, factors(key, plain), strict=True)), _take(fresh, len(products)))


def encrypt(key: PublicKey, plain: Sequence[int], fresh: list[mpz]) -> Blinded:
    """Return (1 + plain*n) * r^n, textbook encryption, with units taken off the end of `fresh`. `plain` lies in (-n, n)."""
    return leave(key, factors(key, plain), _take(fresh, len(plain)))


def factors(key: PublicKey, plain: Iterable[int]) -> list[mpz]:
    """Return 1 + (plain + n)*n for every number: mod n^2 that is 1 + plain*n, and zeros take as long as anything else (K10).

    Raises SlotOverflow for a number outside (-n, n).
    """
    n = key.n
    made = []
    for number in plain:
        if not -n < number < n:
            raise SlotOverflow(f"a number of {int(number).bit_length()} bits does not fit under a modulus of {key.bits}")
        made.append(1 + (number + n) * n)
    return made


def leave(key: PublicKey, values: Iterable[mpz], fresh: Sequence[mpz]) -> Blinded:
    """Multiply every value by a fresh uniform n-th residue and declare it fit to leave. For this module and the sealing key only."""
    n, n2 = key.n, key.n2
    made = [value * unit % n2 for value, unit in zip(values, fresh, strict=True)]
    if any(c % n == 1 for c in made):
        raise UnblindedLeaving("a ciphertext without randomness was about to leave: is the source of chance broken?")
    return _fit(key, write(made, key.width))


def read(data: bytes, width: int) -> list[mpz]:
    """Return the little-endian numbers of `width` bytes that `data` consists of."""
    return [mpz.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]


def write(values: Iterable[mpz], width: int) -> bytes:
    """Inverse of `read`."""
    return b"".join(value.to_bytes(width, "little") for value in values)


def _take(fresh: list[mpz], count: int) -> list[mpz]:
    if len(fresh) < count:
        raise UnblindedLeaving(f"{count} ciphertexts were about to leave and only {len(fresh)} values r^n are left; make more first")
    taken = fresh[len(fresh) - count :]
    del fresh[len(fresh) - count :]
    return taken


def _remember(residues: Iterable[mpz], repeats: set[int]) -> None:
    """Python's hash of an integer is its residue mod 2^61 - 1: no repeat is missed, a false alarm among 10^6 has chance 2^-22."""
    for position, residue in enumerate(residues):
        known = len(repeats)
        repeats.add(hash(residue))
        if len(repeats) == known:
            raise RandomiserRepeated(f"ciphertext {position} repeats the randomness of an earlier one: their ratio is what they differ by")


def _fit(key: PublicKey, data: bytes) -> Blinded:
    made: Blinded = object.__new__(Blinded)
    made.key = key
    made._data = data  # noqa: SLF001 - the only constructor
    return made


def _key_of(data: bytes) -> PublicKey:
    return PublicKey(int.from_bytes(data, "little"))


def _checked_of(key: PublicKey, data: bytes) -> Checked:
    return Checked(key, read(data, key.width))
