"""Blind scoring, the side that opens the packs. See the picture in `solver`."""

from __future__ import annotations

import numpy as np

from tandem.arguments import Engine
from tandem.contract import SLOT_BITS
from tandem.crypto.opening import SecretKey
from tandem.crypto.slots import ScoreSlots
from tandem.errors import Oversized
from tandem.score.statement import Scale
from tandem.session.session import Role
from tandem.sums.sealer import open_all
from tandem.sums.terms import Integers
from tandem.wire.messages import Scores


def read_scores(secret: SecretKey, count: int, scale: Scale, engine: Engine) -> Role[Integers]:
    """Open the packs and return one integer a roster row, noise still in its low bits. Raises Oversized for a wrong number of packs."""
    slots = ScoreSlots(secret.public.bits, scale.noise_bits, SLOT_BITS)
    due, packs = slots.packs(count), 0
    found: list[int] = []
    while part := (yield Scores):
        for value in open_all(secret, part.packs, engine):
            if packs >= due:
                raise Oversized(f"more than the {due} packs that {count} rows fill")
            found += slots.unpack(value, min(slots.slots, count - packs * slots.slots))
            packs += 1
    if packs != due:
        raise Oversized(f"{packs} packs of scores where {count} rows fill {due}")
    return np.array(found, dtype=np.int64)
