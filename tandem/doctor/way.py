"""The way to a peer, up to an open TCP connection: the name, the proxy that gRPC would take, the port."""

from __future__ import annotations

import base64
import errno
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from queue import Empty, Queue
from urllib.parse import unquote, urlsplit

from tandem.doctor.findings import Finding, ok, warning, wrong

NAMING = 3.0
"""Seconds for the name."""
CONNECTING = 3.5
"""Seconds for the connection: one lost packet at the start costs one, two cost three."""
REPLY_LIMIT = 4096
"""Bytes of a proxy's answer that are read."""


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy from the environment. What it says of user and password is for the proxy alone."""

    variable: str
    host: str
    port: int
    credentials: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """Return host and port, without user and password."""
        return f"{self.host}:{self.port}"


class Unreached(Exception):
    """No connection; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


def split(address: str) -> tuple[str, int]:
    """Return host and port of "host:port"; an IPv6 host stands in brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def proxy_for(host: str, environment: Mapping[str, str]) -> Proxy | None:
    """Return the proxy through which gRPC would dial `host`, by its own rules (core, http_proxy_mapper.cc): these variables, this order.

    A host is left alone if it ends in an entry of no_grpc_proxy or, where that is not set, of no_proxy.
    """
    variable = next((name for name in ("grpc_proxy", "https_proxy", "http_proxy") if environment.get(name)), "")
    spared = environment.get("no_grpc_proxy") or environment.get("no_proxy") or ""
    if not variable or any(host.lower().endswith(entry.strip().lower()) for entry in spared.split(",") if entry.strip()):
        return None
    text = environment[variable]
    parts = urlsplit(text if "//" in text else f"http://{text}")
    if parts.scheme != "http" or not parts.hostname:
        return None
    user = "" if parts.username is None else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(variable, parts.hostname, parts.port or 80, user)


def resolve(peer: str, host: str) -> Finding:
    """Look the name up. Raises Unreached."""
    subject, answers = f"{peer}: name", Queue[list[str] | OSError]()

    def ask() -> None:
        try:
            answers.put(sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()  # it cannot be stopped: nobody waits for it, at the end of the program either
    try:
        found = answers.get(timeout=NAMING)
    except Empty:
        finding = wrong(subject, f"nobody answered within {NAMING:.0f} s what {host} is", "look at this machine's DNS servers")
        raise Unreached(finding) from None
    if isinstance(found, OSError):
        reason = found.strerror or type(found).__name__
        raise Unreached(wrong(subject, f"{host} is not known here ({reason})", "correct the address, or have the name put into DNS"))
    return ok(subject, ", ".join(found))


def connect(peer: str, address: str, proxy: Proxy | None) -> socket.socket:
    """Return a connection to the peer's port, through the proxy if there is one. Raises Unreached."""
    host, port = (proxy.host, proxy.port) if proxy else split(address)
    place = f"the proxy {proxy.place}" if proxy else address
    try:
        link = socket.create_connection((host, port), CONNECTING)
    except OSError as error:
        raise Unreached(_unreached(f"{peer}: port", place, error)) from None
    if proxy:
        try:
            _ask(link, address, proxy)
        except Unreached as refused:
            link.close()
            raise Unreached(wrong(f"{peer}: proxy", refused.finding.text, refused.finding.remedy)) from None
    return link


def proxied(peer: str, host: str, proxy: Proxy) -> Finding:
    """Tell that a proxy stands between."""
    return warning(
        f"{peer}: proxy", f"{proxy.variable} is set: calls go through {proxy.place}, which must pass CONNECT on unopened",
        f"if {host} can be reached directly: export no_grpc_proxy={host}",
    )


def _unreached(subject: str, place: str, error: OSError) -> Finding:
    if isinstance(error, ConnectionRefusedError):
        return wrong(subject, f"{place} refuses: the machine is there, nobody listens", "start the node there, or correct the port")
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        remedy = "have the firewall opened for this port, both at your side (outgoing) and theirs (incoming)"
        return wrong(subject, f"{place} says nothing for {CONNECTING:.0f} s: a firewall drops the packets, or the machine is off", remedy)
    if error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH}:
        return wrong(subject, f"{place} cannot be reached: there is no route", "have a route or a tunnel to that network set up")
    return wrong(subject, f"{place}: {error.strerror or type(error).__name__}", "correct the address")


def _ask(link: socket.socket, address: str, proxy: Proxy) -> None:
    """Ask the proxy for a tunnel (RFC 9110, section 9.3.6)."""
    lines = [f"CONNECT {address} HTTP/1.1", f"Host: {address}"]
    if proxy.credentials:
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(proxy.credentials.encode()).decode()}")
    remedy = f"have the proxy allow CONNECT to {address}, or go round it: export no_grpc_proxy={split(address)[0]}"
    try:
        link.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        reply = b""
        while b"\r\n\r\n" not in reply and len(reply) < REPLY_LIMIT:
            more = link.recv(1)  # not a byte of what comes after: that is TLS
            if not more:
                break
            reply += more
    except OSError:
        raise Unreached(wrong("proxy", f"{proxy.place} gave no answer to CONNECT", remedy)) from None
    status = reply.split(b"\r\n")[0].decode("ascii", "replace").split()
    if len(status) < 2 or not status[0].startswith("HTTP/") or status[1] != "200":
        told = status[1] if len(status) > 1 and status[1].isdigit() else "no HTTP"
        raise Unreached(wrong("proxy", f"{proxy.place} answers CONNECT with {told}", remedy))
