"""result.json: the study's figures for programs. The schema is docs/result-schema.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bank_party.reports.model import NAMES, Report
from tandem.errors import InputError
from tandem.node import disk

SCHEMA = 1
"""Raised when a field changes its meaning or goes; a new field does not raise it."""


def result(report: Report) -> dict[str, Any]:
    """Return the figures as plain values, ready for JSON. What was not measured is None, never NaN."""
    scores, difference, confusion = report.holdout.scores, report.holdout.difference, report.holdout.confusion
    return {
        "schema": SCHEMA,
        "study": report.study,
        "purpose": report.purpose,
        "synthetic": report.synthetic,
        "asked": report.asked,
        "matched": report.matched,
        "train_rows": report.train_rows,
        "holdout_rows": report.holdout.rows,
        "holdout_positives": report.holdout.positives,
        "auc": {name: list(scores[name].auc) if name in scores else None for name in NAMES},
        "ks": {name: list(scores[name].ks) if name in scores else None for name in NAMES},
        "auc_gain": [difference.value, difference.low, difference.high],
        "auc_gain_p": difference.p,
        "verdict": report.verdict,
        "brier": report.holdout.calibration.brier,
        "threshold": confusion.threshold,
        "accuracy": confusion.accuracy,
        "recall": confusion.recall,
        "coefficients_max_se_difference": report.coefficients_max_se_difference,
        "se_ratios": None if report.se_ratios is None else list(report.se_ratios),
        "se_exact": not report.se_approximate,
        "passes": report.passes,
        "passes_accepted": report.accepted,
        "grain": report.grain,
        "card_step": report.card_step,
        "ridge": report.ridge,
        "ridge_chosen": report.ridge_chosen,
        "key_bits": report.key_bits,
        "seconds": dict(report.seconds),
        "bytes": {f"{way.sender} to {way.receiver}": way.bytes for way in report.traffic},
        "peak_memory": dict(report.peak_memory),
        "versions": dict(report.versions),
    }


def write_result(path: Path, report: Report) -> None:
    """Write result.json whole or not at all. Raises InputError where the place cannot be written, or a figure is not finite."""
    try:
        text = json.dumps(result(report), ensure_ascii=False, indent=2, allow_nan=False)
    except ValueError as error:
        raise InputError("a figure of the result is not a finite number; nothing was written") from error
    disk.write(path, f"{text}\n".encode())
