"""Attacks by time tried (K10): durations of this thread's own work, the two kinds in an order drawn by lot."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, partial
from unittest import mock

import numpy as np
from attacks.k10_timing import apart, between_chunks
from gmpy2 import is_prime, mpz

from attacked.results import Result, Size
from attacked.sealed_sums import key, made
from attacked.weak.variable_time import double_and_add, sealed_on_the_way, variable_powers
from tandem.arguments import Seeded, below
from tandem.crypto import group
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Checked
from tandem.sums import sealer


def _told(what: str, one: list[float], other: list[float]) -> Result:
    t = apart(one, other)
    return Result(f"t of {what}", t, t, t, trials=len(one) + len(other))


def _timed(work: Callable[[bool], Callable[[], object]], count: int, seed: int) -> tuple[list[float], list[float]]:
    """Time work(kind)() for kinds in random order, made ready before the clock starts."""
    rng = np.random.default_rng(seed)
    times: tuple[list[float], list[float]] = ([], [])
    for kind in rng.integers(0, 2, count).tolist():
        ready = work(bool(kind))
        began = time.thread_time()
        ready()
        times[kind].append(time.thread_time() - began)
    return times


COPIES = 16
"""Of each key, spread over the memory: where a number lies makes a difference of its own, which says nothing of the number."""


@cache
def _weighted_keys() -> list[tuple[SecretKey, SecretKey]]:
    """Return pairs of a light and a heavy key, the same in each."""
    light, heavy = ([int(p) for p in _weighted_primes(heavy=heavy)] for heavy in (False, True))  # of an int, mpz makes a number anew
    return [(SecretKey(*map(mpz, light)), SecretKey(*map(mpz, heavy))) for _ in range(COPIES)]


def _weighted_primes(*, heavy: bool) -> tuple[mpz, mpz]:
    """Return primes of a key of 1024 bits that have few ones, or few zeros."""
    chance, found = Seeded(b"heavy" if heavy else b"light"), []
    while len(found) < 2:
        marks = sum({mpz(1) << 8 + below(chance, 490) for _ in range(4)})
        p = (mpz(1) << 512) - 1 - marks if heavy else (mpz(3) << 510) + 1 + marks
        if is_prime(p):
            found.append(p)
    return found[0], found[1]


def opening(size: Size, *, weak: bool = False) -> Result:
    """K10: how long opening takes, against the ones in the key."""
    chance = Seeded(b"opening %d" % size.seeds[0])

    def work(kind: bool) -> Callable[[], object]:  # noqa: FBT001 - one of two kinds
        secret = _weighted_keys()[below(chance, COPIES)][kind]
        return partial(secret.open, Checked(secret.public, [mpz(below(chance, int(secret.public.n2)))]))

    with variable_powers() if weak else nullcontext():
        return _told("opening, keys of few and of many ones", *_timed(work, 1500 if weak else size.of(600, 20_000), size.seeds[0]))


opening_weak = partial(opening, weak=True)


def hashing(size: Size, *, weak: bool = False) -> Result:
    """K10: how long an answer of the oblivious hash takes, against the ones in its key."""
    point = group.hash_to_group(b"x", b"y")
    heavy = (1 << 252) - 1 - (1 << 100)
    scalars = [(number).to_bytes(32, "little") for number in ((1 << 251) + 1, heavy)]

    def work(kind: bool) -> Callable[[], object]:  # noqa: FBT001 - one of two kinds
        return partial(group.multiply, scalars[kind], point)

    with double_and_add() if weak else nullcontext():
        return _told("answering, keys of few and of many ones", *_timed(work, 50 if weak else size.of(2000, 20_000), size.seeds[0]))


hashing_weak = partial(hashing, weak=True)


class _Meter:
    """A clock that runs while one role works: the others are on other machines."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, role):
        answer = None
        while True:
            began = time.thread_time()
            try:
                wanted = role.send(answer)
            except StopIteration as stop:
                return stop.value
            finally:
                self.seconds += time.thread_time() - began
            answer = yield wanted


def zeros(size: Size, *, weak: bool = False) -> Result:
    """K10: the time between chunks of sealed rows, against whether their rows are zero."""
    chunks, chunk = (200, 100) if weak else (size.of(30, 200), 32)  # rows a chunk, in place of 1 MiB: so that there are many chunks
    world = made(key(2048), chunk * chunks, (2,), size.seeds[0], slots=50, reach=1 << 15, cap=1 << 20)
    meter = _Meter()
    full = np.random.default_rng(size.seeds[0]).integers(0, 2, chunks).astype(bool)
    world = replace(
        world, rows=world.rows * np.repeat(full, chunk)[:, None], clock=lambda: meter.seconds, corrupt={"sealer": meter.around},
    )
    weakness = sealed_on_the_way(world.secret, len(world.rows)) if weak else nullcontext()
    with mock.patch.object(sealer, "chunk_length", return_value=chunk), weakness:
        times = between_chunks(world.play().sealer)  # when frames leave: what the network sees
    by_kind = [[t for t, of_full in zip(times, full[1:], strict=True) if of_full == kind] for kind in (True, False)]
    return _told("chunks of zero and of full rows", *by_kind)


zeros_weak = partial(zeros, weak=True)
