"""A bank's raw tables, small, made at random from a seed: what `bank_party.history` reads, written as Parquet in parts."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

MONTHS = [date.date() for date in pd.date_range("2023-01-01", "2025-09-01", freq="MS")]
"""Months on record: T0 = 2025-07-01 has its label, and T1 = 2025-10-01 its variables."""
TYPES = {
    "customers": "customer_id BIGINT, phone VARCHAR, birth_year SMALLINT, gender VARCHAR, region VARCHAR, tier VARCHAR, joined_on DATE",
    "cards": "card_id BIGINT, customer_id BIGINT, product VARCHAR, issued_on DATE, credit_limit DOUBLE, closed_on DATE",
    "card_use": "card_id BIGINT, month DATE, payments INTEGER, amount DOUBLE",
    "balances": "customer_id BIGINT, month DATE, debit_balance DOUBLE",
    "channel_use": "customer_id BIGINT, month DATE, logins INTEGER, transfers INTEGER, wealth_purchases INTEGER",
}


def tables(people=300, seed=1):
    """Return the five tables by name; about half of the customers have a dormant card at any date."""
    chance = np.random.default_rng(seed)
    customers, cards, use, balances, channels = [], [], [], [], []
    for customer in range(1, people + 1):
        phone = None if chance.random() < 0.03 else f"+86 138 {customer:08d}" if chance.random() < 0.2 else f"138{customer:08d}"
        born = None if chance.random() < 0.05 else int(chance.integers(1950, 2005))
        joined = pd.Timestamp("2018-01-01") + pd.Timedelta(days=int(chance.integers(0, 2800)))
        gender, region = [None, "f", "m"][chance.integers(3)], ["north", "south", None][chance.integers(3)]
        customers.append((customer, phone, born, gender, region, ["ordinary", "gold"][chance.integers(2)], joined.date()))
        for number in range(int(chance.integers(1, 4))):
            card = customer * 10 + number
            issued = joined + pd.Timedelta(days=int(chance.integers(0, 900)))
            closed = (issued + pd.Timedelta(days=int(chance.integers(200, 2000)))).date() if chance.random() < 0.15 else None
            product, limit = ["standard", "car owner"][chance.integers(2)], float(chance.integers(5, 60)) * 1000
            cards.append((card, customer, product, issued.date(), limit, closed))
            asleep = MONTHS[int(chance.integers(0, len(MONTHS)))] if chance.random() < 0.6 else None
            for month in MONTHS:
                idle = asleep is not None and month >= asleep and chance.random() > 0.05
                if month >= issued.date() and (closed is None or month < closed) and not idle and chance.random() < 0.6:
                    use.append((card, month, int(chance.integers(1, 9)), round(float(chance.gamma(2, 300)), 2)))
        level = float(chance.gamma(2, 5000))
        for month in MONTHS:
            if month >= joined.date() and chance.random() > 0.05:
                balances.append((customer, month, round(level * float(chance.lognormal(0, 0.2)), 2)))
                if chance.random() < 0.7:
                    channels.append((customer, month, int(chance.poisson(4)), int(chance.poisson(1)), int(chance.poisson(0.3))))
    return {
        name: pd.DataFrame(rows, columns=[one.split()[0] for one in TYPES[name].split(", ")], dtype=object)
        for name, rows in {"customers": customers, "cards": cards, "card_use": use, "balances": balances, "channel_use": channels}.items()
    }


def write(folder, made, parts=2):
    """Write the tables into a folder, each in several files."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as database:
        for name, frame in made.items():
            database.execute(f"CREATE TABLE {name}({TYPES[name]})")
            database.register("given", frame.astype("string"))
            database.execute(f"INSERT INTO {name} SELECT * FROM given")  # noqa: S608 - names of our own
            for part in range(parts):
                where = f"(rowid % {parts}) = {part}"
                some = f"SELECT * FROM {name} WHERE {where}"  # noqa: S608 - as above
                database.execute(f"COPY ({some}) TO '{folder}/{name}-{part + 1:04d}.parquet' (FORMAT parquet)")
    return folder
