"""A4, by the telco: guess whom the bank asks about.

Each guess y is hashed to the group and compared with what was asked, as it is and under every blind that ever became known; and what two
jobs asked is compared byte by byte. An element is r * H(y) with r uniform, so that it fits every guess equally (RFC 9497, section 7.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attacked.views import View

from tandem.crypto import group
from tandem.wire.messages import Query

DST = b"HashToGroup-OPRFV1-\1-ristretto255-SHA512"


def asked(view: View) -> set[bytes]:
    """Return all elements that were asked."""
    return {point for query in view.messages(Query) for point in group.split(query.points)}


def dictionary(view: View, guesses: Sequence[bytes], blinds: Iterable[bytes] = ()) -> set[bytes]:
    """Return the guesses that stand in the query, plain or under a blind of an earlier job."""
    points, blinds = asked(view), list(blinds)
    found = set()
    for guess in guesses:
        plain = group.hash_to_group(guess, DST)
        if plain in points or any(group.multiply(blind, plain) in points for blind in blinds):
            found.add(guess)
    return found


def repeated(views: Iterable[View]) -> int:
    """Return how many elements of all jobs but the first were asked in an earlier one."""
    seen: set[bytes] = set()
    count = 0
    for number, view in enumerate(views):
        points = asked(view)
        count += len(points & seen) if number else 0
        seen |= points
    return count
