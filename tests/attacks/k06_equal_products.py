"""K6. The bank sees which cells hold the same rows: folded twice, the same rows give the same product, whatever mask is added.

Procedure: compare c mod n of all shares, of one session or of several.
Variant: a row that is 1 or 1 + P*n has no randomness of its own; what is in a cell beside it shows.
"""

from __future__ import annotations

from attacked.views import View

from attacks.ciphertexts import all_of


def equal_cells(view: View, n: int) -> list[tuple[int, int]]:
    """Return the pairs (i, j), i < j, of shares with equal randomness."""
    cells: dict[int, list[int]] = {}
    for i, share in enumerate(all_of(view, n, "Shares")):
        cells.setdefault(int(share % n), []).append(i)
    return [(i, j) for same in cells.values() for j in same for i in same if i < j]
