"""Messages that nobody of ours would send: bytes that no message has, and messages whose fields hold what no honest party puts there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np

from tandem.crypto import paillier
from tandem.crypto.paillier import Blinded
from tandem.wire.codec import encode

NUMBERS = (0, 1, 2, 127, 128, 255, 256, (1 << 16) - 1, (1 << 31) - 1, (1 << 32) - 1)
REALS = (0.0, -0.0, 1.0, -1.0, 1e-300, 1e300, -1e300, 0.25, 1e9)


def bent_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Return bytes near `data`: noise, flipped bits, cut, doubled, another message's, lengths that lie, a number that never ends."""
    at = int(rng.integers(0, len(data) + 1))
    ways = (
        lambda: rng.bytes(int(rng.integers(0, 200))),
        lambda: _flipped(data, rng) if data else b"\1",
        lambda: data[:at],
        lambda: data[:at] + rng.bytes(int(rng.integers(1, 30))) + data[at:],
        lambda: data + data,
        lambda: data[:at] + b"\x0a" + b"\xff" * int(rng.integers(1, 10)) + b"\x7f" + data[at:],  # a length of more than there is
        lambda: b"\x0b" * int(rng.integers(1, 5000)) + data,  # groups in groups: the recursion of CVE-2025-4565
        lambda: data + b"\xf8\x07\x01",  # a field that nobody knows
        lambda: data[at:] + data[:at],
    )
    return ways[rng.integers(0, len(ways))]()


def _flipped(data: bytes, rng: np.random.Generator) -> bytes:
    bent = bytearray(data)
    for _ in range(int(rng.integers(1, 8))):
        bent[int(rng.integers(0, len(bent)))] ^= 1 << int(rng.integers(0, 8))
    return bytes(bent)


def bent_value(value: Any, rng: np.random.Generator) -> Any:
    """Return another value of the same type, at random: at an edge, cut, longer, in another order."""
    for kind, bend in BENT:
        if isinstance(value, kind):
            return bend(value, rng)
    raise TypeError(f"no message has a field of {type(value).__name__}")


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(data) + 1))
    size = len(data)
    ways = [data[:at], data + data[:at], bytes(size), b"\xff" * size, rng.bytes(size), b"", data[at:] + data[:at]]
    return ways[rng.integers(0, len(ways))]


def _ciphertexts(value: Blinded, rng: np.random.Generator) -> bytes:
    key, data = value.key, value.encode()
    n = int(key.n)
    planted = [0, 1, n, n - 1, 7 * n, n * n - 1, n * n, n * n + 1, 1 + 5 * n]
    one = int(rng.choice(len(planted)))
    number = min(planted[one], (1 << 8 * key.width) - 1).to_bytes(key.width, "little")
    at = int(rng.integers(0, max(1, len(value)))) * key.width
    return [_cut(data, rng), data[:at] + number + data[at + key.width :], data[: key.width] * len(value)][rng.integers(0, 3)]


def _list(value: tuple[Any, ...], rng: np.random.Generator) -> tuple[Any, ...]:
    order = rng.permutation(len(value))
    at = int(rng.integers(0, len(value))) if value else 0
    one = (bent_value(value[at], rng),) if value else (1,)
    longer = value * int(rng.integers(2, 50)) if len(value) < 2000 else value[:1]
    changed = (*value[:at], *one, *value[at + 1 :])
    ways = [value[:at], longer, tuple(value[i] for i in order), changed, (), one * max(1, len(value))]
    return ways[rng.integers(0, len(ways))]


def bent_message(message: Any, rng: np.random.Generator) -> Any:
    """Return the message with one to three of its fields bent; the message itself if it has none, or if the result cannot be written."""
    names = [field.name for field in fields(message)]
    if not names:
        return message
    bent = message
    for name in rng.choice(names, int(rng.integers(1, min(3, len(names)) + 1)), replace=False):
        bent = replace(bent, **{str(name): bent_value(getattr(bent, str(name)), rng)})
    try:
        encode(bent)
    except Exception:  # noqa: BLE001 - what cannot be written is nothing that a peer could send
        return message
    return bent


BENT: tuple[tuple[type, Callable[[Any, np.random.Generator], Any]], ...] = (
    (bool, lambda value, _: not value),  # before int, of which it is one
    (int, lambda _, rng: int(rng.choice(NUMBERS))),
    (float, lambda _, rng: float(rng.choice(REALS))),
    (str, lambda _, rng: str(rng.choice(["", "x", "t01" * 50, "\u202e", "failed", "0", "a,b\n"]))),
    (bytes, _cut),
    (Blinded, lambda value, rng: paillier._fit(value.key, _ciphertexts(value, rng))),
    (tuple, _list),
)
