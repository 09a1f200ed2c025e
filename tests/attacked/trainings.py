"""Whole studies that are watched: what telco, coordinator and both in league have after them, and the truth that scores their guesses.

The sessions are the shipped ones with a small key; a fixture may put a line into their scripts, or a role of its own in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from loopback_study import CONTRACT, Study, small_key

from attacked.views import Recorder, View
from tandem.crypto.opening import SecretKey
from tandem.crypto.slots import Layout
from tandem.score.statement import Here
from tandem.session.loopback import converse
from tandem.session.script import Script
from tandem.session.session import Session
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Outline
from tandem.train import sealer, summer
from tandem.train.pairs import pair_counts
from tandem.train.script import OPEN
from tandem.wire.messages import Opening

TELCO, COORDINATOR = "summer", "solver"
DECOY, HOLD_OUT, TRAINING = 0, 1, 2


@dataclass
class Training(Study):
    """A study whose roles are tapped one by one."""

    recorder: Recorder = field(default_factory=Recorder)
    lines: Callable[[Script], Script] = lambda script: script
    """Script -> script: for a fixture in which one more message is said."""

    def play(self, script: Script, here: Here, roles: dict[str, Any]) -> dict[str, Any]:
        """Play one script, every role under a tap of its own."""
        script = self.lines(OPEN.get(script.name, script) if self.terms.open_weights else script)
        opening = Opening("test", script.name, here.stage, ("rows",), (self.rows.count,), here.roster)
        sessions = {
            name: (Session(script, name, CONTRACT, here.session, opening, self.recorder.tap(name)), self.corrupt(name, here, role))
            for name, role in roles.items()
        }
        return converse(sessions, self.alter)

    @property
    def telco(self) -> View:
        """What the telco has by now: its codes too."""
        return self.recorder.view(TELCO, {"codes": self.coded.table.codes, "bins": self.coded.table.bins})

    @property
    def coordinator(self) -> View:
        """What the coordinator has by now."""
        return self.recorder.view(COORDINATOR)

    @property
    def layout(self) -> Layout:
        """How a row is packed: public."""
        return self.terms.layout(self.secret.public)

    @property
    def status(self) -> np.ndarray:
        """The truth: DECOY, HOLD_OUT or TRAINING, a roster row each (N,)."""
        found = np.full(self.rows.count, DECOY)
        found[self.places] = np.where(self.rows.train, TRAINING, HOLD_OUT)
        return found

    @property
    def labels(self) -> np.ndarray:
        """The truth: the label of every roster row (N,); -1 for decoys."""
        found = np.full(self.rows.count, -1)
        found[self.places] = self.rows.y
        return found

    @property
    def places(self) -> np.ndarray:
        """The roster rows that are customers."""
        return np.arange(self.rows.count) if self.rows.places is None else self.rows.places


@cache
def key(bits: int) -> SecretKey:
    """Return a key, made once."""
    return small_key(bits)


def with_codes(codes: np.ndarray, bins: Sequence[int], rows: sealer.Rows, bits: int, seed: int, **terms: Any) -> Training:
    """Return a study of these codes (N, d), ordered and without missing ones, and of the bank's rows."""
    outlines = tuple(Outline(f"t{j + 1:03}", size, size, missing=False, rest=False) for j, size in enumerate(bins))
    table = CodedTable(codes.astype(np.uint8), tuple(bins), tuple(o.alias for o in outlines))
    plan = Terms(CONTRACT, columns=rows.x.shape[1] - 1, variables=len(bins), rows=1 << 15, key_bits=bits, **terms)
    coded = summer.Coded(table, outlines, summer.fit_to_tell(pair_counts(table.codes, table.bins), plan.min_bin))
    return Training(rows, coded, plan, key(bits), seed=b"training %d" % seed)


def made(
    count: int, bits: int, seed: int, *, bins: Sequence[int] = (5, 4, 3), strength: float = 0.4, decoys: float = 0.0,
    hold_out: float = 0.3, columns: int = 2, **terms: Any,
) -> Training:
    """Return a study on made-up people: the label hangs on `columns` of the bank's and, by `strength`, on every telco variable."""
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.integers(0, size, size=count) for size in bins])
    places = np.sort(rng.permutation(count)[: round(count * (1 - decoys))])
    own = rng.normal(size=(len(places), columns)).clip(-4, 4)
    signs = np.where(np.arange(len(bins)) % 2, -strength, strength)
    effect = codes[places] @ signs
    odds = own @ np.full(columns, 0.6) + effect - effect.mean() - 0.6
    y = (rng.random(len(places)) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    train = rng.random(len(places)) >= hold_out
    x = np.column_stack((np.ones(len(places)), own))
    return with_codes(codes, bins, sealer.Rows(x, y, train, places, count), bits, seed, **terms)
