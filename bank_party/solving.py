"""The bank as its own solver, where the contract says so: what a coordinator would play, in the bank's process.

The telco meets a solver that seals and signs as a coordinator's does, only with the bank's keys. Nobody checks the bank's rows then, and
nobody counts how often it is answered: the promise to answer a step once (`arguments.Once`), which a coordinator keeps towards the telco,
the bank could only give itself. What the solver knows between two steps lies with the bank's own results (`jobs.Kept`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tandem.arguments import Chance
from tandem.contract import Contract
from tandem.errors import OutOfTurn
from tandem.measure import solver as measuring
from tandem.measure.script import MEASURE
from tandem.measure.terms import Terms as MeasureTerms
from tandem.node.casting import Cast, size
from tandem.node.keys import Keys, derive
from tandem.node.plain import pack, restore, unpack
from tandem.score.statement import Here
from tandem.session.tap import Tap
from tandem.sums.terms import Terms
from tandem.train import solver
from tandem.train.script import CARD, DESCRIBE, ERRORS, TRAIN
from tandem.wire.messages import Opening


@dataclass
class Solving:
    """Casts the solver of one study. `chance`: of its masks; `tap`: the tap of a session in which it solves."""

    contract: Contract
    keys: Keys = field(repr=False)
    chance: Chance = field(repr=False)
    tap: Callable[[bytes], Tap]

    def cast(self, session: bytes, opening: Opening, known: bytes) -> Cast:
        """Return the solver for the session that this bank opens; it begins from `known`, as `packed` made it.

        Raises OutOfTurn for a script without a solver.
        """
        rows, terms = size(opening, "rows"), Terms.of(self.contract)
        here = Here(self.contract.digest, session, opening.roster, opening.stage)
        before: solver.Known = restore(solver.Known, unpack(known)) if known else solver.Known()
        sign, kept = self.keys.signing.sign, derive(self.keys.seed, "tables")
        if opening.script == DESCRIBE.name:
            return Cast(DESCRIBE, "solver", solver.describe(rows, terms))
        if opening.script == TRAIN.name:
            return Cast(TRAIN, "solver", solver.train(before, here, rows, terms, sign, kept))
        if opening.script == ERRORS.name:
            return Cast(ERRORS, "solver", solver.errors(before, rows, terms, self.chance.fork("errors", session)))
        if opening.script == CARD.name:
            return Cast(CARD, "solver", solver.card(before, here, terms, sign, kept))
        if opening.script == MEASURE.name:
            return Cast(MEASURE, "solver", measuring.measure(rows, MeasureTerms.of(self.contract)))
        raise OutOfTurn(f"script {opening.script!r} has no solver")


def packed(after: solver.Known | str) -> bytes:
    """Return what a solver's session ended with as bytes to keep: nothing after a look, which leaves nothing behind."""
    return pack(after) if isinstance(after, solver.Known) else b""
