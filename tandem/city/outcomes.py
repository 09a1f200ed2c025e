"""How outcomes come about: the only place where bank and telco are worth anything to each other. docs/city.md prints these equations.

`telco_effect` 1 is the city as it was invented. At 0 the share that only the telco's events show is replaced by chance of the same spread,
so that outcomes stay as frequent, and depend on nothing but what the bank's own tables say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tandem.city.people import Flags, Floats, Integers, People

TIERS = ("ordinary", "gold", "platinum", "private")
TIER_WEIGHT = np.array([-0.1, 0.1, 0.3, 0.5])
ACTIVATION = -2.2
"""Log-odds that a dormant card of an average customer is used again within three months."""
TELCO_SPREAD = 1.55
"""Standard deviation of `seen_by_telco`."""
STRAIN_SPREAD = 0.94
"""Standard deviation of `strain_by_telco`."""
FIT = 0.6
"""Added to the log-odds of a response where the benefit offered is the person's favourite."""
ASKED = 0.3
"""Added for everybody who is written to."""


@dataclass(frozen=True)
class Seen:
    """What the bank's tables show of its customers at a date, shape (n,) each; NaN where they hold nothing."""

    payments: Floats
    """Card payments on record."""
    idle: Floats
    """Months since the last of them."""
    age: Floats
    balance: Floats
    """Of the last month, yuan."""
    tier: Integers


def sigmoid(logit: Floats) -> Floats:
    """Return 1 / (1 + exp(-logit))."""
    return 1 / (1 + np.exp(-logit))


def seen_by_bank(seen: Seen) -> Floats:
    """Return the share of the log-odds that the bank's own tables give: recorded values alone, a missing one counts as the average."""
    age = np.where(np.isnan(seen.age), 0.0, seen.age - 41)
    balance = np.where(np.isnan(seen.balance), 0.0, np.log(np.maximum(seen.balance, 1.0)) - 8.3)
    paid = 0.40 * (np.log1p(seen.payments) - 2.6) - 0.02 * (np.minimum(seen.idle, 24) - 14)
    total: Floats = paid - 0.017 * age + 0.12 * balance + TIER_WEIGHT[seen.tier]
    return total


def seen_by_telco(people: People) -> Floats:
    """Return the share of the log-odds that shows in the telco's events, mean about 0."""
    return 1.10 * people.need + 0.50 * people.outgoing + 0.55 * people.online + 0.40 * people.finance


def strain_by_telco(people: People) -> Floats:
    """Return the share of a loan's log-odds of coming back late that shows in the telco's events; strangers to the telco pay worse."""
    return 0.8 * people.strain - 0.25 * people.order + 0.9 * (~people.matched - 0.2)


def mixed(shown: Floats, telco_effect: float, spread: float, rng: np.random.Generator) -> Floats:
    """Return `shown` times the effect, and chance of the spread that is missing then."""
    total: Floats = telco_effect * shown + np.sqrt(max(0.0, 1 - telco_effect**2)) * spread * rng.standard_normal(len(shown))
    return total


def activation(seen: Seen, people: People, telco_effect: float, rng: np.random.Generator) -> Floats:
    """Return the log-odds that a dormant card is used again."""
    return ACTIVATION + seen_by_bank(seen) + mixed(seen_by_telco(people), telco_effect, TELCO_SPREAD, rng)


def lateness(seen: Seen, people: People, telco_effect: float, rng: np.random.Generator) -> Floats:
    """Return the log-odds that a loan comes back more than 30 days late."""
    balance = np.where(np.isnan(seen.balance), 0.0, np.log(np.maximum(seen.balance, 1.0)) - 8.3)
    own: Floats = -2.1 - 0.35 * balance - 0.8 * TIER_WEIGHT[seen.tier]
    return own + mixed(strain_by_telco(people), telco_effect, STRAIN_SPREAD, rng)


@dataclass(frozen=True)
class Funnel:
    """What became of those who were written to; shape (n,) each.

    From `responded` to `first_card` a stage holds only those of the stage before; a few use the card again without a response.
    """

    responded: Flags
    applied: Flags
    approved: Flags
    first_card: Flags
    activated: Flags
    spend: Floats


def funnel(logit: Floats, fits: Flags, need: Floats, order: Floats, wealth: Floats, chances: Floats) -> Funnel:
    """Follow each person through the funnel. `chances`: shape (6, n), uniform in (0, 1); `logit` as `activation` gives it."""
    responded = chances[0] < sigmoid(logit + ASKED + FIT * fits)
    applied = responded & (chances[1] < sigmoid(-0.3 + 0.5 * need))
    approved = applied & (chances[2] < sigmoid(0.7 + 0.6 * order + 0.3 * wealth))
    first_card = approved & (chances[3] < 0.6)
    activated = chances[4] < np.where(responded, 0.85, 0.03)
    spend = np.where(activated, np.round(np.exp(6.2 + 0.5 * wealth + 1.2 * (chances[5] - 0.5)), 2), 0.0)
    return Funnel(responded, applied, approved, first_card, activated, spend)
