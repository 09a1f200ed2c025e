"""S1: rows numbered by powers of two, so that the sum of a bin spells out who is in it.

Who: the bank, cheating; S9: with the coordinator. Procedure: row i is 2^i, as many as a plaintext has bits; whatever number it then sees
for a bin is read as a bitmap of rows. A row counts as read where each variable has exactly one bin that claims it.
Source: protocol review 2.3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from attacked.views import View, changed

from tandem.arguments import Chance
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Foreign, admit
from tandem.wire.messages import Masks, Sealed, Shares


def numbered(secret: SecretKey, chance: Chance) -> Callable[[Any], Any]:
    """Return how the sealer bends its role: row i is 2^i."""

    def change(said: Sealed) -> Sealed:
        count = len(said.rows)
        plain = [1 << (said.first + i) for i in range(count)]
        return Sealed(said.first, secret.seal(plain, chance.fork("numbered", said.first)))

    return lambda role: changed(role, Sealed, change)


def opened(view: View) -> list[int]:
    """Return what the bank finds in the shares it is sent: a number a bin."""
    secret: SecretKey = view.inputs["secret"]
    shares = view.messages(Shares, sent=False, peer="summer")
    return [value for part in shares for value in secret.open(admit(secret.public, Foreign(part.shares.data)))]


def unmasked(view: View) -> list[int]:
    """Return what a bank finds that has the solver's column as well: the masks are taken off."""
    width, n = view.inputs["secret"].public.plain_width, int(view.inputs["secret"].public.n)
    data = b"".join(part.values for part in view.messages(Masks, sent=False, peer="summer"))
    masks = [int.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]
    return [(value - mask) % n for value, mask in zip(opened(view), masks, strict=True)]


def spelled(sums: Sequence[int], bins: Sequence[int], rows: int) -> np.ndarray:
    """Return the codes (rows, variables) that the bitmaps spell out; -1 where not exactly one bin claims a row."""
    bits = np.array([[value >> row & 1 for row in range(rows)] for value in sums], dtype=np.int64)
    parts = np.split(bits, np.cumsum(bins)[:-1])
    return np.column_stack([np.where(part.sum(axis=0) == 1, part.argmax(axis=0), -1) for part in parts])
