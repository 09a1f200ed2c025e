"""Three parties with a measurement contract and a file of results, made from the tables of `three_parties`."""

from __future__ import annotations

import csv
import io

import numpy as np
import tomli_w
from three_parties import CUSTOMERS, SUBSCRIBERS, make_site, paillier_key, tables

from bank_party import measuring
from bank_party.config import StudyConfig
from tandem.contract import BANK
from tandem.node.config import read

SEGMENT = {"name": "plan", "levels": ["a", "b"]}
MEASUREMENT = {
    "kind": "measurement", "measurement": {"groups": 2, "spend_bands": [100], "segments": [SEGMENT]}, "telco": {"variables": 1},
    "caps": {"disclosure_bits": 1},
}
FIELDS = ("phone", "group", "contacted", "responded", "applied", "approved", "first_card", "activated", "spend")


def outcomes(seed=1):
    """Return results of the first 300 customers: the others were in no group."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(300):
        contacted = int(rng.random() < 0.95)
        rates = (0.7, 0.5, 0.4, 0.3, 0.5)
        flags = [int(contacted and rng.random() < rate) for rate in rates]
        found.append([f"p{i:04}", ("high", "low")[i % 2], contacted, *flags, 150.0 if flags[-1] and rng.random() < 0.6 else 0])
    return found


def write_results(site, rows, fields=FIELDS):
    text = io.StringIO()
    csv.writer(text).writerows([fields, *rows])
    (site.folder(BANK) / "results.csv").write_text(text.getvalue())


def configure(site, **changes):
    """Write the study's configuration anew with these changes."""
    study = {
        "contract": "contract.toml", "telco": "127.0.0.1:1", "coordinator": "127.0.0.1:1", "results": "results.csv",
        "table": {"file": "bank.csv", "id": "phone"}, "workers": 1, "patience": 30.0, "reconnect": 0.0,
    }
    site.study.write_bytes(tomli_w.dumps(study | changes).encode())


def make_measured(root, **changes):
    """Make a site that measures; `changes` of the contract, sections merged."""
    merged = {name: {**MEASUREMENT.get(name, {}), **value} if isinstance(value, dict) else value for name, value in changes.items()}
    merged = MEASUREMENT | merged
    if cover := merged.get("layout", {}).get("cover"):
        merged["caps"] = {"roster": min(SUBSCRIBERS, CUSTOMERS * cover), **merged["caps"]}
    site = make_site(root, **merged)
    configure(site)
    write_results(site, outcomes())
    return site


def prepare(site, contract=None):
    return measuring.prepare(read(site.study, StudyConfig), contract or site.contract)


async def run_measurement(site, conductor):
    """Align and measure, as the command does; return (prepared, measured)."""
    prepared = prepare(site, conductor.contract)
    return prepared, await measuring.measure(prepared, conductor, paillier_key(), lambda *_: None)


def in_the_clear(site, rows):
    """Count both files in one table, by hand: (level, group, outcome) -> people known to both."""
    _, telco = tables()
    plans = {line.split(",")[0]: line.split(",")[3] for line in telco.splitlines()[1:]}
    found = {}
    for phone, group, *flags, spend in rows:
        level = plans.get(phone)
        if level is None:
            continue
        for name, value in zip((*FIELDS[2:-1], "spend_100"), (*flags, int(spend >= 100)), strict=True):
            key = (level if level in SEGMENT["levels"] else "none of them", group, name)
            found[key] = found.get(key, 0) + value
    return found
