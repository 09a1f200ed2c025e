"""Under the telco's noise the bank seals one column, since noise grows with them: the log-odds of all its columns alone, centred and cut.

Fitted on its columns x (N, p) alone, the bank's coefficients make the score; beside the card's points, as an offset, x is fitted again, and
those are the model's own coefficients. They are told to nobody.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tandem.contract.noise import WIDEST_SCORE
from tandem.score.statement import POINT
from tandem.sums.terms import Reals
from tandem.train.pooled import fit
from tandem.train.sealer import Card, Rows


def folded(rows: Rows, ridge: float) -> tuple[Rows, Reals]:
    """Return rows of one own column beside the intercept, and the coefficients alone (p,) that it was made with.

    Raises InputError if the columns have no fit.
    """
    alone = fit(rows.x[rows.train], rows.y[rows.train], ridge).theta
    score = rows.x @ alone
    centred = (score - score[rows.train].mean()).clip(-WIDEST_SCORE, WIDEST_SCORE)
    return replace(rows, x=np.column_stack((np.ones(len(score)), centred))), alone


def unfolded(card: Card, rows: Rows, ridge: float) -> Card:
    """Return the card with coefficients of all own columns of `rows` in place of the score's: fitted beside the card's exact points.

    Their errors are those of this fit: the points count as given.
    """
    points = card.row_points[rows.train].astype(np.float64)
    found = fit(rows.x[rows.train], rows.y[rows.train], ridge, offset=points * POINT)
    return replace(card, theta=(*found.theta.tolist(), *card.theta[2:]), se=(*found.se.tolist(), *card.se[2:]))
