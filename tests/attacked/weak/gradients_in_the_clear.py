"""Gradients in the clear, of batches of any size: the solver tells the summer each bin's total of residuals, and few rows are not refused.

What arbiters of first-order protocols give back (FATE, arbiter.py), on our sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from attacked.trainings import Training
from attacked.weak.one_more_line import hearing, saying, with_line
from tandem.train import sealer, solver
from tandem.wire.messages import Points, Statistics, Table

RESIDUAL = 3
"""Slot of the residual."""


@contextmanager
def told_gradients(study: Training) -> Iterator[Training]:
    """Play the study's training so inside the block."""
    found: list[Any] = []
    honest = solver.answer_once

    def noted(*arguments: Any) -> Any:
        found.append(honest(*arguments))
        return found[-1]

    def played(name: str, _: Any, role: Any) -> Any:
        if name == "solver":
            return saying(role, Statistics, lambda: Points(tuple(found[-1][:, RESIDUAL].tolist())))
        return hearing(role, Table, Points) if name == "summer" else role

    study.lines = lambda script: with_line(script, Statistics, "solver", "summer", Points)
    study.corrupt = played
    with patch.object(solver, "answer_once", noted), patch.object(sealer, "require_rows", lambda *_, **__: None):
        yield study
