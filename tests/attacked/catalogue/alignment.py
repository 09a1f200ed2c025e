"""Group A: the oblivious alignment."""

from __future__ import annotations

from attacked.catalogue import Line

LINES: tuple[Line, ...] = ()
