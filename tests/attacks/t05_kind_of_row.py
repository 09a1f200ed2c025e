"""T5. Who is a training row, a hold-out row, a decoy; by the telco: a classifier on what it can see of each sealed row.

It is granted the kind of half of the rows to learn with. Source: security, part 2, T5; protocol review 2.9.
"""

from __future__ import annotations

import numpy as np
from attacked.views import View
from sklearn.ensemble import HistGradientBoostingClassifier

from attacks.t01_labels import one_hot, received


def kinds(view: View, granted: np.ndarray, trains: np.ndarray) -> np.ndarray:
    """Return for every row how likely it trains (N,); `trains` (k,) of the `granted` rows is known."""
    inputs = np.column_stack((one_hot(view.inputs["codes"], view.inputs["bins"]), received(view).by_row))
    if not 0 < trains.sum() < len(trains):
        raise ValueError("rows of both kinds must be granted")
    model = HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=15, random_state=0).fit(inputs[granted], trains)
    return model.predict_proba(inputs)[:, 1]
