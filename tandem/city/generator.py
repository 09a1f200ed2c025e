"""A small invented city: one file for a bank, one for a telco, of partly the same people, dirty as such files are.

Everything here is synthetic. A figure computed from it shows that the machinery works; it says nothing about what an operator's data is
worth to a bank: how much the telco's columns tell was chosen in `_activation` below.

What is dirty: phones in six ways of writing, customers whom the telco does not know and the reverse, missing values (empty, or 无记录),
rare levels, counts that are mostly 0, the special value 999 for "never", subscribers of the last weeks without behaviour yet. Identifiers
are unique unless `duplicates` asks for doubled rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Texts: TypeAlias = NDArray[np.object_]

AT_BANK = 0.86
"""Share of the people who are customers of the bank."""
AT_TELCO = 0.88
"""Share of the people who are subscribers of the telco; the two shares are independent."""
RESPONSE_LOGIT = -2.3
"""Log-odds of activation of an average customer: about 15 % activate."""
NEVER = 999.0
"""Months since the last card payment, where there was none."""
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
PRODUCTS = {"standard": 52, "car owner": 15, "travel": 11, "women's": 9, "young": 8, "co-branded": 4.4, "staff 2009": 0.3}
PACKAGES = {"5G 129": 34, "5G 199": 18, "5G 299": 6, "4G 59": 27, "campus": 9, "elder": 5, "pager 1999": 0.1}
"""Names and weights; the last of each is rare."""
PREFIXES = np.array(["133", "153", "173", "177", "180", "181", "189", "191", "199", "138", "139", "186"])


@dataclass(frozen=True)
class City:
    """The bank's table (phone, columns, activated) and the telco's (phone, columns), each in its own order."""

    bank: pd.DataFrame
    telco: pd.DataFrame


@dataclass(frozen=True)
class _People:
    """Traits nobody observes, one number a person, about standard normal: wealth, outgoing life, online habits, order in money matters."""

    wealth: Floats
    outgoing: Floats
    online: Floats
    order: Floats
    age: Floats
    phone: Texts


def make(people: int = 20_000, seed: int = 1, *, duplicates: int = 0) -> City:
    """Return a city of so many people, the same for the same arguments. `duplicates` rows of each table are written a second time.

    Raises ValueError for fewer than 100 people or more duplicates than people.
    """
    if people < 100 or not 0 <= duplicates <= people // 2:
        raise ValueError(f"{people} people with {duplicates} duplicates: take at least 100 people, and doubles for at most half of them")
    rng = np.random.default_rng([seed, people])
    crowd = _crowd(people, rng)
    bank, telco = _bank(crowd, rng), _telco(crowd, rng)
    bank["activated"] = _activation(crowd, bank, rng)
    at_bank, at_telco = rng.random(people) < AT_BANK, rng.random(people) < AT_TELCO
    return City(*(_shuffled(table[held], duplicates, rng) for table, held in ((bank, at_bank), (telco, at_telco))))


def write(directory: Path, people: int = 20_000, seed: int = 1, *, duplicates: int = 0) -> tuple[Path, Path]:
    """Write `bank.csv` and `telco.csv` (identifier `phone`, label `activated`) into an existing directory and return their paths."""
    city = make(people, seed, duplicates=duplicates)
    paths = directory / "bank.csv", directory / "telco.csv"
    for path, table, encoding in zip(paths, (city.bank, city.telco), ("utf-8", "utf-8-sig"), strict=True):
        table.to_csv(path, index=False, encoding=encoding, lineterminator="\n")
    return paths


def _crowd(people: int, rng: np.random.Generator) -> _People:
    wealth, outgoing, online, order = rng.standard_normal((4, people))
    age = np.clip(np.round(41 + 12 * rng.standard_normal(people) - 4 * online), 18, 85)
    middle = rng.integers(0, len(PREFIXES), people)
    tail = rng.choice(100_000_000, size=people, replace=False)
    phone = np.array([f"{PREFIXES[m]}{t:08}" for m, t in zip(middle, tail, strict=True)], dtype=np.object_)
    return _People(wealth, outgoing, online, order, age, phone)


def _bank(crowd: _People, rng: np.random.Generator) -> pd.DataFrame:
    people = len(crowd.age)
    noise = rng.standard_normal((6, people))
    rate = np.exp(0.1 + 0.55 * crowd.outgoing + 0.25 * crowd.wealth + 0.8 * noise[0] - 0.01 * (crowd.age - 40))
    payments = rng.poisson(rate).astype(np.float64)
    amount = np.where(payments > 0, np.round(payments * np.exp(4.6 + 0.5 * crowd.wealth + 0.6 * noise[1]), 2), 0.0)
    idle = np.where(payments > 0, np.ceil(12 * rng.random(people) / (1 + 0.3 * payments)), NEVER)
    balance = np.round(np.exp(8.2 + 0.9 * crowd.wealth + 0.4 * crowd.order + 0.9 * noise[2]), 2)
    tier = _grade(0.8 * crowd.wealth + 0.6 * noise[3], ["ordinary", "gold", "platinum", "private"], [0.62, 0.9, 0.985])
    product = _pick(rng, people, PRODUCTS)
    region = _pick(rng, people, {"centre": 30, "north": 22, "south": 21, "east port": 16, "hills": 10, "abroad": 0.5})
    tenure = np.clip(np.round(rng.gamma(2.2, 22, people)), 0, 300)
    limit = np.round(np.exp(9.4 + 0.45 * crowd.wealth + 0.2 * crowd.order + 0.4 * noise[4]) / 1000) * 1000
    table = pd.DataFrame(
        {
            "phone": _written(crowd.phone, rng, [0.72, 0.1, 0.06, 0.06, 0.05, 0.01]),
            "age": _holes(crowd.age, 0.03, rng),
            "region": region,
            "tier": tier,
            "product": product,
            "tenure_months": tenure,
            "payments_12m": payments,
            "amount_12m": amount,
            "idle_months": idle,
            "debit_balance": _holes(balance, 0.07, rng),
            "credit_limit": limit,
        }
    )
    table.loc[rng.random(people) < 0.02, "region"] = None
    return table


def _telco(crowd: _People, rng: np.random.Generator) -> pd.DataFrame:
    people = len(crowd.age)
    noise = rng.standard_normal((10, people))
    visits = {
        "eat": np.exp(1.3 + 0.7 * crowd.outgoing + 0.5 * noise[0]),
        "play": np.exp(0.7 + 0.6 * crowd.outgoing + 0.3 * crowd.online + 0.6 * noise[1]),
        "shop": np.exp(1.1 + 0.8 * crowd.online + 0.3 * crowd.wealth + 0.5 * noise[2]),
        "travel": np.exp(-0.6 + 0.6 * crowd.wealth + 0.4 * crowd.outgoing + 0.6 * noise[3]),
        "finance": np.exp(0.4 + 0.7 * crowd.online + 0.5 * crowd.order + 0.6 * noise[4]),
    }
    columns: dict[str, Floats | Texts] = {"phone": _written(crowd.phone, rng, [0.85, 0.05, 0.02, 0.03, 0.05, 0.0])}
    late = rng.random(people) < 0.015
    for name, rate in visits.items():
        columns[name] = np.where(late, np.nan, _holes(rng.poisson(rate).astype(np.float64), 0.02, rng))
    columns["night_share"] = _holes(np.round(1 / (1 + np.exp(2.0 + 0.6 * crowd.order + 0.7 * noise[5])), 3), 0.04, rng)
    columns["contacts"] = np.where(late, np.nan, rng.poisson(np.exp(2.9 + 0.35 * crowd.outgoing + 0.5 * noise[6])))
    columns["silent_days"] = np.where(late, np.nan, rng.poisson(np.exp(-0.9 - 0.5 * crowd.order - 0.4 * crowd.outgoing + 0.8 * noise[7])))
    columns["monthly_spend"] = np.round(np.exp(4.1 + 0.35 * crowd.wealth + 0.15 * crowd.online + 0.4 * noise[8]), 1)
    columns["data_gb"] = _holes(np.round(np.exp(2.2 + 0.6 * crowd.online - 0.01 * (crowd.age - 40) + 0.5 * noise[9]), 2), 0.03, rng)
    columns["device_tier"] = _grade(0.7 * crowd.wealth + 0.7 * rng.standard_normal(people), ["entry", "middle", "flagship"], [0.35, 0.8])
    columns["package"] = _pick(rng, people, PACKAGES)
    columns["tenure_months"] = np.where(late, rng.integers(0, 2, people), np.round(2 + rng.gamma(1.8, 35, people)))
    table = pd.DataFrame(columns)
    unknown = rng.random(people)
    table.loc[unknown < 0.05, "device_tier"] = "无记录"
    table.loc[unknown < 0.02, "device_tier"] = None
    return table


def _activation(crowd: _People, bank: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """Who uses the card again: partly what the bank sees (payments, age, balance, tier), partly a life that only the telco sees."""
    paid = np.log1p(bank["payments_12m"].to_numpy(dtype=np.float64))
    tiers = bank["tier"].map({"ordinary": -0.1, "gold": 0.1, "platinum": 0.3, "private": 0.5}).to_numpy(dtype=np.float64)
    seen_by_bank = 0.75 * (paid - 0.8) + tiers - 0.018 * (crowd.age - 40) + 0.15 * (bank["idle_months"].to_numpy() == NEVER)
    seen_by_telco = 0.45 * crowd.outgoing + crowd.online + 0.4 * crowd.order
    logit = RESPONSE_LOGIT + seen_by_bank + seen_by_telco
    draws: Floats = rng.random(len(logit))
    return np.where(draws < 1 / (1 + np.exp(-logit)), 1, 0)


def _written(phones: Texts, rng: np.random.Generator, shares: list[float]) -> Texts:
    """Write each number in one of six ways: plain, +86, hyphens, spaces, 0086, full-width digits."""
    ways = (
        lambda p: p,
        lambda p: f"+86{p}",
        lambda p: f"{p[:3]}-{p[3:7]}-{p[7:]}",
        lambda p: f"+86 {p[:3]} {p[3:7]} {p[7:]}",
        lambda p: f"0086{p}",
        lambda p: p.translate(FULL_WIDTH),
    )
    chosen = rng.choice(len(ways), size=len(phones), p=shares)
    return np.array([ways[way](phone) for way, phone in zip(chosen, phones, strict=True)], dtype=np.object_)


def _holes(values: Floats, share: float, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(len(values)) < share, np.nan, values)


def _pick(rng: np.random.Generator, people: int, weights: dict[str, float]) -> Texts:
    share = np.array(list(weights.values()))
    return np.array(list(weights), dtype=np.object_)[rng.choice(len(weights), size=people, p=share / share.sum())]


def _grade(score: Floats, names: list[str], shares: list[float]) -> Texts:
    """Cut a score at the quantiles `shares` into the named grades."""
    return np.array(names, dtype=np.object_)[np.searchsorted(np.quantile(score, shares), score)]


def _shuffled(table: pd.DataFrame, duplicates: int, rng: np.random.Generator) -> pd.DataFrame:
    rows = np.concatenate([np.arange(len(table)), rng.choice(len(table), size=duplicates, replace=False)])
    return table.iloc[rng.permutation(rows)].reset_index(drop=True)
