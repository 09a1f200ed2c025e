"""Attacks that can be mounted on the own node: on its files, on the code that is installed here, and over TLS on its own port.

Nothing is asked of a peer, and nothing of a contract is used up. What is sent to the own port ends in the handshake.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gmpy2

from tandem.crypto import group
from tandem.crypto.paillier import Foreign, PublicKey, admit
from tandem.errors import InputError, RemoteProtocolError
from tandem.node import disk
from tandem.node.certificates import issue, make_authority, server_name
from tandem.node.config import NodeConfig
from tandem.node.ledger_store import Ledger
from tandem.wire.codec import ENVELOPE_LIMIT, MESSAGES, Frame, decode

SHAKING = 2.5
"""Seconds for a connection, and again for the first word after the handshake."""
RANDOM_FRAMES = 2000


@dataclass(frozen=True)
class Tried:
    """An attack that was mounted here: `held` of `tries` were refused; `fault` says what was not, "" if nothing."""

    id: str
    held: int
    tries: int
    fault: str = ""

    @property
    def whole(self) -> bool:
        """Whether every try was refused."""
        return self.held == self.tries and not self.fault


def on_the_code() -> Iterator[Tried]:
    """Try bad points, planted ciphertexts, crooked moduli, frames that are none, on the code that is installed here."""
    yield _refused("A6", group.admit_points, _bad_points())
    p, q = (int(gmpy2.next_prime(1 << bits)) for bits in (1030, 1025))
    key = PublicKey(p * q)
    naked = [(1 + m * int(key.n)) % int(key.n2) for m in (0, 1, 77)]
    yield _refused("K1", lambda c: admit(key, Foreign(c)), [c.to_bytes(key.width, "little") for c in naked])
    planted = [0, int(key.n), 5 * int(key.n), p, q, 7 * p, p * p, int(key.n2), int(key.n2) + 1]
    yield _refused("K4", lambda c: admit(key, Foreign(c)), [c.to_bytes(key.width, "little") for c in planted])
    prime = int(gmpy2.next_prime(1 << 2050))
    crooked = [prime, 1 << 2050, 3 * prime, int(gmpy2.next_prime(1 << 1030)) ** 2, p * int(gmpy2.next_prime(p)), 0, 15, (1 << 9000) + 1]
    yield _refused("K7", PublicKey.load, [n.to_bytes((n.bit_length() + 7) // 8, "little") for n in crooked])
    yield _refused("N1", _read, [*_bad_frames()])


def on_the_files(config: NodeConfig) -> Iterator[Tried]:
    """Look whether others may read what must be this node's own, and whether its ledger's chain holds."""
    keys, state, ledger = config.at(config.keys), config.at(config.state), config.ledger_place
    files = [keys, *sorted(keys.rglob("*")), state, *sorted(state.rglob("*")), *([ledger] if isinstance(ledger, Path) else [])]
    files = [path for path in files if path.exists()]
    open_ = [path for path in files if not _private(path)]
    yield Tried("files", len(files) - len(open_), len(files), "" if not open_ else f"{open_[0]}: others may read it")
    if isinstance(ledger, Path) and not ledger.exists():
        return
    with Ledger(ledger, read_only=True) as found:
        broken = found.verify()
        rows = len(found)
    yield Tried("ledger", rows if broken is None else broken.number - 1, rows, "" if broken is None else broken.reason)


def on_the_port(role: str, listen: str) -> Tried | None:
    """Knock at the own port as strangers do; None if nobody listens there."""
    host, _, port = listen.rpartition(":")
    near = {"0.0.0.0": "127.0.0.1", "[::]": "::1", "::": "::1"}.get(host, host.strip("[]"))  # noqa: S104 - what a configuration may say
    place = (near, int(port))
    try:
        socket.create_connection(place, SHAKING).close()
    except OSError:
        return None
    with tempfile.TemporaryDirectory() as folder:
        tries: dict[str, Callable[[], bool]] = {
            "plain text": lambda: _plain(place), "no certificate": lambda: _shake(place, role, None),
            "TLS 1.2": lambda: _shake(place, role, None, newest=ssl.TLSVersion.TLSv1_2),
            "a stranger's certificate": lambda: _shake(place, role, _stranger(Path(folder), role)),
        }
        let_in = [name for name, knock in tries.items() if knock()]
    return Tried("port", len(tries) - len(let_in), len(tries), ", ".join(let_in))


def _refused(name: str, take: Callable[[bytes], object], bad: list[bytes]) -> Tried:
    held, fault = 0, ""
    for number, data in enumerate(bad):
        try:
            take(data)
        except RemoteProtocolError:
            held += 1
        else:
            fault = fault or f"try {number} was taken"
    return Tried(name, held, len(bad), fault)


def _bad_points() -> list[bytes]:
    """Return encodings that are no element but the identity: too large, negative, not on the curve, of another length."""
    field = 2**255 - 19
    numbers = [0, 1, 3, field - 1, field, field + 2, 2**255 - 1, 2**256 - 1]
    return [*(n.to_bytes(32, "little") for n in numbers), bytes(31), bytes(33)]


def _bad_frames() -> Iterator[bytes]:
    yield bytes(ENVELOPE_LIMIT + 1)
    honest = Frame(bytes(32), bytes(16), "sealer", 1, 1, bytes(32), "Key", b"x").to_bytes()
    for number in range(RANDOM_FRAMES):
        noise = hashlib.shake_256(number.to_bytes(4, "big")).digest(64 + number % 200)
        at = number % len(honest)
        yield noise if number % 2 else honest[:at] + bytes([honest[at] ^ (1 + noise[0] % 255)]) + honest[at + 1 :]


def _read(data: bytes) -> object:
    """Read a frame as a session does: envelope, place and message."""
    frame = Frame.from_bytes(data)
    if (frame.contract, frame.session, frame.speaker, frame.number, frame.line) != (bytes(32), bytes(16), "sealer", 1, 1):
        raise RemoteProtocolError
    if frame.previous != bytes(32) or frame.kind not in MESSAGES:
        raise RemoteProtocolError
    return decode(MESSAGES["Key"], frame.payload)


def _private(path: Path) -> bool:
    try:
        if path.is_dir():
            disk.require_private_folder(path)
        else:
            disk.require_private(path)
    except InputError:
        return False
    return True


def _plain(place: tuple[str, int]) -> bool:
    """Speak HTTP/2 without TLS; tell whether anything but a hang-up or an alert of TLS comes back."""
    with socket.create_connection(place, SHAKING) as link:
        link.settimeout(SHAKING)
        try:
            link.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
            answer = link.recv(16)
        except OSError:
            return False
    return bool(answer) and answer[0] != 0x15  # the content type of an alert, RFC 8446, section 5.1


def _shake(place: tuple[str, int], role: str, shown: tuple[Path, Path] | None, newest: ssl.TLSVersion | None = None) -> bool:
    """Shake hands with the certificate `shown`, or none; tell whether we are let in: in TLS 1.3 the first word says it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # it is our own node that is asked, and what it lets in
    context.set_alpn_protocols(["h2"])
    if newest is not None:
        context.maximum_version = newest
    if shown is not None:
        context.load_cert_chain(*shown)
    try:
        with socket.create_connection(place, SHAKING) as link, context.wrap_socket(link, server_hostname=server_name(role)) as tls:
            tls.settimeout(SHAKING)
            return bool(tls.recv(1))
    except OSError:
        return False


def _stranger(folder: Path, role: str) -> tuple[Path, Path]:
    """Return certificate and key of an authority that is not the parties' own, in the name of a party."""
    key, pem = issue(make_authority(), role)
    for name, data in (("tls.pem", pem), ("tls.key", key)):
        disk.write(folder / name, data)
    return folder / "tls.pem", folder / "tls.key"
