"""Sealed sums, the side that holds neither rows nor key: take the masks off the opened shares. See the picture in `sealer`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from gmpy2 import mpz

from tandem.arguments import Chance, Once, below
from tandem.crypto.paillier import Checked, Products, PublicKey, admit, blind, units
from tandem.crypto.slots import Layout
from tandem.errors import Malformed, RowAsSum
from tandem.session.session import Role
from tandem.sums.pairs import Weighted, combine
from tandem.sums.terms import Integers, chunk_length
from tandem.wire.codec import encode
from tandem.wire.messages import Crossed, Masks, Message, Opened, PairSums, Shares


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


def hear_sealed(key: PublicKey, count: int) -> Role[Checked]:
    """Hear `count` sealed totals of pairs; they stay sealed. Raises Malformed, and what `admit` raises."""
    values: list[mpz] = []
    while part := (yield PairSums):
        values += admit(key, part.sums).values
        if len(values) > count:
            break
    if len(values) != count:
        raise Malformed(f"{len(values)} sealed totals of pairs where {count} were due")
    return Checked(key, values)


def cross(sealed: Checked, asked: Sequence[Weighted], chance: Chance) -> Role[list[int]]:
    """Have weighted sums of sealed totals opened under masks of our own, uniform mod n; return the sums, signed. Raises Malformed."""
    key, found = sealed.key, list[int]()
    step = chunk_length(key.width)
    for first in range(0, len(asked), step):
        products = Products(key, [combine(sealed, one) for one in asked[first : first + step]])
        masks = [below(chance, int(key.n)) for _ in products.values]
        yield Shares(blind(key, products, masks, units(key, chance, len(masks))))
        said: Crossed = yield Crossed
        values = _numbers(key, said.values)
        if len(values) != len(masks):
            raise Malformed("a chunk of shares and what was opened of it differ in length")
        found += [key.centred((value - mask) % int(key.n)) for value, mask in zip(values, masks, strict=True)]
    return found


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


def answer_once(layout: Layout, plain: list[int], rows: Integers, once: Once, *said: Message) -> Integers:
    """Return `totals`, once `once` has passed them and what was `said` beside them: all that an answer to the sealer hangs on.

    Totals that cannot be one are remembered too, as what nothing else is like. Played again with other rows, a step would else say, time
    after time, which of them fit, and fits hang on single rows (S1, S3). Raises RowAsSum, and what `once` raises.
    """
    try:
        found = totals(layout, plain, rows)
    except RowAsSum:
        once(hashlib.sha256(repr(plain).encode()).digest())
        raise
    whole = hashlib.sha256(found.astype("<i8").tobytes())
    for message in said:
        whole.update(encode(message))
    once(whole.digest())
    return found


def _numbers(key: PublicKey, data: bytes) -> list[int]:
    width = key.plain_width
    if len(data) % width:
        raise Malformed("opened shares or masks cut in the middle of a number")
    found = [int.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]
    if any(value >= int(key.n) for value in found):
        raise Malformed("an opened share or mask that is not below n")
    return found
