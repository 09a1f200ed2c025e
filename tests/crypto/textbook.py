"""Textbook Paillier (Paillier 1999, scheme 1) in plain Python integers: the slow twin of paillier.py and opening.py."""

from __future__ import annotations

from math import gcd, lcm


def encrypt(n, m, r):
    return pow(n + 1, m % n, n * n) * pow(r, n, n * n) % (n * n)


def decrypt(p, q, c):
    n, lam = p * q, lcm(p - 1, q - 1)
    mu = pow((pow(n + 1, lam, n * n) - 1) // n, -1, n)
    return (pow(c, lam, n * n) - 1) // n * mu % n


def randomness(p, q, c):
    """Return the r with c = (1+n)^m r^n: the n-th root of c mod n."""
    n = p * q
    return pow(c % n, pow(n, -1, (p - 1) * (q - 1)), n)


def is_unit(n, c):
    return 0 < c < n * n and gcd(c, n) == 1
