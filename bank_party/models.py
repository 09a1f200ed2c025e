"""The bank's half of a model: its codings and coefficients, the released statistics, and the telco's points under aliases."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bank_party import coding
from tandem.describe.woe import Described
from tandem.errors import InputError
from tandem.node import kept
from tandem.sums.terms import Integers, Reals
from tandem.tables import Coding, Table, coding_from_dict
from tandem.train.sealer import Card, card_log_odds

VERSION = 2
KIND = "tandem-bank-model"
_SE = {False: "se_approximate", True: "se_exact"}
"""Name of the standard errors in the file: one of the two is there."""


@dataclass(frozen=True)
class Model:
    """theta: intercept, own columns; theta_t: by kept alias. se: same order. points: by bin of every variable, in line."""

    contract: str
    card: str
    card_step: int
    codings: tuple[Coding, ...]
    described: tuple[Described, ...]
    aliases: tuple[str, ...]
    theta: tuple[float, ...] = field(repr=False)
    se: tuple[float, ...] = field(repr=False)
    points: tuple[int, ...] = field(repr=False)
    alone: tuple[float, ...] = field(repr=False)
    """Coefficients of the bank's columns alone: for customers whom the telco does not know."""
    ridge: float
    """Under which `theta` was fitted."""
    exact: bool = False
    """Whether `se` are exact; else approximate."""

    @classmethod
    def of(
        cls, contract: str, card_step: int, card: Card, codings: tuple[Coding, ...], described: tuple[Described, ...], alone: Reals,
        ridge: float,
    ) -> Model:
        """Return the model that a study ended with."""
        return cls(
            contract, card.table.hex(), card_step, codings, described, card.aliases, card.theta, card.se, card.points,
            tuple(alone.tolist()), ridge, card.exact,
        )

    @property
    def own(self) -> int:
        """Coefficients of the bank's own side, intercept included."""
        return len(self.theta) - len(self.aliases)

    @property
    def numbers(self) -> list[str]:
        """Columns to declare as numbers when a file for this model is read."""
        return [one.column for one in self.codings if not one.text]

    @property
    def texts(self) -> list[str]:
        """Columns to declare as text when a file for this model is read."""
        return [one.column for one in self.codings if one.text]

    def design(self, table: Table) -> Reals:
        """Return x (N, p) of any table with the bank's columns, the intercept first."""
        return np.column_stack((np.ones(table.rows), coding.apply(self.codings, table)))

    def log_odds(self, table: Table, points: Integers) -> Reals:
        """Return the card's log-odds of customers whom the telco scored."""
        return card_log_odds(self.design(table), self.theta, points)

    def alone_log_odds(self, table: Table) -> Reals:
        """Return the log-odds of customers from the bank's columns alone."""
        scores: Reals = self.design(table) @ np.array(self.alone)
        return scores

    def save(self, path: Path) -> None:
        """Write the model (0600), whole or not at all."""
        content = {
            "version": VERSION, "kind": KIND, "contract": self.contract, "card": self.card, "card_step": self.card_step,
            "codings": [one.to_dict() for one in self.codings], "described": [one.to_dict() for one in self.described],
            "aliases": list(self.aliases), "theta": list(self.theta), _SE[self.exact]: list(self.se), "points": list(self.points),
            "bank_alone_theta": list(self.alone), "ridge": self.ridge,
        }
        kept.write(path, content)


def load(path: Path) -> Model:
    """Return the model in a file. Raises InputError if it is missing, damaged, or of another version."""
    data = kept.read(path)
    try:
        if (data["version"], data["kind"]) != (VERSION, KIND):
            raise InputError(f"{path} is no bank model of version {VERSION}: name the model.json that `tandem bank train` wrote")
        exact = _SE[True] in data
        return Model(
            str(data["contract"]), str(data["card"]), int(data["card_step"]),
            tuple(coding_from_dict(one) for one in data["codings"]), tuple(Described.from_dict(one) for one in data["described"]),
            tuple(str(alias) for alias in data["aliases"]), tuple(float(v) for v in data["theta"]),
            tuple(float(v) for v in data[_SE[exact]]), tuple(int(v) for v in data["points"]),
            tuple(float(v) for v in data["bank_alone_theta"]), float(data["ridge"]), exact,
        )
    except (KeyError, TypeError, ValueError):
        raise InputError(f"{path} is damaged: a field is missing or of another type; restore it from its backup") from None
