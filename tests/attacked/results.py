"""What an attack gained, with its limits, and the gates that it is held to. Gates read the limit that is unfavourable to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import beta, rankdata


@dataclass(frozen=True)
class Size:
    """How large a run is: on every change one seed and small numbers, at night five and the full ones."""

    nightly: bool = False
    seeds: tuple[int, ...] = (1,)

    @property
    def key_bits(self) -> int:
        """Bits of a Paillier key where its length is not the point."""
        return 2048 if self.nightly else 1024

    def of(self, change: int, nightly: int) -> int:
        """Return the number for this size."""
        return nightly if self.nightly else change


CHANGE = Size()
NIGHTLY = Size(nightly=True, seeds=(1, 2, 3, 4, 5))


@dataclass(frozen=True)
class Result:
    """A measured gain: `value` of `what`, its 95 % limits, and what the best attacker has who sees only the ideal output."""

    what: str
    value: float
    low: float
    high: float
    baseline: float = 0.0
    trials: int = 0
    hits: int | None = None
    """Of `trials`, where it is a count."""
    seeds: tuple[int, ...] = ()
    seconds: float = 0.0
    note: str = ""

    @property
    def advantage(self) -> float:
        """What is gained beyond the baseline."""
        return self.value - self.baseline

    @property
    def shown(self) -> str:
        """One line for a table."""
        count = f"{self.hits}/{self.trials}" if self.hits is not None else f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"
        guess = f", guess {self.baseline:.3g}" if self.baseline else ""
        return f"{self.what} {count}{guess}" + (f"; {self.note}" if self.note else "")

    def timed(self, seconds: float, seeds: Sequence[int]) -> Result:
        """Return it with what the run took."""
        return replace(self, seconds=seconds, seeds=tuple(seeds))


def rate(what: str, hits: int, trials: int, baseline: float = 0.0, note: str = "") -> Result:
    """Return a share with its Clopper-Pearson limits (Biometrika 26, 1934): 0 of 200 is at most 1.8 %."""
    if not 0 <= hits <= trials or not trials:
        raise ValueError(f"{hits} of {trials} is no share")
    low = float(beta.ppf(0.025, hits, trials - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, trials - hits)) if hits < trials else 1.0
    return Result(what, hits / trials, low, high, baseline, trials, hits, note=note)


def _area(truth: np.ndarray, scores: np.ndarray) -> float:
    """Return the area under the ROC curve by mid-ranks (Mann and Whitney): ten times as fast as a curve, in loops of a bootstrap."""
    ones = int(truth.sum())
    above = float(rankdata(scores)[truth == 1].sum()) - ones * (ones + 1) / 2
    return above / (ones * (len(truth) - ones))


def area(what: str, scores: np.ndarray, truth: np.ndarray, baseline: float = 0.5, *, seed: int = 0, draws: int = 500) -> Result:
    """Return the area under the ROC curve with limits from a bootstrap over rows (percentiles)."""
    scores, truth = np.asarray(scores, float), np.asarray(truth, int)
    rng, found = np.random.default_rng(seed), []
    while len(found) < draws:
        rows = rng.integers(0, len(truth), len(truth))
        if 0 < truth[rows].sum() < len(rows):
            found.append(_area(truth[rows], scores[rows]))
    low, high = np.percentile(found, [2.5, 97.5])
    return Result(what, _area(truth, scores), float(low), float(high), baseline, len(truth))


def gain(what: str, scores: np.ndarray, own: np.ndarray, truth: np.ndarray, *, seed: int = 0, draws: int = 500) -> Result:
    """Return how much larger the area is with `scores` than with what the attacker had anyway (`own`); paired bootstrap over rows."""
    scores, own, truth = np.asarray(scores, float), np.asarray(own, float), np.asarray(truth, int)
    rng, found = np.random.default_rng(seed), []
    while len(found) < draws:
        rows = rng.integers(0, len(truth), len(truth))
        if 0 < truth[rows].sum() < len(rows):
            found.append(_area(truth[rows], scores[rows]) - _area(truth[rows], own[rows]))
    low, high = np.percentile(found, [2.5, 97.5])
    value = _area(truth, scores) - _area(truth, own)
    return Result(what, value, float(low), float(high), trials=len(truth))


@dataclass(frozen=True)
class Gate:
    """A number to meet, in words, and whether a result meets it."""

    text: str
    holds: Callable[[Result], bool]


NONE = Gate("none", lambda found: found.hits == 0)
ALL = Gate("all", lambda found: found.hits == found.trials)


def at_most(limit: float) -> Gate:
    """Return the gate of an upper limit on what is gained beyond the baseline."""
    return Gate(f"upper limit at most {limit:g} above guess", lambda found: found.high - found.baseline <= limit)


def at_least(limit: float) -> Gate:
    """Return the gate of a lower limit on the value itself: for controls."""
    return Gate(f"lower limit at least {limit:g}", lambda found: found.low >= limit)


def at_guess() -> Gate:
    """Return the gate of guessing: a count inside three standard errors of the baseline."""

    def holds(found: Result) -> bool:
        error = (found.baseline * (1 - found.baseline) / found.trials) ** 0.5
        return abs(found.value - found.baseline) <= 3 * error

    return Gate("within 3 standard errors of guessing", holds)
