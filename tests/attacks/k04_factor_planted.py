"""K4. Telco and coordinator take the bank's key from one opened number; a bank marks rows with a factor of its key.

Theft: put 0, n or k*n in the place of a share. What "opens" is m = -+(p + q)^-1 mod n, and the bank passes it on: from p + q and n = p*q
follow p and q. (The share's mask does not matter: nothing was added to what was planted.)
Marks: the bank sends c = p*t for its target. A cell's product is then a multiple of p, through any mask and any r^n: one gcd a cell
says in which bin of each variable the target lies.
Source: protocol-review.md 2.9; python-paillier opens 0 (security.md, part 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attacked.views import View
from gmpy2 import gcd, invert, is_square, isqrt, mpz

from attacks.ciphertexts import all_of, bent, forged, numbers, width_of
from tandem.crypto.paillier import read
from tandem.wire.messages import Shares


def planted(n: int, value: int) -> Callable[[Shares], Shares]:
    """Return the telco's change of its first share: `value` in its place."""

    def plant(said: Shares) -> Shares:
        rest = read(said.shares.encode(), width_of(n))[1:]
        return Shares(forged(n, [mpz(value), *rest]))

    return plant


def factored(view: View, n: int) -> tuple[int, int] | None:
    """Return p and q if one of the numbers that came out of the bank's opening gives them away."""
    for opened in numbers(view, n, "Opened", sent=False):
        if gcd(opened, n) != 1:
            continue
        inverse = invert(opened, n)
        for total in (inverse, n - inverse):  # p + q
            square = total * total - 4 * n
            if square >= 0 and is_square(square):
                p = (total + isqrt(square)) // 2
                if p * (total - p) == n:
                    return int(p), int(total - p)
    return None


def marked(p: int, n: int, target: int, t: int) -> Callable[[Any], Any]:
    """Return the bank's change of `Sealed`: p*t for its target's row."""
    return bent(n, lambda row, c: mpz(p) * t if row == target else c)


def marked_bins(view: View, n: int, bins: Sequence[int]) -> list[int | None]:
    """Return the bin of each variable whose share has a factor in common with n; None for a variable without just one."""
    shares = list(all_of(view, n, "Shares", sent=False))
    found: list[int | None] = []
    first = 0
    for count in bins:
        marks = [b for b, share in enumerate(shares[first : first + count]) if gcd(share, n) != 1]
        found.append(marks[0] if len(marks) == 1 else None)
        first += count
    return found


def values(p: int, q: int, draw: Callable[[int], int]) -> tuple[tuple[str, Callable[[], int]], ...]:
    """Return what to plant, by name; draw(bound) is a number in [1, bound)."""
    n = p * q
    return (
        ("0", lambda: 0), ("n", lambda: n), ("k*n", lambda: n * draw(n)), ("p", lambda: p), ("q", lambda: q),
        ("p*t", lambda: p * draw(n * q)),
        ("q*t", lambda: q * draw(n * p)), ("p^2*t", lambda: p * p * draw(q * q)), ("n^2 - k*n", lambda: n * n - n * draw(n)),
        ("n^2", lambda: n * n), ("n^2 + 1", lambda: n * n + 1), ("beyond n^2", lambda: n * n + draw(n)),
    )
