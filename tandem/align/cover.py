"""Cover groups: the holder's people in groups of f, each the same in every contract with one seeker, and named whole or not at all.

    holder: people X, a mark of each               seeker: matches in X
        groups of f people, kept for this seeker
        Tags     group by group, shuffled  --->
                                           <---  Roster   the groups with a match in them
    learns that a customer is in each group        learns scores of the others too, under tags

Fresh decoys in each contract would hide nobody for long: whoever stands in every roster is a customer (A9). Companions who stay the same
keep a customer one of f, however many rosters are laid over each other. So a group is never filled up again: somebody who joins a group
whose roster was seen before would be told from the others. People who come later make groups of their own, and a group loses those who
leave. It is offered while more than half of it is there.

A mark is a keyed hash of an identifier, 16 bytes; the key never leaves the holder. f = 1 is no cover, and needs none of this.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tandem.align.tags import WIDTH as TAG_WIDTH
from tandem.align.tags import shuffle
from tandem.arguments import Chance
from tandem.tables import Positions

WIDTH = 16
"""Bytes of a mark: two of 10 million people share one with odds of 2^-82."""

_MARK = np.dtype(f"S{WIDTH}")
_TAG = np.dtype(f"V{TAG_WIDTH}")
_GONE = -1


def mark(ids: Iterable[bytes], key: bytes) -> bytes:
    """Return the marks of `ids`, 16 bytes each, in their order: BLAKE2b under `key`, at most 64 bytes."""
    return b"".join(hashlib.blake2b(value, digest_size=WIDTH, key=key).digest() for value in ids)


def grouped(known: bytes, people: bytes, size: int) -> bytes:
    """Return the marks of all groups of `size`, group after group: those `known` as they are, then groups of `people` not yet in one.

    New people are taken in the order of their marks, which is no order of a file. Fewer than `size` of them are left over; they wait.
    """
    fresh = np.setdiff1d(_array(people), _array(known))
    return known + fresh[: len(fresh) // size * size].tobytes()


@dataclass(frozen=True)
class Seating:
    """The groups as one contract offers them. `seats` (groups, f): which of the people sits where, -1 where somebody left."""

    seats: Positions = field(repr=False)
    thinned: int
    """Groups offered that somebody left."""
    broken: int
    """Groups not offered: half of their people or more left."""
    waiting: int
    """People in no group yet."""

    @property
    def rows(self) -> Positions:
        """Who is behind each tag, (groups * f,): an empty seat stands for a companion a second time, so that every row can be coded."""
        present = self.seats[np.arange(len(self.seats)), np.argmax(self.seats != _GONE, axis=1)]
        return np.where(self.seats == _GONE, present[:, None], self.seats).ravel()

    @property
    def empty(self) -> npt.NDArray[np.bool_]:
        """Which of the rows are empty seats, (groups * f,): their tags are random numbers, which no identifier has."""
        empty: npt.NDArray[np.bool_] = self.seats.ravel() == _GONE
        return empty


def seat(groups: bytes, people: bytes, size: int, chance: Chance) -> Seating:
    """Seat `people` in their `groups` of `size`; the order of the groups, and the order within each, are decided by `chance` alone."""
    places = _array(groups).reshape(-1, size)
    order = np.argsort(_array(people))
    marks = _array(people)[order]
    at = np.minimum(np.searchsorted(marks, places), max(len(marks) - 1, 0))
    seats = np.where(marks[at] == places, order[at], _GONE) if len(marks) else np.full(places.shape, _GONE)
    present = (seats != _GONE).sum(axis=1)
    offered = 2 * present > size
    seats = seats[offered][shuffle(bytes(int(offered.sum()) * WIDTH), chance.fork("groups"))]
    draws = np.frombuffer(chance.fork("seats").draw(8 * seats.size), "<u8").reshape(seats.shape)
    return Seating(
        seats=np.take_along_axis(seats, np.argsort(draws, axis=1, kind="stable"), axis=1).astype(np.int64),
        thinned=int((present[offered] < size).sum()), broken=int(((present > 0) & ~offered).sum()),
        waiting=len(marks) - int(present.sum()),
    )


def disguise(tags: bytes, empty: npt.NDArray[np.bool_], chance: Chance) -> bytes:
    """Return the tags with those of `empty` seats random, so that the seeker cannot tell a seat that is empty from one that is not hers."""
    if not empty.any():
        return tags
    made = np.frombuffer(bytearray(tags), _TAG)
    made[empty] = np.frombuffer(chance.draw(int(empty.sum()) * TAG_WIDTH), _TAG)
    return made.tobytes()


def whole(groups: Positions, size: int) -> Positions:
    """Return the positions of all who are in these groups, ascending if the groups are: group g stands at g * size and after."""
    return (np.asarray(groups, np.int64)[:, None] * size + np.arange(size)).ravel()


def _array(marks: bytes) -> npt.NDArray[np.bytes_]:
    return np.frombuffer(marks, _MARK)
