"""From a study's folder to its report: facts, scores and, after a rehearsal, the pooled fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bank_party import models
from bank_party.config import StudyConfig
from bank_party.evaluation import auc, matched_table
from bank_party.records import read_facts, read_scores
from bank_party.reports.html import write_report
from bank_party.reports.model import Name, Report, Traffic, Variable, learned, measure
from bank_party.reports.result import write_result
from tandem.contract import COORDINATOR, Contract
from tandem.contract.words import Language, costs
from tandem.errors import InputError
from tandem.node.keys import derive
from tandem.sums.shapes import FEW_ROWS_A_TOTAL
from tandem.sums.terms import Reals
from tandem.tables import WoeCoding
from tandem.train.pooled import sigma


@dataclass(frozen=True)
class Rehearsal:
    """What the rehearsal driver found: log-odds by identifier as written, and what other processes used.

    log_odds: of the pooled fit. joint: of the released coefficients on both tables, which no party could compute alone.
    """

    log_odds: Mapping[str, float] = field(repr=False)
    joint: Mapping[str, float] = field(repr=False)
    max_se_difference: float
    se_ratios: tuple[float, float]
    seconds: float
    peak_memory: Mapping[str, int]
    traffic: tuple[Traffic, ...]

    @classmethod
    def load(cls, path: Path) -> Rehearsal:
        """Return what a rehearsal wrote. Raises InputError if it is damaged."""
        data = read_facts(path)
        try:
            traffic = tuple(Traffic(one["sender"], one["receiver"], int(one["bytes"])) for one in data["traffic"])
            return cls(
                dict(zip(data["ids"], data["log_odds"], strict=True)), dict(zip(data["ids"], data["joint"], strict=True)),
                float(data["max_se_difference"]), (float(data["se_ratios"][0]), float(data["se_ratios"][1])), float(data["seconds"]),
                {str(name): int(size) for name, size in data["peak_memory"].items()}, traffic,
            )
        except (IndexError, KeyError, TypeError, ValueError):
            raise InputError(f"{path} is no rehearsal of this version: run the rehearsal again") from None


def report(
    config: StudyConfig, contract: Contract, seed: bytes, rehearsal: Rehearsal | None = None, lang: Language | None = None
) -> Report:
    """Write report.html and result.json into the study's folder, and return what stands in them."""
    folder, language = config.at(config.out), lang or config.lang
    made = assemble(config, contract, seed, rehearsal, language)
    write_report(folder / "report.html", made, language)
    write_result(folder / "result.json", made)
    return made


def assemble(
    config: StudyConfig, contract: Contract, seed: bytes, rehearsal: Rehearsal | None = None, lang: Language | None = None
) -> Report:
    """Return the report of the study's folder, and write nothing."""
    folder, language = config.at(config.out), lang or config.lang
    facts, scores, model = read_facts(folder / "study.json"), read_scores(folder / "scores.csv"), models.load(folder / "model.json")
    out = scores.hold_out
    p: dict[Name, Reals] = {name: scores.p[name] for name in ("bank_only", "joint", "joint_card")}
    seconds, peaks = dict(facts["seconds"]), dict(facts["peak_memory"])
    traffic = [Traffic(*one) for one in facts["traffic"]]
    if rehearsal is not None:
        p["pooled"] = sigma(np.array([rehearsal.log_odds[one] for one in scores.ids]))
        p["joint"] = sigma(np.array([rehearsal.joint[one] for one in scores.ids]))
        seconds["rehearsal"] = rehearsal.seconds
        peaks.update(rehearsal.peak_memory)
        traffic += rehearsal.traffic
    held = {name: one[out] for name, one in p.items()}
    share = float(scores.labels[out].mean())
    return Report(
        study=config.name, purpose=contract.purpose, made=facts["made"], synthetic=config.synthetic, data_note=config.data_note,
        asked=facts["asked"], matched=len(scores.ids), train_rows=int((~out).sum()),
        outcomes=matched_table(scores.all_labels, scores.matched),
        holdout=measure(scores.labels[out], held, derive(seed, "intervals", contract.digest), threshold=share),
        train_auc={name: auc(scores.labels[~out], p[name][~out]) for name in ("bank_only", "joint")},
        variables=_variables(model, facts), intercept=model.theta[0], passes=contract.layout.passes, accepted=facts["accepted"],
        grain=float(contract.layout.grain_width), card_step=contract.layout.card_step, key_bits=contract.layout.key_bits,
        ridge=model.ridge, ridge_chosen=contract.layout.chooses_ridge,
        seconds=seconds, traffic=traffic, peak_memory=peaks, versions=facts["versions"], learned=learned(contract, language),
        more_limits=[*costs(contract, language), *_few_rows(contract, model, int((~out).sum()), language)],
        se_approximate=not model.exact,
        coefficients_max_se_difference=None if rehearsal is None else rehearsal.max_se_difference,
        se_ratios=None if rehearsal is None else rehearsal.se_ratios,
    )


def _variables(model: models.Model, facts: Mapping[str, Any]) -> list[Variable]:
    """Return the bank's columns, then the telco's variables under their aliases."""
    names = [name for one in model.codings for name in one.names]
    found = []
    own = facts["own"]
    at = 1
    for one, told in zip(model.codings, own, strict=True):
        for name in one.names:
            woe = told["woe"]
            found.append(Variable(
                name, "bank", told["groups"], told["iv"], min(woe), max(woe), kept=True, coefficient=model.theta[at], se=model.se[at],
                woe_coded=isinstance(one, WoeCoding),
            ))
            at += 1
    coefficients = dict(zip(model.aliases, zip(model.theta[len(names) + 1 :], model.se[len(names) + 1 :], strict=True), strict=True))
    for described in model.described:
        coefficient, se = coefficients.get(described.alias, (None, None))
        found.append(Variable(
            described.alias, "telco", len(described.counts), described.iv, min(described.woe), max(described.woe),
            kept=described.alias in coefficients, reason=described.reason, coefficient=coefficient, se=se,
        ))
    return found


def _few_rows(contract: Contract, model: models.Model, rows: int, language: Language) -> list[str]:
    """Return the warning that is due where there are few training rows for each independent total (T9)."""
    d = len(model.described)
    sums = sum(len(one.group) - 1 for one in model.described) + (d * (d - 1) // 2 if contract.layout.se == "exact" else 0)
    if rows >= FEW_ROWS_A_TOTAL * sums or contract.solver != COORDINATOR:
        return []
    if language == "zh":
        return [f"训练样本 {rows} 行对应 {sums} 个合计，每个合计不足 {FEW_ROWS_A_TOTAL} 行：运营商与协调方若合谋，可接近单行信息。"]
    few = f"{rows} training rows stand behind {sums} totals, fewer than {FEW_ROWS_A_TOTAL} each"
    return [f"{few}: telco and coordinator together could come near to single rows. Take fewer variables or more customers."]
