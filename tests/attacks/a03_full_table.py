"""A3, by the telco: put everyone into the table, and read from the roster which of them are customers.

The numbers need not be its own subscribers: nothing in the table shows whose they are. Source: protocol-review 2.7, "the telco enumerates
too".
"""

from __future__ import annotations

from attacked.views import View


def customers(view: View, cover: int) -> list[frozenset[bytes]]:
    """Return by named group who is in it: with cover 1 each group is one customer. `view` has `behind`, the person of each position."""
    behind, roster = view.inputs["behind"], view.inputs["roster"]
    people = [behind[position] for position in roster]
    return [frozenset(people[at : at + cover]) for at in range(0, len(people), cover)]
