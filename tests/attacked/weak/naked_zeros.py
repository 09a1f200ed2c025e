"""Zeros sealed without rho: rows that do not train leave as 1, which everybody can read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import patch

import numpy as np

from attacked.trainings import Training
from tandem.crypto.paillier import Blinded, factors, write
from tandem.errors import NakedCiphertext
from tandem.train import sealer
from tandem.wire.messages import Sealed


def _seal(secret: Any, layout: Any, rows: np.ndarray, _engine: Any, chance: Any, _keep: Any = None) -> Iterator[Sealed]:
    plain = [row[0] for row in zip(*layout.pack(rows), strict=True)]
    randomisers = secret.residues(len(plain), chance.fork("seal"))
    sealed = [
        factor * (rho if any(row) else 1) % secret.public.n2
        for factor, rho, row in zip(factors(secret.public, plain), randomisers, rows.tolist(), strict=True)
    ]
    made: Blinded = object.__new__(Blinded)
    made.key, made._data = secret.public, write(sealed, secret.public.width)
    yield Sealed(0, made)


@contextmanager
def sealed_so(study: Training) -> Iterator[Training]:
    """Play the study's training so inside the block; rows of one ciphertext, one message. The shipped telco stops at them, having seen."""
    with patch.object(sealer, "seal_rows", _seal), suppress(NakedCiphertext):
        yield study
