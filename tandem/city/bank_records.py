"""The bank's raw tables of one batch of customers: cards that fall asleep, the standing campaign at T0, and which cards wake up again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tandem.city.calendar import BEFORE, DORMANT, WINDOW, Calendar
from tandem.city.outcomes import TIERS, Seen, activation, sigmoid
from tandem.city.part_files import coded
from tandem.city.people import GENDERS, REGIONS, Flags, Floats, Integers, People, scattered, stream

PRODUCTS = ("standard", "gold", "platinum", "overseas travel", "car owner", "women's", "young", "co-branded", "shopping", "family")
PRODUCT_SHARES = (0.34, 0.14, 0.07, 0.06, 0.1, 0.08, 0.08, 0.06, 0.05, 0.02)
STANDING, OFFER = 1, 2
"""Numbers of the campaigns: the standing activation campaign at T0, an offer of a new card a month into the data."""
NO_CARD = 0.06
"""Share of the customers who hold a debit account alone."""
ASLEEP = 0.58
"""Share of the cards that are put away at some time; a sixth of these was never paid with."""
AWAKE = 10_000
BALANCES = 15
"""Months of debit balances on record, the last ones."""


@dataclass(frozen=True)
class Cards:
    """Cards of a batch, shape (cards,); months count from the first month of card use."""

    holder: Integers
    """Index of the customer."""
    issued: Integers
    closed: Integers
    """Month in which it was closed, AWAKE if it was not."""
    payments: Integers
    """Shape (cards, months)."""

    def dormant(self, at: int) -> Flags:
        """Return which cards are open at a month, DORMANT months old, and without payment in as many months before."""
        idle: Flags = self.payments[:, at - DORMANT : at].sum(axis=1) == 0
        return (self.issued <= at - DORMANT - 1) & (self.closed >= at) & idle


@dataclass(frozen=True)
class Ledgered:
    """The bank's tables of a batch, and what the simulator alone knows: log-odds at T0 and T1, who holds a dormant card at T1."""

    tables: dict[str, dict[str, Any]]
    seen: Seen
    """At T1."""
    customer_id: Integers
    logit_training: Floats
    logit_campaign: Floats
    dormant: Flags


def customers(people: People, calendar: Calendar, seed: int, batch: int, telco_effect: float) -> Ledgered:
    """Return the tables of the batch's customers (`people` holds them alone), without loans."""
    rng, luck = stream(seed, batch, "bank"), stream(seed, batch, "outcomes")
    count = len(people)
    months = calendar.bank_months
    customer_id = 10_000_000_000 + scattered(people.number, seed + 3)
    tier = np.searchsorted([0.3, 1.3, 2.2], 0.8 * people.wealth + 0.6 * rng.standard_normal(count))
    birth = np.where(rng.random(count) < 0.03, 0, people.birth_year)
    cards = _cards(people, len(months), rng)
    last = len(months)
    own = 8.2 + 0.9 * people.wealth + 0.4 * people.order + 0.6 * rng.standard_normal(count)
    no_account = rng.random(count) < 0.07
    level: Floats = np.exp(own[:, None] + 0.25 * rng.standard_normal((count, BALANCES))).astype(np.float64)
    balance: Any = np.round(level, 2)
    balance[no_account] = np.nan

    def seen(at: int) -> Seen:
        return _seen(cards, at, people, birth, balance[:, at - last - 1], tier)

    dormant = cards.dormant(BEFORE)
    logit = activation(seen(BEFORE), people, telco_effect, luck)
    holds = np.bincount(cards.holder, dormant, minlength=count) > 0
    wakes = holds & (luck.random(count) < sigmoid(logit))
    _wake(cards, dormant, wakes, luck)
    now = seen(last)
    tables = {
        "bank/customers": {
            "customer_id": customer_id, "phone": people.bank_phone,
            "written": rng.choice(6, size=count, p=[0.72, 0.1, 0.06, 0.06, 0.05, 0.01]),
            "birth_year": birth, "gender": coded(GENDERS, np.where(rng.random(count) < 0.04, -1, people.gender)),
            "region": coded(REGIONS, np.where(rng.random(count) < 0.02, -1, people.region)), "tier": coded(TIERS, tier),
            "joined_on": _day_of(months[0], _earliest(cards, count, rng), rng),
        },
        "bank/balances": _balances(balance, customer_id, months),
        "bank/channel_use": _channel_use(people, customer_id, calendar, rng),
        **_card_tables(cards, people, customer_id, months, seed, rng),  # last: it draws as often as there were payments
        "bank/contacts": _contacts(people, customer_id, holds, wakes, calendar, stream(seed, batch, "contacts")),
    }
    held = np.bincount(cards.holder, cards.dormant(last), minlength=count) > 0
    return Ledgered(tables, now, customer_id, logit, activation(now, people, telco_effect, luck), held)


def _cards(people: People, months: int, rng: np.random.Generator) -> Cards:
    count = len(people)
    number = np.where(rng.random(count) < NO_CARD, 0, 1 + np.minimum(rng.poisson(0.45, count), 3))
    holder = np.repeat(np.arange(count), number)
    cards = len(holder)
    issued = BEFORE - np.minimum(np.floor(rng.gamma(2, 20, cards)), 180).astype(np.int64) - 1
    issued = np.where(rng.random(cards) < 0.04, rng.integers(BEFORE - DORMANT, months, cards), issued)
    early, late = rng.integers(3, BEFORE - DORMANT + 1, cards), rng.integers(BEFORE - DORMANT + 1, months, cards)
    until = np.where(rng.random(cards) < 0.85, early, late)
    until = np.where(rng.random(cards) < 1 / 6, -AWAKE, until)
    until = np.where(rng.random(cards) < ASLEEP, until, AWAKE)
    rate = np.exp(0.35 + 0.35 * people.outgoing[holder] + 0.3 * people.wealth[holder] + 0.8 * rng.standard_normal(cards))
    month = np.arange(months)
    closed = np.where(rng.random(cards) < 0.03, rng.integers(6, months, cards), AWAKE)
    closed = np.where(closed > issued, closed, AWAKE)
    uses = (month >= issued[:, None]) & (month < until[:, None]) & (month < closed[:, None])
    return Cards(holder, issued, closed, rng.poisson(rate[:, None] * uses))


def _seen(cards: Cards, at: int, people: People, birth: Integers, balance: Floats, tier: Integers) -> Seen:
    paid = cards.payments[:, :at].sum(axis=1)
    latest = np.where(paid > 0, at - np.argmax(cards.payments[:, :at][:, ::-1] > 0, axis=1) - 1, -1)
    last_paid = np.full(len(people), -1)
    np.maximum.at(last_paid, cards.holder, latest)
    return Seen(
        np.bincount(cards.holder, paid, minlength=len(people)).astype(np.float64), (at - last_paid).astype(np.float64),
        np.where(birth == 0, np.nan, people.age), balance, tier,
    )


def _wake(cards: Cards, dormant: Flags, wakes: Flags, luck: np.random.Generator) -> None:
    """Let the first dormant card of each customer who wakes be paid with, from one of the window's months on; six of ten go on."""
    candidates = np.flatnonzero(dormant & wakes[cards.holder])
    _, first = np.unique(cards.holder[candidates], return_index=True)
    chosen = candidates[first]
    months = cards.payments.shape[1]
    begins = BEFORE + luck.integers(0, WINDOW, len(chosen))
    goes_on = luck.random(len(chosen)) < 0.6
    month = np.arange(months)
    within = (month >= begins[:, None]) & (goes_on[:, None] | (month == begins[:, None]))
    cards.payments[chosen] += np.where(within, 1 + luck.poisson(1.2, (len(chosen), months)), 0)
    cards.closed[chosen] = AWAKE


def _day_of(zero: np.datetime64, month: Integers, rng: np.random.Generator) -> NDArray[np.datetime64]:
    """Return a day from the second to the 28th of each month: an age in whole months is the same by month and by day."""
    days = (zero + month.astype("timedelta64[M]")).astype("datetime64[D]") + rng.integers(1, 28, len(month)).astype("timedelta64[D]")
    seconds: NDArray[np.datetime64] = days.astype("datetime64[s]")
    return seconds


def _month_start(months: Any) -> Any:
    return months.astype("datetime64[D]").astype("datetime64[s]")


def _earliest(cards: Cards, count: int, rng: np.random.Generator) -> Integers:
    earliest = np.full(count, 0)
    np.minimum.at(earliest, cards.holder, cards.issued)
    return earliest - 1 - rng.geometric(0.06, count)


def _card_tables(
    cards: Cards, people: People, customer_id: Integers, months: NDArray[np.datetime64], seed: int, rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    count = len(cards.holder)
    rank = np.arange(count) - np.searchsorted(cards.holder, cards.holder)
    card_id = 60_000_000_000 + scattered(4 * people.number[cards.holder] + rank, seed + 4)
    wealth = people.wealth[cards.holder]
    limit = np.round(np.exp(9.4 + 0.45 * wealth + 0.2 * people.order[cards.holder] + 0.4 * rng.standard_normal(count)) / 1000) * 1000 + 1000
    is_closed = cards.closed < len(months)
    closed_on = _day_of(months[0], np.where(is_closed, cards.closed, 0), rng)
    who, month = np.nonzero(cards.payments)
    times = cards.payments[who, month]
    amount = np.round(times * np.exp(4.6 + 0.5 * wealth[who] + 0.5 * rng.standard_normal(len(who))), 2)
    return {
        "bank/cards": {
            "card_id": card_id, "customer_id": customer_id[cards.holder],
            "product": coded(PRODUCTS, rng.choice(len(PRODUCTS), size=count, p=PRODUCT_SHARES)),
            "issued_on": _day_of(months[0], cards.issued, rng), "credit_limit": limit,
            "closed_on": np.where(is_closed, closed_on, np.datetime64("NaT")),
        },
        "bank/card_use": {"card_id": card_id[who], "month": _month_start(months[month]), "payments": times, "amount": amount},
    }


def _balances(balance: Floats, customer_id: Integers, months: NDArray[np.datetime64]) -> dict[str, Any]:
    who, month = np.nonzero(~np.isnan(balance))
    return {
        "customer_id": customer_id[who], "month": _month_start(months[month - balance.shape[1]]), "debit_balance": balance[who, month],
    }


def _channel_use(people: People, customer_id: Integers, calendar: Calendar, rng: np.random.Generator) -> dict[str, Any]:
    count = len(people)
    habit = np.exp(0.45 * people.finance + 0.8 * people.loyal + 0.3 * rng.standard_normal(count))
    rates = np.stack([1.4 * habit, 0.35 * habit, 0.06 * habit * np.exp(0.4 * people.wealth)])
    used = rng.poisson(rates[:, :, None], (3, count, calendar.months))
    who, month = np.nonzero(used.sum(axis=0))
    logins, transfers, purchases = used[:, who, month]
    return {
        "customer_id": customer_id[who], "month": _month_start(calendar.campaign - calendar.months + month),
        "logins": logins, "transfers": transfers, "wealth_purchases": purchases,
    }


def _contacts(
    people: People, customer_id: Integers, holds: Flags, wakes: Flags, calendar: Calendar, rng: np.random.Generator
) -> dict[str, Any]:
    """Return who was written to: every holder of a dormant card, and for the offer three of ten; -1 is no such stage."""
    count = len(people)
    chances = rng.random((6, count))
    offered = np.flatnonzero(chances[0] < 0.3)
    standing = np.flatnonzero(holds)
    answered = chances[1] < np.where(wakes, 0.8, 0.04)
    responded = chances[2] < sigmoid(-2.6 + 0.8 * people.need)
    applied = responded & (chances[3] < sigmoid(-0.3 + 0.5 * people.need))
    approved = applied & (chances[4] < sigmoid(0.7 + 0.6 * people.order + 0.3 * people.wealth))
    first_card = approved & (chances[5] < 0.6)
    nothing = np.full(len(standing), -1)
    spend = np.where(wakes, np.round(np.exp(6.2 + 0.5 * people.wealth), 2), 0.0)

    def both(of_standing: Any, of_offer: Any) -> Any:
        return np.concatenate([of_standing, of_offer])

    return {
        "campaign_id": both(nothing + 1 + STANDING, np.full(len(offered), OFFER)),
        "customer_id": customer_id[both(standing, offered)], "responded": both(answered[standing], responded[offered]).astype(np.int64),
        "sent_on": both(np.full(len(standing), _month_start(calendar.training)), np.full(len(offered), offer_day(calendar))),
        **{name: both(nothing, stage[offered].astype(np.int64)) for name, stage in
           (("applied", applied), ("approved", approved), ("first_card", first_card))},
        "activated": both(wakes[standing].astype(np.int64), np.full(len(offered), -1)),
        "spend": both(spend[standing], np.full(len(offered), -1.0)),
    }


def offer_day(calendar: Calendar) -> np.datetime64:
    """Return the day on which the new card was offered."""
    return np.datetime64((calendar.campaign - calendar.months + 1).astype("datetime64[D]"), "s")


def campaigns(calendar: Calendar) -> dict[str, Any]:
    """Return the table of campaigns."""
    return {
        "campaign_id": [STANDING, OFFER], "name": ["standing activation", "young card"], "kind": ["activation", "new card"],
        "product": [None, "young"], "sent_on": np.array([_month_start(calendar.training), offer_day(calendar)]),
    }
