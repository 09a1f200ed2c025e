"""All work in a loop, in the process and thread of the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from tandem.arguments import Accumulation, Accumulator

T = TypeVar("T")
R = TypeVar("R")


class Serial:
    """The engine that has no workers: the same results as `pool.Pool`, byte for byte."""

    def map(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield task(item) in order, each computed when it is asked for."""
        return (task(item) for item in items)

    def begin(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Like `map`: without workers there is nobody to run ahead. The items are taken at once all the same."""
        return (task(item) for item in list(items))

    def accumulate(self, start: Callable[[], Accumulator[T, R]]) -> Accumulation[T, R]:
        """Start the one accumulator."""
        return _Single(start())


class _Single(Generic[T, R]):
    def __init__(self, accumulator: Accumulator[T, R]) -> None:
        self._accumulator = accumulator

    def add(self, item: T) -> None:
        self._accumulator.add(item)

    def results(self) -> list[R]:
        return [self._accumulator.result()]
