"""S5, score decoding, by a bank that follows the protocol and keeps what it gets.

The points are known: the card's are released, those of a pass follow from what is released or from a few customers whose bins are known.
All sums of points are listed, in two halves that meet at the score; what no pass forbids is kept; of the rest the row of the commonest
bins is guessed, or, where other people's rows are known, the commonest row. Source: protocol-review 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attacked.views import View

from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import admit
from tandem.crypto.slots import ScoreSlots
from tandem.score.decoding import Heard, decode, decode_among, frequencies, sums
from tandem.wire.messages import Scores


def opened(view: View, secret: SecretKey, script: str, stage: int, count: int, noise_bits: int, width: int) -> np.ndarray:
    """Open the packs of one scoring that the bank was sent; return the integers in their slots, (count,)."""
    slots, found = ScoreSlots(secret.public.bits, noise_bits, width), []
    for message in view.messages(Scores, sent=False, script=script, stage=stage):
        for value in secret.open(admit(secret.public, message.packs)):
            found += slots.unpack(int(value), min(slots.slots, count - len(found)))
    return np.array(found, dtype=np.int64)


def rows(heard: Sequence[Heard], bins: Sequence[int], others: np.ndarray, *, whole: bool) -> np.ndarray:
    """Guess the bins of every row that was scored; `others` are rows of other people, known whole or as frequencies of single bins."""
    common = frequencies(others, bins)
    plain = decode(heard, common)
    return decode_among(heard, common, others, plain).codes if whole else plain.codes


__all__ = ["Heard", "opened", "rows", "sums"]
