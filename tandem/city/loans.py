"""Small cash loans of one batch: lent, due, and paid back in time, late, or not yet."""

from __future__ import annotations

from typing import Any

import numpy as np

from tandem.city.calendar import Calendar
from tandem.city.outcomes import Seen, lateness, sigmoid
from tandem.city.people import Integers, People, stream

BORROWS = 0.25
"""Share of the customers with a loan."""
LATE_DAYS = 30


def loans(
    people: People, seen: Seen, customer_id: Integers, calendar: Calendar, seed: int, batch: int, telco_effect: float
) -> dict[str, Any]:
    """Return the table; a repayment after the data end is not on record."""
    rng = stream(seed, batch, "loans")
    count = len(people)
    borrows = np.flatnonzero(rng.random(count) < BORROWS)
    late = (rng.random(count) < sigmoid(lateness(seen, people, telco_effect, rng)))[borrows]
    lent = (rng.random(len(borrows)) * calendar.days).astype(np.int64)
    due = lent + np.array([30, 60, 90])[rng.integers(0, 3, len(borrows))]
    delay = np.where(late, LATE_DAYS + 1 + rng.geometric(0.03, len(borrows)), rng.integers(-20, LATE_DAYS + 1, len(borrows)) // 3)
    repaid = due + delay
    lost = late & (rng.random(len(borrows)) < 0.4)
    open_still = lost | (repaid >= calendar.days)

    def day(count: Integers) -> Any:
        return (calendar.first_day + count.astype("timedelta64[D]")).astype("datetime64[s]")

    amount = np.round(np.exp(8.0 + 0.4 * people.wealth[borrows] + 0.5 * rng.standard_normal(len(borrows))) / 100) * 100 + 100
    return {
        "loan_id": batch * 1_000_000 + np.arange(len(borrows)), "customer_id": customer_id[borrows], "lent_on": day(lent), "amount": amount,
        "due_on": day(due), "repaid_on": np.where(open_still, np.datetime64("NaT"), day(np.where(open_still, 0, repaid))),
    }
