"""A telco's master data of one batch: subscribers, identifiers, bills, suspensions, top-ups; and the lives of the lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tandem.city.calendar import Calendar
from tandem.city.part_files import coded
from tandem.city.people import GENDERS, REGIONS, Floats, Integers, People, scattered, stream

PACKAGES = ("5G 129", "5G 199", "5G 299", "4G 59", "campus", "elder", "pager 1999")
PACKAGE_SHARES = (0.335, 0.18, 0.06, 0.28, 0.09, 0.05, 0.005)
PHONE, BROADBAND, DEVICE, COOKIE = range(4)
"""Codes of the kinds of identifier."""
NEVER = np.iinfo(np.int64).max
QUIET = 0.05
"""Share of the subscribers who hardly use their line."""
GAPS = 0.03
"""Share of the subscribers of whom 30 days of events were lost."""


@dataclass(frozen=True)
class Lines:
    """Lives of the lines, shape (n,); days count from the first day of the events."""

    begins: Integers
    """Day from which there are events."""
    ends: Integers
    """Day from which there are none."""
    gap: Integers
    """Which 30 days of events were lost; -1 none."""
    level: Floats
    """How much the line is used, 1 on average."""
    night: Floats
    """Share of the events between 23 and 6 o'clock."""
    device: Integers
    next_device: Integers
    changed: Integers
    """Day from which the next device is used; NEVER for most."""
    cookie: Integers
    broadband: Integers
    """The household's account; -1 none."""

    def device_on(self, who: Integers, day: Integers) -> Integers:
        """Return the device that each of `who` used on `day`."""
        return np.where(day < self.changed[who], self.device[who], self.next_device[who])


def subscribers(people: People, calendar: Calendar, seed: int, batch: int) -> tuple[Lines, dict[str, dict[str, Any]]]:
    """Return the lines of the batch's subscribers (`people` holds them alone), and the tables subscribers and identifiers."""
    rng = stream(seed, batch, "subscribers")
    count, days = len(people), calendar.days
    opened = -np.floor(rng.gamma(1.6, 900, count)).astype(np.int64) - 1
    opened = np.where(rng.random(count) < 0.03, rng.integers(0, days, count), opened)
    ends = np.where(rng.random(count) < 0.02, opened + 60 + rng.integers(0, days, count), NEVER)
    ends = np.where(ends <= 0, NEVER, ends)  # who left before the first day is no subscriber
    closes = ends < days
    gap = np.where(rng.random(count) < GAPS, rng.integers(0, max(1, days // 30), count), -1)
    quiet = rng.random(count) < QUIET
    level = np.where(quiet, 0.06, np.exp(0.25 * rng.standard_normal(count) - 0.03))
    night = 1 / (1 + np.exp(2.5 + 0.35 * people.order - 0.55 * people.strain + 0.5 * rng.standard_normal(count)))
    changed = np.where(rng.random(count) < 0.15, rng.integers(0, days, count), NEVER)
    has_broadband = people.household * 2_654_435_761 % 10 < 7
    account = scattered(people.household, seed + 1)
    number = scattered(people.number * 4, seed + 2)
    lines = Lines(
        begins=np.maximum(opened, 0), ends=ends, gap=gap, level=level, night=night, device=number,
        next_device=scattered(people.number * 4 + 1, seed + 2),
        changed=changed, cookie=scattered(people.number * 4 + 2, seed + 2), broadband=np.where(has_broadband, account, -1),
    )
    table = {
        "phone": people.phone, "written": rng.choice(6, size=count, p=[0.97, 0.012, 0.008, 0.002, 0.008, 0]),
        "opened_on": _dates(opened, calendar),
        "closed_on": np.where(closes, _dates(np.where(closes, ends, 0), calendar), np.datetime64("NaT")),
        "package": coded(PACKAGES, rng.choice(len(PACKAGES), size=count, p=PACKAGE_SHARES)),
        "birth_year": np.where(rng.random(count) < 0.06, 0, people.birth_year),
        "gender": coded(GENDERS, np.where(rng.random(count) < 0.05, -1, people.gender)), "region": coded(REGIONS, people.region),
    }
    return lines, {"telco/subscribers": table, "telco/identifiers": _identifiers(people, lines, days, calendar, rng)}


def _dates(days: Integers, calendar: Calendar) -> Any:
    return (calendar.first_day + days.astype("timedelta64[D]")).astype("datetime64[s]")


def _identifiers(people: People, lines: Lines, days: int, calendar: Calendar, rng: np.random.Generator) -> dict[str, Any]:
    """Return pairs seen together: phone and device, phone and broadband account, device and cookie, here and there cookie and broadband.

    A pair is on record from the line's first day on and seen again up to two times. A device that came later is seen after the change.
    """
    count = len(people)
    everyone = np.arange(count)
    home = np.flatnonzero(lines.broadband >= 0)
    later = np.flatnonzero(lines.changed < days)
    shared = home[rng.random(len(home)) < 0.1]
    begins = np.minimum(lines.begins, days - 1)
    ends = np.minimum(np.maximum(lines.ends, begins + 1), days)
    pairs = [
        (PHONE, people.phone, DEVICE, lines.device, everyone, begins, np.minimum(ends, np.maximum(lines.changed, begins + 1))),
        (PHONE, people.phone, DEVICE, lines.next_device, later, np.maximum(begins, np.minimum(lines.changed, days - 1)), ends),
        (PHONE, people.phone, BROADBAND, lines.broadband, home, begins, ends),
        (DEVICE, lines.device, COOKIE, lines.cookie, everyone, begins, np.minimum(ends, np.maximum(lines.changed, begins + 1))),
        (COOKIE, lines.cookie, BROADBAND, lines.broadband, shared, begins, ends),
    ]
    parts = []
    for kind, value, other_kind, other, who, first, last in pairs:
        times = 1 + rng.integers(0, 3, len(who))
        each = np.repeat(who, times)
        start, stop = first[each], last[each]
        once = np.concatenate([[True], each[1:] != each[:-1]]) if len(each) else np.zeros(0, dtype=np.bool_)
        seen = np.where(once, start, start + (rng.random(len(each)) * np.maximum(stop - start, 1)).astype(np.int64))
        parts.append((np.full(len(each), kind), value[each], np.full(len(each), other_kind), other[each], seen))
    columns = dict(zip(("one_kind", "one_number", "other_kind", "other_number", "seen_on"), zip(*parts, strict=True), strict=True))
    pairs_seen = {name: np.concatenate(column) for name, column in columns.items()}
    return {**pairs_seen, "seen_on": _dates(pairs_seen["seen_on"], calendar)}


def bills(people: People, lines: Lines, calendar: Calendar, seed: int, batch: int) -> dict[str, dict[str, Any]]:
    """Return the tables bills (a row a month of the line's life), suspensions and top-ups."""
    rng = stream(seed, batch, "bills")
    count, months, days = len(people), calendar.months, calendar.days
    month_days = (np.arange(calendar.campaign - months, calendar.campaign).astype("datetime64[D]") - calendar.first_day).astype(np.int64)
    own = rng.standard_normal((4, count))
    who, month = np.nonzero((lines.begins[:, None] < month_days + 28) & (lines.ends[:, None] > month_days))
    rows = len(who)
    wobble = 0.15 * rng.standard_normal((3, rows))
    late = 1 / (1 + np.exp(3.2 - 1.0 * people.strain + 0.4 * people.order))
    owing = rng.random(rows) < 0.25 * late[who]
    paid = month_days[month] + 33 + rng.integers(0, 10, rows) + np.where(rng.random(rows) < late[who], rng.integers(10, 45, rows), 0)
    never = owing | (paid >= days)
    used = np.sqrt(lines.level)
    data = used * np.exp(2.2 + 0.55 * people.online - 0.01 * (people.age - 41) + 0.4 * own[1])
    bill = {
        "phone": people.phone[who], "month": _dates(month_days[month], calendar),
        "charge": np.round(np.exp(4.1 + 0.35 * people.wealth + 0.15 * people.online + 0.3 * own[0])[who] * np.exp(wobble[0]), 2),
        "data_gb": np.round(data[who] * np.exp(wobble[1]), 2),
        "voice_minutes": np.round((used * np.exp(4.0 + 0.4 * people.outgoing + 0.4 * own[2]))[who] * np.exp(wobble[2]), 1),
        "sms": rng.poisson(np.exp(1.2 + 0.3 * own[3])[who]),
        "paid_on": np.where(never, np.datetime64("NaT"), _dates(np.where(never, 0, paid), calendar)),
    }
    cut = np.repeat(np.arange(count), rng.poisson(np.exp(-4.2 + 0.9 * people.strain) * months))
    day = (rng.random(len(cut)) * days).astype(np.int64)
    cut, day = _living(cut, day, lines)
    back = day + 1 + rng.geometric(0.25, len(day))
    suspended = {
        "phone": people.phone[cut], "suspended_on": _dates(day, calendar),
        "restored_on": np.where(back >= days, np.datetime64("NaT"), _dates(np.where(back >= days, 0, back), calendar)),
    }
    top = np.repeat(np.arange(count), rng.poisson(0.5 * months * np.exp(0.2 * people.outgoing - 0.1)))
    top, day = _living(top, (rng.random(len(top)) * days).astype(np.int64), lines)
    moment = _dates(day, calendar) + rng.integers(7 * 3600, 23 * 3600, len(day)).astype("timedelta64[s]")
    step = np.clip(np.round(1.6 + people.wealth[top] + rng.standard_normal(len(top))), 0, 4).astype(np.int64)
    amount = np.array([30.0, 50.0, 100.0, 200.0, 300.0])[step]
    return {
        "telco/bills": bill, "telco/suspensions": suspended, "telco/topups": {"phone": people.phone[top], "at": moment, "amount": amount},
    }


def _living(who: Integers, day: Integers, lines: Lines) -> tuple[Integers, Integers]:
    kept = (day >= lines.begins[who]) & (day < lines.ends[who])
    return who[kept], day[kept]
