"""Messages to canonical bytes and back: native protobuf, no second encoding, nothing unknown, nothing after the end.

A message decodes only if encoding it again gives the very same bytes: unknown fields, defaults written out, fields out of order, padded
varints and trailing bytes are all refused by that one comparison, so two parties that hold the same bytes read the same message.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, fields
from typing import Any, get_args

from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as Wire

from tandem.crypto.paillier import Blinded, Foreign
from tandem.errors import Malformed, Oversized, UnblindedLeaving
from tandem.wire import (
    align_pb2,
    describe_pb2,
    frame_pb2,
    measure_pb2,
    messages,
    plan_pb2,
    probe_pb2,
    score_pb2,
    sums_pb2,
    tell_pb2,
    train_pb2,
)
from tandem.wire.messages import Message

PAYLOAD_LIMIT = 1 << 20
"""Bytes of one message. Bulk comes in chunks (protocols, part 2)."""

SMALLEST, STEP = 1 << 12, 1 << 16
"""Bytes of the shortest frame, and of the step from which on lengths grow by steps and no longer double."""

ENVELOPE_LIMIT = PAYLOAD_LIMIT + STEP
"""Bytes of one frame: payload, three digests, names of the script's own making, and what fills it up to its bucket."""

LENGTH = 4
"""Bytes before the envelope that say how long it is; zeros follow it."""

_MODULES = (frame_pb2, align_pb2, sums_pb2, describe_pb2, train_pb2, score_pb2, tell_pb2, measure_pb2, plan_pb2, probe_pb2)
MESSAGES: dict[str, type[Message]] = {kind.__name__: kind for kind in get_args(messages.Message)}
_WIRE: dict[str, type[Wire]] = {name: getattr(module, name) for module in _MODULES for name in MESSAGES if hasattr(module, name)}


def require_native_protobuf() -> None:
    """Refuse to run on the pure-Python protobuf, whose recursion was a denial of service (CVE-2025-4565). Raises RuntimeError."""
    if api_implementation.Type() == "python":
        raise RuntimeError("protobuf runs without its native back end: install a wheel of protobuf for this platform")


@dataclass(frozen=True)
class Frame:
    """The envelope of one message; see frame.proto for what each field binds."""

    contract: bytes
    session: bytes
    speaker: str
    line: int
    number: int
    previous: bytes
    kind: str
    payload: bytes

    @property
    def header(self) -> bytes:
        """Canonical bytes with the payload left out; the payload's digest stands for it."""
        return self._wire(b"")

    @property
    def digest(self) -> bytes:
        """SHA-256 of the header: what the next frame names as its previous."""
        return hashlib.sha256(self.header).digest()

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, filled up."""
        return filled(self._wire(self.payload))

    def _wire(self, payload: bytes) -> bytes:
        wire = frame_pb2.Frame(
            contract=self.contract, session=self.session, speaker=self.speaker, line=self.line, number=self.number,
            previous=self.previous, kind=self.kind, digest=hashlib.sha256(self.payload).digest(), payload=payload,
        )
        return wire.SerializeToString(deterministic=True)

    @classmethod
    def from_bytes(cls, data: bytes) -> Frame:
        """Read a frame. Raises Oversized, Malformed."""
        if len(data) > ENVELOPE_LIMIT:
            raise Oversized(f"a frame of {len(data)} bytes; at most {ENVELOPE_LIMIT} are allowed")
        length = int.from_bytes(data[:LENGTH], "little")
        if len(data) != bucket(LENGTH + length) or data.count(0, LENGTH + length) != len(data) - LENGTH - length:
            raise Malformed("a frame that is not filled up with zeros to the length that it must have")
        wire = frame_pb2.Frame()
        _parse(wire, data[LENGTH : LENGTH + length], "a frame")
        if (len(wire.contract), len(wire.session), len(wire.previous)) != (32, 16, 32):
            raise Malformed("a frame whose contract, session or previous digest has a wrong width")
        if wire.digest != hashlib.sha256(wire.payload).digest():
            raise Malformed("a frame whose payload has another digest than it names")
        return cls(wire.contract, wire.session, wire.speaker, wire.line, wire.number, wire.previous, wire.kind, wire.payload)


def filled(envelope: bytes) -> bytes:
    """Return the length of an envelope in 4 bytes, little-endian, the envelope, and zeros up to a length of `bucket`.

    A network sees lengths through TLS, and those of counts, choices and words hang on what they say.
    """
    return (len(envelope).to_bytes(LENGTH, "little") + envelope).ljust(bucket(LENGTH + len(envelope)), b"\0")


def bucket(length: int) -> int:
    """Return the length to which so many bytes are filled up: 4 KiB, doubled as often as need be to 64 KiB, then steps of 64 KiB."""
    if length > STEP:
        return -(-length // STEP) * STEP
    return max(SMALLEST, 1 << (length - 1).bit_length())


def encode(message: Message) -> bytes:
    """Return the canonical bytes of a message. Raises UnblindedLeaving for ciphertexts not fit to leave, Oversized above 1 MiB."""
    kind = type(message).__name__
    wire = _WIRE[kind]()
    for field in fields(message):
        value = getattr(message, field.name)
        if _is_ciphertexts(field.type):
            if not isinstance(value, Blinded):
                raise UnblindedLeaving(f"{kind}.{field.name} takes blinded ciphertexts, not {type(value).__name__}")
            value = value.encode()
        if isinstance(value, tuple):
            getattr(wire, field.name).extend(value)
        else:
            setattr(wire, field.name, value)
    data = wire.SerializeToString(deterministic=True)
    if len(data) > PAYLOAD_LIMIT:
        raise Oversized(f"{kind} of {len(data)} bytes; cut it into chunks of at most {PAYLOAD_LIMIT}")
    return data


def decode(kind: type[Message], data: bytes) -> Message:
    """Return the message of that kind. Raises Malformed unless the bytes are its canonical encoding and all numbers are finite."""
    wire = _WIRE[kind.__name__]()
    _parse(wire, data, kind.__name__)
    values: dict[str, Any] = {}
    for field in fields(kind):
        value = getattr(wire, field.name)
        if _is_ciphertexts(field.type):
            value = Foreign(value)
        elif str(field.type).startswith("tuple"):
            value = tuple(value)
        values[field.name] = value
        if "float" in str(field.type) and not all(map(math.isfinite, value if isinstance(value, tuple) else (value,))):
            raise Malformed(f"{kind.__name__}.{field.name} holds a number that is not finite")
    return kind(**values)


def _parse(wire: Wire, data: bytes, what: str) -> None:
    try:
        wire.ParseFromString(data)
    except DecodeError:
        raise Malformed(f"{what}: not a protobuf message of that kind") from None
    wire.DiscardUnknownFields()
    if wire.SerializeToString(deterministic=True) != data:
        raise Malformed(f"{what}: not the canonical encoding")


def _is_ciphertexts(annotation: object) -> bool:
    return isinstance(annotation, str) and annotation == "Ciphertexts"
