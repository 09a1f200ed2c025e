"""K3. Anyone reads what was sealed with a published base and a short exponent; a key's owner can tell that randomness is not uniform.

Procedure: c mod n = h^a mod n with a below 2^32, so a is found in 2^16 steps (Shanks 1971) and m = (c / h^a - 1) / n.
With the owner's key: Jacobi symbols balance, and for each small prime l that divides p-1 a share 1/l of all residues are l-th powers.
Source: the short exponents of Damgard, Jurik and Nielsen (2010), taken shorter still for speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attacked.views import View
from gmpy2 import invert, jacobi, mpz, powmod
from scipy import stats

from attacks.ciphertexts import all_of
from attacks.logarithms import Steps

EXPONENT_BITS = 32
BABIES = 1 << 18
CELLS = 64


def read_short(view: View, n: int, h: mpz, count: int) -> list[int | None]:
    """Return what the first `count` sealed rows hold if their randomness is h^a with a below 2^32, else None."""
    n, n2 = mpz(n), mpz(n) ** 2
    steps = Steps(h % n, 1 << EXPONENT_BITS, n, BABIES)
    found: list[int | None] = []
    for _, c in zip(range(count), all_of(view, int(n), "Sealed"), strict=False):
        exponent = steps.log(c % n)
        found.append(None if exponent is None else int((c * invert(powmod(h, exponent, n2), n2) % n2 - 1) // n))
    return found


def chances(randomness: Sequence[mpz], p: mpz, q: mpz, small: Sequence[tuple[mpz, int]]) -> list[float]:
    """Return p-values of uniform randomness mod n = p*q, each ciphertext's mod n.

    Tried: 64 equal ranges, the symbols mod n, p and q, and for every (prime, l) of `small`, l a prime divisor of prime - 1, l-th powers.
    """
    n, count = p * q, len(randomness)
    ranges = np.bincount([int(x * CELLS // n) for x in randomness], minlength=CELLS)
    found = [float(stats.chisquare(ranges).pvalue)]
    tried = [(sum(jacobi(x, modulus) == 1 for x in randomness), 0.5) for modulus in (n, p, q)]
    tried += [(sum(powmod(x, (prime - 1) // ell, prime) == 1 for x in randomness), 1 / ell) for prime, ell in small]
    for seen, share in tried:
        expected = count * share
        found.append(float(stats.chisquare([seen, count - seen], [expected, count - expected]).pvalue))
    return found
