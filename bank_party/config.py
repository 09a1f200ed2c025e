"""The bank's configuration of one study, study.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tandem.node.config import Address, NodeConfig
from tandem.node.inputs.source import TableSource


class ChoiceConfig(BaseModel):
    """Which of the telco's variables to keep; applied by the solver, unseen by the telco. 0 or nothing is no wish."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: list[str] = []
    """Aliases, such as t03; empty for all."""
    min_iv: float = Field(default=0.0, ge=0.0)
    max_correlation: float = Field(default=0.0, ge=0.0, le=1.0)
    max_vif: float = Field(default=0.0, ge=0.0)
    monotone: bool = False


class StudyConfig(NodeConfig):
    """One study: the contract, whom to dial, the bank's file, and where results go."""

    name: str = "study"
    contract: Path = Path("contract.toml")
    telco: Address = "127.0.0.1:7443"
    coordinator: Address = "127.0.0.1:7444"
    table: TableSource
    label: str = ""
    """The label's column; not needed to score, nor where `table.columns` declares it."""
    positive: str | None = None
    """The label value that counts as 1, where the file does not use 0 and 1."""
    coding: Literal["woe", "numeric"] = "woe"
    choice: ChoiceConfig = ChoiceConfig()
    out: Path = Path("out")
    model: Path | None = None
    """Scoring: the model.json that training wrote."""
    earlier: Path | None = None
    """Training: the model.json of an earlier version, whose own columns, coding and choice of the telco's variables are carried over."""
    results: Path | None = None
    """Measuring: what came of a campaign, a CSV file with the identifier's column of `table`, `group`, the outcomes and `spend`."""
    groups: tuple[str, ...] = ()
    """Measuring: names of the groups in `results`, in the order to show them in; without, those found there, sorted."""
    reconnect: float = Field(default=600.0, ge=0.0, le=86_400.0)
    """Seconds for which a peer that is gone is called again, before the study stops."""
    lang: Literal["en", "zh"] = "en"
    synthetic: bool = False
    """The data were made by a program; the report says so."""
    data_note: str = ""

    @model_validator(mode="after")
    def _one_label(self) -> Self:
        if self.label and self.table.label not in {"", self.label}:
            raise ValueError("label and table.columns name different columns as the label: name one")
        return self

    @property
    def label_column(self) -> str:
        """The label's column, wherever it is named; empty if it is not."""
        return self.label or self.table.label
