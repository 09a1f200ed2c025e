"""What a group brought over its control: rates, difference, ratio and p from counts, and a verdict that may be "not shown".

    group     successes / trials      Wilson's interval (Wilson 1927)
    both      difference of rates     Newcombe's interval (1998, method 10), which is made of both groups' Wilson intervals
              ratio of rates          score interval (Koopman 1984, with Miettinen and Nurminen's n/(n - 1))
              p                       two-sided, z test with the pooled rate

The verdict follows from the interval of the difference against 0, at the level asked; where several comparisons stand in one table, at the
higher level that `together` gives each (Holm 1979). What has a denominator of zero is None, and print shows "-". Means: `lift_means`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import erfc, exp, inf, log, sqrt
from statistics import NormalDist
from typing import Any, Literal, NamedTuple, Protocol

from scipy.optimize import brentq

from bank_party.evaluation import LEVEL, Interval, wilson
from tandem.contract.words import Language
from tandem.errors import InputError

Shown = Literal["higher", "lower", "not shown"]
MOST = 700.0
"""Largest |ln ratio| that is looked at: beyond it the ratio is no float."""

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "higher": "higher", "lower": "lower", "not shown": "not shown",
        "told_higher": "higher by {by}, {level} interval {low} to {high}", "told_lower": "lower by {by}, {level} interval {low} to {high}",
        "told_not shown": "not shown: the difference is {value}, {level} interval {low} to {high}",
        "told_nothing": "not shown: one of the groups has nothing to compare", "points": "{} points", "bare": "{}",
    },
    "zh": {
        "higher": "较高", "lower": "较低", "not shown": "未显示差异",
        "told_higher": "高 {by}，{level} 区间 {low} 至 {high}", "told_lower": "低 {by}，{level} 区间 {low} 至 {high}",
        "told_not shown": "未显示差异：差值 {value}，{level} 区间 {low} 至 {high}",
        "told_nothing": "未显示差异：有一组没有可比的数据", "points": "{} 个百分点", "bare": "{}",
    },
}


class Sample(Protocol):
    """What one group shows: counts (`Counts`) or amounts (`lift_means.Amounts`). Everything is None where it cannot be told."""

    def estimate(self, level: float) -> Interval | None:
        """Return the group's rate or mean."""

    def difference(self, other: Any, level: float) -> Interval | None:
        """Return this group's less the other's."""

    def ratio(self, other: Any, level: float) -> Interval | None:
        """Return this group's over the other's."""

    def p(self, other: Any) -> float | None:
        """Return the two-sided p of no difference."""


class Counts(NamedTuple):
    """Of `trials` people in a group, `successes` did what was looked for."""

    successes: int
    trials: int

    def estimate(self, level: float) -> Interval | None:
        """Return the rate with Wilson's interval; None for nobody."""
        return wilson(self.successes, self.trials, level)

    def difference(self, other: Counts, level: float) -> Interval | None:
        """Return this rate less the other with Newcombe's interval; None where a group is empty."""
        one, two = self.estimate(level), other.estimate(level)
        if one is None or two is None:
            return None
        value = one.value - two.value
        low = value - sqrt((one.value - one.low) ** 2 + (two.high - two.value) ** 2)
        high = value + sqrt((one.high - one.value) ** 2 + (two.value - two.low) ** 2)
        return Interval(value, max(-1.0, low), min(1.0, high))

    def ratio(self, other: Counts, level: float) -> Interval | None:
        """Return this rate over the other with Koopman's interval; None where a group is empty or the other had no success.

        Limits are where the score statistic of a ratio reaches the level's chi-square, so they are in order with no success here either
        (the lower is then 0), and for all successes, where intervals by logarithms are not.
        """
        if not (self.trials and other.trials and other.successes):
            return None
        value = (self.successes / self.trials) / (other.successes / other.trials)
        people = self.trials + other.trials
        bound = NormalDist().inv_cdf((1.0 + level) / 2.0) ** 2 * people / (people - 1)

        def beyond(logarithm: float) -> float:
            return _score(self, other, exp(logarithm)) - bound

        middle = log(value) if self.successes else -MOST
        low = exp(_crossing(beyond, middle, -1.0)) if self.successes else 0.0
        return Interval(value, low, exp(_crossing(beyond, middle, 1.0)))

    def p(self, other: Counts) -> float | None:
        """Return p of the pooled z test; None where a group is empty or both rates are 0 or both 1."""
        if not (self.trials and other.trials):
            return None
        pooled = (self.successes + other.successes) / (self.trials + other.trials)
        spread = sqrt(pooled * (1.0 - pooled) * (1.0 / self.trials + 1.0 / other.trials))
        return erfc(abs(self.successes / self.trials - other.successes / other.trials) / spread / sqrt(2.0)) if spread else None


@dataclass(frozen=True)
class Comparison:
    """A group against its control, at `level`. `judged`: the interval of the difference at `judged_level`, which the verdict follows.

    Alone, `judged` is `difference`. In a table of several it is wider (`together`).
    """

    group: Sample
    control: Sample
    level: float
    rate: Interval | None
    control_rate: Interval | None
    difference: Interval | None
    ratio: Interval | None
    p: float | None
    judged: Interval | None
    judged_level: float

    @property
    def shown(self) -> Shown:
        """The verdict's word: "higher" or "lower" where the judged interval leaves 0 out on that side, else "not shown"."""
        if self.judged is None or self.judged.low <= 0.0 <= self.judged.high:
            return "not shown"
        return "higher" if self.judged.low > 0.0 else "lower"


def rate(successes: int, trials: int, level: float = LEVEL) -> Interval | None:
    """Return successes / trials with Wilson's interval; None for no trials. Raises InputError for counts that are none."""
    return counted((successes, trials)).estimate(levelled(level))


def compare(group: tuple[int, int], control: tuple[int, int], level: float = LEVEL) -> Comparison:
    """Compare two groups of (successes, trials). Raises InputError for counts that are none, or a level not between 0 and 1."""
    return compare_samples(counted(group), counted(control), level)


def compare_samples(group: Sample, control: Sample, level: float = LEVEL) -> Comparison:
    """Compare two samples of one kind, counts or amounts."""
    levelled(level)
    difference = group.difference(control, level)
    return Comparison(
        group, control, level, group.estimate(level), control.estimate(level), difference, group.ratio(control, level), group.p(control),
        difference, level,
    )


def together(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons of one table, in order, judged so that the chance of any false "higher" or "lower" stays at 1 - level.

    Holm's steps: in the order of p, the k-th is judged at level 1 - (1 - level) / (those that are left), and one is left out for each that
    was shown. Comparisons without a difference are not counted. One alone is judged at its own level.
    """
    judged = list(comparisons)
    able = sorted((i for i, one in enumerate(judged) if one.difference is not None), key=lambda i: (_rank(judged[i]), i))
    left = len(able)
    for i in able:
        one = judged[i]
        level = 1.0 - (1.0 - one.level) / left if left > 1 else one.level
        judged[i] = replace(one, judged=one.group.difference(one.control, level), judged_level=level)
        left -= judged[i].shown != "not shown"
    return judged


def verdict(comparison: Comparison, lang: Language = "en") -> str:
    """Return the verdict as a sentence, with the interval that it follows from."""
    words, judged = WORDS[lang], comparison.judged
    if judged is None:
        return words["told_nothing"]
    counts = isinstance(comparison.group, Counts)
    value, low, high = (one * (100.0 if counts else 1.0) for one in judged)
    places = decimals([value, low, high])
    unit = words["points" if counts else "bare"]
    level = percent(comparison.judged_level, lang)
    by, signed = unit.format(f"{abs(value):.{places}f}"), unit.format(f"{value:+.{places}f}")
    return words[f"told_{comparison.shown}"].format(by=by, value=signed, level=level, low=f"{low:+.{places}f}", high=f"{high:+.{places}f}")


def facts(comparison: Comparison, lang: Language = "en") -> dict[str, Any]:
    """Return difference, ratio, p and verdict, fit for JSON: an interval is {"value", "low", "high"} or null."""
    one = comparison
    return {
        "difference": written(one.difference), "ratio": written(one.ratio), "p": one.p, "level": one.level,
        "judged": written(one.judged), "judged_level": one.judged_level, "shown": one.shown, "verdict": verdict(one, lang),
    }


def written(interval: Interval | None) -> dict[str, float] | None:
    """Return the interval as JSON has it."""
    return None if interval is None else interval._asdict()


def percent(level: float, lang: Language = "en") -> str:
    """Return a level as `95 %` or `98.33 %`, in Chinese without the space."""
    return f"{100.0 * level:.4g}" + (" %" if lang == "en" else "%")


def decimals(values: Sequence[float]) -> int:
    """Return how many decimals show these numbers, which share a column: three where all are below 2, two up to 1000, then one."""
    largest = max((abs(value) for value in values), default=0.0)
    return 3 if largest < 2.0 else 2 if largest < 1000.0 else 1


def counted(counts: tuple[int, int]) -> Counts:
    """Return the pair as `Counts`. Raises InputError unless 0 <= successes <= trials."""
    successes, trials = counts
    if not 0 <= successes <= trials:
        raise InputError(f"{successes} of {trials} people: a count lies between 0 and the size of its group; check what was counted")
    return Counts(successes, trials)


def levelled(level: float) -> float:
    """Return the level. Raises InputError unless it lies between 0 and 1, both left out."""
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level:g} does not lie between 0 and 1: give 0.95 for 95 %")
    return level


def _rank(one: Comparison) -> float:
    return inf if one.p is None else one.p


def _score(group: Counts, control: Counts, ratio: float) -> float:
    """Return Koopman's statistic: chi-square of both counts about the likeliest rates of which one is `ratio` times the other."""
    x1, n1, x0, n0 = *group, *control
    a, b, c = (n1 + n0) * ratio, ratio * (n1 + x0) + x1 + n0, float(x1 + x0)
    p0 = 2.0 * c / (b + sqrt(max(0.0, b * b - 4.0 * a * c)))  # the smaller root, without cancellation
    total = 0.0
    for x, n, p in ((x1, n1, ratio * p0), (x0, n0, p0)):
        spread = n * p * (1.0 - p)
        if spread > 0.0:
            total += (x - n * p) ** 2 / spread
    return total


def _crossing(beyond: Callable[[float], float], middle: float, way: float) -> float:
    """Return where the function, negative at `middle`, turns positive in that direction; the last place looked at if nowhere."""
    step, near = 1.0, middle
    while abs(far := middle + way * step) < MOST + abs(middle) and beyond(far) <= 0.0:
        near, step = far, 2.0 * step
    if beyond(far) <= 0.0:
        return far
    return float(brentq(beyond, min(near, far), max(near, far), xtol=1e-14, rtol=1e-14))
