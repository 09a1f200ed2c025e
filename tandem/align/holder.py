"""Alignment, the side whose key it is. See the picture in `script`."""

from __future__ import annotations

import hashlib

import numpy as np

from tandem.align.cover import whole
from tandem.align.script import TAGS_LENGTH
from tandem.align.tags import WIDTH
from tandem.arguments import Chance, Engine, Once, unkept
from tandem.crypto import group, voprf
from tandem.errors import Enumeration, Malformed, OutOfTurn
from tandem.session.session import Role
from tandem.tables import Positions
from tandem.wire.messages import Answer, Proof, Query, Roster, Shelved, Tags, Weighed


def hold(
    key: voprf.KeyPair, tags: bytes, asked: int, roster_cap: int, engine: Engine, chance: Chance, once: Once = unkept, *, cover: int = 1
) -> Role[Positions]:
    """Play ALIGN with shuffled `tags`, `cover` of them a group; return the roster, ascending positions in them.

    `asked` identifiers were declared when the session opened, and held against cap and budget there; `once` holds all attempts at one
    alignment together to them. Raises Enumeration for more of them or a longer roster, ForeignElement for bad or repeated points,
    OutOfTurn if the seeker shelved another table than this one.
    """
    for at in range(0, len(tags), TAGS_LENGTH * WIDTH):
        yield Tags(tags[at : at + TAGS_LENGTH * WIDTH])
    shelved: Shelved = yield Shelved
    if (shelved.count, shelved.digest) != (len(tags) // WIDTH, hashlib.sha256(tags).digest()):
        raise OutOfTurn("the seeker acknowledged other tags than were sent")
    heard = bytearray()
    while query := (yield Query):
        points = group.split(query.points)
        heard += group.beginnings(query.points)
        if len(heard) > asked * group.BEGINNING:
            raise Enumeration(f"more than the {asked} identifiers declared were asked")
        once(hashlib.sha256(query.points).digest(), len(points))
        yield Answer(b"".join(voprf.answer(key, points, engine)))
    group.distinct(heard)
    weighed: Weighed = yield Weighed
    yield Proof(voprf.prove(key, weighed.point, chance))
    groups: list[Positions] = []
    most = min(asked, roster_cap // cover)
    while part := (yield Roster):
        if len(part.positions) % 4:
            raise Malformed("a roster cut in the middle of a position")
        groups.append(np.frombuffer(part.positions, "<u4").astype(np.int64))
        if sum(map(len, groups)) > most:
            raise Enumeration(f"a roster of more rows than were asked or allowed ({most * cover})")
    return whole(_ascending(groups, len(tags) // WIDTH // cover), cover)


def _ascending(parts: list[Positions], below: int) -> Positions:
    """Return the positions joined. Raises Enumeration unless they ascend and stay below the table's size (A12)."""
    positions = np.concatenate(parts) if parts else np.empty(0, np.int64)
    if np.any(np.diff(positions) <= 0) or (len(positions) and positions[-1] >= below):
        raise Enumeration("a roster that names a position twice, out of order, or beyond the table")
    return positions
