"""Tags, the first 16 bytes of F_k(x): the holder makes and shuffles them, the seeker keeps them on a shelf and looks its own up.

A tag without k is a random number. Its position says nothing either once the table is shuffled (A7), and the roster names positions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from tandem.arguments import Chance, Engine
from tandem.crypto import voprf
from tandem.errors import DuplicateTag, ForeignElement, InputError, LocalProtocolError, Oversized

WIDTH = voprf.TAG_WIDTH
"""Bytes of a tag."""

CAPACITY = (1 << 32) - 1
"""Tags on one shelf: a position travels in 4 bytes."""

_TAG = np.dtype(f"S{WIDTH}")  # compared as bytes, from the first on; all are equally long, so numpy's zero padding never decides


def make_tags(key: voprf.KeyPair, ids: Sequence[bytes], engine: Engine) -> bytes:
    """Return the tags of `ids`, 16 bytes each, in their order. About 55 us an id on one core.

    Raises InputError if two ids are equal; places are counted from 0.
    """
    parts = (ids[at : at + voprf.SLICE] for at in range(0, len(ids), voprf.SLICE))
    tags = b"".join(engine.map(partial(voprf.tag_batch, key), parts))
    order = np.argsort(_array(tags))
    if (twin := _twin(_array(tags)[order])) is not None:
        one, other = sorted((int(order[twin]), int(order[twin + 1])))
        raise InputError(f"the identifiers at places {one} and {other} (from 0) are the same: keep one row a person (`keep`)")
    return tags


def shuffle(tags: bytes, chance: Chance) -> npt.NDArray[np.int64]:
    """Return an order of the tags, uniform over all orders and decided by `chance` alone: `order[position]` is the tag's place before.

    Tags are sorted by 64-bit draws, one each. If two draws are equal (odds 2^-18 for 10 million) all are drawn again, so no order is
    favoured.
    """
    count = len(_array(tags))
    while True:
        draws = np.frombuffer(chance.draw(8 * count), "<u8")
        order = np.argsort(draws, kind="stable")
        drawn = draws[order]
        if not (drawn[1:] == drawn[:-1]).any():
            return order.astype(np.int64, copy=False)


def take(tags: bytes, order: npt.NDArray[np.int64]) -> bytes:
    """Return the tags in the order given, as `shuffle` made it."""
    return _array(tags)[order].tobytes()


class Shelf:
    """The seeker's copy of the holder's table: 16 bytes a tag while it grows, 20 once sorted, 42 for the moment of sorting."""

    def __init__(self, limit: int) -> None:
        """Make room for `limit` tags, the size that the holder declared or the contract's cap."""
        self._limit = min(limit, CAPACITY)
        self._count = 0
        self._arrived = bytearray()
        self._digest = hashlib.sha256()
        self._sorted: npt.NDArray[np.bytes_] | None = None
        self._positions: npt.NDArray[np.uint32] = np.empty(0, np.uint32)

    def __len__(self) -> int:
        return self._count

    @property
    def digest(self) -> bytes:
        """SHA-256 of all tags in the order in which they came: acknowledged before the first query, it pins the table (A5)."""
        return self._digest.digest()

    def extend(self, chunk: bytes) -> None:
        """Take the next tags, 16 bytes each.

        Raises ForeignElement if the bytes are no whole number of tags, Oversized past the limit, LocalProtocolError once sorted.
        """
        if self._sorted is not None:
            raise LocalProtocolError("the shelf is sorted: a table that changes after the first look-up is another table")
        if len(chunk) % WIDTH:
            raise ForeignElement(f"{len(chunk)} bytes are no whole number of tags of {WIDTH} bytes")
        count = self._count + len(chunk) // WIDTH
        if count > self._limit:
            raise Oversized(f"{count} tags; at most {self._limit} were declared or are allowed")
        self._count = count
        self._arrived += chunk
        self._digest.update(chunk)

    def sort(self) -> None:
        """Put the tags in order for `find`, which does it if nobody did. Raises DuplicateTag, naming two positions."""
        if self._sorted is not None:
            return
        tags = _array(self._arrived)
        order = np.argsort(tags)
        found = tags[order]
        if (twin := _twin(found)) is not None:
            one, other = sorted((int(order[twin]), int(order[twin + 1])))
            raise DuplicateTag(f"the tags at positions {one} and {other} (from 0) are equal")
        self._sorted, self._positions = found, order.astype(np.uint32)
        self._arrived = bytearray()

    def find(self, tags: Sequence[bytes]) -> npt.NDArray[np.int64]:
        """Return the position of each tag in the table as it came, -1 where it is not there. Raises DuplicateTag, like `sort`."""
        self.sort()
        wanted = _array(b"".join(tags))
        if len(wanted) != len(tags):
            raise ValueError(f"tags of {WIDTH} bytes are looked up")
        if self._sorted is None or not self._count:
            return np.full(len(wanted), -1, np.int64)
        at = np.minimum(np.searchsorted(self._sorted, wanted), self._count - 1)
        return np.where(self._sorted[at] == wanted, self._positions[at].astype(np.int64), -1)


def _array(tags: bytes | bytearray) -> npt.NDArray[np.bytes_]:
    if len(tags) % WIDTH:
        raise ValueError(f"{len(tags)} bytes are no whole number of tags of {WIDTH} bytes")
    return np.frombuffer(tags, _TAG)


def _twin(ordered: npt.NDArray[np.bytes_]) -> int | None:
    """Return the first place whose tag equals the next one."""
    equal = np.flatnonzero(ordered[1:] == ordered[:-1])
    return int(equal[0]) if len(equal) else None
