"""Group T and C: telco and coordinator against the bank."""

from __future__ import annotations

from attacked.catalogue import Line

LINES: tuple[Line, ...] = ()
