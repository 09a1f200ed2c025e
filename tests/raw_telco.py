"""A few dozen subscribers with every raw table of a telco, as pandas frames, and a writer of part files."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

from telco_party.features.raw import TABLES

FIRST, LAST, AS_OF = pd.Timestamp("2025-01-01"), pd.Timestamp("2025-10-01"), pd.Timestamp("2025-07-15")
SCENES = ["eat", "play", "online shopping", "shopping", "travel", "finance", "news", "video", "social", "work"]
SPECIAL = ["bank", "police", "courier", "takeaway", "hospital", "collection", "loan", "travel"]
TYPES = {
    "subscribers": ["VARCHAR", "DATE", "DATE", "VARCHAR", "SMALLINT", "VARCHAR", "VARCHAR"],
    "identifiers": ["VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "DATE"],
    "calls": ["BIGINT", "VARCHAR", "TIMESTAMP", "INTEGER", "VARCHAR", "BIGINT", "VARCHAR", "TIMESTAMP"],
    "usage": ["BIGINT", "VARCHAR", "VARCHAR", "TIMESTAMP", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "BIGINT", "TIMESTAMP"],
    "cells": ["INTEGER", "DOUBLE", "DOUBLE", "VARCHAR"],
    "visits": ["BIGINT", "VARCHAR", "INTEGER", "TIMESTAMP", "INTEGER", "TIMESTAMP"],
    "bills": ["VARCHAR", "DATE", "DOUBLE", "DOUBLE", "DOUBLE", "INTEGER", "DATE"],
    "suspensions": ["VARCHAR", "DATE", "DATE"],
    "topups": ["VARCHAR", "TIMESTAMP", "DOUBLE"],
}
"""As the columns of raw.TABLES go."""


def phones(people):
    return [f"133{number:08}" for number in range(people)]


def moments(rng, number):
    return FIRST + pd.to_timedelta(rng.integers(0, int((LAST - FIRST).total_seconds()), number), unit="s")


def late(rng, at):
    return at + pd.to_timedelta(np.where(rng.random(len(at)) < 0.05, 20 * 86400, 60), unit="s")


def doubled(table, rng):
    """Return the table with a twentieth of its rows once more."""
    again = table.sample(frac=0.05, random_state=1)
    return pd.concat([table, again]).sample(frac=1, random_state=2).reset_index(drop=True)


def raw(people=36, seed=1):
    """Return every table. The last four people have no usage, no calls, no visits, no bills; some months of some are missing."""
    rng = np.random.default_rng(seed)
    phone = np.array(phones(people), dtype=object)
    pick = lambda number, low=0, high=4: phone[rng.integers(low, people - high, number)]  # noqa: E731 - a word of this page
    opened = FIRST - pd.to_timedelta(rng.integers(-120, 1500, people), unit="D")
    written = [f"+86{one}" if at % 7 == 1 else f"{one[:3]}-{one[3:7]}-{one[7:]}" if at % 7 == 2 else one for at, one in enumerate(phone)]
    closed = pd.Series([pd.NaT] * people)
    closed[3], closed[4] = pd.Timestamp("2025-06-01"), AS_OF + pd.Timedelta(days=3)
    subscribers = pd.DataFrame({
        "phone": written, "opened_on": opened.normalize(), "closed_on": closed, "package": rng.choice(["4G", "5G"], people),
        "birth_year": np.where(rng.random(people) < 0.1, None, rng.integers(1950, 2005, people)), "gender": rng.choice(["f", "m"], people),
        "region": rng.choice(["north", "south", None], people),
    })
    cells = pd.DataFrame({
        "cell_id": range(1, 25), "x_km": rng.normal(0, 20, 24), "y_km": rng.normal(0, 20, 24),
        "area": rng.choice(["residential", "business", "commercial", "industrial", "rural", "airport"], 24),
    })
    number = people * 90
    at = moments(rng, number)
    calls = pd.DataFrame({
        "call_id": range(number), "phone": pick(number), "started_at": at, "seconds": rng.integers(1, 400, number),
        "direction": rng.choice(["out", "in"], number), "counterpart": rng.integers(0, 12, number),
        "special": np.where(rng.random(number) < 0.3, rng.choice(SPECIAL, number), None), "received_at": late(rng, at),
    })
    at, owner = moments(rng, number), rng.integers(0, people - 4, number)
    kinds = rng.choice(["phone", "device", "cookie", "broadband"], number)
    spelled = {"device": "d{0}", "cookie": "c{0}", "broadband": "b{1}"}
    usage = pd.DataFrame({
        "event_id": range(number), "id_kind": kinds,
        "id_value": [
            phone[o] if kind == "phone" else spelled[kind].format(o, o // 2 if o < 10 else o)
            for kind, o in zip(kinds, owner, strict=True)
        ],
        "at": at, "channel": rng.choice(["app", "site", "search"], number), "category": rng.choice(SCENES, number),
        "name": [f"n{one}" for one in rng.integers(0, 30, number)], "seconds": rng.integers(1, 900, number),
        "kbytes": rng.integers(0, 9999, number), "received_at": late(rng, at),
    })
    usage = usage[~((usage["at"] >= "2025-06-15") & usage["id_value"].str.endswith("7"))]
    at, owner = moments(rng, number), rng.integers(0, people - 4, number)
    visits = pd.DataFrame({
        "visit_id": range(number), "phone": phone[owner], "cell_id": (owner + rng.integers(0, 2 + owner % 5) ** 2) % 24 + 1, "at": at,
        "minutes": rng.integers(0, 300, number), "received_at": late(rng, at),
    })
    months = pd.date_range(FIRST, LAST, freq="MS", inclusive="left")
    bills = pd.DataFrame([(one, month) for one in phone[:-4] for month in months], columns=["phone", "month"])
    bills = bills.sample(frac=0.9, random_state=3)
    size = len(bills)
    paid = bills["month"] + pd.offsets.MonthBegin(1) + pd.to_timedelta(rng.integers(1, 60, size), unit="D")
    bills = bills.assign(
        charge=rng.uniform(0, 200, size).round(2), data_gb=rng.uniform(0, 40, size), voice_minutes=rng.uniform(0, 300, size),
        sms=rng.integers(0, 9, size), paid_on=paid.where(rng.random(size) < 0.9),
    )
    on = pd.to_datetime(moments(rng, 30)).normalize()
    back = on + pd.to_timedelta(rng.integers(1, 40, 30), unit="D")
    suspensions = pd.DataFrame({"phone": pick(30), "suspended_on": on, "restored_on": back})
    suspensions = suspensions.drop_duplicates(["phone", "suspended_on"])
    topups = pd.DataFrame({"phone": pick(200), "at": moments(rng, 200), "amount": rng.choice([10.0, 20.5, 50.0], 200)})
    pairs = [("phone", phone[o], "device", f"d{o}", day) for o in range(people - 4) for day in ("2025-01-03", "2025-03-05")]
    pairs += [("cookie", f"c{o}", "device", f"d{o}", "2025-02-01") for o in range(people - 4)]
    pairs += [("broadband", f"b{o // 2 if o < 10 else o}", "phone", phone[o], "2025-02-02") for o in range(people - 4) if o % 3]
    pairs += [("phone", phone[12], "device", "d11", day) for day in ("2025-05-01", "2025-06-30")]  # handed on from 11 to 12
    pairs += [("phone", phone[14], "device", "d13", "2025-02-20")]  # 13 and 14 are one person's two numbers
    pairs += [("phone", phone[15], "device", "x1", "2025-06-20"), ("phone", phone[16], "device", "x2", "2025-08-01")]
    pairs += [("phone", phone[one], "device", "shop", day) for one in range(20, 26) for day in ("2025-01-09", "2025-04-04")]
    identifiers = pd.DataFrame(pairs, columns=["kind", "value", "other_kind", "other_value", "seen_on"])
    identifiers["seen_on"] = pd.to_datetime(identifiers["seen_on"])
    return {
        "subscribers": subscribers, "identifiers": identifiers, "calls": doubled(calls, rng), "usage": doubled(usage, rng), "cells": cells,
        "visits": doubled(visits, rng), "bills": bills, "suspensions": suspensions, "topups": topups,
    }


def write(tables, folder, parts=2):
    """Write each table as part files, its rows dealt out, so that a repeated record may stand in another part."""
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as database:
        for name, table in tables.items():
            columns = ", ".join(f'"{column}"::{kind} AS "{column}"' for column, kind in zip(TABLES[name], TYPES[name], strict=True))
            for part in range(parts):
                database.register("rows", table.iloc[part::parts])
                target = f"{folder}/{name}-{part + 1:04d}.parquet"
                database.execute(f"COPY (SELECT {columns} FROM rows) TO '{target}' (FORMAT parquet)")  # noqa: S608 - a test's own
                database.unregister("rows")
    return folder
