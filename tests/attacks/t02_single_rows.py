"""T2. A single row returned as a sum, by the telco with the coordinator.

Both cheat: the telco sends the sealed rows of its targets in place of bin products, under masks that both know; the bank opens them as it
opens any share. Or both follow the protocol: the telco offers variables that are the same but for one person each, and two bins' totals
differ by that person's row. Slots are public: the label stands in one, and in the sign of the residual p - y of another.
Source: security, part 2, T2; protocol review 2.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attacked.views import View

from attacks.opened_totals import totals
from tandem.arguments import Chance, below
from tandem.crypto.paillier import Foreign, Products, PublicKey, blind, read, units
from tandem.crypto.slots import Layout
from tandem.wire.messages import Key, Masks, Sealed, Shares

RESIDUAL = 3


def rows_for_sums(role: Any, targets: list[int], chance: Chance) -> Any:
    """Play the telco's part with the first bins' products replaced by the sealed rows of its targets (rows of one ciphertext)."""
    key, heard, masks, answer = None, b"", [], None
    while True:
        try:
            wanted = role.send(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(wanted, Shares) and key is not None and not masks:
            rows = [read(heard, key.width)[target] for target in targets]
            masks = [below(chance, int(key.n)) for _ in rows]
            crafted = blind(key, Products(key, rows), masks, units(key, chance, len(rows)))
            rest = wanted.shares.part(len(rows), len(wanted.shares))
            wanted = Shares(type(crafted).join([crafted, rest]))
        elif isinstance(wanted, Masks) and key is not None and masks:
            mine = b"".join(mask.to_bytes(key.plain_width, "little") for mask in masks)
            wanted = Masks(mine + wanted.values[len(mine) :])
        answer = yield wanted
        if isinstance(answer, Key):
            key = PublicKey(int.from_bytes(answer.modulus, "little"))
        if isinstance(answer, Sealed) and isinstance(answer.rows, Foreign):
            heard += answer.rows.data


def rows_read(view: View, layout: Layout, count: int) -> np.ndarray:
    """Return the residuals of the first `count` sums, taken for rows."""
    return totals(view, layout)[:count, RESIDUAL]


def rows_by_difference(view: View, layout: Layout, bins: int, moved: list[tuple[int, int]]) -> np.ndarray:
    """Return residuals of targets. moved[k]: (the bin that target k is in by variable 0, and by variable k + 1); `bins` of each."""
    found = totals(view, layout)
    if not len(found):
        return np.zeros(len(moved), dtype=np.int64)
    table = found[:, RESIDUAL].reshape(-1, bins)
    return np.array([table[k + 1, to] - table[0, to] for k, (_, to) in enumerate(moved)])


def labels(residuals: np.ndarray) -> np.ndarray:
    """Return the labels that residuals p - y stand for: 1, 0, and -1 where there is nothing to read."""
    return np.where(residuals < 0, 1, np.where(residuals > 0, 0, -1))
