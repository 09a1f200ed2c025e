"""Two parties' ledgers held against each other: every frame that one sent the other must have received, and nothing else.

A frame's digest covers contract, session, speaker, number and what came before, so no two frames share one: it says which rows belong
together. Rows are taken as they come, from both sides in turn, and a row is kept only until its counterpart arrives; beyond the
differences themselves, two integers a frame remain, from which rows that changed places are found at the end.

Two ledgers show that they differ, not who is right: a row in one alone was dropped by the other party or put in by this one.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from tandem.contract import Role
from tandem.ledger.chain import Entry

Kind = Literal["changed", "order", "alone", "unreceived"]
"""The rows of one frame differ; they stand in another order; one side has no such row; sent last in a session that did not close."""

Stream = tuple[str, str, str, str]
"""(contract, session, script as recorded, speaker of a closing or ""): frames that both ends of a link take in the same order.

All roles take the turns of a script in one order, so both ledgers list a link's frames alike. Only closings cross each other.
A bank that solves has two links to the telco in a session, and the script is recorded under another name on the second."""

_COMPARED = ("contract", "session", "script", "message", "size", "disclosed", "frame")
_CLOSING = "Closing"


@dataclass(frozen=True)
class Finding:
    """One difference. `rows` by party; `fields`: what differs, if the rows of both are there."""

    kind: Kind
    rows: Mapping[Role, Entry]
    fields: tuple[str, ...] = ()

    @property
    def entry(self) -> Entry:
        """A row to name it by."""
        return next(iter(self.rows.values()))


@dataclass(frozen=True)
class Comparison:
    """What became of two ledgers. `frames`: those found on both sides; `findings` in order of time."""

    parties: tuple[Role, Role]
    frames: int
    sessions: int
    contracts: int
    findings: tuple[Finding, ...]
    unreceived: tuple[Finding, ...]
    """Frames sent last in a session that did not close, and never received: what an interruption leaves. No fault of the ledgers."""


@dataclass(frozen=True)
class _Row:
    """A row whose counterpart was not seen yet. `place`: which row of its ledger it is, from 1."""

    entry: Entry
    place: int
    stream: Stream


@dataclass
class _Matched:
    """Places of the frames of one stream that both sides have, in the order in which their second row came."""

    one: array[int] = field(default_factory=lambda: array("q"))
    other: array[int] = field(default_factory=lambda: array("q"))


Look = Callable[[Role, AbstractSet[int]], Mapping[int, Entry]]
"""Return the rows of a party's ledger at these places; asked only for rows that changed places."""


class Pair:
    """Two ledgers, while their rows are taken. `contract` (digest, hex): hold only its rows against each other."""

    def __init__(self, one: Role, other: Role, contract: str = "") -> None:
        self.parties = (one, other)
        self._contract = contract
        self._open: dict[Role, dict[str, deque[_Row]]] = {one: {}, other: {}}
        self._matched: dict[Stream, _Matched] = defaultdict(_Matched)
        self._heard: dict[Stream, int] = {}
        self._closed: set[tuple[Stream, Role]] = set()
        self._sessions: set[tuple[str, str]] = set()
        self._frames = 0
        self._findings: list[Finding] = []

    def take(self, party: Role, entry: Entry, place: int) -> None:
        """Take row number `place` of a party's ledger; rows that concern neither the other party nor the contract are passed over."""
        other = self._other(party)
        if entry.peer != other or (self._contract and entry.contract != self._contract):
            return
        sent = entry.direction == "sent"
        closing = entry.message == _CLOSING
        row = _Row(entry, place, (entry.contract, entry.session, entry.script, (party if sent else other) if closing else ""))
        self._sessions.add((entry.contract, entry.session))
        if not sent:
            self._heard[entry.contract, entry.session, entry.script, party] = place
        if closing:
            self._closed.add((row.stream, party))
        waiting = self._open[other].get(entry.frame)
        if waiting:
            found = waiting.popleft()
            if not waiting:
                del self._open[other][entry.frame]
            self._pair(row, found, party)
        else:
            self._open[party].setdefault(entry.frame, deque()).append(row)

    def finish(self, look: Look) -> Comparison:
        """Return what differs, once both ledgers were taken whole."""
        self._moved(look)
        alone = self._near_misses()
        tails = self._tails(alone)
        for party in self.parties:
            for row in alone[party]:
                self._findings.append(Finding("unreceived" if self._unreceived(party, row, tails) else "alone", {party: row.entry}))
        findings = sorted(self._findings, key=lambda finding: str(finding.entry.time))
        return Comparison(
            self.parties, self._frames, len(self._sessions), len({contract for contract, _ in self._sessions}),
            tuple(each for each in findings if each.kind != "unreceived"), tuple(each for each in findings if each.kind == "unreceived"),
        )

    def _other(self, party: Role) -> Role:
        return self.parties[1] if party == self.parties[0] else self.parties[0]

    def _pair(self, row: _Row, found: _Row, party: Role) -> None:
        """Two rows belong together: note their places, and what differs."""
        self._frames += 1
        one, other = (row, found) if party == self.parties[0] else (found, row)
        fields = tuple(name for name in _COMPARED if getattr(one.entry, name) != getattr(other.entry, name))
        if {one.entry.direction, other.entry.direction} != {"sent", "received"}:
            fields = (*fields, "direction")
        if fields:
            self._findings.append(Finding("changed", {self.parties[0]: one.entry, self.parties[1]: other.entry}, fields))
        if one.stream == other.stream:
            matched = self._matched[one.stream]
            matched.one.append(one.place)
            matched.other.append(other.place)

    # -- order ----------------------------------------------------------------------------------------------------------------------------

    def _moved(self, look: Look) -> None:
        moved = [places for matched in self._matched.values() for places in _out_of_order(matched.one, matched.other)]
        if not moved:
            return
        one, other = self.parties
        rows = {one: look(one, {place for place, _ in moved}), other: look(other, {place for _, place in moved})}
        for here, there in moved:
            self._findings.append(Finding("order", {one: rows[one][here], other: rows[other][there]}))

    # -- rows without a counterpart -------------------------------------------------------------------------------------------------------

    def _near_misses(self) -> dict[Role, list[_Row]]:
        """Pair leftovers that stand in the same gap of a stream: rows whose digest itself was changed. Return those that stay alone."""
        gaps: dict[tuple[Stream, int], dict[Role, list[_Row]]] = defaultdict(lambda: {party: [] for party in self.parties})
        places = {
            party: {stream: sorted(self._side(matched, party)) for stream, matched in self._matched.items()}
            for party in self.parties
        }
        for party in self.parties:
            for row in sorted((row for rows in self._open[party].values() for row in rows), key=lambda row: row.place):
                before = bisect_right(places[party].get(row.stream, []), row.place)
                gaps[row.stream, before][party].append(row)
        alone: dict[Role, list[_Row]] = {party: [] for party in self.parties}
        for gap in gaps.values():
            here, there = (gap[party] for party in self.parties)
            for alike in (_content, _kind):
                for one, other in _alike(here, there, alike):
                    self._pair(one, other, self.parties[0])
            if len(here) == len(there):
                for one, other in zip(here, there, strict=True):
                    self._pair(one, other, self.parties[0])
            else:
                for party in self.parties:
                    alone[party].extend(gap[party])
        return alone

    def _tails(self, alone: Mapping[Role, list[_Row]]) -> dict[Role, dict[Stream, int]]:
        """Return, by party and stream, where rows without counterpart begin that stand after the last frame that both sides have."""
        tails: dict[Role, dict[Stream, int]] = {}
        for party in self.parties:
            last = {stream: max(self._side(matched, party)) for stream, matched in self._matched.items()}
            after = [row for row in alone[party] if row.place > last.get(row.stream, 0)]
            tails[party] = {row.stream: row.place for row in sorted(after, key=lambda row: -row.place)}
        return tails

    def _unreceived(self, party: Role, row: _Row, tails: Mapping[Role, Mapping[Stream, int]]) -> bool:
        """Tell whether `row` may be the end of a session that was cut off: sent, last on its link, and neither side went on after it.

        Whoever answers has read all that was sent before; only closings are sent before listening.
        """
        other, link = self._other(party), row.stream[:3]
        if row.entry.direction != "sent" or row.place < tails[party].get(row.stream, row.place + 1):
            return False
        if row.stream in tails[other] or ((*link, party), other) in self._closed:
            return False
        if row.entry.message == _CLOSING:
            return True
        answered = self._heard.get((*link, party), 0) > row.place
        return not answered and not any(((*link, other), each) in self._closed for each in self.parties)

    def _side(self, matched: _Matched, party: Role) -> Sequence[int]:
        return matched.one if party == self.parties[0] else matched.other


def _content(row: _Row) -> object:
    entry = row.entry
    return entry.script, entry.message, entry.size, entry.disclosed


def _kind(row: _Row) -> object:
    return row.entry.message


def _alike(here: list[_Row], there: list[_Row], alike: Callable[[_Row], object]) -> Iterator[tuple[_Row, _Row]]:
    """Yield pairs of equal `alike`, in order, and take them out of both lists."""
    waiting: dict[object, deque[_Row]] = defaultdict(deque)
    for row in there:
        waiting[alike(row)].append(row)
    rest = []
    for row in here:
        if waiting[alike(row)]:
            yield row, waiting[alike(row)].popleft()
        else:
            rest.append(row)
    here[:] = rest
    there[:] = sorted((row for rows in waiting.values() for row in rows), key=lambda row: row.place)


def _out_of_order(one: Sequence[int], other: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs of places that do not follow in both: two that changed places, else as few as explain the order."""
    if all(a < b for a, b in pairwise(one)) and all(a < b for a, b in pairwise(other)):
        return []
    pairs = sorted(zip(one, other, strict=True))
    by_other = sorted(range(len(pairs)), key=lambda at: pairs[at][1])
    rank = [0] * len(pairs)
    for place, at in enumerate(by_other):
        rank[at] = place
    swapped = {at for at, place in enumerate(rank) if place != at and rank[place] == at}
    rest = [at for at in range(len(pairs)) if at not in swapped]
    kept = {rest[at] for at in _longest_rise([rank[at] for at in rest])}
    return [pair for at, pair in enumerate(pairs) if at not in kept]


def _longest_rise(values: Sequence[int]) -> list[int]:
    """Return the places of a longest rising part of `values` (patience sorting: piles, and who lay on the pile before)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, value in enumerate(values):
        pile = bisect_left(tops, value)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile:pile + 1] = [value]
        ends[pile:pile + 1] = [at]
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return found[::-1]
