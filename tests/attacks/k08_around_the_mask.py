"""K8. The bank writes around the summer's mask, or takes it off because it was used before.

Per-slot masks of 70 bits in slots of 78: the bank gives target t the number 2^72 in slot t, far beyond the declared range. It sticks out of
the mask, so the bin whose opened share has it in slot t is the target's.
One mask for two passes: all rows 0 in the first; in the second target t has 1 in slot t. The difference of the opened shares is what the
bin holds, whatever the mask.
Source: protocol-review.md 1.3; noise shared by all rows in PaddleDTX (security.md, part 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attacked.views import View

from attacks.ciphertexts import numbers, written
from tandem.crypto.slots import signed_digits

MASK_BITS = 70
STICKING_OUT = 72


def above_the_mask(n: int, width: int, targets: int) -> Callable[[Any], Any]:
    """Return the bank's change of `Sealed`: rows 0 to targets - 1 are the targets."""
    return written(n, {row: 1 << (width * row + STICKING_OUT) for row in range(targets)})


def marks(view: View, n: int, width: int, bins: Sequence[int], targets: int) -> list[list[int | None]]:
    """Return by target the bin of each variable whose share sticks out in the target's slot; None where not just one does."""
    opened = numbers(view, n, "Opened", sent=True)
    return [
        _only([(value >> (width * t) & ((1 << width) - 1)) >> (STICKING_OUT - 1) != 0 for value in opened], bins) for t in range(targets)
    ]


def one_each(n: int, width: int, targets: int) -> Callable[[Any], Any]:
    """Return the bank's change of `Sealed` in the second pass."""
    return written(n, {row: 1 << (width * row) for row in range(targets)})


def difference(first: View, second: View, n: int, width: int, bins: Sequence[int], targets: int) -> list[list[int | None]]:
    """Return by target the bin of each variable whose opened numbers differ by one in the target's slot."""
    read = []
    for one, other in zip(numbers(first, n, "Opened", sent=True), numbers(second, n, "Opened", sent=True), strict=True):
        apart = (other - one) % n
        read.append(signed_digits(apart - n if 2 * apart > n else apart, width, targets))
    return [_only([digits[t] == 1 for digits in read], bins) for t in range(targets)]


def _only(marked: Sequence[bool], bins: Sequence[int]) -> list[int | None]:
    """Return by variable the one bin that is marked, else None."""
    found: list[int | None] = []
    first = 0
    for count in bins:
        here = [b for b in range(count) if marked[first + b]]
        found.append(here[0] if len(here) == 1 else None)
        first += count
    return found
