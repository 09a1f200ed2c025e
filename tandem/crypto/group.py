"""The group ristretto255 (RFC 9496), hashing to it (RFC 9380), and its scalars: the only importer of rbcl.

Points and scalars are 32 bytes each, canonical and little-endian, as they travel. All arithmetic is libsodium's, in constant time; we bind
its functions ourselves, because rbcl's wrappers add checks and copies to each call. Whoever has a system libsodium puts it in place of
`_SODIUM` and needs no rbcl.

rbcl writes libsodium to the temporary folder at import and loads it from there. We remove that file, which stays mapped. Where the folder
is mounted `noexec` the import fails: set TMPDIR to a folder that may hold programs.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from tandem.arguments import Chance
from tandem.errors import ForeignElement, InputError

try:
    import rbcl
except OSError as problem:
    raise InputError("rbcl cannot load libsodium from the temporary folder: set TMPDIR to one not mounted noexec") from problem

_SODIUM: Any = rbcl._sodium  # noqa: SLF001 - the loaded library itself; the wrappers around it cost more than they check
with contextlib.suppress(OSError):  # where a mapped file cannot be removed it stays, as rbcl leaves it
    Path(_SODIUM._name).unlink()  # noqa: SLF001 - ctypes keeps the path of a library nowhere else

WIDTH = 32
"""Bytes of a point and of a scalar."""

BEGINNING = 16
"""Bytes of a point that tell it from others (`beginnings`)."""

ORDER = 2**252 + 27742317777372353535851937790883648493
"""Number of elements of the group, a prime (RFC 9496, section 4)."""

IDENTITY = bytes(WIDTH)

_SPARE = 0x80
"""Bit of the last byte that no canonical encoding has (RFC 9496, section 4.3.1: s < p); libsodium 1.0.18 (rbcl's) overlooks it."""

_WIDE = 64
"""Bytes that are reduced to one scalar or mapped to one point: the bias is below 2^-250."""

_Buffer = ctypes.c_char * WIDTH
_IN = ctypes.c_char_p


def _bind(name: str, *arguments: Any, result: Any = ctypes.c_int) -> Any:
    function = _SODIUM[name]  # by item: a function object of our own, so rbcl's stay as they are
    function.argtypes, function.restype = arguments, result
    return function


_multiply = _bind("crypto_scalarmult_ristretto255", _Buffer, _IN, _IN)
_multiply_base = _bind("crypto_scalarmult_ristretto255_base", _Buffer, _IN)
_add = _bind("crypto_core_ristretto255_add", _Buffer, _IN, _IN)
_is_valid = _bind("crypto_core_ristretto255_is_valid_point", _IN)
_from_hash = _bind("crypto_core_ristretto255_from_hash", _Buffer, _IN)
_reduce = _bind("crypto_core_ristretto255_scalar_reduce", _Buffer, _IN, result=None)
_scalar_multiply = _bind("crypto_core_ristretto255_scalar_mul", _Buffer, _IN, _IN, result=None)
_scalar_subtract = _bind("crypto_core_ristretto255_scalar_sub", _Buffer, _IN, _IN, result=None)
_scalar_invert = _bind("crypto_core_ristretto255_scalar_invert", _Buffer, _IN)


# Hashing ----------------------------------------------------------------------------------------------------------------------------------

_PADDED = hashlib.sha512(bytes(128))  # Z_pad: one block of zeros, the same in every call
_DIGEST = 64


@lru_cache(maxsize=64)
def _dst_prime(dst: bytes) -> bytes:
    if len(dst) > 255:
        dst = hashlib.sha512(b"H2C-OVERSIZE-DST-" + dst).digest()  # RFC 9380, section 5.3.3
    return dst + bytes([len(dst)])


def expand_message(message: bytes, dst: bytes, count: int = _WIDE) -> bytes:
    """Return `count` uniform bytes: expand_message_xmd with SHA-512 (RFC 9380, section 5.3.1). Raises ValueError for over 255 blocks."""
    blocks = -(-count // _DIGEST)
    if blocks > 255:
        raise ValueError(f"expand_message_xmd gives at most {255 * _DIGEST} bytes, not {count}")
    suffix = _dst_prime(dst)
    start = _PADDED.copy()
    start.update(message + count.to_bytes(2, "big") + b"\0" + suffix)
    first = start.digest()
    block = hashlib.sha512(first + b"\1" + suffix).digest()
    if blocks == 1:
        return block[:count]
    out, first_number = [block], int.from_bytes(first, "big")
    for number in range(2, blocks + 1):
        mixed = (first_number ^ int.from_bytes(block, "big")).to_bytes(_DIGEST, "big")
        block = hashlib.sha512(mixed + bytes([number]) + suffix).digest()
        out.append(block)
    return b"".join(out)[:count]


def hash_to_group(message: bytes, dst: bytes) -> bytes:
    """Return the point of `message`: hash_to_ristretto255 (RFC 9380, appendix B)."""
    out = _Buffer()
    _from_hash(out, expand_message(message, dst))
    return out.raw


def map_to_group(uniform: bytes) -> bytes:
    """Return the point of 64 uniform bytes (RFC 9496, section 4.3.4). Raises ValueError for another length."""
    if len(uniform) != _WIDE:
        raise ValueError(f"a point is made of {_WIDE} uniform bytes, not {len(uniform)}")
    out = _Buffer()
    _from_hash(out, uniform)
    return out.raw


def reduce_scalar(uniform: bytes) -> bytes:
    """Return 64 little-endian bytes modulo the order. Raises ValueError for another length."""
    if len(uniform) != _WIDE:
        raise ValueError(f"a scalar is reduced from {_WIDE} bytes, not {len(uniform)}")
    out = _Buffer()
    _reduce(out, uniform)
    return out.raw


def hash_to_scalar(message: bytes, dst: bytes) -> bytes:
    """Return the scalar of `message` (RFC 9497, section 4.1)."""
    out = _Buffer()
    _reduce(out, expand_message(message, dst))
    return out.raw


# Scalars ----------------------------------------------------------------------------------------------------------------------------------


def random_scalars(chance: Chance, count: int) -> list[bytes]:
    """Return `count` scalars uniform in [1, order), each reduced from 64 bytes of `chance`; a zero is drawn again."""
    uniform = chance.draw(_WIDE * count)
    scalars = [reduce_scalar(uniform[at : at + _WIDE]) for at in range(0, len(uniform), _WIDE)]
    for at, scalar in enumerate(scalars):
        while scalar == IDENTITY:
            scalar = scalars[at] = reduce_scalar(chance.draw(_WIDE))  # noqa: PLW2901 - the loop is on the scalar drawn last
    return scalars


def admit_scalar(data: bytes) -> bytes:
    """Return `data` if it is the canonical encoding of a scalar, zero included. Raises ForeignElement."""
    if len(data) != WIDTH or int.from_bytes(data, "little") >= ORDER:
        raise ForeignElement("a scalar is not canonical: 32 little-endian bytes below the order are wanted")
    return data


def invert(scalars: Sequence[bytes]) -> list[bytes]:
    """Return the inverses of all scalars at the price of one inversion and three products each (Montgomery's trick).

    Raises ValueError if one is zero.
    """
    if not scalars:
        return []
    out = _Buffer()
    product, before = (1).to_bytes(WIDTH, "little"), []
    for scalar in scalars:
        before.append(product)
        _scalar_multiply(out, product, _sized(scalar))
        product = out.raw
    if _scalar_invert(out, product) != 0:
        raise ValueError("zero has no inverse")
    rest, inverses = out.raw, []
    for scalar, product in zip(reversed(scalars), reversed(before), strict=True):
        _scalar_multiply(out, rest, product)
        inverses.append(out.raw)
        _scalar_multiply(out, rest, scalar)
        rest = out.raw
    inverses.reverse()
    return inverses


def subtract_product(r: bytes, c: bytes, k: bytes) -> bytes:
    """Return r - c*k modulo the order, in constant time."""
    out = _Buffer()
    _scalar_multiply(out, _sized(c), _sized(k))
    product = out.raw
    _scalar_subtract(out, _sized(r), product)
    return out.raw


# Points -----------------------------------------------------------------------------------------------------------------------------------


def split(data: bytes, what: str = "point") -> list[bytes]:
    """Return `data` cut into elements of 32 bytes, unchecked otherwise. Raises ForeignElement if it cannot be cut evenly."""
    if len(data) % WIDTH:
        raise ForeignElement(f"{len(data)} bytes are no whole number of {what}s of {WIDTH} bytes")
    return [data[at : at + WIDTH] for at in range(0, len(data), WIDTH)]


def admit_points(data: bytes) -> list[bytes]:
    """Return the points of `data`: each the canonical encoding of an element other than the identity.

    Raises ForeignElement, naming the first bad position counted from 0. Costs 5 us a point; `multiply_each` and `weigh` make the same
    checks on their way, so what goes there next needs only `split`.
    """
    points = split(data)
    for position, point in enumerate(points):
        # libsodium holds the identity for valid; it is every key's answer to itself, so a proof over it proves nothing
        if point == IDENTITY or point[-1] & _SPARE or _is_valid(point) != 1:
            raise _foreign(position)
    return points


def beginnings(points: bytes) -> bytes:
    """Return the first 16 bytes of each of the points joined: enough to tell elements apart by."""
    return np.frombuffer(points, np.uint8).reshape(-1, WIDTH)[:, :BEGINNING].tobytes()


def distinct(heard: bytes | bytearray) -> None:
    """Pass if no two elements, given by their `beginnings`, are equal. Raises ForeignElement, naming two positions, else.

    Two different elements of 10 million begin alike with odds of 2^-82.
    """
    tags = np.frombuffer(heard, f"S{BEGINNING}")  # bytes, all equally long, so numpy's zero padding never decides
    order = np.argsort(tags)
    equal = np.flatnonzero(tags[order[1:]] == tags[order[:-1]])
    if len(equal):
        one, other = sorted((int(order[equal[0]]), int(order[equal[0] + 1])))
        raise ForeignElement(f"the elements at positions {one} and {other} (from 0) are equal")


def multiply_each(scalars: Iterable[bytes], points: Sequence[bytes], first: int = 0) -> list[bytes]:
    """Return s*P for each pair; `itertools.repeat` gives one scalar to all. Scalars must not be zero.

    Raises ForeignElement, naming the position counted from `first`, for a P that is no canonical encoding or is the identity: the group's
    order is prime, so a multiplication by s > 0 fails for these alone.
    """
    out, run = _Buffer(), _multiply
    products: list[bytes] = []
    for scalar, point in zip(scalars, points, strict=False):
        if len(point) != WIDTH or point[-1] & _SPARE or len(scalar) != WIDTH or run(out, scalar, point) != 0:
            raise _foreign(first + len(products))
        products.append(out.raw)
    return products


def weigh(weights: Sequence[bytes], points: Sequence[bytes], first: int = 0) -> bytes:
    """Return the sum of w*P over all pairs, the identity for none. Weights must not be zero. Raises ForeignElement like `multiply_each`."""
    total, product, run, plus = _Buffer(), _Buffer(), _multiply, _add
    for position, (weight, point) in enumerate(zip(weights, points, strict=True), first):
        if len(point) != WIDTH or point[-1] & _SPARE or len(weight) != WIDTH or run(product, weight, point) != 0:
            raise _foreign(position)
        plus(total, total.raw, product.raw)
    return total.raw


def multiply(scalar: bytes, point: bytes) -> bytes:
    """Return s*P. Raises ForeignElement if s*P is the identity or P no canonical encoding."""
    return multiply_each((scalar,), (point,))[0]


def multiply_base(scalar: bytes) -> bytes:
    """Return s*G, G the generator. Raises ForeignElement for s = 0."""
    out = _Buffer()
    if _multiply_base(out, _sized(scalar)) != 0:
        raise ForeignElement("zero times the generator is the identity")
    return out.raw


def add(points: Iterable[bytes]) -> bytes:
    """Return the sum of the points, the identity for none. Raises ForeignElement for what is no canonical encoding."""
    total = _Buffer()
    for position, point in enumerate(points):
        if len(point) != WIDTH or point[-1] & _SPARE or _add(total, total.raw, point) != 0:
            raise _foreign(position)
    return total.raw


def _sized(scalar: bytes) -> bytes:
    if len(scalar) != WIDTH:  # libsodium reads 32 bytes wherever the pointer points
        raise ValueError(f"a scalar has {WIDTH} bytes, not {len(scalar)}")
    return scalar


def _foreign(position: int) -> ForeignElement:
    return ForeignElement(f"the element at position {position} (from 0) is not canonical, off the group, or the identity")
