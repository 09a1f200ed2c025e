"""What attacks on ciphertexts share: reading them out of a view, and a cheating sealer's way of changing his own before they leave."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attacked.views import View
from gmpy2 import invert, mpz, powmod

from tandem.crypto.paillier import Blinded, Foreign, PublicKey, read, write
from tandem.wire import messages


def width_of(n: int) -> int:
    return int(PublicKey(n).width)


def all_of(view: View, n: int, kind: str = "", *, sent: bool | None = None) -> Iterator[mpz]:
    """Yield every ciphertext that was sent or received, in order, of one kind of message or of all."""
    for one in view.frames(kind, sent=sent):
        message = one.message(getattr(messages, one.kind))
        for part in dataclasses.fields(message):
            value = getattr(message, part.name)
            if isinstance(value, Foreign):
                yield from read(value.data, width_of(n))


def numbers(view: View, n: int, kind: str, *, sent: bool | None = None) -> list[int]:
    """Return opened shares ("Opened") or masks ("Masks") in order."""
    width = PublicKey(n).plain_width
    return [int(value) for said in view.messages(getattr(messages, kind), sent=sent) for value in read(said.values, width)]


def forged(n: int, values: list[mpz]) -> Blinded:
    """Return what passes for ciphertexts fit to leave: a cheat does not keep our types."""
    made = object.__new__(Blinded)
    made.key, made._data = PublicKey(n), write([mpz(value) for value in values], width_of(n))
    return made


def bent(n: int, change: Callable[[int, mpz], mpz]) -> Callable[[messages.Sealed], messages.Sealed]:
    """Return a change of `Sealed`: every row of one ciphertext replaced by change(row, ciphertext)."""

    def bend(said: messages.Sealed) -> messages.Sealed:
        values = read(said.rows.encode(), width_of(n))
        return messages.Sealed(said.first, forged(n, [change(said.first + i, c) for i, c in enumerate(values)]))

    return bend


def written(n: int, extra: Mapping[int, int]) -> Callable[[messages.Sealed], messages.Sealed]:
    """Return a change of `Sealed` that adds extra[row] to what the row seals, whatever range was declared."""
    return bent(n, lambda row, c: c * (1 + extra.get(row, 0) * n) % (n * n))


def joined(left: mpz, right: mpz, p: mpz, q: mpz) -> mpz:
    """Return the number mod p*q that is `left` mod p and `right` mod q."""
    return left + (right - left) * invert(p, q) % q * p


def lifted(x: mpz, y: mpz, p: mpz, q: mpz) -> mpz:
    """Return the n-th residue mod n^2 that is x mod p and y mod q."""
    return joined(powmod(x, p, p * p), powmod(y, q, q * q), p * p, q * q)


def randomised(c: mpz, x: mpz, y: mpz, p: mpz, q: mpz) -> mpz:
    """Return a ciphertext of what c seals whose randomness is x mod p and y mod q: the owner's to choose."""
    n2 = (p * q) ** 2
    return c * invert(lifted(c % p, c % q, p, q), n2) * lifted(x, y, p, q) % n2


def settled(view: View, *names: str) -> list[Any]:
    """Return a party's own inputs by name."""
    return [view.inputs[name] for name in names]
