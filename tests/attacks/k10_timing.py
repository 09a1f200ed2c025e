"""K10. Whoever can time the bank or the telco: how long a number takes says something of it, or of the key that it meets.

Procedure: two kinds of work, which differ in what the attacker wants to know alone; Welch's t between their durations (Reparaz, Balasch and
Verbauwhede, "Dude, is my code constant time?", DATE 2017), taken on ranks (Conover and Iman 1981), so that a busy machine's few very slow
ones do not drown it. Beyond 4.5 in size the two can be told apart.
Over the wire: the time between two chunks of sealed rows against how many of their rows are zero (hold-out, decoys, not contacted).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from attacked.views import View
from scipy import stats

TOLD_APART = 4.5


def apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the size of Welch's t between the ranks of two lists of durations."""
    ranks = stats.rankdata([*one, *other])
    return float(abs(stats.ttest_ind(ranks[: len(one)], ranks[len(one) :], equal_var=False).statistic))


def between_chunks(view: View) -> list[float]:
    """Return the seconds before each chunk of rows but the first."""
    at = [one.at for one in view.frames("Sealed")]
    return [later - earlier for earlier, later in pairwise(at)]
