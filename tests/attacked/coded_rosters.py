"""Rosters whose codes a bank is after: studies in one process with each role's view, and the codes themselves, which score a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from loopback_study import CONTRACT, Study, small_key

from attacked.views import Recorder, View
from tandem.crypto.opening import SecretKey
from tandem.score.statement import Here
from tandem.session.loopback import converse
from tandem.session.script import Script
from tandem.session.session import Session
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Outline
from tandem.train import sealer, summer
from tandem.train.pairs import pair_counts
from tandem.wire.messages import Opening


@dataclass
class Roster(Study):
    """A study whose roles are tapped one by one."""

    recorder: Recorder = field(default_factory=Recorder)

    def play(self, script: Script, here: Here, roles: dict[str, Any]) -> dict[str, Any]:
        """Play one script, every role under a tap of its own."""
        opening = Opening("test", script.name, here.stage, ("rows",), (self.rows.count,), here.roster)
        sessions = {
            name: (Session(script, name, CONTRACT, here.session, opening, self.recorder.tap(name)), self.corrupt(name, here, role))
            for name, role in roles.items()
        }
        return converse(sessions, self.alter)

    @property
    def codes(self) -> np.ndarray:
        """The truth (N, d)."""
        return self.coded.table.codes.astype(np.int64)

    @property
    def bins(self) -> tuple[int, ...]:
        """Bins of each variable: public."""
        return self.coded.table.bins

    @property
    def bank(self) -> View:
        """What the bank has by now: its key too."""
        return self.recorder.view("sealer", {"secret": self.secret})

    @property
    def league(self) -> View:
        """What bank and coordinator have together, or a bank that is its own solver."""
        return self.bank.with_(self.recorder.view("solver"))


@cache
def key(bits: int) -> SecretKey:
    """Return a key, made once."""
    return small_key(bits)


def roster(
    count: int, bits: int, seed: int, bins: Sequence[int], labels: np.ndarray | None = None, strength: float = 0.5, **terms: Any
) -> Roster:
    """Return a study of made-up people, all of whom train; their label hangs on every telco variable, unless it is given."""
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(0, size, size=count) for size in bins]).astype(np.uint8)
    own = rng.normal(size=(count, 1)).clip(-4, 4)
    effect = codes @ np.where(np.arange(len(bins)) % 2, -strength, strength)
    y = (rng.random(count) < 1 / (1 + np.exp(-(effect - effect.mean())))).astype(np.int64) if labels is None else labels
    outlines = tuple(Outline(f"t{j + 1:02}", size, size, missing=False, rest=False) for j, size in enumerate(bins))
    table = CodedTable(codes, tuple(bins), tuple(one.alias for one in outlines))
    plan = Terms(CONTRACT, columns=1, variables=len(bins), rows=max(1 << 13, count), key_bits=bits, **terms)
    coded = summer.Coded(table, outlines, summer.fit_to_tell(pair_counts(codes, table.bins), plan.min_bin))
    rows = sealer.Rows(np.column_stack((np.ones(count), own)), y, np.ones(count, dtype=bool))
    return Roster(rows, coded, plan, key(bits), seed=b"roster %d" % seed)
