"""A node's figures for Prometheus, in its text format at GET /metrics of a port of their own. See docs/observability.md for each.

Labels come from fixed lists, so that no peer can make series: directions, scripts and messages of sessions that were let in, classes of
our own errors, and the first 8 hex digits of contracts that this node approved.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

from tandem.contract import Contract
from tandem.errors import InputError, TandemError
from tandem.node.events import Event, ours
from tandem.node.ledger_store import Ledger, caps_of
from tandem.session.tap import Tapped

EXTRA = 'metrics need the extra "metrics": pip install "tandem-fusion[metrics]"'

try:
    from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_LATEST
    from prometheus_client.metrics_core import GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError:
    raise InputError(EXTRA) from None

SECONDS = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
"""Upper bounds of the buckets for how long sessions take: from a plan to a training pass over millions."""
_SLOW = 5.0
"""Seconds in which whoever asks must have said what."""
_POLL = 0.1
"""Seconds after which the answering thread sees that it is to stop."""
_OUTCOMES = {"session_ended": "ended", "session_refused": "refused", "session_lost": "lost", "fault": "fault"}
_REFUSALS = {"session_refused", "call_refused", "fault"}


class Metrics:
    """One node's figures. Hand it every event and every frame."""

    def __init__(self, ledger: Ledger, contracts: Callable[[], Iterable[Contract]]) -> None:
        """`contracts` gives those whose budgets are shown, each time that somebody asks."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left this one without types
        self.registry = CollectorRegistry()
        wide = ("direction", "script", "message")

        def counter(name: str, what: str, labels: tuple[str, ...]) -> Counter:
            return Counter(name, what, labels, registry=self.registry)

        self._frames = counter("tandem_frames", "Frames, each a chunk of a message", wide)
        self._bytes = counter("tandem_bytes", "Bytes of frames", wide)
        self._rows = counter("tandem_rows", "Rows, or identifiers, of sessions that ended well", ("script",))
        self._sessions = counter("tandem_sessions", "Sessions that are over, by how they ended", ("script", "outcome"))
        self._refusals = counter("tandem_refusals", "Refusals, by class of error; a fault of our own is one too", ("reason",))
        self._failed_checks = counter("tandem_failed_checks", "Checks on totals that failed: somebody cheated or broke", ())
        self._seconds = Histogram("tandem_session_seconds", "Seconds of a session", ("script",), buckets=SECONDS, registry=self.registry)
        self.registry.register(_Budgets(ledger, contracts))

    def event(self, event: Event) -> None:
        """Count what an event tells."""
        if event.event in _REFUSALS:
            self._refusals.labels(event.error if event.error in ours() else "fault").inc()
        if event.event == "check_failed":
            self._failed_checks.inc()
        if event.event not in _OUTCOMES or not event.script:
            return
        self._sessions.labels(event.script, _OUTCOMES[event.event]).inc()
        self._seconds.labels(event.script).observe(event.seconds or 0.0)
        if event.event == "session_ended":
            self._rows.labels(event.script).inc(event.rows or 0)

    def tap(self, seen: Tapped) -> None:
        """Count a frame."""
        labels = ("sent" if seen.sent else "received", seen.script, seen.kind)
        self._frames.labels(*labels).inc()
        self._bytes.labels(*labels).inc(len(seen.frame))

    @contextmanager
    def served(self, address: str) -> Iterator[int]:
        """Answer at host:port while this context lasts; give the port. Raises InputError if it cannot be had."""
        host, _, port = address.rpartition(":")
        try:
            server = _Server(host.strip("[]"), int(port), lambda: generate_latest(self.registry))
        except OSError as failure:
            raise InputError(f"metrics: cannot listen at {address}: {failure.strerror}: name another port, or none") from None
        threading.Thread(target=server.serve_forever, args=(_POLL,), name="metrics", daemon=True).start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            server.server_close()


class _Budgets(Collector):
    """What each contract has used up of what it allows, read from the ledger when somebody asks."""

    def __init__(self, ledger: Ledger, contracts: Callable[[], Iterable[Contract]]) -> None:
        self._ledger, self._contracts = ledger, contracts

    def describe(self) -> Iterable[Metric]:
        """Return nothing: what is used is not known before it is asked for."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return both gauges."""
        used = GaugeMetricFamily("tandem_budget_used", "What a contract has used up", labels=("contract", "counter"))
        cap = GaugeMetricFamily("tandem_budget_cap", "What a contract allows", labels=("contract", "counter"))
        for contract in self._contracts():
            for counter, most in caps_of(contract).items():
                labels = (contract.digest.hex()[:8], counter)
                used.add_metric(labels, self._ledger.used(contract.digest.hex(), counter))
                cap.add_metric(labels, most)
        return (used, cap)


class _Server(TCPServer):
    """One request at a time: whoever is slow makes only others who ask for figures wait."""

    allow_reuse_address = True

    def __init__(self, host: str, port: int, page: Callable[[], bytes]) -> None:
        self.address_family, self.page = socket.AF_INET6 if ":" in host else socket.AF_INET, page
        super().__init__((host, port), _Asked)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let those go who hang up or fall silent; anything else is told as the library tells it."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Asked(BaseHTTPRequestHandler):
    """One request: GET /metrics, and nothing else."""

    server: _Server
    timeout = _SLOW
    server_version, sys_version = "tandem", ""

    def do_GET(self) -> None:
        """Answer."""
        if self.path != "/metrics":
            self.send_error(404)
            return
        try:
            page = self.server.page()
        except TandemError:  # a contract's file or the ledger cannot be read: the node says so itself, at the next session
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Say nothing: whoever asks writes nothing into our log."""
