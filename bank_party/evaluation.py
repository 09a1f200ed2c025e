"""How good a score is: AUC and KS with intervals, gain table, calibration, confusion, matched against unmatched.

Everywhere y (N,) is 1 for the outcome that the model predicts (bad in risk, responder in marketing) and 0 otherwise, and a higher
score means a likelier 1. Intervals are two-sided at LEVEL. Where a denominator is zero the value is None, and print shows "-".
Raises InputError: labels other than 0 and 1, a class missing, scores that are not finite, lengths that differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tandem.arguments import Chance
from tandem.errors import InputError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEVEL = 0.95
"""Share of samples whose interval holds the true value."""

SLICES = 10
"""Slices of the gain and calibration tables."""

ROUNDS = 500
"""Bootstrap rounds behind a KS interval: its limits then move by about a tenth of its width from seed to seed."""

MOST_POINTS = 400
"""Points kept of a curve that is drawn."""


class Interval(NamedTuple):
    """A measured value and its limits."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """AUC of the second score less that of the first on the same rows; p is two-sided, None where both rank all rows alike."""

    value: float
    low: float
    high: float
    p: float | None


def auc(y: NDArray[np.generic], score: NDArray[np.generic], level: float = LEVEL) -> Interval:
    """Return the area under ROC with DeLong's interval (DeLong, DeLong and Clarke-Pearson 1988), cut to [0, 1].

    Ties count half. Needs two rows of each class. O(N log N): the placements are differences of mid-ranks (Sun and Xu 2014).
    """
    label, value = _checked(y, score)
    v10, v01 = _placements(label, value)
    area, spread = float(v10.mean()), sqrt(_variance(v10) + _variance(v01))
    reach = _quantile(level) * spread
    return Interval(area, max(0.0, area - reach), min(1.0, area + reach))


def auc_difference(y: NDArray[np.generic], first: NDArray[np.generic], second: NDArray[np.generic], level: float = LEVEL) -> Difference:
    """Return AUC(second) - AUC(first) with DeLong's paired interval and p: both scores are of the same rows."""
    label, one = _checked(y, first)
    _, two = _checked(y, second)
    a10, a01 = _placements(label, one)
    b10, b01 = _placements(label, two)
    value = float(b10.mean() - a10.mean())
    spread = sqrt(_variance(b10 - a10) + _variance(b01 - a01))
    reach = _quantile(level) * spread
    p = 2.0 * NormalDist().cdf(-abs(value) / spread) if spread > 0.0 else None
    return Difference(value, value - reach, value + reach, p)


def ks(y: NDArray[np.generic], score: NDArray[np.generic], chance: Chance, level: float = LEVEL, rounds: int = ROUNDS) -> Interval:
    """Return max |TPR - FPR| with a bootstrap percentile interval; each class is resampled by itself.

    A maximum is biased upwards in resamples, so the lower limit of a score that ranks nothing stays above 0. The limits are widened
    to hold the measured value. `chance` gives 32 bytes, which seed numpy's PCG64.
    """
    label, value = _checked(y, score)
    _, place = np.unique(value, return_inverse=True)
    size = int(place.max()) + 1
    draws = np.random.Generator(np.random.PCG64(int.from_bytes(chance.draw(32), "big")))
    classes = [place[label], place[~label]]

    def apart(ones: NDArray[np.intp], zeros: NDArray[np.intp]) -> float:
        gap = np.cumsum(np.bincount(ones, minlength=size)) / len(ones) - np.cumsum(np.bincount(zeros, minlength=size)) / len(zeros)
        return float(np.abs(gap).max())

    measured = apart(*classes)
    again = [apart(*(rows[draws.integers(0, len(rows), len(rows))] for rows in classes)) for _ in range(rounds)]
    low, high = np.quantile(again, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(measured, min(measured, float(low)), max(measured, float(high)))


@dataclass(frozen=True)
class Curve:
    """Points to be drawn, ascending in x; `at` is the place of the point to mark, where the curve has one."""

    x: FloatArray
    y: FloatArray
    at: int | None = None


@dataclass(frozen=True)
class KsCurve:
    """Cumulative shares of both classes over the share of rows, highest scores first; `at` is where they are furthest apart."""

    rows: FloatArray
    ones: FloatArray
    zeros: FloatArray
    at: int


def roc(y: NDArray[np.generic], score: NDArray[np.generic]) -> Curve:
    """Return false positive rate (x) against true positive rate (y), from (0, 0) to (1, 1), tied scores in one step."""
    _, ones, zeros = _cumulative(*_checked(y, score))
    kept = _thinned(len(ones))
    return Curve(zeros[kept], ones[kept])


def ks_curve(y: NDArray[np.generic], score: NDArray[np.generic]) -> KsCurve:
    """Return both cumulative shares over the share of rows; the furthest point is among those kept."""
    rows, ones, zeros = _cumulative(*_checked(y, score))
    furthest = int(np.argmax(np.abs(ones - zeros)))
    kept = np.union1d(_thinned(len(rows)), [furthest])
    return KsCurve(rows[kept], ones[kept], zeros[kept], int(np.searchsorted(kept, furthest)))


@dataclass(frozen=True)
class Slice:
    """One slice of a gain table, best first. `capture` = positives up to here / all; `lift` = rate / overall rate (gain_lift).

    low, high: scores at its ends, None with rate and lift where tied scores left it empty. `cumulative_lift`: of all rows up to here.
    """

    number: int
    low: float | None
    high: float | None
    rows: int
    positives: int
    rate: float | None
    capture: float
    lift: float | None
    cumulative_lift: float | None


def gain_table(y: NDArray[np.generic], score: NDArray[np.generic], slices: int = SLICES) -> list[Slice]:
    """Return `slices` slices of equal count, highest scores first. Tied scores stay together, in the slice of their middle row."""
    label, value = _checked(y, score)
    number = slices_of(-value, slices)
    overall = float(label.mean())
    table, rows_so_far, positives_so_far = [], 0, 0
    for at in range(slices):
        here = number == at
        rows, positives = int(here.sum()), int(label[here].sum())
        rows_so_far, positives_so_far = rows_so_far + rows, positives_so_far + positives
        rate = positives / rows if rows else None
        table.append(
            Slice(
                number=at + 1,
                low=float(value[here].min()) if rows else None,
                high=float(value[here].max()) if rows else None,
                rows=rows,
                positives=positives,
                rate=rate,
                capture=positives_so_far / int(label.sum()),
                lift=None if rate is None else rate / overall,
                cumulative_lift=positives_so_far / rows_so_far / overall if rows_so_far else None,
            )
        )
    return table


@dataclass(frozen=True)
class Reliability:
    """One slice of predicted probabilities: mean prediction and observed rate with Wilson's interval, None where empty."""

    number: int
    rows: int
    predicted: float | None
    observed: Interval | None


@dataclass(frozen=True)
class Calibration:
    """Slices from the lowest prediction up; Brier score = mean squared error; means of prediction and outcome over all rows."""

    slices: list[Reliability]
    brier: float
    predicted: float
    observed: float


def calibration(y: NDArray[np.generic], p: NDArray[np.generic], slices: int = SLICES, level: float = LEVEL) -> Calibration:
    """Compare predicted probabilities p (N,) in [0, 1] with what happened, in slices of equal count; ties stay together."""
    label, value = _probabilities(y, p)
    number = slices_of(value, slices)
    table = []
    for at in range(slices):
        here = number == at
        rows = int(here.sum())
        mean = float(value[here].mean()) if rows else None
        table.append(Reliability(at + 1, rows, mean, wilson(int(label[here].sum()), rows, level)))
    return Calibration(table, float(np.mean((value - label) ** 2)), float(value.mean()), float(label.mean()))


@dataclass(frozen=True)
class Confusion:
    """Counts at a threshold (p >= threshold is called 1) and the shares that they give."""

    threshold: float
    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int

    @property
    def accuracy(self) -> float:
        """(TP + TN) / all."""
        right = self.true_positive + self.true_negative
        return right / (right + self.false_positive + self.false_negative)

    @property
    def recall(self) -> float:
        """TP / (TP + FN)."""
        return self.true_positive / (self.true_positive + self.false_negative)

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None where nothing was called 1."""
        called = self.true_positive + self.false_positive
        return self.true_positive / called if called else None


def confusion(y: NDArray[np.generic], p: NDArray[np.generic], threshold: float) -> Confusion:
    """Count right and wrong calls at `threshold`."""
    label, value = _checked(y, p)
    called = value >= threshold
    counts = [int(np.sum(one & two)) for one, two in ((called, label), (called, ~label), (~called, ~label), (~called, label))]
    return Confusion(threshold, *counts)


@dataclass(frozen=True)
class Group:
    """Rows of a group, its positives, and their rate with Wilson's interval; None for a group without rows."""

    rows: int
    positives: int
    rate: Interval | None


@dataclass(frozen=True)
class Matched:
    """Match rate with Wilson's interval, and the outcome of matched (有值), unmatched (无值) and all customers asked."""

    match_rate: Interval
    matched: Group
    unmatched: Group
    all: Group


def matched_table(y: NDArray[np.generic], matched: BoolArray, level: float = LEVEL) -> Matched:
    """Compare customers found at the partner with those not found: y (N,), matched (N,) of the customers asked. One class is no error."""
    label = _labels(y)
    if matched.shape != label.shape or not len(label):
        raise InputError(f"{len(label)} labels and {len(matched)} match flags; there must be one of each a customer, and one at least")
    groups = [label[matched], label[~matched], label]
    rate = wilson(int(matched.sum()), len(label), level)
    if rate is None:
        raise InputError("no customer was asked")
    return Matched(rate, *(Group(len(one), int(one.sum()), wilson(int(one.sum()), len(one), level)) for one in groups))


def wilson(successes: int, trials: int, level: float = LEVEL) -> Interval | None:
    """Return successes / trials with Wilson's score interval (Wilson 1927); None for no trials."""
    if not trials:
        return None
    z, rate = _quantile(level), successes / trials
    middle = (rate + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    return Interval(rate, max(0.0, min(rate, middle - reach)), min(1.0, max(rate, middle + reach)))


def _quantile(level: float) -> float:
    return NormalDist().inv_cdf((1.0 + level) / 2.0)


def _labels(y: NDArray[np.generic]) -> BoolArray:
    try:
        label = np.asarray(y).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("the labels are not numbers; cast them to 0 and 1 first") from error
    if label.ndim != 1 or not np.all((label == 0.0) | (label == 1.0)):
        raise InputError("a label is neither 0 nor 1 (or is missing); leave such rows out of the evaluation")
    ones: BoolArray = label == 1.0
    return ones


def _checked(y: NDArray[np.generic], score: NDArray[np.generic]) -> tuple[BoolArray, FloatArray]:
    label, value = _labels(y), np.asarray(score).astype(np.float64)
    if value.shape != label.shape:
        raise InputError(f"{len(label)} labels and scores of shape {value.shape}; there must be one score a label")
    if not np.all(np.isfinite(value)):
        raise InputError(f"the score of row {int(np.argmin(np.isfinite(value)))} is not finite; score every row of the hold-out")
    if not 0 < int(label.sum()) < len(label):
        raise InputError(f"the {len(label)} rows to evaluate hold only one class; take a larger hold-out")
    return label, value


def _probabilities(y: NDArray[np.generic], p: NDArray[np.generic]) -> tuple[BoolArray, FloatArray]:
    label, value = _checked(y, p)
    if not np.all((value >= 0.0) & (value <= 1.0)):
        raise InputError("a predicted probability lies outside 0 to 1; pass probabilities, not points or log-odds")
    return label, value


def _midranks(values: FloatArray) -> FloatArray:
    """Return ranks from 1, tied values sharing the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(count)
    middle: FloatArray = (ends - (count - 1) / 2.0)[place]
    return middle


def _placements(label: BoolArray, value: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return V10: each positive's share of negatives below it, and V01: each negative's share of positives above it (ties half)."""
    m, n = int(label.sum()), int((~label).sum())
    if min(m, n) < 2:
        raise InputError(f"{m} positives and {n} negatives; an interval for AUC needs two of each: take a larger hold-out")
    whole = _midranks(value)
    return (whole[label] - _midranks(value[label])) / n, 1.0 - (whole[~label] - _midranks(value[~label])) / m


def _variance(placements: FloatArray) -> float:
    """Return the variance of the mean of placements."""
    return float(placements.var(ddof=1)) / len(placements)


def _cumulative(label: BoolArray, value: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return shares of rows, ones and zeros with a score at or above each distinct one, highest first, 0 in front."""
    _, place = np.unique(-value, return_inverse=True)
    ones = np.concatenate(([0], np.cumsum(np.bincount(place, weights=label))))
    rows = np.concatenate(([0], np.cumsum(np.bincount(place))))
    return rows / rows[-1], ones / ones[-1], (rows - ones) / (rows[-1] - ones[-1])


def _thinned(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(np.int64))


def shares_above(value: FloatArray) -> FloatArray:
    """Return the share of rows above each row, half of itself and of those tied with it among them: between 0 and 1."""
    above: FloatArray = (_midranks(-value) - 0.5) / len(value)
    return above


def slices_of(value: FloatArray, slices: int) -> NDArray[np.int64]:
    """Return each row's slice, 0 for the lowest values: slices of equal count, tied values in the slice of their middle."""
    place: NDArray[np.int64] = np.floor((_midranks(value) - 0.5) * slices / len(value)).astype(np.int64)
    return place
