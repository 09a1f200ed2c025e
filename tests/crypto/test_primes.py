from __future__ import annotations

import json

import pytest
from vectors import shared

from tandem.arguments import Seeded
from tandem.crypto.primes import FIXED_BASES, FactoredPrime, draw_prime, is_prime, small_factors


def test_wycheproof():
    groups = json.loads(shared("wycheproof/primality_test.json").read_text())["testGroups"]
    cases = [case for group in groups for case in group["tests"]]
    chance = Seeded(b"primes")
    called = {
        kind: [
            is_prime(int.from_bytes(bytes.fromhex(case["value"]), "big", signed=True), chance) for case in cases if case["result"] == kind
        ]
        for kind in ("valid", "invalid", "acceptable")
    }
    assert (len(called["valid"]), sum(called["valid"])) == (66, 66)
    assert (len(called["invalid"]), sum(called["invalid"])) == (243, 0)
    assert (len(called["acceptable"]), sum(called["acceptable"])) == (8, 0)


def test_small_numbers_as_by_trial_division():
    chance = Seeded(b"small")
    primes = [n for n in range(-10, 2000) if n > 1 and all(n % d for d in range(2, int(n**0.5) + 1))]
    assert [n for n in range(-10, 2000) if is_prime(n, chance)] == primes


def test_composite_that_fools_all_fixed_bases_falls_to_drawn_ones():
    """Sorenson and Webster 2015: 318665857834031151167461 passes the first 12 prime bases, 3317044064679887385961981 the first 13."""
    for n in (318665857834031151167461, 3317044064679887385961981):
        assert all(_passes(n, base) for base in FIXED_BASES)
        assert not is_prime(n, Seeded(b"webster"))


def _passes(n, base):
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    x = pow(base, odd, n)
    return x == 1 or any(pow(x, 2**i, n) == n - 1 for i in range(twos))


@pytest.mark.parametrize("bits", [64, 128, 256, 512])
def test_drawn_prime_has_known_factors(bits):
    chance = Seeded(b"draw")
    found = draw_prime(bits, chance)
    assert found.p >> (bits - 2) == 3
    assert is_prime(found.p, chance)
    assert is_prime(found.core, chance)
    rest = found.p - 1
    for divisor in found.divisors():
        assert is_prime(divisor, chance)
        while rest % divisor == 0:
            rest //= divisor
    assert rest == 1
    h = found.generator()
    assert all(pow(int(h), int((found.p - 1) // f), int(found.p)) != 1 for f in found.divisors())


def test_generator_makes_the_whole_group():
    for core, cofactor in ((11, 1), (5, 3), (3, 6), (7, 15)):
        found = FactoredPrime(core, cofactor)
        assert is_prime(found.p, Seeded(b""))
        assert len({pow(int(found.generator()), e, int(found.p)) for e in range(int(found.p) - 1)}) == found.p - 1


def test_small_factors():
    assert small_factors(2**4 * 3 * 65521) == {2, 3, 65521}
    assert small_factors(1) == set()


def test_short_primes_are_refused():
    with pytest.raises(ValueError, match="too short"):
        draw_prime(40, Seeded(b""))
