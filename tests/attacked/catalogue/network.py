"""Group N: the network."""

from __future__ import annotations

from attacked.catalogue import Line

LINES: tuple[Line, ...] = ()
