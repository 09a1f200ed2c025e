"""What a study takes over from an earlier model: the bank's columns with their frozen coding, and which of the telco's variables are kept.

Coefficients are fitted anew; where they started from is not carried over, for it would not save a pass (decision 46).
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bank_party import models
from bank_party.coding import Coded
from bank_party.config import StudyConfig
from bank_party.models import Model
from tandem.contract import Contract
from tandem.describe.cuts import cut
from tandem.describe.woe import Rule, release
from tandem.errors import ContractError, InputError
from tandem.tables import Coding, Table, WoeCoding


def load(config: StudyConfig, contract: Contract) -> Model | None:
    """Return the earlier model that the study names, if it names one.

    Raises InputError where the study chooses otherwise at the same time, ContractError where the telco offered another number of variables:
    t03 would then be another one.
    """
    if config.earlier is None:
        return None
    if "coding" in config.model_fields_set or config.choice.keep:
        raise InputError("the study names an earlier model, which brings its coding and choice with it: leave out coding and choice.keep")
    model = models.load(config.at(config.earlier))
    if len(model.described) != contract.telco.variables:
        raise ContractError(
            f"contract {contract.id}: the telco offers {contract.telco.variables} variables, {config.earlier} was trained on "
            f"{len(model.described)}: aliases would not mean the same; train without earlier"
        )
    return model


def of_model(model: Model, table: Table) -> Table:
    """Return the table's columns that the model has, and no others. Raises InputError where one is absent."""
    return Table(table.ids, {one.column: table.column(one.column) for one in model.codings})


def columns_out(model: Model) -> int:
    """Return d_b, the numbers that the model's columns give for a row."""
    return sum(len(one.names) for one in model.codings)


def digest(model: Model | None) -> tuple[str, ...]:
    """Return what a job hangs on beside file, labels and choice: nothing where nothing is carried over."""
    return () if model is None else (json.dumps([[one.to_dict() for one in model.codings], list(model.aliases)]),)


def coded(
    codings: tuple[Coding, ...], table: Table, labels: NDArray[np.uint8], train: NDArray[np.bool_], *, bins: int, rule: Rule
) -> list[Coded]:
    """Return the frozen codings with counts, bads, WoE and IV of these training rows beside them; takes what `coding.fit` takes."""
    rows = np.flatnonzero(train)
    return [_coded(f"b{j:02}", one, table, labels[rows], rows, bins, rule) for j, one in enumerate(codings, 1)]


def _coded(alias: str, coding: Coding, table: Table, labels: NDArray[np.uint8], rows: NDArray[np.intp], bins: int, rule: Rule) -> Coded:
    column = table.column(coding.column)[rows]
    binning = coding.binning if isinstance(coding, WoeCoding) else cut(alias, column, bins, rule.min_bin)
    codes = binning.code(column)
    counts = np.bincount(codes, minlength=binning.bins)
    bads = np.bincount(codes, weights=labels, minlength=binning.bins).astype(np.int64)
    return Coded(coding, binning, replace(release(binning.outline, counts.tolist(), bads.tolist(), rule), alias=alias))
