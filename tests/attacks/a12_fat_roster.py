"""A12, by the bank: name people in the roster who do not match, to have strangers scored; and find out later who they are.

A roster of everybody; one that names a group twice, out of order, or beyond the table. And where cover is scored honestly: its tags are
kept, and a later query with the same key says whose they are. Source: protocol-review 2.6, "bank side".
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attacked.views import View

from tandem.crypto import group, voprf
from tandem.wire.messages import Answer, Query, Roster, Tags

WIDTH = 16
LENGTH = 16_384
"""Identifiers of one query, as align.script has it."""


def rosters(groups: int, asked: int, honest: list[int]) -> Iterator[tuple[str, Roster]]:
    """Yield (name, roster) of what must be refused, for a table of so many groups of which `asked` may be named."""
    yield "everybody", named(range(groups))
    yield "one too many", named(range(asked + 1))
    yield "one twice", named([honest[0], *honest])
    yield "out of order", named(honest[::-1])
    yield "beyond the table", named([*honest, groups])
    yield "far beyond the table", named([*honest, 2**32 - 1])


def named(groups: list[int] | range) -> Roster:
    """Return the message that names these groups."""
    return Roster(np.array(list(groups), "<u4").tobytes())


def tags_of_cover(view: View) -> set[bytes]:
    """Return the tags of all who were scored although they are no customers of ours."""
    found = view.inputs["found"]
    whole = b"".join(part.tags for part in view.messages(Tags))
    own = set(found.positions[found.places].tolist())
    return {whole[at * WIDTH : (at + 1) * WIDTH] for at in found.positions.tolist() if at not in own}


def opened(view: View) -> dict[bytes, bytes]:
    """Return by tag whose it is, of all that were asked: answers of one query, with the blinds that the bank drew for it."""
    ids, found = view.inputs["ids"], {}
    for number, (query, answer) in enumerate(zip(view.messages(Query), view.messages(Answer), strict=True)):
        points, answers = group.split(query.points), group.split(answer.points)
        first = number * LENGTH
        blinds = group.random_scalars(view.inputs["blinds"].fork("blind", first), len(points))
        part = ids[first : first + len(points)]
        outputs = voprf.open_batch((0, part, blinds, points, answers, bytes(voprf.WEIGHT_WIDTH * len(points)))).outputs
        found.update({output[:WIDTH]: name for output, name in zip(outputs, part, strict=True)})
    return found
