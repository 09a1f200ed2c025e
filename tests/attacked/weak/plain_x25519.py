"""Diffie-Hellman set intersection over plain X25519: u-coordinates as they come, a key that is not clamped, no check on either side."""

from __future__ import annotations

P = 2**255 - 19
A24 = 121_665


def multiply(key: int, u: int) -> int:
    """Return u(k * point of u): the ladder of RFC 7748, section 5, over all bits of an unclamped k."""
    x2, z2, x3, z3, swapped = 1, 0, u, 1, 0
    for at in reversed(range(256)):
        bit = key >> at & 1
        if bit != swapped:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a, c * b
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        aa, bb = a * a % P, b * b % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + A24 * e) % P
    if swapped:
        x2, z2 = x3, z3
    return x2 * pow(z2, P - 2, P) % P
