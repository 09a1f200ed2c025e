"""What a node tells its operator: sentences for a person, events for a log collector, figures for Prometheus.

The first two go to stderr, one or the other, as the configuration says; the figures are asked for at a port of their own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tandem.contract import COORDINATOR, Contract, Role
from tandem.errors import LOST, REFUSED, TandemError
from tandem.node.config import NodeConfig
from tandem.node.events import COUNT_LIMIT, Event, Level, Name, Sink, gone, text_of
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import now
from tandem.session.tap import Tap, Tapped
from tandem.wire.messages import JOB_WIDTH, Opening

_LEVELS: dict[Name, Level] = {
    "session_refused": "warning", "session_lost": "warning", "call_refused": "warning", "call_lost": "warning", "check_failed": "error",
    "fault": "error",
}


def say(line: str) -> None:
    """Tell the operator, with the time, on stderr."""
    sys.stderr.write(f"{datetime.now(UTC):%H:%M:%S} {line}\n")
    sys.stderr.flush()


def hush(_: str) -> None:
    """Say nothing: events stand in for sentences."""


def write_event(event: Event) -> None:
    """Write an event on stderr, one line of JSON."""
    sys.stderr.write(event.to_json() + "\n")
    sys.stderr.flush()


class Weight:
    """The tap of one session that adds up what its frames weigh."""

    def __init__(self, taps: Iterable[Tap] = ()) -> None:
        self.bytes, self._taps = 0, tuple(taps)

    def tap(self, seen: Tapped) -> None:
        """Add a frame, and show it to the others."""
        self.bytes += len(seen.frame)
        for one in self._taps:
            one(seen)


@dataclass(frozen=True)
class Watch:
    """One node's outlets. `report` takes sentences, `sinks` events, `taps` the frames of every session."""

    party: Role
    report: Callable[[str], None] = hush
    sinks: tuple[Sink, ...] = ()
    taps: tuple[Tap, ...] = ()
    clock: Callable[[], float] = time.monotonic

    def note(
        self, name: Name, *, contract: Contract | None = None, opening: Opening | None = None, rows: int | None = None,
        size: int | None = None, seconds: float | None = None, failure: BaseException | None = None, told: str = "",
    ) -> None:
        """Tell of an event. Nothing can be told but what is asked for here, and it is held to its form."""
        job = b"" if opening is None or len(opening.job) != JOB_WIDTH or not any(opening.job) else opening.job
        event = Event(
            time=now(), level=_LEVELS.get(name, "info"), party=self.party, event=name,
            contract="" if contract is None else contract.digest.hex()[:8], job=job.hex()[:8],
            script="" if opening is None else opening.script, stage=None if opening is None else _count(opening.stage),
            attempt=None if opening is None else _count(opening.attempt), rows=_rows(opening) if rows is None else rows,
            bytes=size, seconds=None if seconds is None else round(seconds, 3),
            error="" if failure is None else type(failure).__name__, told=told, text="" if failure is None else text_of(failure),
        )
        for sink in self.sinks:
            sink(event)

    @contextmanager
    def session(self, contract: Contract, opening: Opening, *, answers: bool = False) -> Iterator[Weight]:
        """Tell of a session's begin and end, however it ends. `answers`: the peers called us, and will hear a word if it fails."""
        began, weight = self.clock(), Weight(self.taps)
        self.note("session_begun", contract=contract, opening=opening)
        try:
            yield weight
        except BaseException as failure:
            name, told = verdict(failure, "session_refused", "session_lost")
            seconds = self.clock() - began
            self.note(
                name, contract=contract, opening=opening, size=weight.bytes, seconds=seconds, failure=failure, told=told if answers else ""
            )
            raise
        self.note("session_ended", contract=contract, opening=opening, size=weight.bytes, seconds=self.clock() - began)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Tell of a call that fails before it opened a session."""
        try:
            yield
        except Exception as failure:
            name, told = verdict(failure, "call_refused", "call_lost")
            self.note(name, failure=failure, told=told)
            raise


def verdict(failure: BaseException, refused: Name, lost: Name) -> tuple[Name, str]:
    """Return what a failure is called, and the word that a caller hears."""
    if gone(failure):
        return lost, LOST
    return (refused if isinstance(failure, TandemError) else "fault"), REFUSED


SILENT = Watch(COORDINATOR)
"""Tells nobody anything."""


@contextmanager
def outlets(config: NodeConfig, party: Role, ledger: Ledger, contracts: Callable[[], Iterable[Contract]]) -> Iterator[Watch]:
    """Give the outlets that a configuration asks for. `contracts`: those whose budgets are shown.

    Raises InputError if the port for metrics cannot be had, or their library is not installed.
    """
    structured = config.log == "json"
    report, sinks, taps = (hush if structured else say), [write_event] if structured else [], []
    with ExitStack() as open_:
        if config.metrics:
            from tandem.node.metrics import Metrics  # noqa: PLC0415 - its library is an extra

            metrics = Metrics(ledger, contracts)
            open_.enter_context(metrics.served(config.metrics))
            sinks.append(metrics.event)
            taps.append(metrics.tap)
        yield Watch(party, report, tuple(sinks), tuple(taps))


def _count(number: int) -> int | None:
    """Return a number that a peer declared, unless it is beyond any count."""
    return number if 0 <= number < COUNT_LIMIT else None


def _rows(opening: Opening | None) -> int | None:
    """Return the rows, or identifiers, that an opening declares."""
    declared = {} if opening is None else dict(zip(opening.size_names, opening.sizes, strict=False))
    number = declared.get("rows", declared.get("ids"))
    return None if number is None else _count(number)
