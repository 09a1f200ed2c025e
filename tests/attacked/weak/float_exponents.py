"""Weak: rows are sealed as floats, each with the exponent of its residual in the clear beside it, as libraries of sealed floats do.

The exponents of the first 16 rows travel in `first`, four bits each: the shipped message has no other place for them.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from tandem.session import session
from tandem.wire.messages import Sealed

ROWS = 16


def exponents(rows) -> int:
    """Return the exponents of the residuals at even odds of the training rows' mean, packed."""
    mean = rows.y[rows.train].mean()
    plain = rows.among_cover(np.column_stack((np.where(rows.train, rows.y - mean, 0.0),)))[:ROWS, 0]
    return sum((int(-np.frexp(value)[1]) + 2 & 15 if value else 15) << (4 * place) for place, value in enumerate(plain))


@contextmanager
def float_exponents(rows):
    """Play sessions in which the sealer says them."""
    packed, encode, decode = exponents(rows), session.encode, session.decode

    def said(message):
        return encode(replace(message, first=message.first ^ packed) if isinstance(message, Sealed) else message)

    def heard(kind, data):
        message = decode(kind, data)
        return replace(message, first=message.first ^ packed) if isinstance(message, Sealed) else message

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "encode", said)
        patch.setattr(session, "decode", heard)
        yield
