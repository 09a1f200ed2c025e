"""Trials of trainings that a bank aims at a few customers (S3, S4)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from attacks import s03_aimed_totals as s03

from attacked.coded_rosters import Roster, roster
from attacked.results import Result, Size, rate
from tandem.arguments import Seeded

Around = Callable[[], AbstractContextManager[None]]
BINS = (4,) * 8
BASE = 5.0
"""Ratio of the residuals of two targets."""
HEAVY = 1e6
"""The largest ridge that a contract may name."""
KNOWN = 0
"""Row of a customer whose bins the bank knows."""


def _roster(size: Size, seed: int, ridge: float) -> Roster:
    study = roster(size.of(1200, 4000), 512, seed, BINS, passes=1, min_bin=20, min_class=10, ridge=ridge)
    study.describe()
    return study


def _trained(study: Roster, aim: s03.Aim, ridge: float, seed: int, around: Around) -> str:
    """Play a pass and the card with these rows in place of the bank's; return the check that failed."""

    def corrupt(name: str, here: object, role: object) -> object:
        del here
        if name != "sealer" or not training:
            return role
        return s03.bent(role, aim, study.secret, study.terms.layout(study.secret.public), Seeded(b"aimed %d" % seed))

    training, study.corrupt = True, corrupt
    with around():
        _, known = study.train(ridge)
        training = False
        study.card(known)
    return known.failed


def targets_read(
    size: Size, count: int, *, ridge: float = 1.0, around: Around = nullcontext, base: float = BASE, by_length: bool = False,
    studies: tuple[int, int] = (4, 15),
) -> Result:
    """Return how many variables of `count` targets are read from one training's coefficients, or from their length."""
    hits = trials = 0
    guesses = []
    for seed in size.seeds:
        for turn in range(size.of(*studies)):
            number = 1000 * seed + turn
            study = _roster(size, number, ridge)
            targets = np.random.default_rng(number).choice(study.rows.count, count, replace=False).tolist()
            aims = s03.residuals(targets, base, study.terms.largest)
            aim = s03.aimed(study.bank, study.rows.y, aims, study.terms.scales, ridge)
            if failed := _trained(study, aim, ridge, number, around):
                raise AssertionError(f"rows within all ranges are refused: {failed}")
            view = study.bank
            found = s03.by_length(view, aim, s03.length(view))[None] if by_length else s03.solved(view, aim, aims, s03.released(view))
            hits += int((found == study.codes[targets]).sum())
            trials += found.size
            guesses += [np.bincount(column, minlength=max(BINS)).max() / len(column) for column in study.codes.T]
    return rate("variables read", hits, trials, float(np.mean(guesses)), f"{count} targets a training, ridge {ridge:g}")


def one_row_weighed(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many variables of a target are read where a known row has all the weight."""
    hits = trials = 0
    for seed in size.seeds:
        for turn in range(size.of(3, 15)):
            number = 2000 * seed + turn
            study = _roster(size, number, 1.0)
            target = int(np.random.default_rng(number).integers(1, study.rows.count))
            aim = s03.weighing_one(study.rows.y, KNOWN, target, study.terms.scales, 1.0, study.terms.largest)
            trials += len(BINS)
            if not _trained(study, aim, 1.0, number, around):
                found = s03.beside_the_known(study.bank, aim, study.codes[KNOWN], s03.released(study.bank))
                hits += int((found == study.codes[target]).sum())
    return rate("variables of the target read", hits, trials)
