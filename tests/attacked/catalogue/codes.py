"""Group S: the bank against the telco's codes."""

from __future__ import annotations

from attacked.catalogue import Line

LINES: tuple[Line, ...] = ()
