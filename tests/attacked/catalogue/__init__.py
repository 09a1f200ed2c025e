"""Every named attack with the fixture it must break, what it meets on the shipped code, and the gate: a line each, in order.

A line that is missing fails the build, and so does a fixture that survives its attack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from attacked.results import Gate, Result, Size

Outcome = Literal["blocked", "bounded", "printed"]
Trial = Callable[[Size], Result]

NAMED = (
    *(f"A{n}" for n in range(1, 13)), *(f"K{n}" for n in range(1, 12)), *(f"S{n}" for n in range(1, 10)), *(f"T{n}" for n in range(1, 11)),
    "C1", "N1", "N2", "N3",
)
"""The list of attacks that there must be a line for; a variant of one is called by its name and a letter, as K5a."""
NOT_LANDED = {"T8": "there is no look-up yet"}
"""Of these, those whose target is not built."""


@dataclass(frozen=True)
class Line:
    """One attack, tried twice."""

    id: str
    title: str
    by: str
    """Who mounts it."""
    outcome: Outcome
    fixture: str
    """What the weakened fixture is, in a few words."""
    weakened: Trial
    control: Gate
    """What the attack must reach on the fixture."""
    shipped: Trial
    gate: Gate
    """What it must not exceed on shipped code; where it is printed: what shows that the sentence is true."""
    sentence: Callable[[], str] | None = None
    """Of a printed one: the sentence, taken from where the user meets it. Raises if it is not there."""
    nightly: bool = False
    """Too long for every change."""
