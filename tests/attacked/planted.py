"""Planted factors and crooked moduli tried (K4, K7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial

import numpy as np
from attacks.ciphertexts import all_of
from attacks.k04_factor_planted import factored, marked, marked_bins, planted, values
from attacks.k07_crooked_modulus import Channel, open_under_prime, roots, sealed, sealer
from gmpy2 import is_prime, mpz, next_prime
from masked_path import CONTEXT
from vectors import BESIDE

from attacked.entries import ENTRIES, enter, watched_opening
from attacked.results import Result, Size, rate
from attacked.sealed_sums import key, made
from attacked.views import changed
from attacked.weak.keys_as_they_come import keys_as_they_come, no_modulus_proof
from attacked.weak.no_gcd_check import no_gcd_check
from tandem.arguments import Seeded, below
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import PublicKey, write
from tandem.crypto.proof import challenges
from tandem.errors import CrookedModulus, FactorPlanted
from tandem.sums.summer import take_key
from tandem.wire.messages import Key, Sealed, Shares

Weakness = Callable[[], AbstractContextManager[None]]
SMALL = 512
VECTORS = BESIDE / "vectors" / "paillier" / "paillier_2048.json"


def theft(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K4: p and q from one opened number: 0, n and k*n in the place of a share, a session each."""
    secret, hits = key(size.key_bits), 0
    n = int(secret.public.n)
    tried = (0, n, 12345 * n)
    for value in tried:
        plant = planted(n, value)
        world = made(secret, 12, (3,), size.seeds[0], corrupt={"summer": lambda role, plant=plant: changed(role, Shares, plant)})
        with weakness():
            played = world.play()
        found = factored(played.solver.with_(played.summer), n)
        hits += found is not None and set(found) == {int(secret._p), int(secret._q)}
    return rate(f"keys of {size.key_bits} bits taken", hits, len(tried))


theft_weak = partial(theft, weakness=no_gcd_check)


def entered(size: Size, weakness: Weakness = nullcontext, each: int = 10_000) -> Result:
    """K4: planted ciphertexts, alone or among honest ones, at every place where ciphertexts enter."""
    secret, seed = key(SMALL), Seeded(b"entered %d" % size.seeds[0])
    draw = lambda bound: 1 + below(seed, bound - 1)  # noqa: E731 - a name for one argument
    kinds = values(int(secret._p), int(secret._q), draw)
    width = int(secret.public.width)
    honest = [secret.seal([number], seed.fork(number)).encode() for number in range(16)]
    hits = trials = 0
    with weakness(), watched_opening() as reached:
        for entry in ENTRIES:
            for number in range(each):
                value = kinds[number % len(kinds)][1]()
                at, beside = number % 3, number % 14
                parts = [*honest[beside : beside + at], write([mpz(value)], width), *honest[beside + at : beside + 2]]
                try:
                    enter(secret, entry, b"".join(parts))
                    hits += 1
                except FactorPlanted:
                    pass
                trials += 1
    reaching = f"{reached.planted} came to the secret key"
    return rate("planted ciphertexts let in, or opened", max(hits, reached.planted), trials, note=reaching)


entered_weak = partial(entered, weakness=no_gcd_check, each=24)


def seen_bins(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K4: the bins of a marked target."""
    secret, hits, trials = key(SMALL), 0, 0
    for seed in range(5 * size.seeds[0], 5 * size.seeds[0] + 5):
        p, q, n = int(secret._p), int(secret._q), int(secret.public.n)
        mark = marked(p, n, seed, 1 + below(Seeded(b"t%d" % seed), n * q - 1))
        world = made(secret, 40, (4,) * 8, seed, corrupt={"sealer": lambda role, mark=mark: changed(role, Sealed, mark)})
        with weakness():
            view = world.play().sealer
        found = marked_bins(view, world.n, world.bins)
        hits += sum(one == other for one, other in zip(found, world.codes[seed].tolist(), strict=True))
        trials += len(world.bins)
    return rate("bins of a target seen", hits, trials)


seen_bins_weak = partial(seen_bins, weakness=no_gcd_check)


@cache
def crooked() -> tuple[tuple[str, int, bytes, int], ...]:
    """Return (what is wrong, n, proof, least bits) of moduli to refuse."""
    draw, found = partial(below, Seeded(b"crooked")), []
    half = lambda bits=256: int(next_prime((3 << (bits - 2)) + draw(1 << (bits - 2))))  # noqa: E731 - a name for a prime
    good, other = key(SMALL), SecretKey.generate(SMALL, Seeded(b"another"))
    p = half()
    q = next(k * p + 1 for k in range(2, 10_000, 2) if is_prime(k * p + 1))
    channel = the_channel(SMALL)
    shaped = {
        "prime": half(512), "even": 2 * half(511), "a square": half() ** 2, "a cube": half(171) ** 3, "a small factor": 65_537 * half(496),
        "near primes": int(next_prime(p) * p), "p divides q - 1": int(p * q), "factors that divide p - 1": channel.n,
        "three primes": half(171) * half(171) * half(172),
    }
    for name, n in shaped.items():
        found.append((name, n, best_proof(n), 510))
    found += [
        ("short", int(good.public.n), good.prove(CONTEXT), SMALL + 1),
        ("proof for another modulus", int(good.public.n), other.prove(CONTEXT), SMALL),
        ("proof for another contract", int(good.public.n), good.prove(b"another"), SMALL),
        ("no proof", int(good.public.n), b"", SMALL), ("zeros for a proof", int(good.public.n), bytes(1024), SMALL),
    ]
    if VECTORS.is_file():
        for number, case in enumerate(json.loads(VECTORS.read_text())["refuse_key"]):
            n = int(case["n"], 16)
            found.append((f"vector {number}", n, best_proof(n), 2048))
    return tuple(found)


def best_proof(n: int) -> bytes:
    """Return 16 numbers of the right length, each the challenge to a power: the owner of a crooked key has nothing better for most."""
    return roots(n, challenges(PublicKey(n), CONTEXT), 3) if n else b""


@cache
def the_channel(bits: int) -> Channel:
    return Channel(bits, partial(below, Seeded(b"channel")))


def moduli(_: Size, weakness: Weakness = nullcontext) -> Result:
    """K7: crooked moduli and false proofs, handed to whoever takes a key."""
    hits, kinds = 0, crooked()
    with weakness():
        for _, n, proof, least in kinds:
            role = take_key(CONTEXT, least)
            next(role)
            try:
                role.send(Key(n.to_bytes((n.bit_length() + 7) // 8, "little"), proof))
            except StopIteration:
                hits += 1
            except CrookedModulus:
                pass
    return rate("crooked keys taken", hits, len(kinds))


moduli_weak = partial(moduli, weakness=keys_as_they_come)


def prime_modulus(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K7: rows under a prime n, read by whoever sees them."""
    draw, rows = partial(below, Seeded(b"prime")), size.of(50, 500)
    n = int(next_prime((3 << 510) + draw(1 << 510)))
    labels = np.random.default_rng(size.seeds[0]).integers(0, 2, rows).tolist()
    cheat = sealer(n, [sealed(n, label, mpz(2 + draw(n - 2))) for label in labels], best_proof(n))
    world = made(key(SMALL), rows, (3,), 7, corrupt={"sealer": lambda _: cheat})
    with weakness():
        view = world.play().summer
    found = open_under_prime(n, list(all_of(view, n, "Sealed")))
    return rate("rows that anybody reads", sum(one == other for one, other in zip(found, labels, strict=False)), rows)


prime_modulus_weak = partial(prime_modulus, weakness=keys_as_they_come)


def channel(size: Size, weakness: Weakness = nullcontext) -> Result:
    """K7: rows read through a full mask and r^n."""
    crook, draw = the_channel(size.of(SMALL, 1024)), partial(below, Seeded(b"rows"))
    rows, n2 = crook.rows, mpz(crook.n) ** 2
    cheat = sealer(crook.n, [
        sealed(crook.n, 0, mpz(2 + draw(crook.n - 2))) * crook.spelled(row) % n2 for row in range(rows)
    ], best_proof(crook.n))
    world = made(key(SMALL), rows, (4, 3), size.seeds[0], least_bits=SMALL - 2, corrupt={"sealer": lambda _: cheat})
    with weakness():
        view = world.play().sealer
    found = {(row, cell) for cell, inside in enumerate(crook.read(view)) for row in inside or ()}
    truth = {(row, cell) for cell, inside in enumerate(world.members()) for row in inside}
    read = sum(all(((row, cell) in found) == ((row, cell) in truth) for cell in range(sum(world.bins))) for row in range(rows))
    return rate("rows whose codes are read through mask and r^n", read, rows)


channel_weak = partial(channel, weakness=no_modulus_proof)
