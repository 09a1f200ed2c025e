"""A study's report as its evaluation would have filled it, drawn by a seed; and a page of it, read back."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

from bank_party.evaluation import matched_table
from bank_party.reports.model import Learned, Report, Traffic, Variable, measure
from tandem.arguments import Seeded


def study(rows=6000, gain=0.9, purpose="marketing", *, rehearsal=True):
    """A report as a study of 20 000 customers would fill it."""
    rng = np.random.default_rng(4)
    own, theirs = rng.normal(size=(2, rows))
    y = (rng.random(rows) < 1 / (1 + np.exp(2.2 - 0.7 * own - gain * theirs))).astype(np.int64)
    joint = 1 / (1 + np.exp(2.2 - 0.7 * own - gain * theirs))
    p = {"bank_only": 1 / (1 + np.exp(2.0 - 0.65 * own)), "joint": joint, "joint_card": np.round(joint, 3)}
    if rehearsal:
        p["pooled"] = 1 / (1 + np.exp(2.2 - 0.71 * own - gain * theirs * 1.005))
    asked = rng.random(20000) < 0.13
    variables = [
        *(
            Variable(name, "bank", bins, iv, low, high, kept=True, coefficient=theta, se=0.061)
            for name, bins, iv, low, high, theta in (
                ("card_payments_12m_amount", 6, 0.312, -0.92, 1.13, 0.883),
                ("customer_tier", 5, 0.141, -0.5, 0.71, 0.912),
                ("age", 7, 0.048, -0.31, 0.4, -0.122),
            )
        ),
        Variable("branch_visits", "bank", 4, 0.011, -0.1, 0.15, kept=False, reason="iv_low", detail="0.011"),
        *(
            Variable(f"t{at}", "telco", 8, iv, -0.8 + at / 20, 1.4 - at / 20, kept=True, coefficient=0.95 - at / 40, se=0.05 + at / 200)
            for at, iv in enumerate((0.62, 0.41, 0.22, 0.19, 0.09, 0.05), 1)
        ),
        Variable("t7", "telco", 3, 0.18, -0.4, 0.6, kept=False, reason="correlated", detail="t2 (0.83)"),
        Variable("t8", "telco", 1, None, None, None, kept=False, reason="withheld"),
    ]
    return Report(
        study="activation of dormant cards, spring",
        purpose=purpose,
        made="2026-11-22 16:52",
        synthetic=True,
        asked=20000,
        matched=17321,
        train_rows=12125,
        outcomes=matched_table(asked.astype(int), rng.random(20000) < 0.866),
        holdout=measure(y, p, Seeded(b"report")),
        variables=variables,
        intercept=-2.181,
        passes=3,
        accepted=3,
        grain=0.25,
        card_step=1,
        key_bits=3072,
        ridge=8.0,
        ridge_chosen=True,
        seconds={"align": 8.31, "statistics": 20.0, "pass_1": 41.7, "pass_2": 33.0, "pass_3": 33.1, "score": 21.4, "evaluate": 1.2},
        traffic=[
            Traffic("bank", "telco", 48_301_222),
            Traffic("telco", "bank", 3_931_000),
            Traffic("bank", "coordinator", 120_400),
            Traffic("telco", "coordinator", 610_000),
            Traffic("coordinator", "telco", 4_420_000),
        ],
        peak_memory={"bank": 212_000_000, "telco": 187_000_000, "coordinator": 96_500_000},
        versions={"tandem": "0.1.0", "python": "3.11.7", "gmpy2": "2.3.2"},
        learned=[
            Learned(
                "bank", ["The telco's table holds 1 000 000 tags.", "Which 17 321 of its own customers are matched.", "8 bits a customer."]
            ),
            Learned(
                "telco",
                ["20 000 identifiers were asked.", "Which 17 321 of its subscribers are the roster.", "Nothing derived from labels."],
            ),
            Learned("coordinator", ["Totals of 58 bins, theta, pair counts of 50 rows or more.", "No name, identifier or row."]),
        ],
        coefficients_max_se_difference=0.081 if rehearsal else None,
        se_ratios=(0.994, 1.003) if rehearsal else None,
    )


class Page(HTMLParser):
    """Checks that tags close, collects the text, and every attribute that could fetch something."""

    VOID = frozenset({"meta", "br", "path", "use", "rect", "circle"})

    def __init__(self, text):
        super().__init__()
        self.open, self.words, self.links, self.ids, self.tags = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href", "xlink:href", "action", "data"}]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words)).replace("\u202f", " ")
