"""A campaign as a bank would have run it: people drawn by a seed, everything else counted from them."""

from __future__ import annotations

from math import exp, log, sqrt
from statistics import NormalDist

import numpy as np

GROUPS = ("control", "low", "high")
BENEFITS = ("eat", "play", "online shopping", "shopping")
SEGMENTS = ("maintain", "lost cause", "potential", "key")
DECK_RANGES = {"maintain": (None, 0.2), "lost cause": (0.3, 0.4), "potential": (0.2, 0.3), "key": (0.2, 0.3)}
CELLS = (("potential", "key", "key"), ("lost cause", "potential", "key"), ("lost cause", "lost cause", "maintain"))
STEPS = ("contacted", "responded", "applied", "approved", "first_card", "activated")
Z = NormalDist().inv_cdf(0.975)


def rate(k, n):
    """Wilson's interval, as campaign.json has rates."""
    if n == 0:
        return None
    p, z2 = k / n, Z * Z
    middle, reach = (p + z2 / 2 / n) / (1 + z2 / n), Z / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / 4 / n / n)
    return {"value": p, "low": max(0.0, min(p, middle - reach)), "high": min(1.0, max(p, middle + reach))}


def lift(group, against, a, b):
    """a, b: (activated, selected)."""
    (k, n), (j, m) = a, b
    if not n or not m:
        return {"group": group, "against": against, "difference": None, "ratio": None, "p": None, "shown": "not shown",
                "verdict": "Nobody to compare."}  # fmt: skip
    p, q = k / n, j / m
    se = sqrt(p * (1 - p) / n + q * (1 - q) / m)
    ratio = None
    if k and j:
        spread = Z * sqrt((1 - p) / k + (1 - q) / j)
        ratio = {"value": p / q, "low": exp(log(p / q) - spread), "high": exp(log(p / q) + spread)}
    shown = "higher" if p - q > Z * se else "lower" if q - p > Z * se else "not shown"
    pooled = sqrt((k + j) / (n + m) * (1 - (k + j) / (n + m)) * (1 / n + 1 / m))
    return {
        "group": group, "against": against, "difference": {"value": p - q, "low": p - q - Z * se, "high": p - q + Z * se}, "ratio": ratio,
        "p": 2 * NormalDist().cdf(-abs(p - q) / pooled) if pooled else None, "shown": shown,
        "verdict": f"The interval of the difference {'lies on one side of' if shown != 'not shown' else 'holds'} zero.",
    }


def campaign(seed=3, sizes=(1300, 1300, 1300), *, measured=True, lang="en", name="Spring activation"):
    """Return campaign.json as a dict. Sizes are the groups' people; a size of 0 leaves its rates null."""
    rng = np.random.default_rng(seed)
    customers, dormant = 17000, 9350
    matched = int(rng.binomial(dormant, 0.8))
    n = sum(sizes)
    group = np.repeat(np.arange(3), sizes)
    benefit, finance, own = rng.choice(5, n, p=(0.3, 0.2, 0.22, 0.13, 0.15)), rng.choice(3, n, p=(0.35, 0.35, 0.3)), rng.choice(3, n)
    segment = np.array([SEGMENTS.index(CELLS[f][o]) for f, o in zip(finance, own, strict=True)], dtype=int)
    active = rng.random(n) < np.array([0.15, 0.18, 0.31])[group] * (1 + 0.2 * (segment == 3) - 0.15 * (segment == 1))
    reached = {"contacted": np.ones(n, dtype=bool)}
    for step, share in zip(STEPS[1:5], (0.4, 0.5, 0.75, 0.6), strict=True):
        reached[step] = list(reached.values())[-1] & (rng.random(n) < share * (0.8 + 0.2 * group))
    reached["activated"] = active
    spend = np.where(active, rng.gamma(2.0, 300.0, n), 0.0)
    pays = np.round(rng.gamma(3.0, 2.0, n) * np.array([2.6, 1.0, 1.4])[group], 1)

    def counts(rows):
        return {step: int(reached[step][rows].sum()) for step in STEPS}

    def results(name, rows):
        found, selected = counts(rows), int(rows.sum())
        over = {"response_rate": ("responded", "contacted"), "application_rate": ("applied", "responded"),
                "approval_rate": ("approved", "applied"), "first_card_rate": ("first_card", "approved"),
                "overall_effect": ("first_card", "contacted")}  # fmt: skip
        return {
            "name": name, "selected": selected, **found, **{key: rate(found[top], found[below]) for key, (top, below) in over.items()},
            "activation_rate": rate(found["activated"], selected), "spend_mean": float(spend[rows].mean()) if selected else None,
        }

    def cross(key, names, values):
        return [
            {key: each, "group": g, "selected": int(rows.sum()), "activated": int(active[rows].sum()),
             "activation_rate": rate(int(active[rows].sum()), int(rows.sum()))}
            for at, each in enumerate(names) for number, g in enumerate(GROUPS) for rows in [(values == at) & (group == number)]
        ]  # fmt: skip

    def lifts(rows=None):
        kept = [(group == number) & (rows if rows is not None else True) for number in range(3)]
        pairs = [(int(active[found].sum()), int(found.sum())) for found in kept]
        return [lift(GROUPS[at], "control", pairs[at], pairs[0]) for at in (1, 2)]

    def level(name, rows):
        parts = [
            {"group": g, **counts(rows & (group == number)),
             "activation_rate": rate(int(active[rows & (group == number)].sum()), int((rows & (group == number)).sum()))}
            for number, g in enumerate(GROUPS)
        ]  # fmt: skip
        return {"level": name, "people": int(rows.sum()), "groups": parts, "lift": lifts(rows)}

    sealed = {
        "contract": "5f3a" * 16,
        "segments": [
            {"name": "benefit", "levels": [level(each, benefit == at) for at, each in enumerate(BENEFITS)], "merged": ["video"]},
            {"name": "finance_activity", "levels": [level(each, finance == at) for at, each in enumerate(("low", "middle", "high"))],
             "merged": []},
        ],
    }  # fmt: skip
    probability = [None, 0.19, 0.44]
    rules = ("The most card payments in the past, then balance.", "Probability below 0.3.", "Probability of 0.3 or more.")
    detect = [1.1 * (Z + 0.84) * sqrt(2 * 0.15 * 0.85 / size) if size else None for size in sizes]
    return {
        "format": 1, "name": name, "made": "2026-11-23 02:00 UTC", "synthetic": True, "lang": lang, "as_of": "2025-10-01",
        "population": {"customers": customers, "dormant": dormant, "matched": matched, "pool": 4111, "pool_share": 4111 / customers},
        "rule": {"threshold": 0.3, "pool_floor": 0.12, "control": "most card payments in the past, then balance"},
        "power": {"baseline": 0.15, "detect": 0.04, "level": 0.95, "power": 0.8, "needed": 1250,
                  "rows": [{"group": g, "size": size, "detectable": least} for g, size, least in zip(GROUPS, sizes, detect, strict=True)]},
        "groups": [
            {"name": g, "rule": rules[at], "available": sizes[at] * 2, "size": sizes[at], "mean_probability": probability[at],
             "mean_payments": float(pays[group == at].mean()) if sizes[at] else None,
             "mean_amount": float(pays[group == at].mean() * 212) if sizes[at] else None}
            for at, g in enumerate(GROUPS)
        ],
        "benefits": [{"name": each, "people": int((benefit == at).sum()), "share": float((benefit == at).mean()) if n else None}
                     for at, each in enumerate(BENEFITS)],
        "not_told": int((benefit == 4).sum()),
        "segments": [{"name": each, "people": int((segment == at).sum()), "share": float((segment == at).mean()) if n else None,
                      "deck_low": DECK_RANGES[each][0], "deck_high": DECK_RANGES[each][1]} for at, each in enumerate(SEGMENTS)],
        "segment_map": {"rows": ["low", "middle", "high"], "columns": ["low", "middle", "high"],
                        "people": [[int(((finance == f) & (own == o)).sum()) for o in range(3)] for f in range(3)],
                        "segment": [list(row) for row in CELLS]},
        "cutoffs": {"own_low": 1.0, "own_high": 6.5},
        "results": {"groups": [results(g, group == at) for at, g in enumerate(GROUPS)], "lift": lifts(),
                    "by_segment": cross("segment", SEGMENTS, segment), "by_benefit": cross("benefit", (*BENEFITS, ""), benefit)},
        "measured": sealed if measured else None,
        "deck": {"auc_train": 0.81, "auc_test": 0.79, "pool_share": 0.2, "low_over_control": 0.2, "high_over_control": 2.0},
    }  # fmt: skip
