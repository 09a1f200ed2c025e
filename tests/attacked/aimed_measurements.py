"""Trials of measurements that a bank aims at one person, or reads a small level from (S1, S3)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from attacks import s01_counted_often, s03_small_level
from loopback_study import small_key
from measured_campaign import TERMS, Campaign, campaign

from attacked.results import Result, Size, rate
from attacked.views import Recorder, View
from tandem.arguments import Seeded
from tandem.engine.serial import Serial
from tandem.measure import sealer

Around = Callable[[], AbstractContextManager[None]]
TIMES = 1500
FEW = 3
"""People of the small level."""


def _played(one: Campaign, around: Around) -> View:
    recorder = Recorder()
    with around():
        one.play(taps=recorder.tap)
    return recorder.view("sealer")


def counted_often(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many levels of a person who is sealed as many are read."""
    hits = trials = 0
    for seed in size.seeds:
        for turn in range(size.of(20, 40)):
            number = 1000 * seed + turn
            one, secret, chance = campaign(number), small_key(), Seeded(b"counted %d" % number)
            person = int(np.flatnonzero(one.rows.outcomes[:, 0])[0])
            place, row = int(one.rows.places[person]), one.rows.outcomes[person].tolist()
            honest = sealer.measure(secret, one.rows, TERMS, Serial(), chance.fork("honest"))
            layout = TERMS.layout(secret.public)
            one.roles["sealer"] = s01_counted_often.bent(honest, place, row, TIMES, secret, layout, chance.fork("crafted"))
            found = s01_counted_often.levels(_played(one, around), TERMS.levels, TERMS.width, TIMES)
            hits += sum(int(level) in codes for level, codes in zip(one.codes[place], found, strict=False))
            trials += len(TERMS.levels)
    return rate("levels of the person read", hits, trials)


def small_levels(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many small levels, of FEW people each, are worked out by subtraction."""
    hits = trials = 0
    for seed in size.seeds:
        for turn in range(size.of(5, 40)):
            one = campaign(1000 * seed + turn)
            rows = one.rows.places
            one.codes[rows, 0] = np.arange(len(rows)) % 3
            one.codes[rows[np.flatnonzero(one.rows.outcomes[:, 0])[:FEW]], 0] = 3
            total = int(one.rows.outcomes[:, 0].sum())
            found = s03_small_level.left_over(_played(one, around), TERMS.levels, TERMS.width, total)
            hits += found[0].get(3) == FEW
            trials += 1
    return rate("small levels worked out", hits, trials)
