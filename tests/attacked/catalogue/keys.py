"""Group K: keys and ciphertexts."""

from __future__ import annotations

from attacked.catalogue import Line

LINES: tuple[Line, ...] = ()
