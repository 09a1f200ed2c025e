"""T3. Canary columns, by the telco: variables that tell a secret group from everybody else; the label is read off their points.

One-hot: the point of a bin that holds the group alone is its log-odds against the rest. Under WoE coding, twins: a variable that is like
another but for one person moved to another bin; WoE and points move by that one person's label.
Source: security, part 2, T3.
"""

from __future__ import annotations

import numpy as np
from attacked.views import View

from tandem.wire.messages import Points


def with_groups(codes: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """Return codes (N, d + groups): a variable of two bins for each group, 1 for its members."""
    marks = np.zeros((len(codes), len(groups)), dtype=codes.dtype)
    for j, rows in enumerate(groups):
        marks[rows, j] = 1
    return np.column_stack((codes, marks))


def twins(base: np.ndarray, targets: list[int]) -> np.ndarray:
    """Return codes (N, 1 + targets): one variable of three bins, and a twin for each target, who moves from bin 1 to bin 0."""
    first = base.copy()
    first[targets] = 1
    codes = np.column_stack([first] * (1 + len(targets)))
    for j, target in enumerate(targets, 1):
        codes[target, j] = 0
    return codes


def _points(view: View) -> np.ndarray | None:
    told = view.messages(Points, sent=False)
    return np.array(told[0].points, dtype=float) if told else None


def group_scores(view: View, first: int, groups: int) -> np.ndarray:
    """Return a score for each group: higher where its members are likelier bad; all 0 where no points were seen. first: its first bin."""
    points = _points(view)
    if points is None:
        return np.zeros(groups)
    pairs = points[first:].reshape(groups, 2)
    return pairs[:, 1] - pairs[:, 0]


def row_scores(view: View) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (all variables' points of each row, the first variable's alone), (N,) each; None if no points were seen."""
    points, codes, bins = _points(view), view.inputs["codes"], view.inputs["bins"]
    if points is None:
        return None
    starts = np.cumsum((0, *bins[:-1]))
    first, *rest = (points[start + codes[:, j].astype(int)] for j, start in enumerate(starts))
    return first + sum(rest), first


def twin_labels(view: View, targets: int) -> np.ndarray:
    """Return the label of each target, -1 where no points were seen. Bin 2 is the same in all twins, so points are taken against it."""
    points = _points(view)
    if points is None:
        return np.full(targets, -1)
    table = points.reshape(1 + targets, 3)
    ratio = table[:, 0] / np.where(table[:, 2] == 0, np.inf, table[:, 2])
    lower_is_worse = ratio[0] > 0
    return ((ratio[1:] > ratio[0]) != lower_is_worse).astype(int)
