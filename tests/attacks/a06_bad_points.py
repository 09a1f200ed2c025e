"""A6, by either: send what is no element, or not a useful one, and see what comes back.

On a curve with a cofactor (X25519, order 8 times a prime) k times a point of small order says k modulo 8; without checks and without
clamping that is read from two answers, up to sign: Q and P + Q, P of order 8 (Lim and Lee, CRYPTO 1997; Bernstein, "Curve25519", PKC 2006,
why keys are clamped). In ristretto255 there is no such point: what is not the canonical encoding of an element must be refused, and so
must the identity and an element asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tandem.crypto import group

P = 2**255 - 19
A = 486_662
Pair = tuple[int, int]
EIGHTH = 325606250916557431795983626356110631294008115727848805560023387167927233504
"""u of a point of order 8 on Curve25519."""


def root(square: int) -> int | None:
    """Return a square root modulo P, if there is one."""
    found = pow(square, (P + 3) // 8, P)
    if found * found % P != square % P:
        found = found * pow(2, (P - 1) // 4, P) % P
    return found if found * found % P == square % P else None


def lift(u: int) -> Pair:
    """Return the point of Curve25519 with this u."""
    v = root((u**3 + A * u * u + u) % P)
    if v is None:
        raise ValueError("no point of the curve")
    return u, v


def add(one: Pair, other: Pair) -> Pair:
    """Return the sum of two different points that are not each other's negatives."""
    slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    u = (slope * slope - A - one[0] - other[0]) % P
    return u, (slope * (one[0] - u) - one[1]) % P


def residue(multiply: Callable[[int], int]) -> int:
    """Return k modulo 8 up to sign, 0 to 4, of a holder who multiplies whatever u he is sent by k."""
    base = lift(9)
    turned = multiply(add(lift(EIGHTH), base)[0])
    plain = multiply(9)
    if turned == plain:
        return 0
    if turned * plain % P == 1:  # the point of order 2 takes u to 1/u
        return 4
    eighth = multiply(EIGHTH)
    if eighth == EIGHTH:
        return 1
    return 2 if eighth in {1, P - 1} else 3


def encodings(good: Sequence[bytes], known: Sequence[bytes] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of what is no element to be used; `good` are elements, `known` bad encodings from a published list."""
    yield "identity", bytes(group.WIDTH)
    for encoding in known:
        yield "published", encoding
    for more in range(19):
        yield "not reduced", (P + more).to_bytes(group.WIDTH, "little")
    for point in good:
        number = int.from_bytes(point, "little")
        yield "negative", (P - number).to_bytes(group.WIDTH, "little")
        yield "high bit", (number + 2**255).to_bytes(group.WIDTH, "little")
        yield "31 bytes", point[:-1]
        yield "33 bytes", point + b"\0"


def scalars(proof: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield (name, proof) with scalars that are not below the order."""
    first, second = proof[: group.WIDTH], proof[group.WIDTH :]
    for name, scalar in (("order", group.ORDER), ("order + 1", group.ORDER + 1), ("all ones", 2**256 - 1)):
        large = scalar.to_bytes(group.WIDTH, "little")
        yield f"c is {name}", large + second
        yield f"s is {name}", first + large
    yield "63 bytes", proof[:-1]
