"""Attacks on the randomness of ciphertexts tried (K1, K2, K3, K5, K6): who is right is known here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial

import numpy as np
from attacks.k01_no_randomiser import read_naked
from attacks.k02_equal_randomisers import differences
from attacks.k03_short_exponents import chances, read_short
from attacks.k05_products_in_the_open import agreement, odd_bins, odd_one_out, rows_by_middle, spelled, spelled_rows
from attacks.k06_equal_products import equal_cells
from attacks.logarithms import SmoothGroup
from gmpy2 import is_prime, mpz, next_prime, powmod

from attacked import crashes
from attacked.entries import enter
from attacked.results import Result, Size, rate
from attacked.sealed_sums import SealedSums, key, made
from attacked.views import changed
from attacked.weak.no_gcd_check import no_look_at_randomness
from attacked.weak.no_randomiser import no_randomiser
from attacked.weak.poor_bases import blinding_by, no_rerandomisation, sealing_by, square_base
from tandem.arguments import Seeded, below
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import units, write
from tandem.errors import NakedCiphertext
from tandem.wire.messages import Sealed

Weakness = Callable[[], AbstractContextManager[None]]
SMALL = 512
"""Bits of a key whose length is not the point."""


def _numbered(size: Size, sessions: int) -> range:
    """Return the seeds of so many sessions: others for another seed of the run."""
    return range(1000 * size.seeds[0], 1000 * size.seeds[0] + sessions)


def naked(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K1: the summer reads the rows it is sent."""
    secret = key(size.key_bits)
    world = made(secret, size.of(500, 4000), (4, 3), size.seeds[0])
    with weakness():
        view = world.play().summer
    found, truth = read_naked(view, world.n, "Sealed"), [number % world.n for number in world.layout.pack(world.rows)[0]]
    hits = sum(one is not None and one == other for one, other in zip(found, truth, strict=False))  # those that left before it was refused
    hits += sum(one is not None for one in read_naked(view, world.n, "Shares"))
    return rate("rows read without a key", hits, max(1, len(found)))


naked_weak = partial(naked, weakness=no_randomiser)


def repeated(size: Size, chance: str = "system") -> Result:
    """K2: equal randomness over processes that were forked, killed and begun again."""
    cycles, rows = size.of(40, 200), size.of(125, 1000)
    sealed, truth, n = crashes.run(SMALL if not size.nightly else 256, cycles, rows, chance)
    found = differences(sealed, n)
    right = sum(truth[i] - truth[j] == difference for i, j, difference in found)
    if chance == "system":
        return rate("rows with a randomiser met before", len(found), len(sealed), note=f"{cycles} processes killed")
    return rate("rows read by difference", right, len(sealed) - rows, note=f"{cycles} processes killed")


repeated_weak = partial(repeated, chance="copied")


def short(size: Size, weakness: Callable[[mpz], AbstractContextManager[None]] = lambda _: nullcontext()) -> Result:
    """K3: 20 labels without a key."""
    secret = key(size.key_bits)
    h = square_base(int(secret.public.n), b"base")
    world = made(secret, 20, (2,), size.seeds[0], slots=1)
    with weakness(h):
        view = world.play().summer
    found, truth = read_short(view, world.n, h, 20), world.rows[:, 0].tolist()
    return rate("labels read without a key", sum(one == other for one, other in zip(found, truth, strict=True)), 20)


def short_weak(size: Size) -> Result:
    return short(size, lambda h: sealing_by(h, 32))


def skewed(size: Size, weakness: Callable[[mpz], AbstractContextManager[None]] = lambda _: nullcontext()) -> Result:
    """K3, with the owner's key: is the randomness of rows and of r^n uniform? The value is the least p-value, times their number."""
    secret, count = key(SMALL), size.of(3000, 20_000)
    p, q = (half.p for half in secret._factored)
    small = [(half.p, int(ell)) for half in secret._factored for ell in half.divisors() if ell < 1 << 20]
    with weakness(square_base(int(secret.public.n), b"base")):
        rows = [c % secret.public.n for c in secret.residues(count, Seeded(b"skewed %d" % size.seeds[0]))]
    found = chances(rows, p, q, small)
    found += chances([c % secret.public.n for c in units(secret.public, Seeded(b"units %d" % size.seeds[0]), count)], p, q, small)
    least = min(1.0, min(found) * len(found))
    return Result("p-value of uniform randomness", least, least, least, trials=2 * count, note=f"{len(found)} tests")


def skewed_weak(size: Size) -> Result:
    return skewed(size, lambda h: sealing_by(h, 32))


def middle(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K5a: the rows of each cell by meeting in the middle."""
    hits = trials = 0
    for seed in _numbered(size, 5):
        world = made(key(SMALL), size.of(16, 28), (4,) * 5, seed)
        with weakness():
            found = rows_by_middle(world.play().sealer, world.n)
        truth = world.members()
        hits += sum(one == other for one, other in zip(found, truth, strict=True))
        trials += len(truth)
    return rate("cells whose rows are found", hits, trials)


middle_weak = partial(middle, weakness=no_rerandomisation)


def _owners() -> AbstractContextManager[None]:
    return blinding_by(square_base(int(key(SMALL).public.n), b"owner"), SMALL)


def odd(size: Size, weakness: Weakness = nullcontext, variables: int = 50, sessions: int = 0) -> Result:
    """K5b: the bin of one target in each variable."""
    hits = trials = 0
    for seed in _numbered(size, sessions or size.of(4, 8)):
        target = seed % 60
        cheat = odd_one_out(int(key(SMALL).public.n), target, partial(below, Seeded(b"odd %d" % seed)))
        world = made(key(SMALL), 60, (4,) * variables, seed, corrupt={"sealer": lambda role, cheat=cheat: changed(role, Sealed, cheat)})
        with weakness():
            found = odd_bins(world.play().sealer, world.n, world.bins)
        hits += int(np.sum(np.array(found) == world.codes[target]))
        trials += variables
    return rate("bins of a target found", hits, trials, baseline=0.25)


odd_weak = partial(odd, weakness=_owners, variables=6, sessions=1)


def foretold(size: Size, weakness: Weakness = nullcontext, variables: int = 50, sessions: int = 0) -> Result:
    """K5c: is a cell's symbol what its rows give?"""
    hits = trials = 0
    for seed in _numbered(size, sessions or 10):
        world = made(key(SMALL), 60, (4,) * variables, seed)
        with weakness():
            found = agreement(world.play().sealer, world.n, world.members())
        hits += sum(found)
        trials += len(found)
    return rate("symbols of cells foretold", hits, trials, baseline=0.5)


foretold_weak = partial(foretold, weakness=_owners, variables=12, sessions=1)


@cache
def _smooth_half(bits: int, first: int) -> tuple[int, tuple[int, ...], int]:
    """Return a prime p, the different small primes whose product is p - 1, and a generator mod p."""
    rng = np.random.default_rng(first)
    pool = []
    at = next_prime(first)
    while len(pool) < 400:
        pool.append(int(at))
        at = next_prime(at)
    count = bits // 17
    while True:
        primes = [2, *(pool[i] for i in rng.permutation(len(pool))[:count])]
        product = mpz(1)
        for prime in primes:
            product *= prime
        if (product + 1).bit_length() == bits and is_prime(product + 1):
            p = product + 1
            g = next(g for g in range(2, 1000) if all(powmod(g, product // prime, p) != 1 for prime in primes))
            return int(p), tuple(primes), g


@cache
def smooth_key() -> tuple[SecretKey, SmoothGroup, SmoothGroup, int]:
    """Return a key of 510 bits or so with smooth p-1 and q-1, the two groups, and the generator mod p."""
    (p, primes, g), (q, others, f) = _smooth_half(255, 118_000), _smooth_half(255, 123_000)
    return SecretKey(p, q), SmoothGroup(mpz(g), primes, mpz(p)), SmoothGroup(mpz(f), others, mpz(q)), g


def spelt(size: Size, *, weak: bool = False) -> Result:
    """K5d: the rows of each cell, spelled out by a logarithm."""
    secret, left, right, g = smooth_key()
    h = square_base(int(secret.public.n), b"telco")
    spell = spelled(int(left.modulus), int(right.modulus), g)
    hits = trials = 0
    for seed in _numbered(size, 1 if weak else 5):
        world = made(
            secret, 240, (5, 4), seed, corrupt={"sealer": lambda role: changed(role, Sealed, spell)}
        )
        with blinding_by(h, 256) if weak else nullcontext():
            view = world.play().sealer
        found = spelled_rows(view, 240, h, left, right)
        truth = world.members()
        hits += sum(one == other for one, other in zip(found, truth, strict=True))
        trials += len(truth)
    return rate("cells whose 240 rows' list is read", hits, trials)


spelt_weak = partial(spelt, weak=True)


def twins(size: Size, *, weak: bool = False) -> Result:
    """K6: cells of the same rows are equal."""
    variables, sessions = (6, 1) if weak else (50, size.of(3, 6))
    hits = trials = 0
    for seed in _numbered(size, sessions):
        world = made(key(SMALL), 60, (4,) * variables, seed)
        world = SealedSums(world.secret, world.rows, world.codes[:, [0] * variables], world.bins, world.layout, world.seed)
        with no_rerandomisation() if weak else nullcontext():
            found = set(equal_cells(world.play().sealer, world.n))
        truth = world.members()
        pairs = {(i, j) for j in range(len(truth)) for i in range(j) if truth[i] == truth[j]}
        hits += len(found & pairs) if weak else len(found)
        trials += len(pairs)
    return rate("pairs of equal cells seen", hits, trials)


twins_weak = partial(twins, weak=True)


def bare(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K6: 1, or 1 + P*n, as a row; and everywhere else where ciphertexts enter."""
    secret, draw = key(SMALL), partial(below, Seeded(b"bare %d" % size.seeds[0]))
    honest = secret.seal([1, 2], Seeded(b"honest")).encode()
    hits = trials = 0
    with weakness():
        for entry in ("rows", "shares", "pair totals", "point table", "scores"):
            for number in range(size.of(200, 400)):
                planted = mpz(1 + (draw(int(secret.public.n)) * secret.public.n if number else 0))
                try:
                    enter(secret, entry, honest + write([planted], secret.public.width))
                    hits += 1
                except NakedCiphertext:
                    pass
                trials += 1
    return rate("ciphertexts without randomness let in", hits, trials)


bare_weak = partial(bare, weakness=no_look_at_randomness)
