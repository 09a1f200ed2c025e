"""K11. The telco has rows opened: it sends sealed rows where sums are due, under masks of its own, and reads what comes back.

Source: FATE's arbiter opens gradients and returns the step (security.md, part 7); Z11 of an earlier review.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attacked.views import View
from gmpy2 import mpz, powmod

from attacks.ciphertexts import forged, numbers, width_of
from tandem.crypto.paillier import read
from tandem.wire.messages import Sealed, Shares


def rows_as_sums(role: Any, n: int, targets: Sequence[int], ciphertexts: int, masks: Sequence[int]) -> Any:
    """Play the summer `role` with the targets' rows (their first ciphertexts) in the place of its first shares."""
    heard: list[mpz] = []
    answer = None
    while True:
        try:
            wanted = role.send(answer)
        except StopIteration as stop:
            return stop.value
        if isinstance(wanted, Shares):
            values = read(wanted.shares.encode(), width_of(n))
            for at, (target, mask) in enumerate(zip(targets, masks, strict=True)):
                if at < len(values):
                    fresh = (1 + mask * n) * powmod(2 + mask, n, n * n)
                    values[at] = heard[target * ciphertexts] * fresh % (n * n)
            wanted = Shares(forged(n, values))
        answer = yield wanted
        if isinstance(answer, Sealed):
            heard += read(answer.rows.data, width_of(n))


def answers(view: View, n: int, masks: Sequence[int]) -> list[int]:
    """Return what came back to the telco opened, its own masks taken off."""
    back = numbers(view, n, "Opened", sent=False) + numbers(view, n, "Crossed", sent=False)
    return [(value - mask) % n for value, mask in zip(back, masks, strict=False)]
