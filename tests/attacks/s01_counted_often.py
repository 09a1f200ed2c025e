"""S1 in a measurement: one person is sealed as many, so that the totals of a level hang on whether he is there.

Who: the bank, cheating. Procedure: his row says `times` in one outcome, and so do the declared totals; the level whose total is at least
that is his. Source: protocol review 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from attacked.views import View, changed

from tandem.arguments import Chance
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Blinded
from tandem.crypto.slots import Layout
from tandem.wire.messages import Campaign, Measured, Sealed


def bent(role: Any, place: int, row: Sequence[int], times: int, secret: SecretKey, layout: Layout, chance: Chance) -> Any:
    """Play a sealer whose roster row `place`, honestly `row`, counts `times` in its first outcome."""
    crafted = [times, *row[1:]]

    def rows(said: Sealed) -> Sealed | None:
        at, due = (place - said.first) * layout.ciphertexts, len(said.rows)
        if not 0 <= at < due:
            return None
        sealed = secret.seal([layout.place(crafted, part) for part in range(layout.ciphertexts)], chance)
        whole: Blinded = said.rows  # type: ignore[assignment]
        return Sealed(said.first, Blinded.join([whole.part(0, at), sealed, whole.part(at + layout.ciphertexts, due)]))

    def totals(said: Campaign) -> Campaign:
        return replace(said, totals=(said.totals[0] + times - row[0], *said.totals[1:]))

    return changed(changed(role, Sealed, rows), Campaign, totals)


def levels(view: View, codes: Sequence[int], width: int, times: int) -> list[frozenset[int]]:
    """Return the codes among which the person's level is, a segment each; nothing where none is told of so many."""
    said: Measured = view.messages(Measured, sent=False)[-1]
    found, first, at = [], 0, 0
    for size in codes if said.counts else ():
        joined = np.array(said.joined[first : first + size])
        told = int(joined.max()) + 1
        counts = np.array(said.counts[at : at + told * width]).reshape(told, width)[:, 0]
        high = np.flatnonzero(counts >= times)
        found.append(frozenset(np.flatnonzero(joined == high[0]).tolist()) if len(high) == 1 else frozenset())
        first, at = first + size, at + told * width
    return found
