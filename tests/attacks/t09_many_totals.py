"""T9. Too many totals, by the telco with the coordinator: with as many totals as rows the residuals of all rows are solved for.

The telco's codes are the matrix, totals by bin are the right side. With fewer totals than rows the smallest answer is taken.
Source: security, part 2, T9; protocol review 2.5.
"""

from __future__ import annotations

import numpy as np
from attacked.views import View

from attacks.opened_totals import totals
from attacks.t01_labels import one_hot
from tandem.crypto.slots import Layout

RESIDUAL = 3


def residuals(view: View, layout: Layout) -> np.ndarray:
    """Return every row's residual in fixed point (N,); zeros where there are no totals."""
    codes, bins = view.inputs["codes"], view.inputs["bins"]
    found = totals(view, layout)
    if not len(found):
        return np.zeros(len(codes))
    return np.linalg.lstsq(one_hot(codes, bins).T, found[:, RESIDUAL].astype(float), rcond=1e-9)[0]
