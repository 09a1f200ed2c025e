"""Residuals in the clear: the sealer tells the summer each row's p - y beside the sealed row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from attacked.trainings import Training
from attacked.weak.one_more_line import hearing, saying, with_line
from tandem.train import sealer
from tandem.wire.messages import OpenScores, Shares, Wish


@contextmanager
def told_residuals(study: Training) -> Iterator[Training]:
    """Play the study's training so inside the block."""
    sealed: list[Any] = []
    honest = sealer._sealable

    def noted(rows: sealer.Rows, *rest: Any, failed: str) -> Any:
        plain = honest(rows, *rest, failed=failed)
        sealed.append(rows.among_cover(plain)[:, 3])
        return plain

    def played(name: str, _: Any, role: Any) -> Any:
        if name == "sealer":
            return saying(role, Wish, lambda: OpenScores(tuple(sealed[-1].tolist())))
        return hearing(role, Shares, OpenScores) if name == "summer" else role

    study.lines = lambda script: with_line(script, Wish, "sealer", "summer", OpenScores)
    study.corrupt = played
    with patch.object(sealer, "_sealable", noted):
        yield study
