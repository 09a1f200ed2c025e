"""The days a city knows: its first day, and the two dates at which it is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tandem.errors import InputError

FIRST_MONTH = np.datetime64("2025-01", "M")
WINDOW = 3
"""Months between the date of training and the date of the campaign: in them it shows who used the card again."""
BEFORE = 24
"""Months of card use on record before the date of training."""
DORMANT = 6
"""Months without payment after which a card is dormant."""
FEWEST_MONTHS = 4
MOST_MONTHS = 36


@dataclass(frozen=True)
class Calendar:
    """`months` whole months of telco events, from 2025-01-01. The bank's card use reaches further back: BEFORE months before `training`."""

    months: int

    def __post_init__(self) -> None:
        if not FEWEST_MONTHS <= self.months <= MOST_MONTHS:
            raise InputError(f"{self.months} months: take {FEWEST_MONTHS} to {MOST_MONTHS}; the last {WINDOW} are the label's window")

    @property
    def campaign(self) -> np.datetime64:
        """T1: the first month after the data."""
        return np.datetime64(int(FIRST_MONTH.astype(np.int64)) + self.months, "M")

    @property
    def training(self) -> np.datetime64:
        """T0, a month."""
        return np.datetime64(int(self.campaign.astype(np.int64)) - WINDOW, "M")

    @property
    def bank_months(self) -> NDArray[np.datetime64]:
        """Months of card use, ascending; index BEFORE is the month of `training`."""
        return np.arange(self.training - BEFORE, self.campaign)

    @property
    def first_day(self) -> np.datetime64:
        """First day of telco events."""
        return np.datetime64(f"{FIRST_MONTH}-01", "D")

    @property
    def days(self) -> int:
        """Days of telco events."""
        return int((self.campaign.astype("datetime64[D]") - self.first_day).astype(np.int64))


def day(month: np.datetime64) -> str:
    """Return the first day of a month as 2025-07-01."""
    return str(month.astype("datetime64[D]"))
