"""A PostgreSQL server: its URL, the password that is never in it, and a connection that turns failures into plain words.

    postgresql://user@host:5432/database?sslmode=verify-full&sslrootcert=ca.pem

The password comes from PGPASSWORD, or from PGPASSFILE or ~/.pgpass (libpq's format, 0600). TLS with a verified certificate is the rule
(`sslmode` verify-full, or verify-ca without the host's name); this machine's own addresses and sockets are spoken to without.
"""

from __future__ import annotations

import getpass
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tandem.errors import InputError
from tandem.node import disk

SCHEMES = ("postgresql://", "postgres://")
CONNECTING = 30.0
"""Seconds in which a server must answer its door."""
EXTRA = 'PostgreSQL needs the extra "postgres": pip install "tandem-fusion[postgres]"'

Tls = Literal["verify-full", "verify-ca", "disable"]
_TLS = ("verify-full", "verify-ca", "disable")
_OWN = ("localhost", "127.0.0.1", "::1")

_ADVICE = {
    "28P01": "it refuses the password: check PGPASSWORD, PGPASSFILE or ~/.pgpass",
    "28000": "it does not let this user in: check user, sslmode and the server's pg_hba.conf",
    "3D000": "there is no such database: check the URL",
    "42501": "this user has no right to that: grant SELECT (for a ledger, its schema)",
    "25006": "it cannot be written through a connection that only reads",
    "53100": "the server's disk is full: nothing was recorded; free some space and start again",
    "53300": "the server has no connection free: try again later",
    "57P01": "the server is being shut down: start again when it is back",
}


_TELLING = frozenset({"08", "0A", "25", "28", "3D", "3F", "42", "53", "55", "57"})
"""Classes of SQLSTATE whose message names no value of a row: connection, features, transactions, names and syntax, resources, rights."""


@dataclass(frozen=True)
class Server:
    """Where a database is. Holds no password; `str` is safe to print."""

    host: str
    """A name or address; a path is the folder of a socket."""
    port: int
    user: str
    database: str
    tls: Tls
    ca: Path | None = None
    schema: str = ""
    """Where a ledger lies."""

    @classmethod
    def parse(cls, url: str, folder: Path = Path()) -> Server:
        """Return what the URL says; `sslrootcert` starts at `folder`.

        Raises ValueError, without quoting it, for a URL with a password or a part that is not understood.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
            given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise ValueError("this is no URL of PostgreSQL: write postgresql://user@host:5432/database") from None
        if parts.password is not None or "password" in given:
            raise ValueError("the URL holds a password: take it out, and put it into PGPASSWORD or ~/.pgpass (0600)")
        host = unquote(given.pop("host", parts.hostname or "localhost"))
        user = unquote(parts.username or "") or getpass.getuser()
        tls = given.pop("sslmode", "disable" if host in _OWN or host.startswith("/") else "verify-full")
        ca, schema = given.pop("sslrootcert", ""), given.pop("schema", "")
        if tls not in _TLS:
            raise ValueError(f"sslmode must be one of {', '.join(_TLS)}: a certificate that nobody checks protects nothing")
        if given:
            raise ValueError("the URL may end with host, sslmode, sslrootcert and schema: take the rest out")
        database = unquote(parts.path.lstrip("/")) or user
        return cls(host, port, user, database, cast("Tls", tls), folder / ca if ca else None, schema)

    def __str__(self) -> str:
        """Return the URL without options."""
        return f"postgresql://{quote(self.user)}@{quote(self.host)}:{self.port}/{quote(self.database)}"


class Connection:
    """A session with a server, closed with its context. One thread at a time."""

    def __init__(self, server: Server) -> None:
        try:
            import pg8000  # noqa: PLC0415 - the driver is an extra
            import pg8000.native  # noqa: PLC0415 - as above
        except ImportError:
            raise InputError(EXTRA) from None
        self.place = str(server)
        self.lost = False
        """Whether the server hung up: nothing more can be asked."""
        self._failures: tuple[type[Exception], ...] = (pg8000.Error, OSError)
        try:
            self._session: Any = pg8000.native.Connection(
                server.user, host=server.host, port=server.port, database=server.database, password=_password(server),
                application_name="tandem", ssl_context=_context(server), **_door(server),
            )
        except ssl.SSLCertVerificationError as failure:
            why = f"its certificate does not hold ({failure.verify_message})"
            raise InputError(f"{self.place}: {why}: name the authority with sslrootcert, and the host as the certificate does") from None
        except self._failures as failure:
            raise self.explain(failure) from None
        self.run("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET extra_float_digits = 1; SET client_encoding = 'UTF8'")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> tuple[list[str], list[int], list[list[Any]]]:
        """Run one statement with $1, $2, ...; return column names, type numbers and rows. Raises InputError."""
        try:
            done = self._session.execute_unnamed(statement, parameters) if parameters else self._session.execute_simple(statement)
        except self._failures as failure:
            raise self.explain(failure) from None
        columns = done.columns or []
        return [one["name"] for one in columns], [one["type_oid"] for one in columns], done.rows or []

    def explain(self, failure: Exception) -> InputError:
        """Return in plain words what went wrong. The server's own words may quote a value unless they speak of names, rights or itself."""
        told = failure.args[0] if failure.args and isinstance(failure.args[0], dict) else None
        if told is None:
            self.lost = True
            return InputError(f"{self.place}: the server cannot be reached, or hung up ({failure}): check the URL, and that it runs")
        code = str(told.get("C", ""))
        self.lost |= code.startswith(("08", "57P"))
        on_data = f"the statement failed on its data (SQLSTATE {code}): look for a cast in it"
        words = str(told.get("M", "")) if code[:2] in _TELLING else on_data
        return InputError(f"{self.place}: {_ADVICE.get(code, words)}")

    def close(self) -> None:
        """Hang up."""
        try:
            self._session.close()
        except self._failures:
            return  # it hung up first


def _door(server: Server) -> dict[str, Any]:
    """Return how to reach it: a socket's path, or an open connection; only the door has a time limit, as a query may take long."""
    if server.host.startswith("/"):
        return {"unix_sock": f"{server.host}/.s.PGSQL.{server.port}"}
    sock = socket.create_connection((server.host, server.port), CONNECTING)
    sock.settimeout(None)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return {"sock": sock}


def _context(server: Server) -> ssl.SSLContext | bool:
    if server.tls == "disable":
        return False
    try:
        context = ssl.create_default_context(cafile=None if server.ca is None else str(server.ca))
    except OSError as failure:
        raise InputError(f"{server}: sslrootcert {server.ca} cannot be read ({failure.strerror}): name a file of certificates") from None
    context.check_hostname = server.tls == "verify-full"
    return context


def _password(server: Server) -> str | None:
    """Return the password of this user there, None if there is none. Raises InputError for a file that others may read."""
    if given := os.environ.get("PGPASSWORD"):
        return given
    named = os.environ.get("PGPASSFILE")
    path = Path(named) if named else Path.home() / ".pgpass"
    if not named and not path.exists():
        return None
    wanted = (server.host, str(server.port), server.database, server.user)
    for line in disk.read_private(path).decode(errors="replace").splitlines():
        fields = _fields(line)
        if len(fields) == 5 and not line.startswith("#") and all(f in {"*", w} for f, w in zip(fields, wanted, strict=False)):
            return fields[4]
    return None


def _fields(line: str) -> list[str]:
    """Split a line of a password file at its colons; a backslash takes the next character as it is."""
    fields, letters = [""], iter(line)
    for letter in letters:
        if letter == ":" and len(fields) < 5:
            fields.append("")
        else:
            fields[-1] += next(letters, "") if letter == "\\" else letter
    return fields
