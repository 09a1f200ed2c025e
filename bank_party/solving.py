"""The bank as its own solver, where the contract says so: what a coordinator would hold and play, in the bank's process.

The telco meets a solver that seals and signs as a coordinator's does, only with the bank's keys. Nobody checks the bank's rows then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tandem.contract import Contract
from tandem.errors import OutOfTurn
from tandem.node.casting import Cast, size
from tandem.node.keys import Keys, derive
from tandem.score.statement import Here
from tandem.session.tap import Tap
from tandem.sums.terms import Terms
from tandem.train import solver
from tandem.train.script import CARD, DESCRIBE, TRAIN
from tandem.wire.messages import Opening


@dataclass
class Solving:
    """Casts the solver of one study. `known`: what lies between two passes; `tap`: the tap of a session in which it solves."""

    contract: Contract
    keys: Keys = field(repr=False)
    tap: Callable[[bytes], Tap]
    known: solver.Known = field(default_factory=solver.Known, repr=False)

    def cast(self, session: bytes, opening: Opening) -> Cast:
        """Return the solver for the session that this bank opens. Raises OutOfTurn for a script without one."""
        rows, terms = size(opening, "rows"), Terms.of(self.contract)
        here = Here(self.contract.digest, session, opening.roster, opening.stage)
        sign, kept = self.keys.signing.sign, derive(self.keys.seed, "tables")
        if opening.script == DESCRIBE.name:
            return Cast(DESCRIBE, "solver", solver.describe(rows, terms))
        known = solver.Known() if opening.stage == 1 else self.known
        if opening.script == TRAIN.name:
            return Cast(TRAIN, "solver", solver.train(known, here, rows, terms, sign, kept), self._keep)
        if opening.script == CARD.name:
            return Cast(CARD, "solver", solver.card(known, here, terms, sign, kept), self._keep)
        raise OutOfTurn(f"script {opening.script!r} has no solver")

    def _keep(self, known: solver.Known) -> None:
        self.known = known
