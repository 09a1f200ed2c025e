"""Who lives in the city: traits that nobody observes, households, numbers, and who knows whom. Pure numpy, a batch of people at a time.

Traits are one number a person, about standard normal. What of them shows where is said in `telco_events`, `bank_records` and `outcomes`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

BATCH = 10_000
"""People drawn and written at a time. A full batch holds the same people in every city of the same seed."""
PURPOSES = ("people", "household", "subscribers", "calls", "usage", "visits", "bills", "bank", "outcomes", "loans", "contacts", "cells")
Purpose: TypeAlias = Literal[
    "people", "household", "subscribers", "calls", "usage", "visits", "bills", "bank", "outcomes", "loans", "contacts", "cells"
]
BENEFITS = ("eat", "play", "online shopping", "shopping")
REGIONS = ("centre", "north", "south", "east port", "hills", "abroad")
GENDERS = ("female", "male")

AT_BANK = 0.85
"""Share of the people who are customers of the bank."""
AT_TELCO = 0.875
"""Share of the people who are subscribers of the telco, drawn independently of the bank's."""
OTHER_NUMBER = 0.085
"""Share of the customers who gave the bank a number that the telco does not have; with the shares above, 80 % of the customers match."""
SAME_HOUSEHOLD = 0.55
"""Chance that a person lives with the one drawn before."""
YEAR = 2025

_PREFIXES = np.array([133, 153, 173, 177, 180, 181, 189, 191, 199, 138, 139, 186])
_TAILS = 100_000_000
_STEP = 741_640_001
"""Coprime to 12 * 10^8, so that numbers scattered by it never meet."""


@dataclass(frozen=True)
class People:
    """One batch, each field of shape (n,).

    `number` counts people through the whole city; `phone` is the own number, `bank_phone` the one that the bank has; `favourite` indexes
    BENEFITS, `region` REGIONS and `gender` GENDERS; `household` is the number of its first member.
    """

    number: Integers
    phone: Integers
    bank_phone: Integers
    household: Integers
    at_bank: Flags
    at_telco: Flags
    wealth: Floats
    outgoing: Floats
    online: Floats
    order: Floats
    finance: Floats
    """Interest in money matters over the internet, at whichever house."""
    need: Floats
    """How much a card is wanted just now."""
    strain: Floats
    """How hard it is to make ends meet."""
    loyal: Floats
    """How much of it is done at this bank."""
    birth_year: Integers
    favourite: Integers
    gender: Integers
    region: Integers

    def __len__(self) -> int:
        return len(self.number)

    def of(self, chosen: Flags) -> Self:
        """Return the people of a mask of shape (n,)."""
        return type(self)(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @property
    def matched(self) -> Flags:
        """Whether bank and telco both know the person under one number."""
        same: Flags = self.phone == self.bank_phone
        return self.at_bank & self.at_telco & same

    @property
    def age(self) -> Floats:
        """Years, by the year of birth."""
        return (YEAR - self.birth_year).astype(np.float64)


def stream(seed: int, batch: int, purpose: Purpose) -> np.random.Generator:
    """Return the chance of one purpose in one batch: what one table draws changes no other."""
    return np.random.default_rng([seed, batch, PURPOSES.index(purpose)])


def scattered(numbers: Integers, seed: int, below: int = len(_PREFIXES) * _TAILS) -> Integers:
    """Return numbers in [0, below), no two alike for different numbers < below; `below` must divide by no prime but 2, 3 and 5."""
    return (numbers * _STEP + 7_919 * (seed % 100_003)) % below


def phones(index: Integers, seed: int) -> Integers:
    """Return numbers of 11 digits, no two alike."""
    place = scattered(index, seed)
    return _PREFIXES[place // _TAILS] * _TAILS + place % _TAILS


def people_of(seed: int, batch: int, count: int) -> People:
    """Return the first `count` people (at most BATCH) of a batch, counted from 0."""
    rng = stream(seed, batch, "people")
    number = batch * BATCH + np.arange(count)
    wealth, outgoing, online, order, finance, need, strain, loyal = rng.standard_normal((8, BATCH))[:, :count]
    finance = 0.8 * finance + 0.45 * online + 0.35 * need
    strain = 0.85 * strain - 0.35 * wealth - 0.4 * order
    age = np.clip(np.round(41 + 12 * rng.standard_normal(BATCH)[:count] - 4 * online), 18, 85)
    at_bank, at_telco, other = rng.random((3, BATCH))[:, :count] < np.array([[AT_BANK], [AT_TELCO], [OTHER_NUMBER]])
    favourite = rng.choice(len(BENEFITS), size=BATCH, p=[0.32, 0.22, 0.27, 0.19])[:count]
    gender = rng.integers(0, len(GENDERS), BATCH)[:count]
    region = rng.choice(len(REGIONS), size=BATCH, p=[0.3, 0.22, 0.21, 0.16, 0.105, 0.005])[:count]
    begins = stream(seed, batch, "household").random(BATCH)[:count] >= SAME_HOUSEHOLD
    begins[0] = True
    household = np.maximum.accumulate(np.where(begins, number, 0))
    return People(
        number=number, phone=phones(2 * number, seed), bank_phone=phones(2 * number + other, seed), household=household,
        at_bank=at_bank, at_telco=at_telco, wealth=wealth, outgoing=outgoing, online=online, order=order, finance=finance, need=need,
        strain=strain, loyal=loyal, birth_year=YEAR - age.astype(np.int64), favourite=favourite, gender=gender,
        region=region[household - number[0]],
    )
