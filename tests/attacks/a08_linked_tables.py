"""A8, by the bank: lay the tables of two contracts, epochs or purposes over each other.

Equal tags are the same person: the bank learns how many subscribers joined and left, and follows strangers by their tags. Source:
protocol-review 2.7, one k for alignment and look-up.
"""

from __future__ import annotations

from dataclasses import dataclass

from attacked.views import View

from tandem.wire.messages import Tags

WIDTH = 16


@dataclass(frozen=True)
class Linked:
    """What two tables laid over each other say."""

    stayed: int
    joined: int
    left: int


def link(first: View, second: View) -> Linked:
    """Return how many tags are in both tables, in the second alone, and in the first alone."""
    before, after = tags(first), tags(second)
    return Linked(len(before & after), len(after - before), len(before - after))


def tags(view: View) -> set[bytes]:
    """Return the tags that the bank was sent."""
    whole = b"".join(part.tags for part in view.messages(Tags))
    return {whole[at : at + WIDTH] for at in range(0, len(whole), WIDTH)}
