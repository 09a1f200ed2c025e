"""What telco and coordinator hold together of a masked pass: the opened shares that one heard and the masks that both know."""

from __future__ import annotations

import numpy as np
from attacked.views import View

from tandem.crypto.paillier import PublicKey
from tandem.crypto.slots import Layout, signed_digits
from tandem.wire.messages import Key, Masks, Opened


def modulus(view: View) -> PublicKey:
    """Return the bank's public key, as it was told."""
    return PublicKey(int.from_bytes(view.messages(Key, sent=False)[0].modulus, "little"))


def plaintexts(view: View, *, stage: int | None = None) -> list[int]:
    """Return D - R mod n of every share of a pass; empty unless both were seen."""
    key = modulus(view)
    opened = b"".join(message.values for message in view.messages(Opened, sent=False, stage=stage))
    masks = b"".join(message.values for message in view.messages(Masks, sent=False, stage=stage))
    return [(one - other) % int(key.n) for one, other in zip(_numbers(key, opened), _numbers(key, masks), strict=False)]


def totals(view: View, layout: Layout, *, stage: int | None = None) -> np.ndarray:
    """Return (bins of all variables, slots) whole numbers; no row of them where the view has none."""
    key, parts, found = modulus(view), layout.ciphertexts, []
    plain = plaintexts(view, stage=stage)
    for first in range(0, len(plain), parts):
        row: list[int] = []
        for part, number in enumerate(plain[first : first + parts]):
            row += signed_digits(key.centred(number), layout.width, len(layout.part(part)))
        found.append(row)
    return np.array(found, dtype=np.int64).reshape(len(found), len(layout.slots))


def _numbers(key: PublicKey, data: bytes) -> list[int]:
    width = key.plain_width
    return [int.from_bytes(data[at : at + width], "little") for at in range(0, len(data), width)]
