"""The telco's variables by pandas, a family a function: the independent computation that the SQL is held against."""

from __future__ import annotations

import numpy as np
import pandas as pd
from plain_persons import persons

SCENES = ["eat", "play", "online shopping", "shopping", "travel", "finance"]
SPECIAL = ["bank", "police", "courier", "takeaway", "hospital", "collection", "loan", "travel"]


def back(as_of, months):
    return as_of - pd.DateOffset(months=months)


def subscribers(raw, as_of):
    table = raw["subscribers"].copy()
    table["phone"] = table["phone"].str.replace(r"\D", "", regex=True).str[-11:]
    table = table[(table["opened_on"] < as_of) & ~(table["closed_on"] < as_of)]
    return table.set_index("phone").sort_index()


def events(table, key, at, as_of):
    table = table[(table[at] < as_of) & (table["received_at"] < as_of)]
    return table.sort_values("received_at").drop_duplicates(key)


def within(table, at, as_of, months):
    return table[table[at] >= back(as_of, months)]


def months_between(opened, as_of):
    return (as_of.year - opened.year) * 12 + as_of.month - opened.month - (as_of.day < opened.day)


def calls(raw, as_of):
    table = events(raw["calls"], "call_id", "started_at", as_of)
    out = {}
    for phone, every in table.groupby("phone"):
        row = out[phone] = {}
        of = {months: within(every, "started_at", as_of, months) for months in (1, 3, 6)}
        for months, some in of.items():
            if some.empty:
                continue
            night = (some["started_at"].dt.hour >= 22) | (some["started_at"].dt.hour < 6)
            days = (as_of - back(as_of, months)).days
            row |= {
                f"calls_{months}m": len(some), f"call_night_share_{months}m": night.mean(),
                f"call_trend_{months}m": months * len(of[1]) / len(some),
                f"call_silent_days_{months}m": days - some["started_at"].dt.date.nunique(),
                f"call_minutes_{months}m": some["seconds"].sum() / 60, f"call_mean_seconds_{months}m": some["seconds"].mean(),
                f"call_short_share_{months}m": (some["seconds"] <= 10).mean(),
                f"call_out_share_{months}m": (some["direction"] == "out").mean(),
                f"call_weekend_share_{months}m": (some["started_at"].dt.day_of_week >= 5).mean(),
                f"call_idle_days_{months}m": (as_of - some["started_at"].max().normalize()).days,
            }
            row |= {f"calls_{kind}_{months}m": (some["special"] == kind).sum() for kind in SPECIAL}
            private = some[some["special"].isna()]
            if not private.empty:
                ways = private.groupby("counterpart")["direction"].nunique()
                row |= {
                    f"contacts_{months}m": len(ways), f"contact_reciprocity_{months}m": (ways == 2).mean(),
                    f"contact_top_share_{months}m": private["counterpart"].value_counts().iloc[0] / len(private),
                }
    return pd.DataFrame.from_dict(out, orient="index")


def held(raw, as_of):
    return persons(raw["identifiers"], list(subscribers(raw, as_of).index), as_of)


def usage(raw, as_of):
    table = events(raw["usage"], "event_id", "at", as_of)
    found, holdings, _, _ = held(raw, as_of)
    owner = {}
    for identifier, person, since, until in holdings:
        owner.setdefault(identifier, []).append((since, until, person))
    whose = [
        next((person for since, until, person in owner.get((kind, value), []) if since <= at < until), None)
        for kind, value, at in zip(table["id_kind"], table["id_value"], table["at"], strict=True)
    ]
    out = {}
    for person in found:
        every = table[[one is person for one in whose]]
        row = {}
        newest = within(every, "at", as_of, 1)
        for months in (1, 3, 6):
            some = within(every, "at", as_of, months)
            if some.empty:
                continue
            hour, named = some["at"].dt.hour, some[some["channel"].isin(["app", "site"])]
            row |= {
                f"usage_events_{months}m": len(some), f"usage_trend_{months}m": months * len(newest) / len(some),
                f"usage_minutes_{months}m": some["seconds"].sum() / 60, f"usage_megabytes_{months}m": some["kbytes"].sum() / 1024,
                f"usage_night_share_{months}m": ((hour >= 22) | (hour < 6)).mean(),
                f"usage_weekend_share_{months}m": (some["at"].dt.day_of_week >= 5).mean(),
                f"searches_{months}m": (some["channel"] == "search").sum(),
                f"finance_searches_{months}m": ((some["channel"] == "search") & (some["category"] == "finance")).sum(),
                f"site_share_{months}m": (named["channel"] == "site").mean(), f"usage_days_{months}m": some["at"].dt.date.nunique(),
                f"usage_names_{months}m": len(named[["channel", "name"]].drop_duplicates()),
            }
            for scene in SCENES:
                one, name = some[some["category"] == scene], scene.replace(" ", "_")
                row[f"{name}_events_{months}m"], row[f"{name}_days_{months}m"] = len(one), one["at"].dt.date.nunique()
                row[f"{name}_trend_{months}m"] = months * (newest["category"] == scene).sum() / len(one) if len(one) else np.nan
        out |= {value: row for kind, value in person if kind == "phone"}
    return pd.DataFrame.from_dict(out, orient="index")


def location(raw, as_of):
    table = events(raw["visits"], "visit_id", "at", as_of).merge(raw["cells"], on="cell_id")
    out = {}
    for phone, every in table.groupby("phone"):
        row = out[phone] = {}
        half = within(every, "at", as_of, 6)
        if not half.empty:
            row["airport_visits_6m"] = (half["area"] == "airport").sum()
        some = within(every, "at", as_of, 3)
        if some.empty:
            continue
        hour, minutes = some["at"].dt.hour, some["minutes"]
        week = some["at"].dt.day_of_week

        def fullest(chosen, some=some):
            sums = some[chosen].groupby("cell_id")["minutes"].sum()
            return None if sums.empty or sums.max() == 0 else raw["cells"].set_index("cell_id").loc[sums.idxmax()]

        home, work = fullest((hour >= 21) | (hour < 7)), fullest((week < 5) & (hour >= 9) & (hour < 18))
        middle = [np.average(some[axis], weights=minutes) for axis in ("x_km", "y_km")]
        row |= {
            "visits_3m": len(some), "airport_visits_3m": (some["area"] == "airport").sum(), "cells_3m": some["cell_id"].nunique(),
            "commercial_share_3m": minutes[some["area"] == "commercial"].sum() / minutes.sum(),
            "weekend_visit_share_3m": (week >= 5).mean(),
            "radius_km_3m": np.sqrt(np.average((some["x_km"] - middle[0]) ** 2 + (some["y_km"] - middle[1]) ** 2, weights=minutes)),
            "location_days_3m": some["at"].dt.date.nunique(), "work_area_3m": None if work is None else work["area"],
        }
        if home is not None:
            away = np.hypot(some["x_km"] - home["x_km"], some["y_km"] - home["y_km"])
            row |= {
                "home_area_3m": home["area"], "farthest_km_3m": away.max(), "trip_days_3m": some["at"].dt.date[away >= 30].nunique(),
                "home_share_3m": minutes[some["cell_id"] == home.name].sum() / minutes.sum(),
            }
            if work is not None:
                row["home_work_km_3m"] = np.hypot(work["x_km"] - home["x_km"], work["y_km"] - home["y_km"])
    return pd.DataFrame.from_dict(out, orient="index")


def spending(raw, as_of):
    people = subscribers(raw, as_of)
    bills, topups, stops = raw["bills"], raw["topups"], raw["suspensions"]
    over = bills["month"] + pd.offsets.MonthBegin(1)
    bills = bills.assign(end=over - pd.Timedelta(days=1), paid_on=bills["paid_on"].where(bills["paid_on"] < as_of))[over <= as_of]
    bills["late"] = bills["paid_on"].fillna(as_of) > bills["end"] + pd.Timedelta(days=31)
    stops = stops[stops["suspended_on"] < as_of]
    lasted = (stops["restored_on"].where(stops["restored_on"] < as_of).fillna(as_of) - stops["suspended_on"]).dt.days
    stops = stops.assign(days=lasted)
    out = {}
    for phone, person in people.iterrows():
        row = out[phone] = {"tenure_months": months_between(person["opened_on"], as_of)}
        newest = within(bills[bills["phone"] == phone], "end", as_of, 1)
        for months in (3, 6):
            some = within(bills[bills["phone"] == phone], "end", as_of, months)
            paid = within(topups[(topups["phone"] == phone) & (topups["at"] < as_of)], "at", as_of, months)
            stopped = within(stops[stops["phone"] == phone], "suspended_on", as_of, months)
            row |= {
                f"topups_{months}m": len(paid), f"topup_amount_{months}m": paid["amount"].sum(), f"suspensions_{months}m": len(stopped),
                f"suspended_days_{months}m": stopped["days"].sum(),
            }
            if some.empty:
                continue
            for name, column in {"charge": "charge", "data_gb": "data_gb", "voice_minutes": "voice_minutes", "sms": "sms"}.items():
                row[f"{name}_mean_{months}m"] = some[column].mean()
                row[f"{name}_trend_{months}m"] = newest[column].mean() / some[column].mean() if some[column].mean() else np.nan
            row |= {
                f"charge_spread_{months}m": some["charge"].std(ddof=0) / some["charge"].mean(),
                f"late_payments_{months}m": some["late"].sum(),
                f"unpaid_bills_{months}m": some["paid_on"].isna().sum(),
            }
    return pd.DataFrame.from_dict(out, orient="index")


def identity(raw, as_of):
    found, holdings, households, first = held(raw, as_of)
    out = {}
    for person in found:
        mine = [(key, since) for key, one, since, until in holdings if one is person and until > as_of]
        seen = [since if since.year > 1900 else first[key] for key, since in mine if key[0] == "device"]
        row = {
            "identifiers": len(mine), "phone_numbers": sum(key[0] == "phone" for key, _ in mine),
            "cookies": sum(key[0] == "cookie" for key, _ in mine), "broadband": 0, "household_phones": 0,
        }
        if seen:
            new = sum(each >= back(as_of, 6) for each in seen)
            row |= {
                "devices": len(seen), "device_changes_6m": new - (new == len(seen)), "device_age_days": (as_of - max(seen)).days,
            }
        shared = [sum(key[0] == "phone" for one in group for key in one) for group in households.values() if person in group]
        if shared:
            row |= {"broadband": 1, "household_phones": max(shared)}
        out |= {value: row for kind, value in person if kind == "phone"}
    return pd.DataFrame.from_dict(out, orient="index")


def portrait(raw, as_of):
    people = subscribers(raw, as_of)
    use, place = usage(raw, as_of).reindex(people.index), location(raw, as_of).reindex(people.index)
    months = people["opened_on"].map(lambda opened: months_between(opened, as_of))
    finance = np.sort(use["finance_days_3m"].dropna().to_numpy())
    low, high = (finance[int(np.ceil(len(finance) * third / 3)) - 1] for third in (1, 2))
    out = pd.DataFrame({
        "age": as_of.year - pd.to_numeric(people["birth_year"]), "gender": people["gender"], "region": people["region"],
        "package": people["package"], "stage": np.select([months < 6, months < 24], ["new", "growing"], "settled"),
        "area": place["home_area_3m"].fillna(place["work_area_3m"]),
    })
    days = use[[f"{name.replace(' ', '_')}_days_3m" for name in SCENES[:4]]].fillna(0).to_numpy()
    out["benefit"] = [SCENES[each.argmax()] if each.sum() >= 5 else None for each in days]
    out["finance_activity"] = [
        None if np.isnan(one) else "low" if one <= low else "middle" if one <= high else "high" for one in use["finance_days_3m"]
    ]
    return out
