"""T6. Mix and replay, by the telco: a pass is folded from other rows than were sent, and the bank trains on what comes out.

One row in another's place; a row left out for one that weighs nothing; the last pass's rows again; another job's rows; products of two
variables exchanged. Source: security, part 2, T6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from attacked.views import View

from tandem.crypto.paillier import Foreign, PublicKey
from tandem.wire.messages import Masks, Sealed, Shares


def in_place_of(message: Sealed, width: int, to: int, take: int) -> Sealed:
    """Return a chunk with row `take` in the place of row `to`, by their numbers in the roster; the chunk itself if they are not in it."""
    data = message.rows.data
    rows = [data[at : at + width] for at in range(0, len(data), width)]
    if not (0 <= to - message.first < len(rows) and 0 <= take - message.first < len(rows)):
        return message
    rows[to - message.first] = rows[take - message.first]
    return replace(message, rows=Foreign(b"".join(rows)))


def sealed_of(view: View, stage: int) -> dict[int, Sealed]:
    """Return the chunks of an earlier pass, or of another job, by their first row."""
    return {message.first: message for message in view.messages(Sealed, sent=False, stage=stage)}


def exchanged(message: Any, key: PublicKey, one: int, other: int) -> Any:
    """Return shares, or their masks, with two bins exchanged; anything else as it is."""
    if isinstance(message, Shares):
        parts = [message.shares.part(i, i + 1) for i in range(len(message.shares))]
        parts[one], parts[other] = parts[other], parts[one]
        return Shares(type(message.shares).join(parts))
    if isinstance(message, Masks):
        width = key.plain_width
        values = [message.values[at : at + width] for at in range(0, len(message.values), width)]
        values[one], values[other] = values[other], values[one]
        return Masks(b"".join(values))
    return message


def heard_otherwise(role: Any, change: Any) -> Any:
    """Play `role` with every message that it hears changed: what it then computes is the shipped code's."""
    answer = None
    while True:
        try:
            wanted = role.send(answer)
        except StopIteration as stop:
            return stop.value
        answer = yield wanted
        answer = None if answer is None else change(answer)
