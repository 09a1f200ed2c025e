from __future__ import annotations

import json
from functools import cache

import gmpy2
import pytest
from vectors import shared

from tandem.arguments import Seeded
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import PublicKey, write
from tandem.crypto.proof import challenges, verify_modulus
from tandem.errors import CrookedModulus


@cache
def small():
    return SecretKey.generate(512, Seeded(b"proof"))


def test_proof_is_accepted():
    proof = small().prove(b"contract")
    assert len(proof) == 16 * 64
    assert verify_modulus(small().public, b"contract", proof) is None


def test_proof_for_another_contract_or_key_is_refused():
    other = SecretKey.generate(512, Seeded(b"other"))
    for key, context in ((small().public, b"contracT"), (other.public, b"contract"), (small().public, b"")):
        with pytest.raises(CrookedModulus, match="root 0"):
            verify_modulus(key, context, small().prove(b"contract"))


def test_changed_proof_is_refused():
    proof = small().prove(b"c")
    for bad in (proof[:-1], proof + b"\0", b"", bytes(len(proof)), proof[64:] + proof[:64], proof[:-64] + bytes(64)):
        with pytest.raises(CrookedModulus):
            verify_modulus(small().public, b"c", bad)


def test_root_that_is_not_reduced_is_refused():
    """One proof has one encoding."""
    key = SecretKey.generate(506, Seeded(b"short"))
    proof = key.prove(b"c")
    roots = [int.from_bytes(proof[i : i + 64], "little") for i in range(0, len(proof), 64)]
    for index, root in enumerate(roots):
        longer = [*roots[:index], root + int(key.public.n), *roots[index + 1 :]]
        with pytest.raises(CrookedModulus, match=f"root {index} "):
            verify_modulus(key.public, b"c", write([gmpy2.mpz(r) for r in longer], 64))


def test_crooked_key_of_the_vectors_has_no_proof():
    """K7: p divides q-1, all public checks pass. Challenges that are no n-th powers mod n show it: its owner has no roots to send."""
    case = json.loads(shared("paillier/paillier_2048.json").read_text())["refuse_key"][4]
    n, p, q = (int(case[x], 16) for x in ("n", "p", "q"))
    key = PublicKey.load(n.to_bytes(256, "little"))
    short, long = min(p, q), max(p, q)
    assert (long - 1) % short == 0
    powers = [pow(int(x) % long, (long - 1) // short, long) == 1 for x in challenges(key, b"c")]
    assert not any(powers)
    with pytest.raises(CrookedModulus):
        verify_modulus(key, b"c", write([gmpy2.powmod(x, 3, n) for x in challenges(key, b"c")], key.plain_width))
    with pytest.raises(ValueError, match="no key"):
        SecretKey(p, q)


def test_challenges_are_bound_and_below_n():
    made = challenges(small().public, b"c")
    assert len(set(made)) == 16
    assert all(0 <= x < small().public.n for x in made)
    assert not set(made) & set(challenges(small().public, b"d"))
