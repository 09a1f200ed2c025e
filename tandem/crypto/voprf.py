"""Oblivious hashing: the OPRF of RFC 9497, suite ristretto255-SHA512, modes OPRF and VOPRF.

    seeker: inputs x, blinds r                    holder: key k, public key B = k*G
        C_i = r_i * H(x_i)             ------->
                                       <-------   D_i = k * C_i, and one proof that log_G(B) = log_Ci(D_i) for all i
        F_k(x_i) = Hash(x_i, D_i / r_i)
    learns F_k(x_i) and nothing of k              learns how many were asked

One departure, in `answer` and `finish`: the weights of the batched proof are bound to the whole batch. In RFC 9497, section 2.2.1, weight
d_i depends on (i, C_i, D_i) only. A holder may then try many offsets e_i for each D_i = k*C_i + e_i*G and look for a choice whose sum of
d_i*e_i is 0: Wagner's k-list problem (CRYPTO 2002), 2^126 steps for a batch of two but about 2^31 for our 16 384. Rows answered so drop out
of the match, and the roster shows where matches sit (A5). With every C and D hashed into the seed first, one changed byte changes all
weights, and the odds are 2^-252 a try. `prove` and `verify` take the seed, so that the RFC's vectors run through the same code.

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

from tandem.arguments import Chance, Engine
from tandem.crypto import group
from tandem.errors import ForeignElement, KeySwitched, Malformed

SLICE = 512
"""Elements that one task of the engine works on: about 30 ms, against 1 ms to send it to a worker."""

BATCH_LIMIT = 1 << 16
"""Elements under one proof: the RFC writes their index in two bytes."""

OUTPUT_WIDTH = 64
"""Bytes of F_k(x)."""

PROOF_WIDTH = 2 * group.WIDTH
"""Bytes of a proof: scalars c and s."""

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


def finalize_batch(part: tuple[Sequence[bytes], Sequence[bytes], Sequence[bytes]]) -> list[bytes]:
    """Return F_k(x_i) of (inputs, blinds, evaluated): Finalize, section 3.3.1, with the blinds inverted together. Proof not looked at."""
    inputs, blinds, evaluated = part
    elements = group.multiply_each(group.invert(blinds), evaluated)
    return [_output(value, element) for value, element in zip(inputs, elements, strict=True)]


def weigh_batch(seed: bytes, mode: Mode, part: tuple[int, Sequence[bytes], Sequence[bytes]], *, both: bool) -> tuple[bytes, bytes]:
    """Return the share of (M, Z) of (first position, C, D): sums of d_i*C_i and, if `both`, d_i*D_i (ComputeComposites, section 2.2.2).

    The sums of the shares are M and Z. Without `both` Z stays the identity: the prover takes k*M. Raises ForeignElement, with the position.
    """
    first, points, evaluated = part
    dst, start = _scalar_dst(mode), _prefixed(seed)
    weights = [
        group.hash_to_scalar(start + index.to_bytes(2, "big") + _prefixed(C) + _prefixed(D) + b"Composite", dst)
        for index, (C, D) in enumerate(zip(points, evaluated, strict=True), first)
    ]
    return group.weigh(weights, points, first), group.weigh(weights, evaluated, first) if both else group.IDENTITY


def _output(value: bytes, element: bytes) -> bytes:
    return hashlib.sha512(_prefixed(value) + _prefixed(element) + b"Finalize").digest()  # Finalize, section 3.3.1


def evaluate_direct(key: KeyPair, value: bytes) -> bytes:
    """Return F_k(x), 64 bytes, of an input of at most 65535 bytes, without blinding: Evaluate, section 3.3.1."""
    return _output(value, group.multiply(key.secret, group.hash_to_group(value, _group_dst(key.mode))))


# The proof --------------------------------------------------------------------------------------------------------------------------------


def rfc_seed(public: bytes, mode: Mode = Mode.VOPRF) -> bytes:
    """Return the seed of the weights as the RFC has it (section 2.2.1): of the public key alone. For its vectors only; see the module."""
    return hashlib.sha512(_prefixed(public) + _prefixed(b"Seed-" + _context(mode))).digest()


def batch_seed(public: bytes, points: Sequence[bytes], evaluated: Sequence[bytes], mode: Mode = Mode.VOPRF) -> bytes:
    """Return the seed of the weights that we use: the RFC's, with digests of all C and all D appended to its transcript."""
    transcript = _prefixed(public) + _prefixed(b"Seed-" + _context(mode))
    for batch in (points, evaluated):
        transcript += _prefixed(hashlib.sha512(b"".join(batch)).digest())
    return hashlib.sha512(transcript).digest()


def prove(key: KeyPair, points: Sequence[bytes], evaluated: Sequence[bytes], seed: bytes, engine: Engine, chance: Chance) -> bytes:
    """Return the proof (c, s), 64 bytes, that D = k*C for the whole batch: GenerateProof, section 2.2.1. `chance` gives r.

    Raises ForeignElement, with the position, for a bad C; Malformed for an empty batch or one over the limit. An r used for two batches
    gives k away.
    """
    _check_batch(points, evaluated)
    M, _ = _composites(points, evaluated, seed, key.mode, engine, both=False)
    Z = group.multiply(key.secret, M)  # ComputeCompositesFast
    (r,) = group.random_scalars(chance, 1)
    c = _challenge(key.public, (M, Z, group.multiply_base(r), group.multiply(r, M)), key.mode)
    return c + group.subtract_product(r, c, key.secret)


def verify(
    public: bytes, points: Sequence[bytes], evaluated: Sequence[bytes], proof: bytes, seed: bytes, engine: Engine, mode: Mode = Mode.VOPRF,
) -> None:
    """Check a proof over a batch: VerifyProof, section 2.2.2.

    Raises KeySwitched if part of the batch was not answered under the key of `public`; ForeignElement for a bad element or proof scalar, or
    another number of elements than asked.
    """
    if len(evaluated) != len(points):
        raise ForeignElement(f"{len(evaluated)} elements answer a query of {len(points)}")
    _check_batch(points, evaluated)
    c, s = _scalars(proof)
    M, Z = _composites(points, evaluated, seed, mode, engine, both=True)
    try:
        t2 = group.add((group.multiply_base(s), group.multiply(c, public)))
        t3 = group.add((group.multiply(s, M), group.multiply(c, Z)))
        holds = c == _challenge(public, (M, Z, t2, t3), mode)
    except ForeignElement:  # c or s is 0, or M or Z the identity: an honest proof has these with odds 2^-250
        holds = False
    if not holds:
        raise KeySwitched(f"the proof over a batch of {len(points)} does not hold for the pinned key; nothing of the batch was used")


def _composites(
    points: Sequence[bytes], evaluated: Sequence[bytes], seed: bytes, mode: Mode, engine: Engine, *, both: bool,
) -> tuple[bytes, bytes]:
    parts = ((at, points[at : at + SLICE], evaluated[at : at + SLICE]) for at in range(0, len(points), SLICE))
    shares = list(engine.map(partial(weigh_batch, seed, mode, both=both), parts))
    return group.add(M for M, _ in shares), group.add(Z for _, Z in shares)


def _challenge(public: bytes, transcript: tuple[bytes, bytes, bytes, bytes], mode: Mode) -> bytes:
    return group.hash_to_scalar(b"".join(_prefixed(element) for element in (public, *transcript)) + b"Challenge", _scalar_dst(mode))


def _scalars(proof: bytes) -> tuple[bytes, bytes]:
    if len(proof) != PROOF_WIDTH:
        raise ForeignElement(f"a proof has {PROOF_WIDTH} bytes, not {len(proof)}")
    return group.admit_scalar(proof[: group.WIDTH]), group.admit_scalar(proof[group.WIDTH :])


def _check_batch(points: Sequence[bytes], evaluated: Sequence[bytes]) -> None:
    if not 0 < len(points) == len(evaluated) <= BATCH_LIMIT:
        raise Malformed(f"one proof covers 1 to {BATCH_LIMIT} elements, each with its answer; not {len(points)} and {len(evaluated)}")


# One chunk, as the roles use it -----------------------------------------------------------------------------------------------------------


def begin_blinding(
    inputs: Sequence[bytes], engine: Engine, chance: Chance, mode: Mode = Mode.VOPRF
) -> tuple[list[bytes], Iterator[list[bytes]]]:
    """Start blinding a chunk of inputs in the workers; return the blinds and, slice by slice as they are done, the points."""
    blinds = group.random_scalars(chance, len(inputs))
    parts = [(inputs[at : at + SLICE], blinds[at : at + SLICE]) for at in _starts(len(inputs))]
    return blinds, engine.begin(partial(blind_batch, mode), parts)


def blind(inputs: Sequence[bytes], engine: Engine, chance: Chance, mode: Mode = Mode.VOPRF) -> tuple[list[bytes], list[bytes]]:
    """Return (blinds, points) of a chunk of inputs, each of at most 65535 bytes. The blinds are secret and used once."""
    blinds, points = begin_blinding(inputs, engine, chance, mode)
    return blinds, [point for part in points for point in part]


def answer(key: KeyPair, points: Sequence[bytes], engine: Engine, chance: Chance) -> tuple[list[bytes], bytes]:
    """Return (evaluated, proof) of a chunk of 1 to 65536 points cut by `group.split`.

    Raises ForeignElement, with the position; Malformed for a chunk of another size.
    """
    parts = ((at, points[at : at + SLICE]) for at in _starts(len(points)))
    evaluated = [element for elements in engine.map(partial(evaluate_batch, key), parts) for element in elements]
    seed = batch_seed(key.public, points, evaluated, key.mode)
    # Two batches proved with one r give k away. The fork is named after the batch, so even chance that is played again repeats no r.
    return evaluated, prove(key, points, evaluated, seed, engine, chance.fork("proof", seed))


def finish(
    inputs: Sequence[bytes], blinds: Sequence[bytes], points: Sequence[bytes], evaluated: Sequence[bytes],
    proof: bytes, public: bytes, engine: Engine,
) -> list[bytes]:
    """Return F_k(x), 64 bytes, of each input of a chunk, once the proof holds. `public` is the pinned key.

    Raises KeySwitched, ForeignElement (see `verify`); `evaluated` needs only `group.split` before.
    """
    verify(public, points, evaluated, proof, batch_seed(public, points, evaluated), engine)
    parts = ((inputs[at : at + SLICE], blinds[at : at + SLICE], evaluated[at : at + SLICE]) for at in _starts(len(inputs)))
    return [output for outputs in engine.map(finalize_batch, parts) for output in outputs]


def _starts(count: int) -> Iterator[int]:
    return iter(range(0, count, SLICE))
