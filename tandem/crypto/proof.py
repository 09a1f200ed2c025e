"""Proof that a Paillier modulus is straight: gcd(n, phi(n)) = 1, shown by n-th roots of hashed challenges.

Source: Goldberg, Reyzin, Sagga, Baldimtsi, "Efficient noninteractive certification of RSA moduli and beyond" (ASIACRYPT 2019), protocol
for n-th powers: if n has no prime factor below a, then an n that shares a factor with phi(n) answers one challenge with chance 1/a at most.
With a = 2^16 and 16 challenges, 2^-256. Whoever computes under a key checks this itself: under a crooked n, r^n hides nothing (K7).
"""

from __future__ import annotations

import hashlib

import gmpy2
from gmpy2 import mpz

from tandem.crypto.paillier import PublicKey, read
from tandem.errors import CrookedModulus

CHALLENGES = 16
MARGIN = 128
"""Bits hashed beyond the length of n, so that a challenge is uniform in Z_n up to 2^-128."""


def challenges(key: PublicKey, context: bytes) -> list[mpz]:
    """Return 16 numbers in [0, n) from SHAKE-256 over n, the context and a counter; the context binds a proof to its contract."""
    made = []
    for index in range(CHALLENGES):
        prefix = b"tandem-modulus-proof" + bytes([index]) + len(context).to_bytes(8, "big") + context
        digest = hashlib.shake_256(prefix + key.to_bytes()).digest((key.bits + MARGIN + 7) // 8)
        made.append(mpz(int.from_bytes(digest, "big")) % key.n)
    return made


def verify_modulus(key: PublicKey, context: bytes, proof: bytes) -> None:
    """Accept `proof`, 16 roots of `key.plain_width` little-endian bytes, or raise CrookedModulus; the key comes from `PublicKey.load`."""
    if len(proof) != CHALLENGES * key.plain_width:
        raise CrookedModulus(f"the proof of the modulus has {len(proof)} bytes instead of {CHALLENGES * key.plain_width}")
    for index, (root, challenge) in enumerate(zip(read(proof, key.plain_width), challenges(key, context), strict=True)):
        if not 0 < root < key.n or gmpy2.powmod(root, key.n, key.n) != challenge:
            raise CrookedModulus(f"root {index} of the proof is wrong: made for another key or contract, or n shares a factor with phi(n)")
