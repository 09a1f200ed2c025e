"""What a role is handed instead of taking it: chance and workers.

Roles draw no randomness and start no process of their own (principle 7: chance, time and parallelism are arguments), so the same seeds
give the same frames byte for byte, in one process or over a network, on one core or many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

T = TypeVar("T")
R = TypeVar("R")
T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)


class Chance(Protocol):
    """A source of uniform bytes. It can be pickled, so that a worker draws from a fork of its own."""

    def draw(self, count: int) -> bytes:
        """Return `count` fresh uniform bytes."""

    def fork(self, *label: str | int | bytes) -> Chance:
        """Return a source independent of this one and of every fork with another label."""


@dataclass
class Seeded:
    """Chance that repeats: SHAKE-256 over (seed, label path, draw number). For tests, rehearsals, and values that must be the same again.

    Whoever holds the seed can repeat every draw, so it is as secret as what was drawn.
    """

    seed: bytes = field(repr=False)
    drawn: int = 0

    def draw(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        self.drawn += 1
        return hashlib.shake_256(b"tandem-draw" + self.drawn.to_bytes(8, "big") + self.seed).digest(count)

    def fork(self, *label: str | int | bytes) -> Seeded:
        """Return the source for `label`: a function of seed and label alone, whatever was drawn before."""
        digest = hashlib.sha512(b"tandem-fork" + len(self.seed).to_bytes(4, "big") + self.seed)
        for part in label:
            data = part if isinstance(part, bytes) else str(part).encode()
            digest.update(type(part).__name__.encode() + len(data).to_bytes(8, "big") + data)
        return Seeded(digest.digest())


def below(chance: Chance, bound: int) -> int:
    """Return an integer uniform in [0, bound), by rejection: exact, no modulo bias. Raises ValueError for bound < 1."""
    if bound < 1:
        raise ValueError(f"no integer lies in [0, {bound})")
    bits = (bound - 1).bit_length()
    width, spare = (bits + 7) // 8, -bits % 8
    while True:
        value = int.from_bytes(chance.draw(width), "big") >> spare
        if value < bound:
            return value


class Once(Protocol):
    """Asked before an answer leaves. Whoever keeps a job's state remembers what was answered, so that a step played again tells no more."""

    def __call__(self, digest: bytes, items: int = 1, /) -> None:
        """Pass if what has this digest was answered before in this step, or is still due. Raises OtherContent. Kept before it returns."""


def unkept(_: bytes, __: int = 1, /) -> None:
    """Remember nothing: for a step that cannot be played again."""


class Keep(Protocol):
    """Asked before rows are sealed. Whoever must be able to open them later keeps them, with the seed of the chance that it gives."""

    def __call__(self, chance: Chance, rows: NDArray[Any], /) -> Chance:
        """Return the chance to seal these rows with, and nothing else: `chance`, or one that is kept before this returns."""


def keep_nothing(chance: Chance, _: NDArray[Any], /) -> Chance:
    """Keep nothing: these rows are never opened again."""
    return chance


class Accumulator(Protocol[T_contra, R_co]):
    """State in a worker that takes items one by one and gives one result at the end."""

    def add(self, item: T_contra) -> None:
        """Take one item."""

    def result(self) -> R_co:
        """Return what was accumulated."""


class Accumulation(Protocol[T_contra, R]):
    """Accumulators on one or several workers, seen from the role that feeds them."""

    def add(self, item: T_contra) -> None:
        """Hand the item to one of the workers; waits while they are all far behind."""

    def results(self) -> list[R]:
        """Wait for the workers and return one partial result from each."""


class Engine(Protocol):
    """Where heavy work runs: in a loop, in worker processes, on a cluster. Tasks and items must be picklable."""

    def map(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield task(item) in the order of the items, reading only a bounded number of items ahead."""

    def begin(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Like `map`, but all items are handed to the workers at once, to run while the role does something else."""

    def accumulate(self, start: Callable[[], Accumulator[T, R]]) -> Accumulation[T, R]:
        """Start one accumulator a worker; items are spread over them."""
