"""Calls, usage and visits of one batch of subscribers: what a telco's network writes down, late records, doubles and gaps included.

Every event of a person is drawn from a rate of that person; all people of a batch at once. Rates are a month's, before the person's level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.city.calendar import Calendar
from tandem.city.part_files import coded
from tandem.city.people import Flags, Floats, Integers, People, phones, stream
from tandem.city.subscribers import Lines

SPECIAL = ("bank", "police", "courier", "takeaway", "hospital", "collection", "loan", "travel")
SPECIAL_NUMBERS = np.array([95_533, 110, 95_338, 95_017, 120, 95_700, 95_188, 12_306])
CATEGORIES = ("eat", "play", "online shopping", "shopping", "travel", "finance", "news", "video", "social", "work")
"""The first four are the benefits, in the order of people.BENEFITS."""
CATEGORY_RATES = np.array([1.0, 0.7, 1.0, 0.6, 0.35, 0.8, 0.9, 1.2, 1.2, 0.6])
FAVOURED = 2.4
"""How much more often a favourite shows than the same thing does with others."""
CHANNELS = ("app", "site", "search")
NAMES = tuple(f"{category} {word}" for category in CATEGORIES for word in ("Lotus", "Swift", "Harbour"))
"""Invented apps and sites, three a category."""
AREAS = ("residential", "business", "commercial", "industrial", "rural", "airport")
CELLS = 400
DOUBLED = 0.01
"""Share of the records that are written twice."""
LATE = 0.02
"""Share of the records that arrive days after the event."""
_DAY = 86_400
_HOURS = np.repeat(np.arange(7, 23), [1, 2, 2, 2, 2, 3, 1, 1, 2, 1, 2, 3, 3, 3, 2, 2])
_NIGHT = np.array([23, 23, 23, 0, 0, 1, 2, 5])


@dataclass(frozen=True)
class Cells:
    """The city's cells: place in km, area as an index of AREAS, shape (CELLS,)."""

    x: Floats
    y: Floats
    area: Integers

    def table(self) -> dict[str, Any]:
        """Return the table's columns."""
        return {
            "cell_id": np.arange(1, CELLS + 1), "x_km": np.round(self.x, 2), "y_km": np.round(self.y, 2), "area": coded(AREAS, self.area),
        }

    def of(self, *areas: str) -> Integers:
        """Return the indices of cells in such areas."""
        return np.flatnonzero(np.isin(self.area, [AREAS.index(one) for one in areas]))


def cells_of(seed: int) -> Cells:
    """Return the cells: business and shops towards the middle, fields at the edge, one airport."""
    rng = stream(seed, 0, "cells")
    x, y = rng.normal(0, 9, (2, CELLS))
    far = np.hypot(x, y)
    ring = np.searchsorted([8.0, 16.0], far)
    shares = np.array([[0.4, 0.25, 0.3, 0.05, 0], [0.6, 0.08, 0.12, 0.2, 0], [0.2, 0, 0.03, 0.17, 0.6]])[ring]
    area = (rng.random((CELLS, 1)) > np.cumsum(shares, axis=1)[:, :-1]).sum(axis=1)
    area[int(np.argmax(far))] = AREAS.index("airport")
    area[np.argsort(far)[:3]] = [0, 1, 2]
    return Cells(x, y, area)


def _events(rates: Floats, rng: np.random.Generator) -> tuple[Integers, Integers]:
    """Return who and what of each event; rates: shape (n, kinds), events expected in the whole time."""
    counts = rng.poisson(rates)
    who, what = np.nonzero(counts)
    times = counts[who, what]
    return np.repeat(who, times), np.repeat(what, times)


def _moments(who: Integers, lines: Lines, drift: Floats | float, calendar: Calendar, rng: np.random.Generator) -> tuple[Integers, Flags]:
    """Return seconds since the first day, and which events are on record: within the line's life, and in no gap.

    drift in (-1, 1): above 0, more events towards the end; an event's own or one for all.
    """
    even = rng.random(len(who))
    day = ((even + drift * even * (1 - even)) * calendar.days).astype(np.int64)
    night = rng.random(len(who)) < lines.night[who]
    pick = rng.integers(0, 1 << 16, len(who))
    hour = np.where(night, _NIGHT[pick % len(_NIGHT)], _HOURS[pick % len(_HOURS)])
    kept = (day >= lines.begins[who]) & (day < lines.ends[who]) & (day // 30 != lines.gap[who])
    return day * _DAY + hour * 3600 + rng.integers(0, 3600, len(who)), kept


def _received(seconds: Integers, rng: np.random.Generator) -> Integers:
    soon = (rng.exponential(600, len(seconds)) + 5).astype(np.int64)
    late = rng.random(len(seconds)) < LATE
    return seconds + np.where(late, rng.integers(_DAY, 20 * _DAY, len(seconds)), soon)


def _stamped(seconds: Integers, calendar: Calendar) -> Any:
    return calendar.first_day.astype("datetime64[s]") + seconds.astype("timedelta64[s]")


def _finished(columns: dict[str, Any], moment: str, seconds: Integers, calendar: Calendar, rng: np.random.Generator) -> dict[str, Any]:
    """Return the columns with both times, some rows doubled at the end: the same record, received once more."""
    rows = len(seconds)
    doubled = np.flatnonzero(rng.random(rows) < DOUBLED)
    index = np.concatenate([np.arange(rows), doubled])
    received = _received(seconds, rng)[index]
    received[rows:] += rng.integers(1, 2 * _DAY, len(doubled))
    return {
        **{name: values[index] for name, values in columns.items()},
        moment: _stamped(seconds[index], calendar), "received_at": _stamped(received, calendar),
    }


def _ids(batch: int, rows: int) -> Integers:
    return batch * 100_000_000 + np.arange(rows)


def calls(people: People, lines: Lines, calendar: Calendar, seed: int, batch: int) -> dict[str, Any]:
    """Return the call records: with contacts, each met more often the earlier in the person's list, and with special numbers."""
    rng = stream(seed, batch, "calls")
    count = len(people)
    own = rng.standard_normal((3, count))
    favours = people.favourite == 0
    special = np.array([0.06, 0.01, 0.25, 0.12, 0.03, 0.012, 0.015, 0.03]) * np.exp(
        np.column_stack([
            0.6 * people.need + 0.4 * people.finance, 0 * people.need, 0.5 * people.online, 0.3 * people.outgoing + 0.8 * favours,
            0.02 * (people.age - 41), 1.0 * people.strain, 0.9 * people.strain + 0.3 * people.need,
            0.4 * people.wealth + 0.4 * people.outgoing,
        ])
    )
    ordinary = 6.0 * np.exp(0.4 * people.outgoing + 0.4 * own[0] - 0.08)
    who, what = _events(np.column_stack([ordinary, special]) * (calendar.months * lines.level)[:, None], rng)
    seconds, kept = _moments(who, lines, 0.0, calendar, rng)
    who, what, seconds = who[kept], what[kept], seconds[kept]
    contacts = 2 + rng.poisson(np.exp(2.4 + 0.35 * people.outgoing - 0.2 * people.strain + 0.3 * own[1]))
    rank = (contacts[who] * rng.random(len(who)) ** 2).astype(np.int64)
    known = phones((people.number[who] * 1_009 + rank * 40_009) % 1_199_999_993, seed)
    answered = rng.random(len(who)) >= 0.08
    calling = np.array([1, 0.5, 0.7, 0.2, 0.8, 0.6, 0.05, 0.2, 0.8])
    talks = 1 / (1 + np.exp(-0.3 * people.outgoing - 0.4 * own[2]))
    outward = rng.random(len(who)) < np.where(what == 0, talks[who], calling[what])
    columns = {
        "call_id": _ids(batch, len(who)), "phone": people.phone[who],
        "seconds": np.where(answered, np.exp(4.2 + 0.9 * rng.standard_normal(len(who))), 0).astype(np.int64),
        "direction": coded(("in", "out"), outward.astype(np.int8)),
        "counterpart": np.where(what == 0, known, SPECIAL_NUMBERS[np.maximum(what - 1, 0)]), "special": coded(SPECIAL, what - 1),
    }
    return _finished(columns, "started_at", seconds, calendar, rng)


def usage(people: People, lines: Lines, calendar: Calendar, seed: int, batch: int) -> dict[str, Any]:
    """Return the usage events by app and site category, each under one of the person's identifiers."""
    rng = stream(seed, batch, "usage")
    count = len(people)
    noise = 0.4 * rng.standard_normal((count, len(CATEGORIES)))
    out, online, wealth = people.outgoing, people.online, people.wealth
    tastes = np.column_stack([
        0.45 * out + 0.15 * online, 0.4 * out + 0.25 * online, 0.6 * online + 0.2 * people.need,
        0.35 * out + 0.25 * wealth + 0.2 * people.need,
        0.4 * wealth + 0.35 * out, 0.55 * people.finance + 0.45 * people.need, 0.012 * (people.age - 41) + 0.15 * people.order,
        0.3 * online - 0.015 * (people.age - 41), 0.35 * out + 0.2 * online, 0.3 * people.order + 0.2 * wealth,
    ])
    tastes[np.arange(count), people.favourite] += np.log(FAVOURED)
    rates = CATEGORY_RATES * np.exp(tastes + noise - 0.2) * (calendar.months * lines.level)[:, None]
    who, what = _events(rates, rng)
    wanted = np.clip(0.25 * people.need, -0.9, 0.9)[who] * (what == CATEGORIES.index("finance"))
    seconds, kept = _moments(who, lines, wanted, calendar, rng)
    who, what, seconds = who[kept], what[kept], seconds[kept]
    pick = rng.random(len(who))
    kind = np.where((pick < 0.68) | (pick >= 0.95), 0, np.where(pick < 0.8, 2, 3))
    kind = np.where((pick >= 0.95) & (lines.broadband[who] >= 0), 1, kind)
    day = seconds // _DAY
    number = np.choose(kind, [people.phone[who], lines.broadband[who], lines.device_on(who, day), lines.cookie[who]])
    length = np.exp(4.5 + 0.9 * rng.standard_normal(len(who)))
    columns = {
        "event_id": _ids(batch, len(who)), "id_kind": kind, "id_number": number,
        "channel": coded(CHANNELS, np.searchsorted([0.7, 0.9], rng.random(len(who)), side="right")), "category": coded(CATEGORIES, what),
        "name": coded(NAMES, 3 * what + np.searchsorted([0.55, 0.85], rng.random(len(who)), side="right")),
        "seconds": length.astype(np.int64) + 1,
        "kbytes": (length * np.where(what == CATEGORIES.index("video"), 220, 18) * rng.random(len(who))).astype(np.int64) + 1,
    }
    return _finished(columns, "at", seconds, calendar, rng)


def visits(people: People, lines: Lines, cells: Cells, calendar: Calendar, seed: int, batch: int) -> dict[str, Any]:
    """Return the stays at cells: home (one for a household) by evening and night, work by day, shops, now and then the airport."""
    rng = stream(seed, batch, "visits")
    count = len(people)
    homes, works, shops = cells.of("residential", "rural"), cells.of("business", "commercial", "industrial"), cells.of("commercial")
    first = people.household % 999_983
    home = homes[(first * 7_907 + 13) % len(homes)]
    retired = people.age > 63
    work = np.where(retired, home, works[rng.integers(0, len(works), count)])
    haunt = shops[rng.integers(0, len(shops), count)]
    abroad = np.flatnonzero(cells.area == AREAS.index("airport"))[0]
    out = 1.1 * np.exp(0.5 * people.outgoing + 0.35 * (people.favourite != 2) + 0.3 * rng.standard_normal(count))
    trips = 0.12 * np.exp(0.5 * people.wealth + 0.5 * people.outgoing + 0.4 * rng.standard_normal(count))
    rates = np.column_stack([np.full(count, 2.6), np.full(count, 2.0), out, trips]) * (calendar.months * lines.level)[:, None]
    who, what = _events(rates, rng)
    seconds, kept = _moments(who, lines, 0.0, calendar, rng)
    who, what, seconds = who[kept], what[kept], seconds[kept]
    rows = len(who)
    evening = np.array([19, 20, 21, 22, 23, 0, 2, 6])[rng.integers(0, 8, rows)]
    daytime = np.array([9, 9, 10, 11, 13, 14, 15, 16])[rng.integers(0, 8, rows)]
    hour = np.choose(what, [evening, daytime, seconds % _DAY // 3600, seconds % _DAY // 3600])
    other = shops[rng.integers(0, len(shops), rows)]
    shop = np.where(rng.random(rows) < 0.5, haunt[who], other)
    columns = {
        "visit_id": _ids(batch, rows), "phone": people.phone[who],
        "cell_id": 1 + np.choose(what, [home[who], work[who], shop, np.full(rows, abroad)]),
        "minutes": (np.array([360, 300, 60, 90])[what] * (0.3 + rng.random(rows))).astype(np.int64),
    }
    return _finished(columns, "at", seconds // _DAY * _DAY + hour * 3600 + seconds % 3600, calendar, rng)
