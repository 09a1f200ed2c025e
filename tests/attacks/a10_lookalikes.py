"""A10, by the telco: tell customers from their cover by what else it knows, or by whom it puts beside them.

Its own variables of the roster's people against those of everybody else say who looks like a customer. And a group of one target and
strings that nobody has for a number is named if, and only if, the target is a customer. Source: protocol-review 2.6, "prior".
"""

from __future__ import annotations

import numpy as np
from attacked.views import View
from sklearn.linear_model import LogisticRegression


def likeness(view: View) -> np.ndarray:
    """Return for each roster row how much that person looks like one of the roster, by the telco's own `variables` (people, d)."""
    variables, named = view.inputs["variables"], view.inputs["rows"][view.inputs["roster"]]
    inside = np.zeros(len(variables), dtype=int)
    inside[named] = 1
    model = LogisticRegression().fit(variables, inside)
    return model.decision_function(variables[named])


def told(view: View, cover: int) -> set[bytes]:
    """Return the targets whose groups were named: the first of each group is a person, the others are invented."""
    roster = view.inputs["roster"]
    return {view.inputs["behind"][position] for position in roster[roster % cover == 0]}
