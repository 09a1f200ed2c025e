"""K2. Anyone who sees two ciphertexts with the same randomness reads the difference of what they seal.

Procedure: c mod n is the randomness. Where it is equal, c_i / c_j = 1 + (P_i - P_j) * n mod n^2. It is found among N in N steps.
A pool copied by fork, restored with a machine's snapshot or played again after a crash makes such pairs.
Source: protocol-review.md 2.9; FedTree's GMP build draws one r for all (security.md, part 7).
"""

from __future__ import annotations

from collections.abc import Sequence

from gmpy2 import invert, mpz


def differences(ciphertexts: Sequence[mpz], n: int) -> list[tuple[int, int, int]]:
    """Return (i, j, P_i - P_j) of each ciphertext i whose randomness an earlier one, j, had."""
    first: dict[mpz, int] = {}
    found = []
    for i, c in enumerate(ciphertexts):
        j = first.setdefault(c % n, i)
        if j != i:
            ratio = c * invert(ciphertexts[j], mpz(n) ** 2) % mpz(n) ** 2
            difference = int((ratio - 1) // n)
            found.append((i, j, difference - n if 2 * difference > n else difference))
    return found
