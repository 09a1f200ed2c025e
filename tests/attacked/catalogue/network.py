"""Group N: the network."""

from __future__ import annotations

from attacked import game, replays
from attacked.catalogue import Line
from attacked.results import NONE, at_least
from attacked.weak.no_sequence import NoSequence


def _told(name: str, pair: str, fixture: str = "float exponents on the wire") -> Line:
    """Return the line of one pair of the game of left or right."""
    return Line(
        name, f"left or right: {pair}", "telco", "blocked", fixture,
        lambda size: game.accuracy(pair, size, weak=True), game.CAUGHT, lambda size: game.accuracy(pair, size), game.TOLD,
    )


LINES: tuple[Line, ...] = (
    Line(
        "N1", "replay, reorder, drop, reflect, other job, other role", "network", "blocked", "no sequence check",
        lambda size: replays.accepted(size, NoSequence), at_least(0.02), replays.accepted, NONE,
    ),
    Line(
        "N2", "sizes and numbers of frames", "network", "blocked", "frames as long as what they say",
        game.lengths_told, game.CAUGHT, game.lengths_differ, NONE,
    ),
    _told("N3a", "labels permuted"),
    _told("N3b", "training and hold-out exchanged"),
    _told("N3c", "customers and cover exchanged"),
    _told("N3d", "two selections of variables", "selection in the clear"),
)
