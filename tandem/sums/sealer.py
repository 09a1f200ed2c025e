"""Sealed sums, the side that holds rows and key.

    sealer: rows v_i, key (p, q)            summer: codes C            solver
        Key      n, proof  -----------------> and ------------------>
        Sealed   c_i = E(v_i)  ---------->
                                  <--------  Shares   E(sum + noise + R), by (variable, bin)
        Opened   D = sum + noise + R  ------------------------------->
                                             Masks    R  ----------->  sum = D - R, slot by slot
    learns nothing from D: it is uniform     learns nothing            learns totals, no row

Pieces of roles: the protocols that stand on sums take them in with `yield from`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tandem.arguments import Chance, Engine, Keep, keep_nothing
from tandem.crypto.opening import SealRows, SecretKey
from tandem.crypto.paillier import Foreign, admit
from tandem.crypto.slots import Layout
from tandem.session.session import Role
from tandem.sums.terms import Integers, chunk_length
from tandem.wire.messages import Crossed, Key, Opened, Sealed, Shares

OPENINGS_A_TASK = 16
"""Ciphertexts opened in one worker task."""


@dataclass(frozen=True)
class OpenChunk:
    """Worker's task: admit and open ciphertexts."""

    secret: SecretKey = field(repr=False)

    def __call__(self, data: Foreign) -> list[int]:
        """Return the plaintexts in [0, n). Raises FactorPlanted, NakedCiphertext, ForeignElement."""
        return self.secret.open(admit(self.secret.public, data))


def say_key(secret: SecretKey, context: bytes) -> Role[None]:
    """Tell summer and solver the modulus, and prove it to both."""
    key = Key(secret.public.to_bytes(), secret.prove(context))
    yield key
    yield key


def seal_rows(
    secret: SecretKey, layout: Layout, rows: Integers, engine: Engine, chance: Chance, keep: Keep = keep_nothing
) -> Role[None]:
    """Seal rows (N, slots) in roster order, and send them in chunks.

    Raises RandomiserRepeated, before the second one leaves, if chance ever gives the same randomiser twice.
    """
    chance = keep(chance, rows)
    step = chunk_length(layout.ciphertexts * secret.public.width)
    starts = range(0, len(rows), step)
    seen: set[int] = set()
    chunks = ((number, rows[first : first + step]) for number, first in enumerate(starts))
    for first, sealed in zip(starts, engine.map(SealRows(secret, layout, chance), chunks), strict=True):
        sealed.remember(seen)
        yield Sealed(first, sealed)


def open_shares(secret: SecretKey, engine: Engine, answer: type[Opened | Crossed] = Opened) -> Role[None]:
    """Open each chunk of masked sums and pass the uniform numbers on."""
    width = secret.public.plain_width
    while part := (yield Shares):
        yield answer(b"".join(value.to_bytes(width, "little") for value in open_all(secret, part.shares, engine)))


def open_all(secret: SecretKey, sealed: Foreign, engine: Engine) -> Iterator[int]:
    """Admit and open a chunk, spread over the workers."""
    step = OPENINGS_A_TASK * secret.public.width
    parts = (Foreign(sealed.data[at : at + step]) for at in range(0, len(sealed.data), step))
    for opened in engine.map(OpenChunk(secret), parts):
        yield from opened
