"""What a report is made from. The study fills `Report`; the page and result.json show it and measure nothing themselves.

Models go by four names: bank_only (the bank's columns alone), joint (last accepted pass, dither in; in a rehearsal the released
coefficients on both tables), joint_card (the served card), pooled (both tables in one place, in a rehearsal only).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bank_party.evaluation import (
    Calibration,
    Confusion,
    Curve,
    Difference,
    Interval,
    KsCurve,
    Matched,
    Slice,
    auc,
    auc_difference,
    calibration,
    confusion,
    gain_table,
    ks,
    ks_curve,
    roc,
)
from tandem.arguments import Chance
from tandem.contract import Contract
from tandem.contract.words import Language, disclosures, role_name
from tandem.errors import InputError

Name = Literal["bank_only", "joint", "joint_card", "pooled"]
NAMES: tuple[Name, ...] = ("bank_only", "joint", "joint_card", "pooled")

IV_BANDS = ((0.02, "useless"), (0.1, "weak"), (0.3, "medium"), (0.5, "strong"))
"""Upper ends of the information-value bands (Siddiqi 2006, as risk teams use them); above the last it is too good to be true."""


def iv_band(iv: float) -> str:
    """Return the word of an information value: useless, weak, medium, strong, or suspicious."""
    return next((word for end, word in IV_BANDS if iv < end), "suspicious")


@dataclass(frozen=True)
class Score:
    """AUC and KS of one model on the hold-out."""

    auc: Interval
    ks: Interval


@dataclass(frozen=True)
class Holdout:
    """Every measure on the hold-out. rows, positives: its size. `scores`, `curves`, `gain` go by model name.

    `difference`: joint less bank_only, paired; `difference_pooled`: joint less pooled, None outside a rehearsal.
    ks_curve, calibration and confusion are the joint model's.
    """

    rows: int
    positives: int
    scores: Mapping[Name, Score]
    difference: Difference
    difference_pooled: Difference | None
    curves: Mapping[Name, Curve]
    ks_curve: KsCurve
    gain: Mapping[Name, Sequence[Slice]]
    calibration: Calibration
    confusion: Confusion


def measure(y: NDArray[np.generic], p: Mapping[Name, NDArray[np.float64]], chance: Chance, threshold: float = 0.5) -> Holdout:
    """Measure the models on the same hold-out rows: y (N,) of 0 and 1, p (N,) probabilities by name; bank_only and joint are required.

    Accuracy and recall are taken at `threshold`. Raises InputError as `bank_party.evaluation` does.
    """
    if missing := [name for name in ("bank_only", "joint") if name not in p]:
        raise InputError(f"no hold-out scores of {' and '.join(missing)}; both are compared in every report")
    names: list[Name] = [name for name in NAMES if name in p]
    return Holdout(
        rows=len(y),
        positives=int(np.sum(y.astype(np.int64))),
        scores={name: Score(auc(y, p[name]), ks(y, p[name], chance.fork("ks", name))) for name in names},
        difference=auc_difference(y, p["bank_only"], p["joint"]),
        difference_pooled=auc_difference(y, p["pooled"], p["joint"]) if "pooled" in p else None,
        curves={name: roc(y, p[name]) for name in names},
        ks_curve=ks_curve(y, p["joint"]),
        gain={name: gain_table(y, p[name]) for name in names},
        calibration=calibration(y, p["joint"]),
        confusion=confusion(y, p["joint"], threshold),
    )


@dataclass(frozen=True)
class Variable:
    """One variable offered to the model.

    name: the bank's column, or the alias of the partner's. bins: those left after merging. iv, woe_low, woe_high: None where withheld.
    reason: why it was dropped, a key of words ("iv_low", "correlated", "vif", "constant", "missing", "withheld", "not_wanted") or any
    text, shown as it is; `detail` follows it (the other variable, the value). coefficient, se: of the joint model, None if dropped.
    woe_coded: the model has it as WoE, not as a standardised number.
    """

    name: str
    side: Literal["bank", "telco"]
    bins: int
    iv: float | None
    woe_low: float | None
    woe_high: float | None
    kept: bool
    reason: str = ""
    detail: str = ""
    coefficient: float | None = None
    se: float | None = None
    woe_coded: bool = True

    @property
    def wrong_sign(self) -> bool:
        """WoE is ln(share of bads / share of goods), so a coefficient on it should be positive; one on a number may have either sign."""
        return self.woe_coded and self.coefficient is not None and self.coefficient <= 0.0


@dataclass(frozen=True)
class Learned:
    """What one party learned: sentences from contract and ledger, in the report's language."""

    party: str
    sentences: Sequence[str]


def learned(contract: Contract, language: Language) -> list[Learned]:
    """Return the contract's own sentences of what each party learns."""
    rows = disclosures(contract, language).rows
    named = [(role, role_name(role, language)) for role in contract.roles]
    return [Learned(role, [text for label, text in rows if label == name]) for role, name in named]


@dataclass(frozen=True)
class Traffic:
    """Bytes that went one way between two parties."""

    sender: str
    receiver: str
    bytes: int


@dataclass(frozen=True)
class Report:
    """One study.

    study: its name. purpose: the contract's. made: date and time as text, given so that the page can be repeated byte for byte.
    asked, matched: customers. outcomes: matched against unmatched, None where the bank has labels of the matched alone.
    train_rows: matched rows that trained. variables: in the order to be shown (the page sorts by IV).
    intercept: of the joint model. se_approximate: False after `se = "exact"`, where little had to be estimated.
    passes: run. accepted: passes that the loss rule took. grain: log-odds. card_step: points. key_bits: of the bank's modulus.
    ridge: of the joint model. ridge_chosen: True where the solver chose it, not the contract.
    coefficients_max_se_difference: joint against pooled, in the pooled fit's standard errors; None outside a rehearsal.
    se_ratios: smallest and largest of the joint model's standard errors over the pooled fit's; None outside a rehearsal.
    seconds: by stage, in order; start, align, statistics, pass_1 ..., score, evaluate, rehearsal have words, other names are shown as
    they are. traffic: each direction. peak_memory: bytes by process. versions: by component.
    synthetic: the data were made by a program. data_note: for instance which columns of a public file play the telco.
    train_auc: of bank_only and joint on the rows they were trained on, to set beside the hold-out; empty where it was not measured.
    more_limits: further sentences for "what this does not show", in the report's language.
    """

    study: str
    purpose: Literal["marketing", "credit"]
    made: str
    synthetic: bool
    asked: int
    matched: int
    train_rows: int
    outcomes: Matched | None
    holdout: Holdout
    variables: Sequence[Variable]
    intercept: float
    passes: int
    accepted: int
    grain: float
    card_step: int
    key_bits: int
    ridge: float
    ridge_chosen: bool
    seconds: Mapping[str, float]
    traffic: Sequence[Traffic]
    peak_memory: Mapping[str, int]
    versions: Mapping[str, str]
    learned: Sequence[Learned]
    coefficients_max_se_difference: float | None = None
    se_ratios: tuple[float, float] | None = None
    se_approximate: bool = True
    data_note: str = ""
    more_limits: Sequence[str] = field(default=())
    train_auc: Mapping[Name, Interval] = field(default_factory=dict)

    @property
    def rehearsal(self) -> bool:
        """Whether a pooled model stands in the report: then both tables were in one place."""
        return "pooled" in self.holdout.scores

    @property
    def verdict(self) -> Literal["gain", "loss", "not_shown"]:
        """What the paired interval of joint less bank-only says: all above 0, all below, or neither."""
        if self.holdout.difference.low > 0.0:
            return "gain"
        return "loss" if self.holdout.difference.high < 0.0 else "not_shown"
