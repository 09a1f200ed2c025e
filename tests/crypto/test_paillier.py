from __future__ import annotations

import json
import pickle
from functools import cache

import gmpy2
import phe
import pytest
from crypto import textbook
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import shared

from tandem.arguments import Seeded
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Blinded, Checked, Foreign, MakeUnits, Products, PublicKey, admit, blind, encrypt, factors, units, write
from tandem.errors import (
    CrookedModulus,
    FactorPlanted,
    ForeignElement,
    NakedCiphertext,
    RandomiserRepeated,
    SlotOverflow,
    UnblindedLeaving,
)


@cache
def small():
    return SecretKey.generate(512, Seeded(b"small key"))


@cache
def vectors():
    return json.loads(shared("paillier/paillier_2048.json").read_text())


def vector_key():
    return SecretKey(int(vectors()["key"]["p"], 16), int(vectors()["key"]["q"], 16))


def as_foreign(key, values):
    return Foreign(write([gmpy2.mpz(value) for value in values], key.width))


def encryptions():
    key = PublicKey(int(vectors()["key"]["n"], 16))
    cases = vectors()["encrypt"]
    fresh = [gmpy2.powmod(int(case["r"], 16), key.n, key.n2) for case in reversed(cases)]
    return key, cases, list(reversed(fresh))


def test_vector_encryptions_equal_and_open():
    key, cases, fresh = encryptions()
    made = encrypt(key, [int(case["m"], 16) for case in cases], fresh)
    assert len(cases) == len(made) == 20
    assert made.encode() == as_foreign(key, [int(case["c"], 16) for case in cases]).data
    assert vector_key().open(admit(key, Foreign(made.encode()))) == [int(case["m"], 16) for case in cases]
    assert fresh == []


def test_vector_sums_and_scalars():
    key, cases, _ = encryptions()
    for case in vectors()["sum"]:
        product = 1
        for term in case["terms"]:
            product = product * int(cases[term]["c"], 16) % key.n2
        assert product == int(case["c"], 16)
        assert vector_key().open(Checked(key, [product])) == [int(case["m"], 16)]
    for case in vectors()["scalar"]:
        product = gmpy2.powmod(int(cases[case["term"]]["c"], 16), int(case["k"], 16), key.n2)
        assert product == int(case["c"], 16)
        assert vector_key().open(Checked(key, [product])) == [int(case["m"], 16)]
    assert (len(vectors()["sum"]), len(vectors()["scalar"])) == (4, 6)


@pytest.mark.parametrize("number", range(13))
def test_vector_refused_on_entry(number):
    key, good = PublicKey(int(vectors()["key"]["n"], 16)), int(vectors()["encrypt"][0]["c"], 16)
    case = vectors()["refuse_on_entry"][number]
    value = int(case["c"], 16)
    if value < 0:
        with pytest.raises(OverflowError):
            as_foreign(key, [value])
        return
    with pytest.raises((FactorPlanted, NakedCiphertext)):
        admit(key, as_foreign(key, [good, value, good]))
    assert len(vectors()["refuse_on_entry"]) == 13


def test_vector_refused_to_leave():
    key = PublicKey(int(vectors()["key"]["n"], 16))
    assert len(vectors()["refuse_to_leave"]) == 2
    for case in vectors()["refuse_to_leave"]:
        naked = Products(key, [gmpy2.mpz(int(case["c"], 16))])
        with pytest.raises(UnblindedLeaving):
            blind(key, naked, [0], [gmpy2.mpz(1)])
        with pytest.raises(NakedCiphertext):
            admit(key, as_foreign(key, naked.values))


@pytest.mark.parametrize("number", range(8))
def test_vector_keys_refused(number):
    case = vectors()["refuse_key"][number]
    n = int(case["n"], 16)
    data = n.to_bytes((n.bit_length() + 7) // 8, "little")
    if number == 4:  # one prime divides the other minus one: for the root proof to find, see test_proof
        assert PublicKey.load(data).n == n
    else:
        with pytest.raises(CrookedModulus):
            PublicKey.load(data)


def test_load_refuses_close_factors_noncanonical_bytes_and_giants():
    p = gmpy2.next_prime(gmpy2.mpz(1) << 300)
    close = PublicKey(p * gmpy2.next_prime(p))
    with pytest.raises(CrookedModulus, match="close"):
        PublicKey.load(close.to_bytes(), 512)
    good = small().public
    assert PublicKey.load(good.to_bytes(), 512) == good
    for data, minimum in ((good.to_bytes() + b"\0", 512), (good.to_bytes(), 513), (b"\1" * 2000, 512), (b"", 512)):
        with pytest.raises(CrookedModulus, match="bits"):
            PublicKey.load(data, minimum)


def test_default_minimum_is_2048_bits():
    with pytest.raises(CrookedModulus, match="2048"):
        PublicKey.load(small().public.to_bytes())


def test_phe_opens_ours_and_we_open_phe():
    key = small()
    theirs = phe.PaillierPublicKey(int(key.public.n))
    secret = phe.PaillierPrivateKey(theirs, int(key._p), int(key._q))
    sealed = encrypt(key.public, [0, 1, 12345, -7], units(key.public, Seeded(b"r"), 4))
    ours = [int(c) for c in admit(key.public, Foreign(sealed.encode())).values]
    assert [secret.raw_decrypt(c) for c in ours] == [0, 1, 12345, int(key.public.n) - 7]
    from_phe = as_foreign(key.public, [theirs.raw_encrypt(m) for m in (0, 5, 10**20)])
    assert key.open(admit(key.public, from_phe)) == [0, 5, 10**20]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-(2**500), 2**500), min_size=1, max_size=4), st.binary(max_size=8))
def test_encrypt_and_blind_equal_the_textbook(numbers, seed):
    key = small().public
    n, n2 = int(key.n), int(key.n2)
    p, q = int(small()._p), int(small()._q)
    fresh = units(key, Seeded(seed), 2 * len(numbers))
    kept = list(fresh)
    sealed = admit(key, Foreign(encrypt(key, numbers, fresh).encode())).values
    assert [textbook.decrypt(p, q, int(c)) for c in sealed] == [m % n for m in numbers]
    for c, m, unit in zip(sealed, numbers, kept[len(numbers) :], strict=True):
        assert int(c) == textbook.encrypt(n, m, textbook.randomness(p, q, int(unit)))
    blinded = admit(key, Foreign(blind(key, Products(key, sealed), numbers, fresh).encode())).values
    assert [int(b) for b in blinded] == [
        int(c) * textbook.encrypt(n, m, textbook.randomness(p, q, int(u))) % n2
        for c, m, u in zip(sealed, numbers, kept[: len(numbers)], strict=True)
    ]
    assert fresh == []


def test_blinded_cannot_be_made_by_hand():
    with pytest.raises(UnblindedLeaving):
        Blinded()


def test_products_cannot_be_encoded_nor_pickled():
    """K5: randomness of an unblinded product tells the rows in it."""
    products = Products(small().public, [gmpy2.mpz(5)])
    assert not hasattr(products, "encode")
    with pytest.raises(UnblindedLeaving):
        pickle.dumps(products)


def test_a_unit_serves_once():
    key = small().public
    fresh = units(key, Seeded(b"u"), 3)
    first, second = encrypt(key, [1, 1], fresh), None
    assert len(fresh) == 1
    with pytest.raises(UnblindedLeaving, match="only 1"):
        second = encrypt(key, [1, 1], fresh)
    assert second is None
    assert len(admit(key, Foreign(first.encode()), set())) == 2


def test_blind_takes_one_number_a_product():
    key = small().public
    with pytest.raises(ValueError, match="zip"):
        blind(key, Products(key, [gmpy2.mpz(5)] * 2), [0], units(key, Seeded(b"u"), 2))


def test_planted_factor_hides_nowhere_in_a_batch():
    """K4: a multiple of p anywhere in a batch, alone or twice, or its cofactor beside it."""
    key, p, q = small().public, small()._p, small()._q
    good = admit(key, Foreign(small().seal([3] * 9, Seeded(b"g")).encode())).values
    for planted in ([p], [q], [p, p], [p, q], [p * p], [key.n2 - p], [key.n], [gmpy2.mpz(0)], [key.n2 - key.n]):
        for at in (0, 4, 9):
            with pytest.raises(FactorPlanted):
                admit(key, as_foreign(key, [*good[:at], *planted, *good[at:]]))
    assert admit(key, as_foreign(key, good)).values == good


def test_above_n_squared_is_refused():
    key = small().public
    good = admit(key, Foreign(small().seal([3], Seeded(b"g")).encode())).values[0]
    above = good + key.n2
    while above >> (8 * key.width):
        above -= key.n2 // 2
    with pytest.raises(FactorPlanted):
        admit(key, as_foreign(key, [max(above, key.n2)]))


def test_torn_bytes_are_refused():
    key = small().public
    data = small().seal([1, 2], Seeded(b"t")).encode()
    for cut in (1, key.width - 1, key.width + 1):
        with pytest.raises(ForeignElement):
            admit(key, Foreign(data[:cut]))
    assert len(admit(key, Foreign(b""))) == 0


def test_repeated_randomness_is_caught():
    """K2: equal c mod n, though the rows differ, within a batch and across batches."""
    key = small().public
    (unit,) = units(key, Seeded(b"one"), 1)
    one, two, other = (encrypt(key, [m], [u]) for m, u in ((1, unit), (2, unit), (1, units(key, Seeded(b"two"), 1)[0])))
    with pytest.raises(RandomiserRepeated):
        admit(key, Foreign(one.encode() + two.encode()), set())
    seen: set[int] = set()
    admit(key, Foreign(one.encode()), seen)
    admit(key, Foreign(other.encode()), seen)
    with pytest.raises(RandomiserRepeated):
        admit(key, Foreign(two.encode()), seen)
    with pytest.raises(RandomiserRepeated):
        two.remember(seen)
    assert len(admit(key, Foreign(one.encode() + two.encode()))) == 2


def test_numbers_beyond_the_modulus_are_refused():
    key = small().public
    for number in (key.n, -key.n, 10**400):
        with pytest.raises(SlotOverflow):
            encrypt(key, [number], units(key, Seeded(b"b"), 1))


def test_units_are_nth_residues_of_uniform_randomness():
    key, p, q = small().public, int(small()._p), int(small()._q)
    made = units(key, Seeded(b"uniform"), 200)
    assert all(textbook.decrypt(p, q, int(u)) == 0 for u in made)
    assert len(set(made)) == 200
    symbols = [gmpy2.jacobi(u % key.n, key.n) for u in made]
    assert 60 < symbols.count(1) < 140
    task = pickle.loads(pickle.dumps(MakeUnits(key, Seeded(b"task"))))  # noqa: S301 - our own bytes
    assert task((0, 2)) == task((0, 2)) != task((1, 2))


def test_join_and_part_are_inverse():
    sealed = small().seal(list(range(5)), Seeded(b"join"))
    assert Blinded.join([sealed.part(0, 2), sealed.part(2, 5)]) == sealed
    assert sealed.part(1, 3).encode() == sealed.encode()[128:384]
    with pytest.raises(ValueError, match="one key"):
        Blinded.join([])


def test_pickle_to_our_own_workers():
    sealed = small().seal([4, 5], Seeded(b"p"))
    checked = admit(small().public, Foreign(sealed.encode()))
    assert pickle.loads(pickle.dumps(sealed)) == sealed  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(checked)).values == checked.values  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(small().public)) == small().public  # noqa: S301 - our own bytes
    assert len(pickle.dumps(sealed)) < 2 * 128 + 300


def test_zeros_take_the_same_number_of_steps():
    """K10: the factor of a zero row is as long as that of a full one."""
    key = small().public
    zero, full = factors(key, [0, 1 << 500])
    assert abs(zero.bit_length() - full.bit_length()) <= 1
    assert zero % key.n2 == 1
