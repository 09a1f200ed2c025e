"""Trials of a telco that lies about its own codes (T10): not prevented, and seen in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
from attacks import t10_poison

from attacked.label_trials import SMALL_KEY, sentence
from attacked.results import Result, Size, gain
from attacked.trainings import made, with_codes
from bank_party.evaluation import auc_difference
from bank_party.reports.model import Report
from bank_party.summary import _WORDS
from tandem.train.pooled import fit
from tandem.train.sealer import card_log_odds

SAYS = "the report says:"


def _joint(size: Size, poison: Callable[[np.ndarray, tuple[int, ...]], np.ndarray] | None, *, later: bool = False) -> Result:
    """Return what the joint card gains over the bank's own model on the hold-out, in AUC, and what the report says of it."""
    joint, alone, truth = [], [], []
    for seed in size.seeds:
        study = made(4000, SMALL_KEY, 100 + seed, passes=2, hold_out=0.5)
        bins = study.coded.table.bins
        other = study
        if poison:
            other = with_codes(poison(study.coded.table.codes, bins), bins, study.rows, SMALL_KEY, 100 + seed, passes=2)
        if not later:
            study = other
        _, known = study.train()
        study.coded = other.coded
        card = study.card(known)["sealer"]
        test = ~study.rows.train
        theta = fit(study.rows.x[study.rows.train], study.rows.y[study.rows.train], 1.0).theta
        joint.append(card_log_odds(study.rows.x, card.theta, card.row_points)[test])
        alone.append((study.rows.x @ theta)[test])
        truth.append(study.rows.y[test])
    scores, own, labels = (np.concatenate(each) for each in (joint, alone, truth))
    found, difference = gain("AUC gained over the bank's own model", scores, own, labels), auc_difference(labels, own, scores)
    verdict = Report.verdict.fget(SimpleNamespace(holdout=SimpleNamespace(difference=difference)))
    return replace(found, note=f"{SAYS} {_WORDS['en'][verdict].format(**vars(difference))}")


@cache
def honest_codes(size: Size) -> Result:
    """T10: what honest codes bring."""
    return _joint(size, None)


def random_codes(size: Size) -> Result:
    """T10: codes that belong to other people."""
    return _joint(size, lambda codes, _: t10_poison.at_random(codes, 10))


def inverted_codes(size: Size) -> Result:
    """T10: honest codes in training, inverted ones when the card scores."""
    return _joint(size, t10_poison.inverted, later=True)


def sentence_on_poison() -> str:
    """Return what every training contract says."""
    return sentence("A telco that sends random or inverted codes is not prevented")
