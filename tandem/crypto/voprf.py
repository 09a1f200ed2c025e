"""Oblivious hashing: the OPRF of RFC 9497, suite ristretto255-SHA512, modes OPRF and VOPRF.

    seeker: inputs x, blinds r                    holder: key k, public key B = k*G
        C_i = r_i * H(x_i)             ------->
                                       <-------   D_i = k * C_i
        M = sum of w_i * C_i           ------->   weights w_i are random, and never leave
                                       <-------   proof that he knows k with B = k*G, about Z = k*M, which stays with him
        holds for Z = sum of w_i * D_i ?
        F_k(x_i) = Hash(x_i, D_i / r_i)
    learns F_k(x_i) and nothing of k              learns how many were asked

One departure: the weights of the batched proof. In RFC 9497, section 2.2.1, both sides hash them from the elements, so the holder too has
to weigh every element, and may search for answers whose errors cancel (docs/decisions/0011). Here the seeker draws them after all answers
are in. An answer D_i other than k*C_i passes with odds of 2^-128, whatever the holder computes; he multiplies once an element instead of
twice; and one proof serves any number of elements. The proof itself is the RFC's, byte for byte, about M.

Z does not travel: the seeker has her own. So M is no query: k*M goes into the proof only through a hash, and whoever sends something else
for M gets no output for it.

Functions named `..._batch` do the heavy work of one slice; they can be pickled and are mapped by the caller's Engine. A slice's size is
fixed, so frames do not depend on the number of workers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from itertools import repeat
from typing import NamedTuple

from tandem.arguments import Chance, Engine
from tandem.crypto import group
from tandem.errors import ForeignElement, KeySwitched

SLICE = 512
"""Elements that one task of the engine works on: about 30 ms, against 1 ms to send it to a worker."""

OUTPUT_WIDTH = 64
"""Bytes of F_k(x)."""

PROOF_WIDTH = 2 * group.WIDTH
"""Bytes of a proof: scalars c and s."""

WEIGHT_WIDTH = 16
"""Random bytes of a weight: a wrong answer goes unseen with odds of 2^-128."""

_ABOVE = b"\1" + bytes(group.WIDTH - WEIGHT_WIDTH - 1)

TAG_WIDTH = 16
"""Bytes of F_k(x) that are published: two of 10 million tags are equal by chance with odds 2^-82."""


class Mode(IntEnum):
    """Which protocol of the RFC; it is hashed into everything, so outputs of two modes never meet (section 3.1)."""

    OPRF = 0
    VOPRF = 1


@dataclass(frozen=True)
class KeyPair:
    """The holder's key: k, B = k*G (32 bytes each), mode. Can be pickled; is never printed."""

    secret: bytes = field(repr=False)
    public: bytes
    mode: Mode = Mode.VOPRF


Answered = tuple[int, Sequence[bytes], Sequence[bytes], Sequence[bytes], Sequence[bytes], bytes]
"""A slice of what was asked and answered: first position, inputs, blinds, C, D, and 16 uniform bytes for each weight."""


class Opened(NamedTuple):
    """What the seeker makes of a slice of answers: F_k(x) of each input, and the slice's share of M and Z."""

    outputs: list[bytes]
    weighed: bytes
    answered: bytes


def _context(mode: Mode) -> bytes:
    return b"OPRFV1-" + bytes([mode]) + b"-ristretto255-SHA512"  # section 3.1, CreateContextString


def _group_dst(mode: Mode) -> bytes:
    return b"HashToGroup-" + _context(mode)  # section 4.1


def _scalar_dst(mode: Mode) -> bytes:
    return b"HashToScalar-" + _context(mode)  # section 4.1


def _prefixed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def derive_key_pair(seed: bytes, info: bytes, mode: Mode = Mode.VOPRF) -> KeyPair:
    """Return the key of a 32-byte seed and a public `info` of at most 65535 bytes (section 3.2.1). Raises ValueError for other lengths."""
    if len(seed) != 32:
        raise ValueError(f"a key is derived from a seed of 32 bytes, not {len(seed)}")
    if len(info) > 0xFFFF:
        raise ValueError(f"a key's info has at most 65535 bytes, not {len(info)}")
    for counter in range(256):
        secret = group.hash_to_scalar(seed + _prefixed(info) + bytes([counter]), b"DeriveKeyPair" + _context(mode))
        if secret != group.IDENTITY:
            return KeyPair(secret, group.multiply_base(secret), mode)
    raise ValueError("no key comes of this seed")  # DeriveKeyPairError; odds 2^-64512


# One slice --------------------------------------------------------------------------------------------------------------------------------


def blind_batch(mode: Mode, part: tuple[Sequence[bytes], Sequence[bytes]]) -> list[bytes]:
    """Return C_i = r_i * H(x_i) of (inputs, blinds): Blind, section 3.3.1."""
    inputs, blinds = part
    dst = _group_dst(mode)
    return group.multiply_each(blinds, [group.hash_to_group(value, dst) for value in inputs])  # InvalidInputError: ForeignElement


def evaluate_batch(key: KeyPair, part: tuple[int, Sequence[bytes]]) -> list[bytes]:
    """Return D_i = k * C_i of (first position, points): BlindEvaluate, section 3.3.1. Raises ForeignElement, with the position."""
    first, points = part
    return group.multiply_each(repeat(key.secret), points, first)


def tag_batch(key: KeyPair, ids: Sequence[bytes]) -> bytes:
    """Return the first 16 bytes of F_k(x) of each id, joined."""
    points = [group.hash_to_group(value, _group_dst(key.mode)) for value in ids]
    elements = group.multiply_each(repeat(key.secret), points)
    return b"".join([_output(value, element)[:TAG_WIDTH] for value, element in zip(ids, elements, strict=True)])


def open_batch(part: Answered) -> Opened:
    """Return the outputs of a slice and its share of M and Z.

    Finalize, section 3.3.1, with the blinds inverted together. Raises ForeignElement, with the position, for a bad D.
    """
    first, inputs, blinds, points, evaluated, uniform = part
    # 2^128 + u: never zero, and uniform in a set of 2^128, which is what the odds of a wrong answer hang on
    weights = [uniform[at : at + WEIGHT_WIDTH] + _ABOVE for at in range(0, len(uniform), WEIGHT_WIDTH)]
    composites = group.weigh(weights, points, first), group.weigh(weights, evaluated, first)
    elements = group.multiply_each(group.invert(blinds), evaluated, first)
    return Opened([_output(value, element) for value, element in zip(inputs, elements, strict=True)], *composites)


def _output(value: bytes, element: bytes) -> bytes:
    return hashlib.sha512(_prefixed(value) + _prefixed(element) + b"Finalize").digest()  # Finalize, section 3.3.1


def evaluate_direct(key: KeyPair, value: bytes) -> bytes:
    """Return F_k(x), 64 bytes, of an input of at most 65535 bytes, without blinding: Evaluate, section 3.3.1."""
    return _output(value, group.multiply(key.secret, group.hash_to_group(value, _group_dst(key.mode))))


# The proof --------------------------------------------------------------------------------------------------------------------------------


def prove(key: KeyPair, M: bytes, chance: Chance) -> bytes:
    """Return the proof (c, s), 64 bytes, that k*M is log_G(B) times M: GenerateProof, section 2.2.1, from the composites on.

    `chance` gives the proof's r; one r used about two M would give k away, so it is drawn from a fork named after M. Raises ForeignElement
    if M is no element or the identity.
    """
    Z = group.multiply(key.secret, M)  # ComputeCompositesFast, section 2.2.1
    (r,) = group.random_scalars(chance.fork("proof", key.public, M), 1)
    c = _challenge(key.public, (M, Z, group.multiply_base(r), group.multiply(r, M)), key.mode)
    return c + group.subtract_product(r, c, key.secret)


def verify(public: bytes, M: bytes, Z: bytes, proof: bytes, mode: Mode = Mode.VOPRF) -> None:
    """Check a proof about M against one's own Z: VerifyProof, section 2.2.2, from the composites on.

    Raises KeySwitched if Z is not k*M for the key of `public`; ForeignElement for a bad element or proof scalar.
    """
    if len(proof) != PROOF_WIDTH:
        raise ForeignElement(f"a proof has {PROOF_WIDTH} bytes, not {len(proof)}")
    c, s = group.admit_scalar(proof[: group.WIDTH]), group.admit_scalar(proof[group.WIDTH :])
    try:
        t2 = group.add((group.multiply_base(s), group.multiply(c, public)))
        t3 = group.add((group.multiply(s, M), group.multiply(c, Z)))
        holds = c == _challenge(public, (M, Z, t2, t3), mode)
    except ForeignElement:  # c or s is 0, or M or Z the identity: an honest proof has these with odds 2^-128
        holds = False
    if not holds:
        raise KeySwitched("the answers are not all under the pinned key: their proof does not hold, and none of them was used")


def _challenge(public: bytes, transcript: tuple[bytes, bytes, bytes, bytes], mode: Mode) -> bytes:
    return group.hash_to_scalar(b"".join(_prefixed(element) for element in (public, *transcript)) + b"Challenge", _scalar_dst(mode))


# One chunk, as the roles use it -----------------------------------------------------------------------------------------------------------


def begin_blinding(
    inputs: Sequence[bytes], engine: Engine, chance: Chance, mode: Mode = Mode.VOPRF
) -> tuple[list[bytes], Iterator[list[bytes]]]:
    """Start blinding a chunk of inputs in the workers; return the blinds and, slice by slice as they are done, the points.

    The blinds are secret and used once. An input has at most 65535 bytes.
    """
    blinds = group.random_scalars(chance, len(inputs))
    parts = [(inputs[at : at + SLICE], blinds[at : at + SLICE]) for at in _starts(len(inputs))]
    return blinds, engine.begin(partial(blind_batch, mode), parts)


def answer(key: KeyPair, points: Sequence[bytes], engine: Engine) -> list[bytes]:
    """Return D of a chunk of points cut by `group.split`. Raises ForeignElement, with the position."""
    parts = ((at, points[at : at + SLICE]) for at in _starts(len(points)))
    return [element for elements in engine.map(partial(evaluate_batch, key), parts) for element in elements]


def begin_opening(
    inputs: Sequence[bytes], blinds: Sequence[bytes], points: Sequence[bytes], evaluated: Sequence[bytes], engine: Engine, chance: Chance,
) -> Iterator[Opened]:
    """Start opening the answers to a chunk in the workers; return, slice by slice, outputs and shares of M and Z.

    The outputs mean nothing before `verify` passed for the sums of all shares. `chance` gives the weights: the holder must not know them
    when he answers. Raises ForeignElement for another number of answers than were asked, and as `open_batch`; `evaluated` needs only
    `group.split` before.
    """
    if len(evaluated) != len(points):
        raise ForeignElement(f"{len(evaluated)} elements answer a query of {len(points)}")
    uniform = chance.draw(WEIGHT_WIDTH * len(points))

    def part(at: int) -> Answered:
        drawn = uniform[WEIGHT_WIDTH * at : WEIGHT_WIDTH * (at + SLICE)]
        return at, inputs[at : at + SLICE], blinds[at : at + SLICE], points[at : at + SLICE], evaluated[at : at + SLICE], drawn

    return engine.begin(open_batch, [part(at) for at in _starts(len(points))])


def _starts(count: int) -> range:
    return range(0, count, SLICE)
