"""T4. Which variables were kept, by the telco: a variable for each planted group, then a look at which of them are still asked for.

A variable that is named in a wish, or has fewer sealed points than the others, or points whose ciphertexts stand apart, says how its group
does. Source: security, part 2, T4; protocol review 2.8.
"""

from __future__ import annotations

import gmpy2
import numpy as np
from attacked.views import View

from attacks.opened_totals import modulus
from tandem.crypto.paillier import read
from tandem.wire.messages import Table, Wish


def kept(view: View, bins: list[int], aliases: list[str]) -> np.ndarray:
    """Return a score a variable: above a half where it seems kept."""
    wishes = view.messages(Wish, sent=False)
    if wishes:
        return np.array([float(alias in wishes[0].keep) for alias in aliases])
    key = modulus(view)
    points = [c for message in view.messages(Table, sent=False) for c in read(message.points.data, key.width)]
    if len(points) % sum(bins):
        raise ValueError("fewer points than bins: whose are missing says which were kept")
    starts = np.cumsum((0, *bins[:-1]))
    first = points[-sum(bins) :]
    return np.array([
        0.5 + 0.25 * np.mean([gmpy2.jacobi(c % key.n, key.n) for c in first[start : start + size]]) + (c_low(first[start]) - 0.5) / 8
        for start, size in zip(starts, bins, strict=True)
    ])


def c_low(value: int) -> float:
    """Return the low bits of a ciphertext as a share."""
    return float(int(value) % 2**16) / 2**16
