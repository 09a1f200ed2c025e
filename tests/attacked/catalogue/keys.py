"""Group K: keys and ciphertexts."""

from __future__ import annotations

from attacked import planted, randomness
from attacked.catalogue import Line
from attacked.results import ALL, NONE, Gate, at_guess, at_least

UNLIKELY = Gate("p below 0.001", lambda found: found.value < 0.001)

LINES: tuple[Line, ...] = (
    Line("K1", "no randomiser", "anyone", "blocked", "sealing without rho", randomness.naked_weak, ALL, randomness.naked, NONE),
    Line(
        "K2", "randomiser used twice, over forks and kills", "anyone", "blocked", "chance kept in memory, copied by fork",
        randomness.repeated_weak, ALL, randomness.repeated, NONE,
    ),
    Line(
        "K3a", "short exponent of a published base", "anyone", "blocked", "exponent of 32 bits",
        randomness.short_weak, ALL, randomness.short, NONE,
    ),
    Line(
        "K3b", "randomness that is not uniform", "anyone, tested with the owner's key", "blocked", "exponent of 32 bits, square base",
        randomness.skewed_weak, UNLIKELY, randomness.skewed, at_least(0.001),
    ),
    Line("K4a", "c = 0 takes the key", "telco with coordinator", "blocked", "no gcd check", planted.theft_weak, ALL, planted.theft, NONE),
    Line(
        "K4b", "planted factors at every entry", "anyone", "blocked", "no gcd check",
        planted.entered_weak, ALL, planted.entered, NONE,
    ),
    Line(
        "K4c", "target marked by a multiple of p", "bank", "blocked", "no gcd check",
        planted.seen_bins_weak, ALL, planted.seen_bins, NONE,
    ),
    Line(
        "K5a", "rows of a product, met in the middle", "bank", "blocked", "no re-randomisation",
        randomness.middle_weak, ALL, randomness.middle, NONE,
    ),
    Line(
        "K5b", "target with the other symbol", "bank", "blocked", "re-randomised with the bank's own h",
        randomness.odd_weak, ALL, randomness.odd, at_guess(),
    ),
    Line(
        "K5c", "symbols of cells foretold from honest rows", "bank", "blocked", "re-randomised with the bank's own h",
        randomness.foretold_weak, ALL, randomness.foretold, at_guess(),
    ),
    Line(
        "K5d", "rows spelled mod p, the exponent read mod q", "bank", "blocked", "exponent of half the length of n",
        randomness.spelt_weak, ALL, randomness.spelt, NONE,
    ),
    Line(
        "K6a", "cells of the same rows", "bank", "blocked", "no re-randomisation",
        randomness.twins_weak, ALL, randomness.twins, NONE,
    ),
    Line(
        "K6b", "1 or 1 + P*n as a row", "bank", "blocked", "c mod n = 1 not looked for",
        randomness.bare_weak, ALL, randomness.bare, NONE,
    ),
    Line("K7a", "crooked moduli", "bank", "blocked", "keys taken as they come", planted.moduli_weak, ALL, planted.moduli, NONE),
    Line(
        "K7b", "prime modulus", "anyone", "blocked", "keys taken as they come",
        planted.prime_modulus_weak, ALL, planted.prime_modulus, NONE,
    ),
    Line(
        "K7c", "factors of n that divide p - 1", "bank", "blocked", "no modulus proof",
        planted.channel_weak, ALL, planted.channel, NONE,
    ),
)
