"""Another door: what one contract no longer gives is asked under the next (A2, S3, S6).

Who: a bank that follows the protocol and chooses contracts, keys and moments. Procedure: take everything through one door, then
go to the next: a further contract, a subset of the roster, a second signing key and certificate, the node after a restart, the node after
its ledger was put back from a backup. Count what is given beyond what one bank may have. Source: security.md, A2 and S6 of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Door = TypeVar("Door")


def beyond(doors: Iterable[Door], take: Callable[[Door], int], allowed: int) -> tuple[int, int]:
    """Return (given beyond `allowed`, doors tried after it was spent). `take` gives what came through a door, 0 if it was refused."""
    had, extra, tried = 0, 0, 0
    for door in doors:
        spent = had >= allowed
        given = take(door)
        had += given
        tried += spent
        extra += spent and given > 0
    return extra, tried
