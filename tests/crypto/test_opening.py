from __future__ import annotations

import json
import pickle
from collections import Counter
from functools import cache

import gmpy2
import numpy as np
import pytest
from crypto import textbook
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import shared

from tandem.arguments import Seeded
from tandem.crypto import opening
from tandem.crypto.comb import Comb, best_shape, comb
from tandem.crypto.opening import MAGIC, SealRows, SecretKey
from tandem.crypto.paillier import Foreign, admit, reveal
from tandem.crypto.primes import FactoredPrime, draw_prime
from tandem.crypto.slots import Layout, Slot
from tandem.errors import ForeignElement, InputError, SlotOverflow


@cache
def small():
    return SecretKey.generate(512, Seeded(b"opening"))


def opened(key, sealed):
    return key.open(admit(key.public, Foreign(sealed.encode()), set()))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(-(2**510), 2**510), max_size=5), st.binary(max_size=8))
def test_what_is_sealed_opens_as_by_the_textbook(numbers, seed):
    key = small()
    n, p, q = int(key.public.n), int(key._p), int(key._q)
    sealed = admit(key.public, Foreign(key.seal(numbers, Seeded(seed)).encode()))
    assert [textbook.decrypt(p, q, int(c)) for c in sealed.values] == [m % n for m in numbers] == key.open(sealed)
    for c, m in zip(sealed.values, numbers, strict=True):
        assert int(c) == textbook.encrypt(n, m, textbook.randomness(p, q, int(c)))


def test_residues_are_exactly_the_textbooks():
    """R1.1, exhaustively: over all exponents, n-th residues of n = 23 * 31 come out once each, as r^n for r in Z_n* does."""
    p, q = FactoredPrime(gmpy2.mpz(11), 1), FactoredPrime(gmpy2.mpz(5), 3)
    n = int(p.p * q.p)
    left, right = (comb(gmpy2.powmod(x.generator(), x.p, x.p**2), x.p - 1, x.p**2, entries=8) for x in (p, q))
    residues = []
    for table in (left, right):
        data = b"".join(e.to_bytes(1, "little") for e in range(int(table.order)))
        residues.append([int(table.power(row)) for row in table.indices(data, 1).tolist()])
    made = Counter(_lift(x, y, int(p.p**2), int(q.p**2)) for x in residues[0] for y in residues[1])
    assert made == Counter(pow(r, n, n * n) for r in range(n) if gmpy2.gcd(r, n) == 1)


def _lift(x, y, p2, q2):
    return (x + (y - x) * pow(p2, -1, q2) % q2 * p2) % (p2 * q2)


@pytest.mark.parametrize("bits", [9, 64, 255, 256])
def test_comb_equals_pow(bits):
    modulus = gmpy2.next_prime(gmpy2.mpz(1) << 300)
    table = comb(gmpy2.mpz(3), gmpy2.mpz(1) << (bits - 1), modulus, entries=64)
    exponents = [0, 1, (1 << (bits - 1)) - 1, *(int.from_bytes(Seeded(bytes([i])).draw(40), "big") >> (321 - bits) for i in range(20))]
    width = (bits + 7) // 8
    data = b"".join(e.to_bytes(width, "little") for e in exponents)
    assert [table.power(row) for row in table.indices(data, width).tolist()] == [pow(3, e, int(modulus)) for e in exponents]


def test_comb_draws_uniform_exponents_below_the_order():
    table = comb(gmpy2.mpz(3), gmpy2.mpz(5), gmpy2.mpz(11), entries=4)  # 3 has order 5 mod 11
    drawn = Counter(int(table.power(row)) for row in table.draw(Seeded(b"five"), 5000).tolist())
    assert set(drawn) == {1, 3, 9, 5, 4}
    assert sum((count - 1000) ** 2 / 1000 for count in drawn.values()) < 18.5  # chi-square, 4 degrees, .001


def test_every_bit_of_a_long_exponent_is_drawn(monkeypatch):
    """K3: exponents of a few bits are found by whoever guesses a label."""
    heard = []
    monkeypatch.setattr(Comb, "indices", lambda _, exponents, width: heard.append((exponents, width)))
    bits, count = 1536, 2000
    Comb(gmpy2.mpz(0), gmpy2.mpz((1 << bits) - 1), 1, 1, bits, []).draw(Seeded(b"long"), count)
    exponents, width = heard[0]
    drawn = np.unpackbits(np.frombuffer(exponents, np.uint8).reshape(count, width), axis=1).mean(axis=0)
    assert len(drawn) == bits
    assert np.abs(drawn - 0.5).max() < 5 * 0.5 / count**0.5


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4096), st.integers(2, 1 << 17))
def test_comb_shape_covers_the_exponent_within_its_memory(bits, entries):
    teeth, blocks, columns = best_shape(bits, entries)
    assert teeth * blocks * columns >= bits
    assert blocks << teeth <= entries


def test_sealed_randomness_is_uniform():
    """K3: Jacobi symbols balance, and for every small prime l of p-1 a share of 1/l of the residues are l-th powers."""
    key = SecretKey(*(x.p for x in _smooth()), _smooth())
    rho = key.residues(4000, Seeded(b"uniform"))
    symbols = [gmpy2.jacobi(r % key.public.n, key.public.n) for r in rho]
    assert abs(symbols.count(1) - 2000) < 4 * 1000**0.5
    tried = 0
    for half in _smooth():
        for divisor in half.divisors():
            if divisor > 100:
                continue
            tried += 1
            powers = sum(gmpy2.powmod(r, (half.p - 1) // divisor, half.p) == 1 for r in rho)
            share = 1 / int(divisor)
            assert abs(powers - 4000 * share) < 4.5 * (4000 * share * (1 - share)) ** 0.5
    assert tried >= 4


@cache
def _smooth():
    """Two primes with several small factors in p - 1."""
    found = []
    for index in range(200):
        half = draw_prime(128, Seeded(b"smooth").fork(index))
        if sum(divisor < 100 for divisor in half.divisors()) >= 3:
            found.append(half)
        if len(found) == 2:
            return tuple(found)
    raise AssertionError("no smooth primes found")


def test_slow_twin_makes_the_same_kind_of_residues():
    key = small()
    plain = SecretKey(key._p, key._q)
    n, p, q = int(key.public.n), int(key._p), int(key._q)
    for rho in plain.residues(20, Seeded(b"slow")):
        assert textbook.decrypt(p, q, int(rho)) == 0
        assert pow(textbook.randomness(p, q, int(rho)), n, n * n) == rho
    assert opened(key, plain.seal([1, -2], Seeded(b"slow"))) == [1, n - 2]


def test_same_chance_same_bytes():
    assert small().seal([1, 2], Seeded(b"a")) == small().seal([1, 2], Seeded(b"a")) != small().seal([1, 2], Seeded(b"b"))


def test_generated_key_is_sound():
    key = SecretKey.generate(256, Seeded(b"generate"))
    assert key.public.bits == 256
    assert gmpy2.gcd(key.public.n, (key._p - 1) * (key._q - 1)) == 1
    assert abs(key._p - key._q) >> 64
    with pytest.raises(ValueError, match="one length"):
        SecretKey.generate(513, Seeded(b""))


def test_unsound_primes_are_refused():
    p = gmpy2.next_prime(gmpy2.mpz(1) << 127)
    for pair in ((p, p), (p, gmpy2.next_prime(p)), (p, gmpy2.next_prime(p << 3)), (gmpy2.mpz(11), gmpy2.mpz(23))):
        with pytest.raises(ValueError, match="no key"):
            SecretKey(*pair)


def test_secret_exponents_meet_the_constant_time_power_alone(monkeypatch):
    """K10: `powmod` takes longer for some exponents than for others; `powmod_sec` does not."""
    key, used = SecretKey.generate(256, Seeded(b"powers")), []
    sealed = admit(key.public, Foreign(key.seal([1, 2, 3], Seeded(b"sealed")).encode()))
    power = opening.gmpy2.powmod_sec

    def counted(*given):
        used.append(given)
        return power(*given)

    def never(*_):
        raise AssertionError("a power that takes as long as its exponent")

    monkeypatch.setattr(opening.gmpy2, "powmod_sec", counted)
    monkeypatch.setattr(opening.gmpy2, "powmod", never)
    assert key.open(sealed) == [1, 2, 3]
    assert len(used) == 2 * 3
    key.prove(b"context")
    assert len(used) == 2 * 3 + 2 * 16


def test_open_counts_and_wants_its_own_key():
    key = SecretKey.generate(256, Seeded(b"own"))
    checked = admit(small().public, Foreign(small().seal([1], Seeded(b"")).encode()))
    with pytest.raises(ValueError, match="another key"):
        key.open(checked)
    before = small().opened
    small().open(checked)
    assert small().opened == before + 1
    assert key.opened == 0


def test_bytes_round_and_damage():
    key = small()
    data = key.to_bytes()
    again = SecretKey.from_bytes(data)
    assert again.public == key.public
    assert opened(again, key.seal([77], Seeded(b""))) == [77]
    for bad in (b"", data[1:], data[:-1], data + b"\0\0", data[:40] + bytes([data[40] ^ 2]) + data[41:], MAGIC):
        with pytest.raises(InputError, match="key file"):
            SecretKey.from_bytes(bad)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(-(2**509), 2**509), min_size=1, max_size=4), st.binary(max_size=8))
def test_the_randomness_shown_opens_a_ciphertext_and_no_other(numbers, seed):
    key = small()
    sealed = key.seal(numbers, Seeded(seed))
    roots, checked = key.roots(sealed), admit(key.public, Foreign(sealed.encode()))
    assert reveal(checked, roots) == numbers
    n = int(key.public.n)
    assert [int(c) for c in checked.values] == [textbook.encrypt(n, number, root) for number, root in zip(numbers, roots, strict=True)]
    for wrong in (n - roots[0], roots[0] + n, 0, n, int(key._p), roots[0] * 2 % n):
        with pytest.raises(ForeignElement, match="randomness shown for ciphertext 0"):
            reveal(checked, [wrong, *roots[1:]])


def test_roots_are_taken_of_our_own_ciphertexts_alone():
    other = SecretKey.generate(512, Seeded(b"another"))
    with pytest.raises(ValueError, match="another key"):
        small().roots(other.seal([1], Seeded(b"")))


def test_published_key_is_refused():
    key = json.loads(shared("paillier/paillier_2048.json").read_text())["key"]
    halves = [((int(key[x], 16) - 1) // 2).to_bytes(128, "big") for x in "pq"]
    data = MAGIC + b"".join(b"\0\x80" + half.lstrip(b"\0") + b"\0\x01\x01" for half in halves)
    with pytest.raises(InputError, match="published"):
        SecretKey.from_bytes(data)


def test_repr_hides_the_factors():
    shown = repr(small()) + str(small()) + repr(small()._factored)
    shown += repr(SealRows(small(), Layout((Slot("x", 0, 1),), 10, 512), Seeded(b"secret seed")))
    for secret in (small()._p, small()._q, small()._factored[0].core, small()._factored[0].cofactor):
        assert str(secret) not in shown
        assert f"{secret:x}" not in shown
    assert "secret seed" not in shown


def test_seal_rows_as_a_task():
    layout = Layout(tuple(Slot(f"x{i}", -9, 9) for i in range(100)), 50, 512)
    assert layout.ciphertexts > 1
    task = pickle.loads(pickle.dumps(SealRows(small(), layout, Seeded(b"task"))))  # noqa: S301 - our own bytes
    rows = np.arange(300).reshape(3, 100) % 19 - 9
    sealed = task((0, rows))
    assert len(sealed) == 3 * layout.ciphertexts
    plain = [small().public.centred(m) for m in opened(small(), sealed)]
    assert [layout.unpack(plain[i : i + layout.ciphertexts], 1) for i in range(0, len(plain), layout.ciphertexts)] == rows.tolist()
    assert task((0, rows)) == sealed != task((1, rows))
    with pytest.raises(SlotOverflow):
        task((0, rows + 1))


def test_no_number_beyond_the_modulus_is_sealed():
    with pytest.raises(SlotOverflow):
        small().seal([small().public.n], Seeded(b""))
