"""What a bank has before a campaign: a derived table, its scored.csv, and the training study's scores.csv; made at random from a seed."""

from __future__ import annotations

import csv
import json
from datetime import date

import numpy as np

from bank_party.campaign.config import CampaignConfig
from bank_party.records import COLUMNS as SCORES
from bank_party.scoring import COLUMNS as SCORED
from tandem.train.pooled import sigma

PEOPLE = 3000
LEVELS = ("low", "middle", "high")
BENEFITS = ("eat", "play", "online shopping", "shopping")


def write_csv(path, columns, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    path.chmod(0o600)


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make(folder, people=PEOPLE, *, sure=1.0, told=True, seed=5):
    """A bank's folder after scoring: table, its facts, scored.csv, and the study's scores.csv. `sure`: slope of the model's log-odds."""
    chance = np.random.default_rng(seed)
    truth = chance.normal(-1.4, 1.0, people)
    z, own = sure * truth, 0.5 * truth - 0.7
    matched = chance.random(people) < 0.8
    phones = [f"138{number:08d}" for number in range(people)]
    payments, balance = chance.poisson(20 * sigma(truth)), np.round(chance.gamma(2, 5000, people), 2)
    table = zip(phones, payments, np.round(payments * 120.5, 2), balance, chance.poisson(6, people), strict=True)
    write_csv(folder / "bank.csv", ("phone", "past_payments", "past_amount", "debit_balance", "own_use_3m"), table)
    (folder / "bank.json").write_text(json.dumps({"as_of": "2025-10-01", "counts": {"customers": people * 2, "dormant": people + 30}}))
    (folder / "bank.json").chmod(0o600)
    p, alone = sigma(np.where(matched, z, own)), sigma(own)
    say = told & matched & (chance.random(people) < 0.95)
    scored = [
        (row + 1, phones[row], int(matched[row]), f"{p[row]:.6f}", f"{alone[row]:.6f}", 0 if matched[row] else "",
         BENEFITS[chance.integers(4)] if say[row] else "", LEVELS[chance.integers(3)] if say[row] else "") for row in range(people)
    ]
    write_csv(folder / "scored.csv", (*SCORED, "benefit", "finance_activity"), scored)
    y = chance.random(people) < sigma(truth)
    (folder / "out").mkdir()
    scores = [
        (row + 1, phones[row], 1, "hold-out" if row % 3 == 0 else "train", int(y[row]), f"{alone[row]:.6f}", f"{sigma(z[row]):.6f}",
         f"{sigma(z[row]):.6f}", 0) for row in range(people)
    ]
    write_csv(folder / "out" / "scores.csv", SCORES, scores)
    return folder


def config(folder, **fields):
    table = {"source": "bank.csv", "id": "phone"}
    return CampaignConfig.model_validate({
        "folder": folder, "name": "autumn", "as_of": date(2025, 10, 1), "table": table, "scored": "scored.csv", "sizes": {"detect": 0.1},
        **fields,
    })
