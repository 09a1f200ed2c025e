"""Worker processes: lanes of one process each, fed in order and never far ahead.

A lane is an executor of a single spawned process, so what is sent to it is done in the order sent; that is what makes state in a worker
(`accumulate`) possible. A task is sent to a lane once and called by number after that. Work begun ahead of need (`begin`) waits here and is
handed out only while a lane has little to do, so that it fills the gaps and delays other work by one item at most.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import count
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from tandem.arguments import Accumulation, Accumulator
from tandem.errors import TandemError

T = TypeVar("T")
R = TypeVar("R")

WINDOW = 2
"""Items a lane that `map` reads ahead."""

BACKLOG = 4
"""Items that may wait in a lane before `accumulate` makes its caller wait: 4 MiB a lane with chunks of 1 MiB."""

IDLE = 2
"""A lane with fewer items than this is given work begun ahead of need: one to do, one to go on with."""


class Pool:
    """The engine with `lanes` worker processes (default: one a core). Use it in `with`, or call `close`.

    A task's exception is raised where its result is taken, with its class and text. A dead worker raises TandemError. Workers ignore
    SIGINT and SIGTERM, which are for the parent to handle, and die when the parent does.
    """

    def __init__(self, lanes: int | None = None) -> None:
        self._numbers = count()
        self._ahead: deque[tuple[Future[Any], _Sent, Any]] = deque()
        self._stale: deque[int] = deque()
        self._lock = threading.RLock()
        self._lanes = [_Lane(self) for _ in range(lanes or os.cpu_count() or 1)]

    def map(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield task(item) in order, at most two items a lane being under way."""
        with self._send(task) as sent:
            under_way: deque[Future[R]] = deque()
            for item in items:
                if len(under_way) >= WINDOW * len(self._lanes):
                    yield _outcome(under_way.popleft())
                under_way.append(self._least().call(sent, item))
            while under_way:
                yield _outcome(under_way.popleft())

    def begin(self, task: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Hand all items over at once and return their results in order, to be taken later; make the items small (some 50 ms).

        What nobody has begun on is dropped when the caller drops what is returned: a session that failed leaves no work behind.
        """
        sent = self._send(task)
        begun: deque[Future[R]] = deque()
        with self._lock:
            for item in items:
                future: Future[R] = Future()
                begun.append(future)
                self._ahead.append((future, sent, item))
        self._feed()
        return _Begun(sent, begun)

    def accumulate(self, start: Callable[[], Accumulator[T, R]]) -> Accumulation[T, R]:
        """Start one accumulator a lane. Its caller waits while every lane has four items to do."""
        return _Spread(self, start)

    def peaks(self) -> list[int]:
        """Return the largest resident memory that each worker ever had, in bytes."""
        return [_outcome(lane.submit(_peak)) for lane in self._lanes]

    def close(self) -> None:
        """Let every lane finish the item it is at, drop the rest, and wait until threads and processes have ended."""
        with self._lock:
            while self._ahead:
                self._ahead.popleft()[0].cancel()
        # All at once, yet each is waited for. One told not to wait forgets its thread: no later call could wait for that either, and the
        # interpreter, as it ends, would wake the thread by a pipe that it may just have closed.
        with ThreadPoolExecutor(len(self._lanes), "close") as closing:
            list(closing.map(_Lane.close, self._lanes))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _least(self) -> _Lane:
        return min(self._lanes, key=lambda lane: lane.load)

    def _feed(self) -> None:
        """Hand begun work to lanes that have little to do; called after every item done."""
        with self._lock:
            while self._ahead and (lane := self._least()).load < IDLE:
                try:
                    future, sent, item = self._ahead.popleft()
                except IndexError:  # `_fail` was quicker
                    return
                if future.set_running_or_notify_cancel():
                    try:
                        _copy(lane.call(sent, item), future)
                    except RuntimeError as error:  # closed meanwhile
                        future.set_exception(error)

    def _fail(self, error: BaseException) -> None:
        """Tell whoever waits for begun work that a worker died. Takes no lock: the executor may hold its own while it tells us."""
        while self._ahead:
            try:
                future, _, _ = self._ahead.popleft()
            except IndexError:
                return
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _send(self, task: Callable[..., Any]) -> _Sent:
        """Give a task its number, and tell the lanes to drop tasks that nobody uses any more."""
        with self._lock:
            while self._stale:
                number = self._stale.popleft()
                for lane in self._lanes:
                    lane.submit(_drop, number)
            return _Sent(next(self._numbers), task, self._stale)


class _Lane:
    """One worker process, the number of items it was given and has not finished, and the tasks it knows."""

    def __init__(self, pool: Pool) -> None:
        self.executor = ProcessPoolExecutor(1, get_context("spawn"), _settle)
        self.load = 0
        self._pool = weakref.ref(pool)
        self._ordering = pool._lock  # noqa: SLF001 - a lane is a part of its pool
        self._counting = threading.Lock()

    def call(self, sent: _Sent, item: Any) -> Future[Any]:
        """Run a task on an item; the task goes ahead of its first item. A callback may come back here at once: the lock lets it in."""
        with self._ordering:
            if self not in sent.known:
                sent.known.add(self)
                self.submit(_learn, sent.number, sent.blob)
            return self.submit(_call, sent.number, item)

    def submit(self, call: Callable[..., R], *arguments: Any) -> Future[R]:
        self._count(1)
        try:
            future = self.executor.submit(call, *arguments)
        except BrokenProcessPool as error:
            future = Future()
            future.set_exception(error)
            self._count(-1)
        except RuntimeError:  # closed
            self._count(-1)
            raise
        else:
            future.add_done_callback(self._done)
        return future

    def close(self) -> None:
        """Drop what waits, and return when the process and the executor's thread have ended."""
        self.executor.shutdown(cancel_futures=True)

    def _count(self, change: int) -> None:
        with self._counting:
            self.load += change

    def _done(self, future: Future[Any]) -> None:
        """Hand out more work, in the executor's thread. After a death or at the close its lock is held: nothing may be submitted then."""
        self._count(-1)
        pool = self._pool()
        if pool is None or future.cancelled():
            return
        if isinstance(error := future.exception(), BrokenProcessPool):
            pool._fail(error)  # noqa: SLF001 - a lane is a part of its pool
        else:
            pool._feed()  # noqa: SLF001 - as above


class _Sent:
    """A task as bytes with a number, and the lanes that know it.

    When its last user is gone the number is noted as stale, no more: that may happen in any thread, amid a collection of garbage, where
    no lock may be taken. The lanes drop it when the next task is sent.
    """

    def __init__(self, number: int, task: Callable[..., Any], stale: deque[int]) -> None:
        self.number = number
        self.blob = pickle.dumps(task, pickle.HIGHEST_PROTOCOL)
        self.known: set[_Lane] = set()
        self._forget = weakref.finalize(self, stale.append, number)
        self._forget.atexit = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()


class _Spread(Generic[T, R]):
    """Accumulators on all lanes."""

    def __init__(self, pool: Pool, start: Callable[[], Accumulator[T, R]]) -> None:
        self._sent = pool._send(start)  # noqa: SLF001 - as below
        self._lanes = pool._lanes  # noqa: SLF001 - part of its pool
        self._under_way: list[set[Future[None]]] = [set() for _ in self._lanes]
        self._turn = 0
        for lane, under_way in zip(self._lanes, self._under_way, strict=True):
            under_way.add(lane.submit(_start, self._sent.number, self._sent.blob))

    def add(self, item: T) -> None:
        while True:
            for under_way in self._under_way:
                for future in [future for future in under_way if future.done()]:
                    under_way.discard(future)
                    _outcome(future)
            backlog = [len(under_way) for under_way in self._under_way]
            if min(backlog) < BACKLOG:
                break
            wait([future for under_way in self._under_way for future in under_way], return_when=FIRST_COMPLETED)
        lanes = len(backlog)
        lane = min(range(lanes), key=lambda number: (backlog[number], (number - self._turn) % lanes))
        self._turn = lane + 1
        self._under_way[lane].add(self._lanes[lane].submit(_add, self._sent.number, item))

    def results(self) -> list[R]:
        last: list[Future[R]] = [lane.submit(_result, self._sent.number) for lane in self._lanes]
        for under_way in self._under_way:
            for future in under_way:
                _outcome(future)
        return [_outcome(future) for future in last]


class _Begun(Generic[R]):
    """The results of work begun ahead; `sent` lives as long as somebody waits for them.

    No generator: one that is dropped before its first result was asked for runs no `finally`.
    """

    def __init__(self, sent: _Sent, begun: deque[Future[R]]) -> None:
        self._sent, self._begun = sent, begun
        self._drop = weakref.finalize(self, _cancel, begun)
        self._drop.atexit = False

    def close(self) -> None:
        """Drop what nobody has begun on."""
        self._drop()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        if not self._begun:
            raise StopIteration
        return _outcome(self._begun.popleft())


def _cancel(begun: deque[Future[Any]]) -> None:
    """Drop what is still to be done. Like `_Sent`, this may run amid a collection of garbage: it takes no lock of the pool."""
    while begun:
        begun.popleft().cancel()


def _outcome(future: Future[R]) -> R:
    try:
        return future.result()
    except BrokenProcessPool:
        raise TandemError("a worker process died, perhaps for want of memory; start again with fewer workers") from None


def _copy(inner: Future[R], outer: Future[R]) -> None:
    def hand_on(done: Future[R]) -> None:
        if done.cancelled():
            outer.set_exception(RuntimeError("the workers were closed before this was done"))
        elif error := done.exception():
            outer.set_exception(error)
        else:
            outer.set_result(done.result())

    inner.add_done_callback(hand_on)


# What follows runs in the worker.

_TASKS: dict[int, Any] = {}
_STATES: dict[int, Accumulator[Any, Any]] = {}


def _settle() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # a terminal, or a service manager, tells the whole group
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End this process when the one that started it is gone, even if it was killed."""
    if (parent := parent_process()) is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _learn(number: int, blob: bytes) -> None:
    _TASKS[number] = blob


def _call(number: int, item: Any) -> Any:
    task = _TASKS[number]
    if isinstance(task, bytes):  # unpickled here, so that what goes wrong is told with the first item
        task = _TASKS[number] = pickle.loads(task)  # noqa: S301 - from our own parent
    return task(item)


def _start(number: int, blob: bytes) -> None:
    _STATES[number] = pickle.loads(blob)()  # noqa: S301 - from our own parent


def _add(number: int, item: Any) -> None:
    _STATES[number].add(item)


def _result(number: int) -> Any:
    return _STATES.pop(number).result()


def _drop(number: int) -> None:
    _TASKS.pop(number, None)
    _STATES.pop(number, None)


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise TandemError("this system does not tell the peak memory of a process")
