"""Any number of totals: neither bank nor solver refuses to sum over few rows a total."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from tandem.train import sealer, solver


@contextmanager
def never_refused() -> Iterator[None]:
    """Have it so inside the block."""
    with patch.object(sealer, "require_rows", lambda *_, **__: None), patch.object(solver, "require_rows", lambda *_, **__: None):
        yield
