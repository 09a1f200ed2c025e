"""What a training tells at full precision: the card's coefficients, or what is told of them after a pass. Or groups of no weight."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from tandem.train import solver
from tandem.wire.messages import Step


@contextmanager
def full_precision() -> Iterator[None]:
    """Have every solver release coefficients as it finds them."""
    with patch.object(solver, "_rounded", lambda theta, _se: theta):
        yield


@contextmanager
def full_length() -> Iterator[None]:
    """Have every solver round the card alone, and tell a pass's Newton point as it is."""

    def step(newton: Any, columns: int, ridge: float) -> Step:
        theta = newton.theta
        return Step("", float(theta[columns:] @ theta[columns:]), newton.tau, tuple(theta[:columns].tolist()), ridge)

    with patch.object(solver, "_step", step):
        yield


@contextmanager
def any_weight() -> Iterator[None]:
    """Have every solver take groups that hang on the weight of one row."""
    with patch.object(solver, "_check_groups", lambda *_: None):
        yield
