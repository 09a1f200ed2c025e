"""Blind scoring, the side that knows the points.

solver: points a[j][b]                summer: codes C, key n           sealer: key (p, q)
    Table      E(a[j][b])      ------->
    Signature                  ------->
                                          pack = product over rows i of (product over j of E(a[j][C_ij]))^(2^(V s))
                                          Scores  pack + noise  ------->  score of each row, 7 or 9 bits of it
learns nothing                        learns nothing                   learns one coarse score a row
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tandem.arguments import Chance
from tandem.crypto.paillier import Blinded, PublicKey, encrypt, units
from tandem.score.statement import Here, table_digest
from tandem.session.session import Role
from tandem.sums.terms import Integers, chunk_length
from tandem.wire.messages import Signature, Table

Sign = Callable[[bytes], bytes]
"""Ed25519 over a statement, with the contract's key; the key itself stays with the node."""


@dataclass(frozen=True)
class Drawn:
    """A sealed table, ready to be said, and its digest."""

    sealed: Blinded
    digest: bytes


def draw_table(key: PublicKey, points: Integers, here: Here, kept: Chance) -> Drawn:
    """Seal the points of all bins.

    `kept` is chance that this party can repeat (from a seed it keeps). Forked by the points themselves it gives the same table the same
    bytes, hence the same dither at the summer: a pass done again discloses nothing new. Another table gets other randomness.
    """
    chance = kept.fork("table", here.contract, here.roster, here.stage, points.astype("<i8").tobytes())
    sealed = encrypt(key, points.tolist(), units(key, chance, len(points)))
    return Drawn(sealed, table_digest(key, sealed.encode()))


def say_table(key: PublicKey, table: Drawn, here: Here, sign: Sign) -> Role[None]:
    """Send the table in chunks, and sign it for this session."""
    step = chunk_length(key.width)
    for first in range(0, len(table.sealed), step):
        yield Table(table.sealed.part(first, min(len(table.sealed), first + step)))
    yield Signature(sign(here.statement(table.digest)))
