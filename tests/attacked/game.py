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
from attacked.trainings import Training
from attacked.views import Seen, View
from attacked.weak.bare_lengths import bare_lengths
from attacked.weak.float_exponents import float_exponents
from attacked.weak.shown_selection import shows_its_wish
from tandem.tables import CodedTable
from tandem.train import sealer, summer
from tandem.train.pairs import pair_counts
from tandem.wire.codec import Frame
from tandem.wire.messages import Own, Step

BITS = 512
ROWS, TRAINING = 120, 60
CONTROL, CHANGE, NIGHT = 60, 400, 10_000
MEANINGLESS = 10
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


def _telcos(study: Study) -> Study:
    """Half of the roster are customers, those in even places; half of them train, and the first variable is to be kept.

    The rows that train are drawn so that a pass fails in none of the worlds.
    """
    study = _customers(0)(study)
    rows = replace(study.rows, train=np.random.default_rng(2).permutation(ROWS // 2) < ROWS // 4)
    return replace(study, rows=rows, choice=sealer.Choice(keep=("t01",)))


WORLDS: dict[str, World] = {
    "": _same,
    "labels permuted": _rows(lambda r: replace(r, y=np.random.default_rng(7).permutation(r.y))),
    "training and hold-out exchanged": _rows(lambda r: replace(r, train=~r.train)),
    "customers and cover exchanged": _rows(lambda r: replace(r, places=r.places + 1)),
    "two selections of variables": _wish("t02"),
}
"""What the telco must not tell from the first of them. The permutation moves labels of rows whose exponents the fixture says."""


@cache
def _transcripts(size: Size, seed: int, *, weak: bool) -> dict[str, np.ndarray]:
    """Play every world as often as every other, in random order: a table of what is seen for each. The first world is the left one."""
    rng, order = np.random.default_rng(seed), []
    for _ in range(size.of(CONTROL if weak else CHANGE, CHANGE if weak else NIGHT) // 2):
        order += [str(name) for name in rng.permutation(list(WORLDS))]
    table = by_the_telco.tabled(_seen(name, f"{name} {seed} {place}", weak=weak, times=size.nightly) for place, name in enumerate(order))
    return {name: table[np.array(order) == name] for name in WORLDS}


def _seen(name: str, seed: str, *, weak: bool, times: bool) -> by_the_telco.Features:
    study = WORLDS[name](_telcos(_tiny()))
    if weak:
        study = shows_its_wish(Training(**vars(study)))
    with float_exponents(study.rows) if weak else nullcontext():
        return by_the_telco.features(played(study, seed.encode())["summer"], times=times)


@cache
def _spread(size: Size, seed: int, *, weak: bool) -> float:
    """Return the spread of the accuracy on the first pair where which world is which means nothing: guesses of one table hang together."""
    known = _transcripts(size, seed, weak=weak)
    both = np.concatenate([known[name] for name in list(WORLDS)[:2]])
    worlds = np.arange(len(both)) % 2
    draws = [np.random.default_rng([seed, turn]).permutation(worlds) for turn in range(MEANINGLESS)]
    return float(np.std([by_the_telco.told(both, list(drawn), seed) for drawn in draws], ddof=1))


def accuracy(pair: str, size: Size, *, weak: bool = False) -> Result:
    """Play the telco's game: as many transcripts of either world; how often trees that saw neither tell which it is."""
    seed = size.seeds[0]
    known = _transcripts(size, seed, weak=weak)
    found = np.concatenate([known[""], known[pair]])
    worlds = [0] * len(known[""]) + [1] * len(known[pair])
    value, off = by_the_telco.told(found, worlds, seed), 1.96 * _spread(size, seed, weak=weak)
    note = f"limits by the spread over {MEANINGLESS} drawings of meaningless worlds"
    return Result("worlds told", value, max(0.0, value - off), min(1.0, value + off), 0.5, len(found), note=note)


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
