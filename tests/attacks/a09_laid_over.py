"""A9, by the telco: join the rosters of several contracts by person.

Customers are in each of them; a stranger who covers is not, if cover is drawn anew each time. Source: protocol-review 2.6; intersection
attack, Berthold and Langos, "Dummy traffic against long term intersection attacks", PET 2002.
"""

from __future__ import annotations

from collections.abc import Sequence

from attacked.views import View


def in_all(views: Sequence[View]) -> set[bytes]:
    """Return who is in every roster."""
    return set.intersection(*({view.inputs["behind"][position] for position in view.inputs["roster"]} for view in views))
