"""How many people a group needs so that a difference of rates is shown, and which difference a group of given size can show.

    group     n people, rate p + d      control     r n people, rate p
    n = ((z(1 - a/2) s0 + z(power) s1) / d)^2       a = 1 - level, two-sided
    s0, s1: spread of the difference for one person of the group, with the pooled rate (no difference) and with both rates (d)

Fleiss, Levin and Paik (2003), section 4.2, without correction for continuity. The tail on the other side is left out, as it is
negligible. The verdict itself is by Newcombe's interval, so the power is that of its like, the pooled z test.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import NamedTuple

from scipy.optimize import brentq

from bank_party.evaluation import LEVEL
from bank_party.lift import levelled
from tandem.errors import InputError

POWER = 0.8
"""Chance that a difference of the size looked for is shown."""


class Sizes(NamedTuple):
    """People needed in the group and in its control."""

    group: int
    control: int


def needed(baseline: float, detect: float, level: float = LEVEL, power: float = POWER, ratio: float = 1.0) -> Sizes:
    """Return the people needed to show that a rate of `baseline` became baseline + detect (a drop if negative).

    `ratio`: people in control for each in the group. Raises InputError for rates outside 0 to 1, no difference, or a power not above the
    chance of a false verdict.
    """
    rows = rows_needed(baseline, detect, level, power, ratio)
    return Sizes(ceil(rows), ceil(ratio * rows))


def detectable(
    baseline: float, group: int, control: int | None = None, level: float = LEVEL, power: float = POWER
) -> float | None:
    """Return the smallest increase over `baseline` that groups of these sizes show with that power (control as large if None).

    None where a group is empty or even all people would not be enough. Raises InputError as `needed` does.
    """
    control = group if control is None else control
    if min(group, control) < 0:
        raise InputError(f"groups of {group} and {control} people: a size is not negative")
    room = 1.0 - _rate(baseline, "baseline")
    if not (group and control and room):
        _checked(level, power)
        return None
    ratio = control / group

    def lacking(difference: float) -> float:
        return rows_needed(baseline, difference, level, power, ratio) - group

    if lacking(room) > 0.0:
        return None
    least = room
    while least > 1e-12 and lacking(least) <= 0.0:
        least /= 2.0
    return float(brentq(lacking, least, min(room, 2.0 * least), xtol=1e-15, rtol=1e-12))


def rows_needed(baseline: float, detect: float, level: float = LEVEL, power: float = POWER, ratio: float = 1.0) -> float:
    """Return the people needed in the group, not rounded (see `needed`)."""
    p0 = _rate(baseline, "baseline")
    p1 = _rate(baseline + detect, "baseline and difference together")
    alpha = _checked(level, power)
    if not detect:
        raise InputError("a difference of 0 cannot be looked for: name the smallest that would matter")
    if not ratio > 0.0:
        raise InputError(f"{ratio:g} people in control for each in the group: give a number above 0")
    pooled = (p1 + ratio * p0) / (1.0 + ratio)
    s0 = sqrt(pooled * (1.0 - pooled) * (1.0 + 1.0 / ratio))
    s1 = sqrt(p1 * (1.0 - p1) + p0 * (1.0 - p0) / ratio)
    normal = NormalDist()
    return float((max(0.0, normal.inv_cdf(1.0 - alpha / 2.0) * s0 + normal.inv_cdf(power) * s1) / detect) ** 2)


def _rate(value: float, name: str) -> float:
    if not 0.0 <= value <= 1.0:
        raise InputError(f"{name}: {value:g} is no rate; rates lie between 0 and 1")
    return value


def _checked(level: float, power: float) -> float:
    """Return 1 - level. Raises InputError for a power that chance alone gives, or 1."""
    alpha = 1.0 - levelled(level)
    if not alpha < power < 1.0:
        raise InputError(f"power {power:g} must lie between {alpha:g}, which chance alone gives, and 1: 0.8 is usual")
    return alpha
