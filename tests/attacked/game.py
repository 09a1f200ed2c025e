"""Left or right: two secrets with one ideal output, the sessions of a training played under either, and how often a transcript is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from attacks import n02_lengths as on_the_line
from attacks import n03_left_or_right as by_the_telco
from loopback_study import Study, make_study, small_key, tampered

from attacked.results import Gate, Result, Size, rate
from attacked.views import Seen, View
from attacked.weak.bare_lengths import bare_lengths
from attacked.weak.float_exponents import float_exponents
from tandem.tables import CodedTable
from tandem.train import sealer, summer
from tandem.train.pairs import pair_counts
from tandem.wire.codec import Frame
from tandem.wire.messages import Own, Step

BITS = 512
ROWS, TRAINING = 120, 60
CONTROL, CHANGE, NIGHT = 60, 400, 10_000
ROLES = ("sealer", "summer", "solver")

TOLD = Gate(
    "accuracy at most .58; of 10 000 or more: upper limit at most .52",
    lambda found: found.high <= 0.52 if found.trials >= NIGHT else found.value <= 0.58,
)
CAUGHT = Gate("accuracy above .9", lambda found: found.value > 0.9)

World = Callable[[Study], Study]


@dataclass(frozen=True)
class Pair:
    """Two worlds."""

    left: World
    right: World

    def of(self, world: int) -> Study:
        """Return the study of world 0 or 1."""
        return (self.left, self.right)[world](_tiny())


@cache
def _made() -> Study:
    study = make_study(ROWS, bits=BITS, passes=1, min_bin=4, min_class=2)
    bins = (2, 2)
    outlines = tuple(replace(one, bins=2, ordered=2) for one in study.coded.outlines[:2])
    table = CodedTable(study.coded.table.codes[:, :2] % 2, bins, tuple(one.alias for one in outlines))
    coded = summer.Coded(table, outlines, summer.fit_to_tell(pair_counts(table.codes, bins), 4))
    train = np.arange(ROWS) < TRAINING
    rows = sealer.Rows(study.rows.x[:, :2], study.rows.y, train)
    return replace(study, rows=rows, coded=coded, terms=replace(study.terms, columns=1, variables=2), secret=small_key(BITS))


def _tiny() -> Study:
    return replace(_made())


def _rows(change: Callable[[sealer.Rows], sealer.Rows]) -> World:
    return lambda study: replace(study, rows=change(study.rows))


def _wish(*keep: str) -> World:
    return lambda study: replace(study, choice=sealer.Choice(keep=keep))


def _customers(first: int) -> World:
    """Half of the roster are customers, those in even places or those in odd ones; the others are cover."""
    half = ROWS // 2

    def change(rows: sealer.Rows) -> sealer.Rows:
        own = np.arange(half)
        return sealer.Rows(rows.x[own], rows.y[own], np.ones(half, dtype=bool), 2 * own + first, ROWS)

    return _rows(change)


def _lying(name, _, role):
    return tampered(role, said=_moved) if name == "sealer" else role


def _failing(study: Study) -> Study:
    return replace(study, corrupt=_lying)


def _moved(message):
    return replace(message, gradient=tuple(value + 1.0 for value in message.gradient)) if isinstance(message, Own) else message


def _same(study: Study) -> Study:
    return study


PAIRS = {
    "labels permuted": Pair(_same, _rows(lambda r: sealer.Rows(r.x, np.random.default_rng(5).permutation(r.y), r.train))),
    "training and hold-out exchanged": Pair(_same, _rows(lambda r: sealer.Rows(r.x, r.y, ~r.train))),
    "customers and cover exchanged": Pair(_customers(0), _customers(1)),
    "a check passes or fails": Pair(_same, _failing),
    "other columns of the bank": Pair(_same, _rows(lambda r: sealer.Rows(np.column_stack((r.x[:, 0], r.x[::-1, 1])), r.y, r.train))),
    "two selections of other length": Pair(_wish("t01"), _wish()),
}


def played(study: Study, seed: bytes) -> dict[str, View]:
    """Play one pass under fresh chance and return what each role saw."""
    seen: dict[str, list[Seen]] = {role: [] for role in ROLES}

    def carry(speaker: str, listener: str, data: bytes) -> bytes:
        frame, now = Frame.from_bytes(data), time.perf_counter()
        seen[speaker].append(Seen(True, listener, "train", 1, frame.kind, frame.number, data, now))
        seen[listener].append(Seen(False, speaker, "train", 1, frame.kind, frame.number, data, now))
        return data

    replace(study, seed=seed, alter=carry).train()
    views = {role: View(role, tuple(seen[role])) for role in ROLES}
    failed = any(step.failed for step in views["sealer"].messages(Step))
    if failed != (study.corrupt is _lying):
        raise AssertionError("a pass failed that should not, or did not that should: the two worlds are not those of the pair")
    return views


def accuracy(pair: str, size: Size, *, weak: bool = False) -> Result:
    """Play the telco's game: as many transcripts of either world, in random order; how often trees that saw neither tell which it is."""
    trials = size.of(CONTROL if weak else CHANGE, CHANGE if weak else NIGHT)
    hits = 0
    for seed in size.seeds if not size.nightly else size.seeds[:1]:
        worlds = np.random.default_rng(seed).permutation(np.arange(trials) % 2)
        found = []
        for number, world in enumerate(worlds):
            study = PAIRS[pair].of(int(world))
            with float_exponents(study.rows) if weak else nullcontext():
                view = played(study, f"{pair} {seed} {number}".encode())["summer"]
            found.append(by_the_telco.features(view, times=size.nightly))
        hits += int((by_the_telco.guesses(found, list(worlds), seed) == worlds).sum())
    return rate("worlds told", hits, trials, 0.5)


def lengths_told(size: Size) -> Result:
    """Play the network's game on frames that are as long as what they say: how many transcripts it tells."""
    with bare_lengths():
        hits = trials = 0
        for pair in IN_WORDS:
            left, right = (_lengths(pair, world, size) for world in (0, 1))
            half = len(left) // 2
            for world, unknown in [*((0, one) for one in left[half:]), *((1, one) for one in right[half:])]:
                trials += 1
                hits += on_the_line.which(unknown, left[:half], right[:half]) == world
    return rate("transcripts told by their lengths", hits, trials, 0.5)


def lengths_differ(size: Size) -> Result:
    """Return how many transcripts of either world have a frame of another length than the first."""
    hits = trials = 0
    for pair in ON_THE_LINE:
        left, right = (_lengths(pair, world, size) for world in (0, 1))
        trials += len(left) + len(right)
        hits += sum(one != left[0] for one in [*left, *right])
    return rate("transcripts of other lengths", hits, trials)


def _lengths(pair: str, world: int, size: Size) -> list[on_the_line.Lengths]:
    study = PAIRS[pair].of(world)
    return [
        on_the_line.lengths(list(played(study, f"{pair} {world} {seed} {number}".encode()).values()))
        for seed in size.seeds for number in range(size.of(12, 200))
    ]


ON_THE_LINE = ("labels permuted", "two selections of other length", "a check passes or fails", "other columns of the bank")
IN_WORDS = ("two selections of other length", "a check passes or fails")
"""Those of them that put text on the line, or leave it out."""
