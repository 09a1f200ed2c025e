"""A1, by the bank or by whoever steals a disk: read the telco's table back from its tags.

A phone number has 11 digits. For each candidate every transform is computed that needs no secret: hashes, plain and salted with all that
both sides know; keyed marks under such salts; the oblivious hash under the keys that a careless telco might have (1, a seed of zeros, the
contract's digest). What stands in the table is read. Procedure: dictionary attack on hashed identifiers; see Demir, Kumar, Cunche and
Lauradoux, "The pitfalls of hashing for privacy", IEEE Communications Surveys & Tutorials 20 (2018).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from attacked.views import View

from tandem.crypto import group, voprf
from tandem.wire.messages import Tags

WIDTH = 16
Transform = Callable[[bytes], bytes]


def stolen(view: View) -> set[bytes]:
    """Return every 16 bytes that might be a tag or a mark: of all tables received, and of the files on a stolen disk."""
    whole = [tags.tags for tags in view.messages(Tags)] + list(view.inputs.get("files", ()))
    return {data[at : at + WIDTH] for data in whole for at in range(0, len(data), WIDTH)}


def hmac(salt: bytes, value: bytes) -> bytes:
    """Return HMAC-SHA-256 (RFC 2104)."""
    key = salt.ljust(64, b"\0") if len(salt) <= 64 else hashlib.sha256(salt).digest().ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + value).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).digest()


def transforms(salts: Iterable[bytes], info: bytes) -> Iterator[Transform]:
    """Yield what can be computed without a secret; cheap ones first. `info` names the key in its derivation."""
    salts = [b"", *salts]
    for name in ("sha256", "sha512", "md5", "sm3", "sha1"):
        if name in hashlib.algorithms_available:
            for salt in salts:
                yield lambda value, name=name, salt=salt: hashlib.new(name, salt + value).digest()
                yield lambda value, name=name, salt=salt: hashlib.new(name, value + salt).digest()
    for salt in salts:
        yield lambda value, salt=salt: hmac(salt, value)
        yield lambda value, salt=salt: hashlib.blake2b(value, digest_size=WIDTH, key=salt[:64]).digest()
    yield lambda value: group.hash_to_group(value, b"HashToGroup-OPRFV1-\1-ristretto255-SHA512")
    one = (1).to_bytes(group.WIDTH, "little")
    guessed = [voprf.KeyPair(one, group.multiply_base(one))]
    guessed += [voprf.derive_key_pair(seed, info) for seed in (bytes(32), *salts) if len(seed) == 32]
    for key in guessed:
        yield lambda value, key=key: voprf.evaluate_direct(key, value)


def reverse(view: View, candidates: Sequence[bytes], salts: Iterable[bytes], info: bytes, wanted: int) -> set[bytes]:
    """Return the candidates that were found in the table; stops once `wanted` were."""
    table, found = stolen(view), set()
    for transform in transforms(salts, info):
        found |= {value for value in candidates if transform(value)[:WIDTH] in table}
        if len(found) >= wanted:
            break
    return found
