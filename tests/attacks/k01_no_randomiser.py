"""K1. Anyone who sees ciphertexts (a peer, the network of a peer, a thief of a log) reads those that were sealed without randomness.

Procedure: c = (1 + m*n) * rho mod n^2. Where c mod n = 1, rho is 1, and m = (c - 1) / n; no key is needed.
Source: libraries whose encryption randomises only when asked; FATE's binning sends labels so (security.md, part 7).
"""

from __future__ import annotations

from attacked.views import View

from attacks.ciphertexts import all_of


def read_naked(view: View, n: int, kind: str = "") -> list[int | None]:
    """Return what each ciphertext in the view seals where that can be read, else None."""
    return [int((c - 1) // n % n) if c % n == 1 else None for c in all_of(view, n, kind)]
