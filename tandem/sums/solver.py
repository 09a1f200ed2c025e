"""Sealed sums, the side that holds neither rows nor key: take the masks off the opened shares. See the picture in `sealer`."""

from __future__ import annotations

import numpy as np

from tandem.crypto.paillier import PublicKey
from tandem.crypto.slots import Layout
from tandem.errors import Malformed, RowAsSum
from tandem.session.session import Role
from tandem.sums.terms import Integers
from tandem.wire.messages import Masks, Opened


def collect(key: PublicKey, count: int) -> Role[list[int]]:
    """Hear opened shares and masks; return the `count` sums as plaintexts D - R mod n.

    The mask is taken off as one integer: slot by slot, carries would be off by one (protocol-review 1.2). Raises Malformed.
    """
    plain: list[int] = []
    while opened := (yield Opened):
        masks: Masks = yield Masks
        values, taken = _numbers(key, opened.values), _numbers(key, masks.values)
        if len(values) != len(taken):
            raise Malformed("a chunk of opened shares and its masks differ in length")
        plain += [(value - mask) % int(key.n) for value, mask in zip(values, taken, strict=True)]
        if len(plain) > count:
            break
    if len(plain) != count:
        raise Malformed(f"{len(plain)} shares where {count} were due")
    return plain


def totals(layout: Layout, plain: list[int], rows: Integers) -> Integers:
    """Return (sums, slots) integers; `rows[i]` is the number of roster rows behind sum i.

    Raises RowAsSum if a total lies outside what that many rows can add up to.
    """
    if len(plain) != len(rows) * layout.ciphertexts:
        raise RowAsSum(f"{len(plain)} ciphertexts for {len(rows)} sums of {layout.ciphertexts}")
    found = [
        layout.unpack(plain[i * layout.ciphertexts : (i + 1) * layout.ciphertexts], int(rows[i])) for i in range(len(rows))
    ]
    return np.array(found, dtype=np.int64).reshape(len(rows), len(layout.slots))


def _numbers(key: PublicKey, data: bytes) -> list[int]:
    width = key.plain_width
    if len(data) % width:
        raise Malformed("opened shares or masks cut in the middle of a number")
    found = [int.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]
    if any(value >= int(key.n) for value in found):
        raise Malformed("an opened share or mask that is not below n")
    return found
