"""Group K: keys and ciphertexts."""

from __future__ import annotations

from dataclasses import replace

from attacks.k10_timing import TOLD_APART

from attacked import masks, oracles, planted, randomness, timings
from attacked.catalogue import Line
from attacked.results import ALL, NONE, Gate, at_guess, at_least, at_most
from attacked.seeds import over

UNLIKELY = Gate("p below 0.001", lambda found: found.value < 0.001)

ONE_SEED = (
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
    Line(
        "K8a", "numbers that stick out of the mask", "bank", "blocked", "masks of 70 bits a slot of 78",
        masks.around_weak, ALL, masks.around, NONE,
    ),
    Line(
        "K8b", "two passes under one mask", "bank", "blocked", "the same masks in every pass",
        masks.again_weak, ALL, masks.again, NONE,
    ),
    Line(
        "K9a", "sums at the edges of their slots", "any", "blocked", "slots one bit short of what totals need",
        masks.silent_weak, at_least(0.1), masks.silent, NONE,
    ),
    Line(
        "K9b", "rows in bits that are not declared", "bank with coordinator", "blocked", "no noise above the slots",
        masks.smuggled_weak, ALL, masks.smuggled, NONE,
    ),
    Line(
        "K10a", "time of opening, against the key", "telco", "blocked", "powers of variable time",
        timings.opening_weak, at_least(TOLD_APART), timings.opening, at_most(TOLD_APART),
    ),
    Line(
        "K10b", "time of the oblivious hash, against its key", "bank", "blocked", "double and add",
        timings.hashing_weak, at_least(TOLD_APART), timings.hashing, at_most(TOLD_APART),
    ),
    Line(
        "K10c", "time of a chunk, against its share of zero rows", "telco or network", "blocked",
        "zeros are not padded, and sealed on the way",
        timings.zeros_weak, at_least(TOLD_APART), timings.zeros, at_most(TOLD_APART),
    ),
    Line(
        "K11a", "rows sent as sums, to be opened", "telco", "blocked", "coordinator that holds the key",
        oracles.oracle_weak, ALL, oracles.oracle, NONE,
    ),
    Line(
        "K11b", "code that opens, within reach", "telco or coordinator", "blocked", "an import added to both",
        oracles.importing_weak, ALL, oracles.importing, NONE,
    ),
)

LINES: tuple[Line, ...] = tuple(
    replace(line, weakened=over(line.weakened, line.control), shipped=over(line.shipped, line.gate)) for line in ONE_SEED
)
