"""The invented city is the same for the same seed, dirty in the ways it says, and worth joining."""

from __future__ import annotations

import re
import time
import unicodedata

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from bank_party import coding
from bank_party.load import load as load_bank
from tandem.city.generator import make, write
from tandem.describe.woe import Rule, describe
from tandem.node.inputs.source import TableSource
from telco_party.bins import fit
from telco_party.load import load as load_telco


def plain(phone):
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", phone))[-11:]


def test_same_seed_same_city_and_soon():
    start = time.perf_counter()
    one = make(20_000, 7)
    assert time.perf_counter() - start < 2
    other = make(20_000, 7)
    assert one.bank.equals(other.bank)
    assert one.telco.equals(other.telco)
    assert not one.bank.equals(make(20_000, 8).bank)


def test_overlap_strangers_and_responders():
    city = make(20_000, 1)
    bank, telco = set(city.bank.phone.map(plain)), set(city.telco.phone.map(plain))
    assert len(bank) == len(city.bank)
    assert len(telco) == len(city.telco)
    assert 0.8 < len(bank & telco) / len(bank) < 0.92
    assert len(telco - bank) > 1000
    assert 0.12 < city.bank.activated.mean() < 0.18


def test_the_dirt_it_promises():
    city = make(20_000, 1)
    phones = city.bank.phone
    assert all(phones.str.contains(way).any() for way in (r"^\+86\d", "^0086", r"^\+86 \d{3} ", r"^\d{3}-\d{4}-", "^[\uff10-\uff19]"))
    assert city.telco.isna().any().sum() >= 8
    assert (city.telco.device_tier == "无记录").any()
    assert (city.bank.idle_months == 999).any()
    assert 0 < (city.telco.package == "pager 1999").sum() < 50


def test_duplicates_on_request():
    city = make(500, 1, duplicates=7)
    assert city.bank.phone.map(plain).duplicated().sum() == 7
    for people, doubled in ((10, 0), (500, 400)):
        with pytest.raises(ValueError, match="people"):
            make(people, 1, duplicates=doubled)


def test_written_files_load_and_joining_pays(tmp_path):
    bank_path, telco_path = write(tmp_path, 20_000, 3)
    customers = load_bank(TableSource(source=str(bank_path), id="phone"), tmp_path, "activated")
    telco = load_telco(TableSource(source=str(telco_path), id="phone"), tmp_path)
    at = {plain(phone): row for row, phone in enumerate(telco.ids)}
    found = np.array([at.get(plain(phone), -1) for phone in customers.table.ids])
    rows = np.flatnonzero(found >= 0)
    train = np.zeros(customers.table.rows, dtype=bool)
    train[rows[np.random.default_rng(0).random(rows.size) < 0.7]] = True
    own = coding.fit(customers.table, customers.labels, train)
    x_b = coding.apply([c.coding for c in own], customers.table.take(rows))
    cuts, coded = fit(telco.take(found[rows]))
    y, m = customers.labels[rows], train[rows]
    counts = [np.bincount(coded.codes[m, j], minlength=b).tolist() for j, b in enumerate(coded.bins)]
    bads = [np.bincount(coded.codes[m, j], weights=y[m], minlength=b).astype(int).tolist() for j, b in enumerate(coded.bins)]
    told = describe(cuts.outlines, counts, bads, [c.tolist() for c in coded.counts], int(m.sum()), int(y[m].sum()), Rule())
    x_t = np.column_stack([v.values[coded.codes[:, j]] for j, v in enumerate(told)])
    both = np.hstack([x_b, x_t])
    fits = [(x, LogisticRegression(max_iter=500).fit(x[m], y[m])) for x in (x_b, both)]
    auc = [roc_auc_score(y[~m], fitted.decision_function(x[~m])) for x, fitted in fits]
    assert 0.66 < auc[0] < 0.74
    assert 0.76 < auc[1] < 0.83
    assert auc[1] - auc[0] > 0.05
