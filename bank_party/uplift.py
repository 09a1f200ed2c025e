"""Whether a score ranks people by what the contact brings them: lift by slice of the score, and the Qini coefficient.

    f(s)    successes per person of the group less those of control, counted among the share s of people with the highest scores
    Qini    area between f and the straight line from 0 to f(1), which a score without use would give (Radcliffe 2007)

A person at share s from the top is under f for the last 1 - s of it, so the area is the difference between group and control in the mean of
outcome x (1/2 - s): a difference of means, with Welch's interval, the places of the scores taken as given. Amounts as well as outcomes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bank_party.evaluation import SLICES, FloatArray, shares_above, slices_of
from bank_party.lift_means import amounts, compare_means
from bank_party.lift_table import FEW, Experiment, Line, as_one, by_segment, small


def by_slice(experiment: Experiment, level: float, few: int = FEW, slices: int = SLICES) -> list[Line]:
    """Return the lift by slice of the score, highest first, judged together; equal scores stay in one slice, empty slices are left out."""
    number = slices_of(-experiment.score, slices)
    present, place = np.unique(number, return_inverse=True)
    names = tuple(f"{i + 1}/{slices}" for i in present.tolist())
    return by_segment(replace(experiment, segments=names, segment=place.astype(np.int64)), level, few)


def qini(experiment: Experiment, level: float, few: int = FEW) -> list[Line]:
    """Return the Qini coefficient of the score for every measure and arm, judged together: in the measure's unit a person.

    "higher": the score puts those whom the contact moves on top; "lower": at the bottom.
    """
    lines = []
    for name, values in experiment.measures.items():
        for i, arm in enumerate(experiment.arms[1:], 1):
            pair = np.isin(experiment.arm, (0, i))
            weighted: FloatArray = values[pair].astype(np.float64) * (0.5 - shares_above(experiment.score[pair]))
            group, control = (amounts(weighted[experiment.arm[pair] == one]) for one in (i, 0))
            compared = compare_means(group, control, level)
            lines.append(Line(name, None, arm, group.rows, None, None, compared, small(group.rows, control.rows, few)))
    return as_one(lines)

