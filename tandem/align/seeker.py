"""Alignment, the side that asks about its own identifiers. See the picture in `script`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tandem.align.cover import whole
from tandem.align.script import QUERY_LENGTH, ROSTER_LENGTH
from tandem.align.tags import CAPACITY, WIDTH, Shelf
from tandem.arguments import Chance, Engine, Once, unkept
from tandem.crypto import group, voprf
from tandem.errors import InputError, Malformed
from tandem.session.session import Role
from tandem.tables import Positions
from tandem.wire.messages import Answer, Proof, Query, Roster, Shelved, Tags, Weighed


@dataclass(frozen=True)
class Found:
    """The roster: `positions` in the holder's table, ascending. `table`: |X|.

    `rows`: which of the identifiers asked match, in roster order; `places`: the roster row of each. The other rows are cover.
    """

    positions: Positions
    rows: Positions
    places: Positions
    table: int


def seek(
    public: bytes, ids: list[bytes], table_cap: int, fewest: int, engine: Engine, chance: Chance, kept: Chance, once: Once = unkept, *,
    cover: int = 1, roster_cap: int = CAPACITY,
) -> Role[Found]:
    """Play ALIGN for normalised identifiers; return the roster.

    `kept` gives the blinds and may repeat itself when the same identifiers are asked again; `chance` gives the weights, fresh each time.
    `public` is the key pinned in the contract; the holder's table comes in groups of `cover` tags, and `once` is asked about it, by digest
    and size, before anything is said to it. Raises KeySwitched if one answer was not made with that key, Oversized for a table beyond
    `table_cap`, DuplicateTag, Malformed for a group cut short, and InputError for fewer than `fewest` matches or a roster beyond
    `roster_cap`, before the holder hears of any.
    """
    shelf = Shelf(table_cap)
    while tags := (yield Tags):
        shelf.extend(tags.tags)
    if len(shelf) % cover:
        raise Malformed(f"a table of {len(shelf)} tags, which are no whole groups of {cover}")
    once(shelf.digest, len(shelf))
    yield Shelved(len(shelf), shelf.digest)
    shelf.sort()
    if not ids:
        raise _too_few(0, 0, fewest)
    found = _Opening(shelf)
    begun = _blinded(ids, 0, engine, kept)
    waiting: Iterator[voprf.Opened] = iter(())
    for first in range(0, len(ids), QUERY_LENGTH):
        chunk, blinds, slices = begun
        points = [point for part in slices for point in part]
        begun = _blinded(ids, first + QUERY_LENGTH, engine, kept)  # the next chunk fills what time the workers have to spare
        yield Query(b"".join(points))
        found.take(waiting)  # the chunk before, while the holder answers this one
        answer: Answer = yield Answer
        waiting = voprf.begin_opening(chunk, blinds, points, group.split(answer.points), engine, chance.fork("weights", first))
    found.take(waiting)
    yield Weighed(found.weighed)
    proof: Proof = yield Proof
    voprf.verify(public, found.weighed, found.answered, proof.proof)
    places = np.concatenate(found.places)
    rows = np.flatnonzero(places >= 0)
    if len(rows) < fewest:
        raise _too_few(len(rows), len(ids), fewest)
    rows = rows[np.argsort(places[rows])]
    groups = np.unique(places[rows] // cover)
    if len(groups) * cover > roster_cap:
        raise _too_many(len(rows), len(groups), cover, roster_cap)
    for first in range(0, len(groups), ROSTER_LENGTH):
        yield Roster(groups[first : first + ROSTER_LENGTH].astype("<u4").tobytes())
    positions = whole(groups, cover)
    return Found(positions, rows, np.searchsorted(positions, places[rows]).astype(np.int64), len(shelf))


class _Opening:
    """Answers opened so far: where each identifier stands in the table, and the sums that the proof is about."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self.places: list[Positions] = []
        self.weighed = self.answered = group.IDENTITY

    def take(self, opened: Iterable[voprf.Opened]) -> None:
        for part in opened:
            self.places.append(self._shelf.find([output[:WIDTH] for output in part.outputs]))
            self.weighed = group.add((self.weighed, part.weighed))
            self.answered = group.add((self.answered, part.answered))


def _too_few(matched: int, asked: int, fewest: int) -> InputError:
    return InputError(
        f"{matched} of {asked} identifiers match; the contract needs {fewest}. Check that both sides use the same form of"
        " identifier (phone numbers, or the same hash of them) and the same people"
    )


def _too_many(matched: int, groups: int, cover: int, cap: int) -> InputError:
    grouped = f" with their cover groups, {groups} of {cover} people," if cover > 1 else ""
    return InputError(
        f"{matched} customers match, and{grouped} make a roster of {groups * cover} rows; caps.roster is {cap}. Ask for fewer customers,"
        " or draft a contract with a larger caps.roster: layout.cover times the matches is always enough"
    )


def _blinded(ids: list[bytes], first: int, engine: Engine, chance: Chance) -> tuple[list[bytes], list[bytes], Iterator[list[bytes]]]:
    """Begin to blind the chunk of identifiers from `first` on: (identifiers, blinds, points by slice)."""
    chunk = ids[first : first + QUERY_LENGTH]
    return (chunk, *voprf.begin_blinding(chunk, engine, chance.fork("blind", first)))
