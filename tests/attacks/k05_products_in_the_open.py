"""K5. The bank reads codes off products that the telco did not re-randomise well: c mod n = randomness of the rows in the cell, mask or no.

(a) Without re-randomisation: which of up to 40 rows of known randomness multiply to the cell's; meet in the middle.
(b) Re-randomised with a base that the bank published (Damgard, Jurik and Nielsen's h, symbol +1): give the target alone the symbol -1, and
    find the cell of that symbol.
(c) The same base, honest rows: a cell's symbol is the product of its rows', so any guess of who is in the cell can be tested.
(d) The telco's own base h, exponent a of half the length of n: a key with smooth p-1 and q-1, all rows 1 mod q. The cell mod q is h^a and
    gives a; then the cell mod p is the product of the rows' randomness, g^(2^i) for row i, and its logarithm is the list of rows.
Source: protocol-review.md 2.4.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attacked.views import View
from gmpy2 import gcd, invert, jacobi, mpz, powmod

from attacks.ciphertexts import all_of, bent, randomised
from attacks.logarithms import SmoothGroup

CANDIDATES = 64
"""Exponents tried that are equal modulo the order of h mod q."""


def cells(view: View, n: int) -> list[mpz]:
    """Return the randomness of each share, by variable and bin."""
    return [c % n for c in all_of(view, n, "Shares", sent=False)]


def rows_by_middle(view: View, n: int) -> list[frozenset[int] | None]:
    """(a) Return the rows in each cell."""
    rho = [c % n for c in all_of(view, n, "Sealed", sent=True)]
    half = len(rho) // 2
    left = {product: chosen for chosen, product in _products(rho[:half], mpz(n))}
    right = [(chosen, invert(product, n)) for chosen, product in _products(rho[half:], mpz(n))]
    found: list[frozenset[int] | None] = []
    for cell in cells(view, n):
        for chosen, back in right:
            other = left.get(cell * back % n)
            if other is not None:
                both = other | chosen << half
                found.append(frozenset(i for i in range(len(rho)) if both >> i & 1))
                break
        else:
            found.append(None)
    return found


def _products(rho: Sequence[mpz], n: mpz) -> list[tuple[int, mpz]]:
    """Return (set as bits, product) of every subset."""
    made = [(0, mpz(1))]
    for i, r in enumerate(rho):
        made += [(chosen | 1 << i, product * r % n) for chosen, product in made]
    return made


def odd_one_out(n: int, target: int, draw: Callable[[int], int]) -> Callable[[Any], Any]:
    """(b) Return the bank's change of `Sealed`: symbol -1 for the target, +1 for all others."""
    n = mpz(n)
    x = mpz(2)
    while jacobi(x, n) != -1:
        x = mpz(draw(int(n)))
    turn = powmod(x, n, n * n)  # n is odd: the symbol of x^n is that of x
    return bent(int(n), lambda row, c: c if (jacobi(c % n, n) == -1) == (row == target) else c * turn % (n * n))


def odd_bins(view: View, n: int, bins: Sequence[int]) -> list[int]:
    """(b) Return the first bin of each variable whose cell has the symbol -1, or 0."""
    symbols = [jacobi(cell, n) for cell in cells(view, n)]
    found, first = [], 0
    for count in bins:
        found.append(next((b for b in range(count) if symbols[first + b] == -1), 0))
        first += count
    return found


def agreement(view: View, n: int, supposed: Sequence[Sequence[int]]) -> list[bool]:
    """(c) Return for each cell whether its symbol is what the rows supposed to be in it would give."""
    symbols = [jacobi(c % n, n) for c in all_of(view, n, "Sealed", sent=True)]
    found = []
    for cell, rows in zip(cells(view, n), supposed, strict=True):
        expected = 1
        for row in rows:
            expected *= symbols[row]
        found.append(jacobi(cell, n) == expected)
    return found


def spelled(p: int, q: int, g: int) -> Callable[[Any], Any]:
    """(d) Return the bank's change of `Sealed`: row i has the randomness g^(2^i) mod p and 1 mod q."""
    p, q = mpz(p), mpz(q)
    return bent(int(p * q), lambda row, c: randomised(c, powmod(g, mpz(1) << row, p), mpz(1), p, q))


def spelled_rows(view: View, rows: int, h: mpz, left: SmoothGroup, right: SmoothGroup) -> list[frozenset[int] | None]:
    """(d) Return the rows in each cell; `left` is the group mod p by the base of `spelled`, `right` that mod q by any."""
    p, q = left.modulus, right.modulus
    base = right.log(h % q)
    found: list[frozenset[int] | None] = []
    if base is None:
        return found
    common = gcd(base, right.order)
    order = right.order // common
    for cell in cells(view, int(p * q)):
        power = right.log(cell % q)
        mine = None
        if power is not None and power % common == 0:
            exponent = power // common * invert(base // common, order) % order
            for _ in range(CANDIDATES):
                spelt = left.log(cell * invert(powmod(h % p, exponent, p), p) % p)
                if spelt is not None and spelt >> rows == 0:
                    mine = frozenset(i for i in range(rows) if spelt >> i & 1)
                    break
                exponent += order
        found.append(mine)
    return found
