"""S7: a table of points that is not a model's but a probe: bin b of variable j stands for b * 8^j, so that a score spells out the row.

Who: the bank as its own solver, which seals the table and signs it; or the bank on the way of somebody else's table. Procedure: seal
probing points, read the digits of every score; write above the last slot, where no row stands; aim the digits above the noise of the slot.
Or replace, alter, or replay a table that the solver signed. Source: protocol review 2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from attacked.views import View, changed

from tandem.arguments import Chance
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Blinded, Foreign, admit
from tandem.crypto.slots import ScoreSlots
from tandem.wire.messages import Scores, Signature, Table

DIGIT = 3
"""Bits of a code of up to 8 bins."""


def probing(bins: Sequence[int], above: int = 0) -> list[int]:
    """Return a point a bin, in line: the code's digits of the variables side by side, all of them `above` bits up."""
    return [b << (above + DIGIT * j) for j, size in enumerate(bins) for b in range(size)]


def aimed_above(bins: Sequence[int], noise: int, width: int) -> list[int]:
    """Return points whose digits fill the bits above the noise: codes whole while there is room, then the top bits of one."""
    points, at = list[int](), noise
    for size in bins:
        bits = (size - 1).bit_length()
        taken = min(bits, width - at)
        points += [(b >> (bits - taken)) << at for b in range(size)]
        at += taken
    return points


def bent(role: Any, sealed: Blinded, signature: bytes) -> Any:
    """Play a solver that says this table, and this signature, in place of its own."""
    return changed(changed(role, Table, lambda _: Table(sealed)), Signature, lambda _: Signature(signature))


def opened(view: View) -> list[int]:
    """Return the bank's packs of scores."""
    secret: SecretKey = view.inputs["secret"]
    return [value for part in view.messages(Scores, sent=False) for value in secret.open(admit(secret.public, Foreign(part.packs.data)))]


def scores(view: View, slots: ScoreSlots, rows: int) -> np.ndarray:
    """Return the score of every row, noise and all, in [0, 2^width)."""
    found: list[int] = []
    for pack in opened(view):
        found += slots.unpack(pack, min(slots.slots, rows - len(found)))
    return np.array(found) % (1 << slots.width)


def digits(values: Sequence[int], variables: int) -> np.ndarray:
    """Return the code vectors (rows, variables) that the numbers spell out."""
    return np.array([[int(value) >> (DIGIT * j) & ((1 << DIGIT) - 1) for j in range(variables)] for value in values])


def beyond(view: View, width: int) -> list[int]:
    """Return what stands above the first slot of each pack."""
    return [pack >> width for pack in opened(view)]


Places = Callable[[Any], bytes]


def forgeries(sealed: bytes, other: bytes, width: int, here: Any, sign: Places, stranger: Places, digest: Places, chance: Chance) -> tuple[
    tuple[str, bytes, bytes], ...
]:
    """Return (kind, table, signature) of tables that are not the one signed for this place.

    `sealed` is the solver's own table, `other` one of the bank's; `sign` and `stranger` sign a statement; `digest` names a table.
    """
    statement = here.statement(digest(sealed))
    at = chance.draw(1)[0] % (len(sealed) // width) * width
    swapped = sealed[width:] + sealed[:width]
    one = sealed[:at] + other[at : at + width] + sealed[at + width :]
    elsewhere = [
        replace(here, **change)
        for change in ({"session": chance.draw(16)}, {"stage": here.stage + 1}, {"roster": chance.draw(32)}, {"contract": chance.draw(32)})
    ]
    return (
        ("another's table", other, sign(statement)), ("one point replaced", one, sign(statement)),
        ("points moved", swapped, sign(statement)),
        ("signed by another", sealed, stranger(statement)), ("no signature", sealed, bytes(64)),
        ("another's table, signed by another", other, stranger(here.statement(digest(other)))),
        *(("replayed", sealed, sign(place.statement(digest(sealed)))) for place in elsewhere),
    )
