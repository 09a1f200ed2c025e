"""Means of an amount, such as what people spent, compared as `lift` compares rates: Welch's interval (Welch 1947), unequal variances."""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from bank_party.evaluation import LEVEL, Interval
from bank_party.lift import Comparison, compare_samples
from tandem.errors import InputError

MOST = 1e15
"""Largest amount: whole units are told apart up to here, and squares stay far from overflow."""


class Amounts(NamedTuple):
    """What a group of people spent: how many they are, their mean, and the variance from person to person (divided by rows - 1)."""

    rows: int
    mean: float
    variance: float

    def estimate(self, level: float) -> Interval | None:
        """Return the mean with Student's interval; None under two people."""
        if self.rows < 2:
            return None
        reach = _student(self.rows - 1.0, level) * sqrt(self.variance / self.rows)
        return Interval(self.mean, self.mean - reach, self.mean + reach)

    def difference(self, other: Amounts, level: float) -> Interval | None:
        """Return this mean less the other with Welch's interval; None under two people, or where neither group's amounts vary."""
        if min(self.rows, other.rows) < 2 or not self.variance + other.variance:
            return None
        value, reach = self.mean - other.mean, _student(self._freedom(other), level) * self._spread(other)
        return Interval(value, value - reach, value + reach)

    def ratio(self, other: Amounts, level: float) -> Interval | None:  # noqa: ARG002 - as of counts
        """Return None: where many spent nothing, an interval of a ratio of means would pretend to a precision that it has not."""
        return None

    def p(self, other: Amounts) -> float | None:
        """Return the two-sided p of Welch's test; None where there is no difference's interval."""
        if min(self.rows, other.rows) < 2 or not self.variance + other.variance:
            return None
        return float(2.0 * stdtr(self._freedom(other), -abs(self.mean - other.mean) / self._spread(other)))

    def _spread(self, other: Amounts) -> float:
        return sqrt(self.variance / self.rows + other.variance / other.rows)

    def _freedom(self, other: Amounts) -> float:
        """Return the degrees of freedom by Welch and Satterthwaite, from the share of the variance that is this group's."""
        one, two = self.variance / self.rows, other.variance / other.rows
        share = one / (one + two)
        return 1.0 / (share**2 / (self.rows - 1) + (1.0 - share) ** 2 / (other.rows - 1))


def amounts(values: NDArray[np.float64]) -> Amounts:
    """Return mean and variance of `values` (N,). Raises InputError if one is missing, infinite, or beyond MOST."""
    value = np.asarray(values, dtype=np.float64)
    sound = np.abs(value) <= MOST
    if not np.all(sound):
        raise InputError(f"the amount in row {int(np.argmin(sound)) + 1} is missing or beyond {MOST:g}: write 0 where nothing was spent")
    if not len(value):
        return Amounts(0, 0.0, 0.0)
    return Amounts(len(value), float(value.mean()), float(value.var(ddof=1)) if len(value) > 1 else 0.0)


def compare_means(group: Amounts, control: Amounts, level: float = LEVEL) -> Comparison:
    """Compare two groups' amounts. Raises InputError for a level not between 0 and 1."""
    return compare_samples(group, control, level)


def _student(freedom: float, level: float) -> float:
    """Return the quantile of Student's distribution that leaves (1 - level) / 2 above it."""
    return float(stdtrit(freedom, (1.0 + level) / 2.0))
