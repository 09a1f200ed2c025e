"""A7, by bank and telco: read the other's file order from positions.

A file in the order of sign-up, branch or risk says something of each row by its place alone. The bank takes the positions of its own
customers' tags for the telco's order, the telco takes the roster for the bank's. Source: security, part 7, sorted tables that are not
shuffled.
"""

from __future__ import annotations

from attacked.views import View


def telcos_order(view: View) -> dict[bytes, int]:
    """Return where in the telco's file each matched customer seems to stand: the position of its tag."""
    found, ids = view.inputs["found"], view.inputs["ids"]
    return {ids[row]: int(found.positions[place]) for row, place in zip(found.rows, found.places, strict=True)}


def banks_order(view: View) -> dict[bytes, int]:
    """Return where in the bank's file each customer seems to stand: the place in the roster."""
    return {view.inputs["behind"][position]: place for place, position in enumerate(view.inputs["roster"])}
