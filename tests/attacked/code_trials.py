"""Trials of what a bank can read of codes from sums: numbered rows, the label of one (S1, S2), and the coordinator's help (S9)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from attacks import s01_numbered_rows, s02_label_of_one

from attacked.coded_rosters import Roster, roster
from attacked.results import Result, Size, rate
from tandem.arguments import Seeded
from tandem.crypto.slots import HEADROOM

BINS = (8, 8, 6, 5, 5, 4, 4, 3, 3, 2)
Around = Callable[[], AbstractContextManager[None]]


def numbered(bits: int, seed: int, around: Around) -> Roster:
    """Return a statistics session in which the bank numbered as many rows as a plaintext has bits."""
    study = roster(bits - HEADROOM, bits, seed, BINS)
    bend = s01_numbered_rows.numbered(study.secret, Seeded(b"numbered %d" % seed))
    study.corrupt = lambda name, _here, role: bend(role) if name == "sealer" else role
    with around():
        study.describe()
    return study


def _spelled(study: Roster, sums: list[int]) -> int:
    guess = s01_numbered_rows.spelled(sums, study.bins, study.rows.count)
    return int((guess == study.codes).all(axis=1).sum())


def by_the_bank(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many rows' codes the bank alone reads whole."""
    hits = trials = 0
    for seed in size.seeds:
        study = numbered(size.key_bits, seed, around)
        hits += _spelled(study, s01_numbered_rows.opened(study.bank))
        trials += study.rows.count
    return rate("rows read", hits, trials, note=f"{len(BINS)} codes each in one pass of {size.key_bits}-bit ciphertexts")


def by_a_league(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many rows bank and solver read together."""
    hits = trials = 0
    for seed in size.seeds:
        study = numbered(size.key_bits, seed, around)
        hits += _spelled(study, s01_numbered_rows.unmasked(study.league))
        trials += study.rows.count
    return rate("rows read", hits, trials, note="nothing fills the plaintext above the declared slots")


def up_to_the_declared_bits(size: Size) -> Result:
    """Return how many of the declared bits of a product carry a row each. Raises AssertionError for a row read beyond them."""
    hits = trials = 0
    for seed in size.seeds:
        study = numbered(size.key_bits, seed, nullcontext)
        layout = study.terms.layout(study.secret.public, statistics_only=True)
        hits += _spelled(study, s01_numbered_rows.unmasked(study.league))
        trials += layout.width * len(layout.slots)
    if hits > trials:
        raise AssertionError(f"{hits} rows are read where {trials} bits are declared")
    return rate("declared bits that read a row", hits, trials, note=f"of {size.key_bits} bits a product; no other row is read")


def label_of_one(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many variables of a single bad are read from the released statistics."""
    hits = trials = 0
    for seed in size.seeds:
        for target in range(size.of(6, 40)):
            labels = np.zeros(700, dtype=np.int64)
            labels[target] = 1
            study = roster(len(labels), 512, 1000 * seed + target, (8, 8, 6, 5, 4, 3), labels, min_bin=20, min_class=10)
            with around():
                study.describe()
            guess = s02_label_of_one.bins(study.bank, len(study.bins))
            hits += int((guess == study.codes[target]).sum())
            trials += len(study.bins)
    return rate("variables of the target read", hits, trials)
