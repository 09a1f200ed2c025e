"""K1: rows are sealed as 1 + m*n, without rho, and nothing looks at what leaves: neither for rho = 1 nor for a rho met before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tandem.crypto import opening, paillier


@contextmanager
def no_randomiser() -> Iterator[None]:
    def leave(key, values, _fresh):
        return paillier._fit(key, paillier.write([value % key.n2 for value in values], key.width))

    with (
        mock.patch.object(opening, "leave", leave), mock.patch.object(opening.SecretKey, "residues", return_value=[]),
        mock.patch.object(paillier.Blinded, "remember"),
    ):
        yield
