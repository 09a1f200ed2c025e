"""Trials of what a telco alone can read of the bank's rows: labels, kinds of rows, canaries, the selection (T1, T3, T4, T5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from attacks import t01_labels, t03_canaries, t04_selection, t05_kind_of_row
from contracts import unsigned

from attacked.results import Result, Size, area, gain, rate
from attacked.trainings import TRAINING, Training, made, with_codes
from attacked.weak.gradients_in_the_clear import told_gradients
from attacked.weak.naked_zeros import sealed_so
from attacked.weak.residuals_in_the_clear import told_residuals
from attacked.weak.shown_selection import shows_its_wish
from attacked.weak.single_rows_coded import coded_so
from tandem.contract.words import pages
from tandem.train import sealer

SMALL_KEY = 512
"""Bits of the key in studies of thousands of rows on every change: length is no point there."""


def key_bits(size: Size) -> int:
    """Return the bits of a key of a large study."""
    return 1024 if size.nightly else SMALL_KEY


@cache
def watched(size: Size, seed: int) -> Training:
    """Return the large honest study that several attacks look at: decoys, hold-out, two passes and a card."""
    study = made(size.of(5000, 20000), key_bits(size), seed, decoys=0.2, passes=2)
    _, known = study.train()
    study.card(known)
    if known.failed:
        raise RuntimeError(f"the honest study failed: {known.failed}")
    return study


def halves(rows: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two random halves of these rows: what is granted, and what is guessed."""
    rows = np.random.default_rng(seed).permutation(rows)
    return rows[: len(rows) // 2], rows[len(rows) // 2 :]


# T1


@cache
def _guessed(size: Size) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Return (scores, the own model's, truth) of the rows that were guessed in all seeds, and which procedures did best."""
    parts, names = [], []
    for seed in size.seeds:
        study = watched(size, seed)
        granted, asked = halves(study.places, seed)
        found = t01_labels.guess(study.telco, granted, study.labels[granted])
        parts.append((found.best[asked], found.own[asked], study.labels[asked]))
        names.append(found.name)
    best, own, truth = (np.concatenate(each) for each in zip(*parts, strict=True))
    return best, own, truth, ", ".join(dict.fromkeys(names))


@cache
def labels_shipped(size: Size) -> Result:
    """T1: what everything it saw adds to the telco's own model."""
    best, own, truth, names = _guessed(size)
    found = gain("AUC gained over its own model", best, own, truth)
    return replace(found, note=f"own model {area('', own, truth).value:.3f}; best: {names}")


def labels_of_told_residuals(size: Size) -> Result:
    """T1 with residuals in the clear."""
    study = made(size.of(1500, 6000), SMALL_KEY, 1, hold_out=0.0, passes=1)
    with told_residuals(study):
        study.train()
    granted, asked = halves(study.places, 1)
    found = t01_labels.guess(study.telco, granted, study.labels[granted])
    return area("AUC of labels", found.best[asked], study.labels[asked])


def _batches(size: Size, rows: int, count: int) -> Iterator[tuple[Training, np.ndarray]]:
    """Yield batches of so many rows with 20 variables, and the residuals that least squares gives."""
    for seed in range(count):
        study = made(rows, SMALL_KEY, seed, bins=(2,) * 20, strength=0.42, hold_out=0.0, passes=1, min_bin=2, min_class=1)
        with told_gradients(study):
            study.train()
        bins = study.coded.table.bins
        solved = t01_labels.least_squares(t01_labels.received(study.telco), study.coded.table.codes, bins)
        yield study, np.zeros(rows) if solved is None else solved


def labels_of_small_batches(size: Size) -> Result:
    """T1 with gradients in the clear, of 20 rows and 20 variables: residuals are solved for, their sign is the label."""
    hits = trials = 0
    for study, solved in _batches(size, 20, size.of(6, 50)):
        hits += int(np.sum((solved < 0) == (study.labels == 1)))
        trials += len(solved)
    return rate("labels read", hits, trials)


def labels_of_larger_batches(size: Size) -> Result:
    """T1 with gradients in the clear, of 128 rows: the smallest residuals that fit them, against the telco's best model of its own."""
    scores, own, truth = [], [], []
    for study, solved in _batches(size, 128, size.of(6, 30)):
        codes = study.coded.table.codes
        scores.append(-solved)
        own.append(codes @ np.where(np.arange(20) % 2, -0.42, 0.42))  # the very coefficients that made the labels: no model has better
        truth.append(study.labels)
    best, mine, labels = (np.concatenate(each) for each in (scores, own, truth))
    found = gain("AUC gained over its own model", best, mine, labels)
    return replace(found, note=f"AUC {area('', best, labels).value:.2f} against {area('', mine, labels).value:.2f}")


def totals_in_the_telcos_view(size: Size) -> Result:
    """T1: labels that least squares reads on shipped code; there is no total to start from."""
    hits = trials = 0
    for seed in size.seeds:
        study = watched(size, seed)
        numbers = t01_labels.received(study.telco)
        solved = t01_labels.least_squares(numbers, study.coded.table.codes, study.coded.table.bins)
        rows = study.places
        trials += len(rows)
        hits += 0 if solved is None else int(np.sum((solved[rows] < 0) == (study.labels[rows] == 1)))
    return rate("labels read", hits, trials)


def _fields(size: Size, play: Callable[[Training], None]) -> Result:
    """Return how many plain fields of the telco's view differ between two worlds that differ in who has which label."""
    worlds = []
    for world in (0, 1):
        study = made(600, SMALL_KEY, 11, passes=2, decoys=0.2, min_bin=20, min_class=5)
        rows = study.rows
        if world:
            y = rows.y.copy()
            y[rows.train] = np.random.default_rng(12).permutation(y[rows.train])
            study.rows = sealer.Rows(rows.x, y, rows.train, rows.places, rows.roster)
        play(study)
        worlds.append(t01_labels.plain_fields(study.telco))
    one, other = worlds
    differing = sum(a != b for a, b in zip(one, other, strict=True))
    return rate("fields that depend on labels", differing, len(one))


def fields_of_told_residuals(size: Size) -> Result:
    """T1 with residuals in the clear: one field more, of each pass."""

    def play(study: Training) -> None:
        with told_residuals(study):
            study.train()

    return _fields(size, play)


def fields_shipped(size: Size) -> Result:
    """T1: two worlds of other labels; whatever the telco can decode without a key is the same in both."""

    def play(study: Training) -> None:
        study.card(study.train()[1])

    return _fields(size, play)


# T3


GROUPS = 30


def _with_canaries(*, group: int, weights: str, shipped: bool) -> tuple[Training, list[np.ndarray]]:
    """Return a study that was played with a variable for each of GROUPS secret groups, and who is in them."""
    open_weights, count, groups = weights == "open", 1800, GROUPS
    base = made(count, SMALL_KEY, 3, hold_out=0.0, bins=(3,), passes=1)
    rng = np.random.default_rng(4)
    members = list(rng.permutation(count)[: group * groups].reshape(groups, group))
    codes = t03_canaries.with_groups(base.coded.table.codes, members)
    smallest = {} if shipped else {"min_bin": 2, "min_class": 1}
    study = with_codes(codes, (3,) + (2,) * groups, base.rows, SMALL_KEY, 3, passes=1, open_weights=open_weights, **smallest)
    if shipped:
        study.train()
    else:
        with coded_so():
            study.train()
    return study, members


def _canaries(*, group: int, weights: str, shipped: bool) -> Result:
    """Return how well the points of secret groups say which of them has more bads; groups of one row: its label."""
    study, members = _with_canaries(group=group, weights=weights, shipped=shipped)
    shares = np.array([study.labels[rows].mean() for rows in members])
    scores = t03_canaries.group_scores(study.telco, 3, GROUPS)
    if group == 1:
        return area("AUC of labels", scores, shares > 0.5)
    return area("AUC of groups worse than half of them", scores, shares > np.median(shares))


@cache
def single_canaries_coded_one_hot(_: Size) -> Result:
    """T3: one person a variable, no smallest bin, points in the clear."""
    return _canaries(group=1, weights="open", shipped=False)


def group_canaries_coded_one_hot(_: Size) -> Result:
    """T3: 50 people a variable, no smallest bin, points in the clear."""
    return _canaries(group=50, weights="open", shipped=False)


def hidden_canaries(_: Size) -> Result:
    """T3: one person a variable on shipped code: weights are hidden."""
    return _canaries(group=1, weights="blind", shipped=True)


def hidden_group_canaries(_: Size) -> Result:
    """T3: 50 people a variable on shipped code: weights are hidden."""
    return _canaries(group=50, weights="blind", shipped=True)


def open_canaries(_: Size) -> Result:
    """T3: one person a variable on shipped code with weights in the clear: such a bin is merged."""
    return _canaries(group=1, weights="open", shipped=True)


def open_group_canaries(_: Size) -> Result:
    """T3 as printed: 50 people a variable on shipped code with weights in the clear; what their points add to the own model, by row."""
    study, members = _with_canaries(group=50, weights="open", shipped=True)
    scores, rows = t03_canaries.row_scores(study.telco), np.concatenate(members)
    if scores is None:
        raise RuntimeError("weights were to be open, and no points were told")
    return gain("AUC gained over its own model", scores[0][rows], scores[1][rows], study.labels[rows])


def sentence_on_shares() -> str:
    """Return what a contract with open weights says of bins."""
    return sentence("nearly the share of bads in each bin", layout={"weights": "open"})


def _twins(size: Size, *, open_weights: bool) -> Result:
    targets = list(range(size.of(10, 20)))
    rng = np.random.default_rng(8)
    count = 1500
    base = rng.integers(0, 3, size=count).astype(np.uint8)
    codes = t03_canaries.twins(base, targets)
    x = rng.normal(size=(count, 2)).clip(-4, 4)
    y = (rng.random(count) < 1 / (1 + np.exp(-(0.7 * x[:, 0] + 0.8 * base - 1.0)))).astype(np.int64)
    rows = sealer.Rows(np.column_stack((np.ones(count), x)), y, np.ones(count, dtype=bool))
    study = with_codes(codes, (3,) * codes.shape[1], rows, SMALL_KEY, 8, passes=1, open_weights=open_weights)
    study.train()
    if len(np.unique(y[targets])) < 2:
        raise RuntimeError("targets of one label are no test")
    read = t03_canaries.twin_labels(study.telco, len(targets))
    return rate("labels read", int(np.sum(read == y[targets])), len(targets))


@cache
def open_twins(size: Size) -> Result:
    """T3 as printed: variables that differ in one person, weights in the clear."""
    return _twins(size, open_weights=True)


def hidden_twins(size: Size) -> Result:
    """T3: the same variables, weights hidden."""
    return _twins(size, open_weights=False)


def sentence_on_open_weights() -> str:
    """Return what a contract with open weights says about it."""
    return sentence("differ in one customer can read that customer's label", layout={"weights": "open"})


def sentence(part: str, **changes: object) -> str:
    """Return the sentence of a contract's page on what it does not prevent that has `part` in it. Raises LookupError if none has."""
    for page in pages(unsigned(**changes)):
        for _, text in page.rows:
            if part in text:
                return text
    raise LookupError(f"no sentence of the contract says {part!r}")


# T4


def _selections(size: Size, *, shown: bool) -> Result:
    hits = trials = 0
    for seed in range(size.of(1, 10)):
        count, groups = 1800, 24
        rng = np.random.default_rng(seed)
        base = made(count, SMALL_KEY, seed, bins=(3,), hold_out=0.2, passes=1)
        bad, good = (rng.permutation(np.flatnonzero(base.labels == label)) for label in (1, 0))
        worse = rng.permutation(np.arange(groups) % 2)
        members = [
            np.concatenate((rng.choice(bad, 75), rng.choice(good, 45))) if each else rng.choice(count, 120, replace=False) for each in worse
        ]
        codes = t03_canaries.with_groups(base.coded.table.codes, members)
        bins = (3,) + (2,) * groups
        study = with_codes(codes, bins, base.rows, SMALL_KEY, seed, passes=1, min_bin=50, min_class=10)
        if shown:
            shows_its_wish(study)
        described, failed = study.describe()["sealer"]
        if failed:
            raise RuntimeError(failed)
        study.choice = sealer.Choice(keep=tuple(one.alias for one in described if one.iv >= 0.02))
        study.train()
        scores = t04_selection.kept(study.telco, list(bins), list(study.coded.table.aliases))[1:]
        hits += int(np.sum((scores > 0.5) == (worse == 1)))
        trials += groups
    return rate("groups told apart", hits, trials, baseline=0.5)


def selection_shown(size: Size) -> Result:
    """T4 where the telco sees what is kept."""
    return _selections(size, shown=True)


def selection_hidden(size: Size) -> Result:
    """T4 on shipped code."""
    return _selections(size, shown=False)


# T5


def kinds_of_naked_rows(size: Size) -> Result:
    """T5 with zeros sealed without rho."""
    study = made(2000, SMALL_KEY, 5, decoys=0.25, passes=1)
    with sealed_so(study):
        study.train()
    return _kinds([study])


def kinds_shipped(size: Size) -> Result:
    """T5 on shipped code."""
    return _kinds([watched(size, seed) for seed in size.seeds])


def _kinds(studies: list[Training]) -> Result:
    scores, truth = [], []
    for number, study in enumerate(studies):
        granted, asked = halves(np.arange(study.rows.count), number)
        trains = study.status == TRAINING
        scores.append(t05_kind_of_row.kinds(study.telco, granted, trains[granted])[asked])
        truth.append(trains[asked])
    return area("AUC of training rows", np.concatenate(scores), np.concatenate(truth))


