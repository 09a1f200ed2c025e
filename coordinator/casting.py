"""The coordinator's role: solver. It sees totals, no row, no identifier, no column name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tandem.arguments import Chance
from tandem.contract import COORDINATOR, Contract, Role
from tandem.errors import ContractError, Enumeration, OutOfTurn
from tandem.measure import solver as measuring
from tandem.measure.script import MEASURE
from tandem.measure.terms import Terms as MeasureTerms
from tandem.node import machine
from tandem.node.casting import Cast, due_step, size, stage_in_order, stage_of_its_own
from tandem.node.checkpoints import Checkpoints
from tandem.node.contracts import Contracts
from tandem.node.keys import Keys, derive
from tandem.node.ledger_store import Ledger
from tandem.node.watch import SILENT, Watch
from tandem.plan import kernels
from tandem.plan.roles import tell_solver
from tandem.plan.script import PLAN_SOLVER
from tandem.score.statement import Here
from tandem.session.script import Script
from tandem.sums.terms import Terms
from tandem.train import solver
from tandem.train.script import CARD, DESCRIBE, ERRORS, TRAIN, order
from tandem.wire.messages import Opening, Speed

ROSTER_WIDTH = 32
"""Bytes of a roster's digest, SHA-256."""
LOOKS = (DESCRIBE.name, MEASURE.name)
"""Scripts of one session, after which nothing is left to know."""


@dataclass(frozen=True)
class Job:
    """What lies between two passes: the roster they are over, the next one due, what is known, and what was known one pass before.

    The bank may stand one pass behind, if it died before it kept what we kept; then it plays that pass again.
    """

    roster: bytes
    next_stage: int = 1
    known: solver.Known = field(default_factory=solver.Known, repr=False)
    before: solver.Known = field(default_factory=solver.Known, repr=False)


class Coordinator:
    """Casts the solver (node.casting.Troupe). What it knows of a job is kept, sealed, until the next job under that contract."""

    role: Role = COORDINATOR
    scripts: Mapping[str, Script] = MappingProxyType({
        script.name: script for script in (DESCRIBE, TRAIN, ERRORS, CARD, MEASURE, PLAN_SOLVER)
    })

    def __init__(
        self, contracts: Contracts, keys: Keys, ledger: Ledger, chance: Chance, report: Callable[[str], None], watch: Watch = SILENT
    ) -> None:
        self._contracts, self._keys, self._chance, self._report, self._watch = contracts, keys, chance, report, watch
        self._store = Checkpoints(Job, ledger, keys.seed, chance)
        self._gauge = machine.Gauge()

    def contract(self, digest: bytes) -> Contract:
        """Return the live contract of this digest. Raises ContractError."""
        return self._contracts.live(digest)

    def cast(self, contract: Contract, session: bytes, opening: Opening) -> Cast:
        """Return the solver for this session. Raises ContractError, Enumeration, OutOfTurn to refuse."""
        if opening.script == PLAN_SOLVER.name:
            return Cast(PLAN_SOLVER, "solver", tell_solver(lambda: self._speed(contract)))
        stage_of_its_own(opening)
        rows, terms = self._rows(contract, opening), Terms.of(contract)
        with self._store.ledger.together():
            job = self._job(contract, opening)
            if opening.script not in LOOKS:
                begun = self._store.begun(contract, due_step(order(terms), job.next_stage)) > 0
                stage_in_order(opening, job.next_stage, order(terms), begun=begun)
            self._store.attempt(contract, opening)
        once = self._store.once(contract, opening)
        if opening.script in LOOKS:
            measures = opening.script == MEASURE.name
            looking = measuring.measure(rows, MeasureTerms.of(contract), once) if measures else solver.describe(rows, terms, once)
            return Cast(self.scripts[opening.script], "solver", looking, lambda failed: self._tell(contract, failed))
        known = job.known if opening.stage == job.next_stage else job.before
        here = Here(contract.digest, session, opening.roster, opening.stage)
        kept = derive(self._keys.seed, "tables")
        if opening.script == TRAIN.name:
            playing = solver.train(known, here, rows, terms, self._keys.signing.sign, kept, once)
        elif opening.script == ERRORS.name:
            playing = solver.errors(known, rows, terms, self._chance.fork("errors", session), once)
        elif opening.script == CARD.name:
            playing = solver.card(known, here, terms, self._keys.signing.sign, kept)
        else:
            raise OutOfTurn(f"script {opening.script[:20]!r} is none that this node plays")
        return Cast(self.scripts[opening.script], "solver", playing, lambda after: self._done(contract, opening, known, after))

    def _rows(self, contract: Contract, opening: Opening) -> int:
        """Return how many rows the roster has. Raises ContractError, OutOfTurn, Enumeration for what the contract does not allow."""
        if contract.kind == "scoring":
            raise ContractError(f"contract {contract.id} is for scoring: it needs no solver")
        if (contract.kind == "measurement") != (opening.script == MEASURE.name):
            raise ContractError(f"contract {contract.id} is for {contract.kind}: script {opening.script[:20]!r} is not played under it")
        rows = size(opening, "rows")
        if len(opening.roster) != ROSTER_WIDTH:
            raise OutOfTurn("an opening whose roster digest has a wrong width: what we sign names it")
        if rows > contract.rows_cap:
            raise Enumeration(f"a roster of {rows}, caps.roster is {contract.rows_cap}")
        return rows

    def _job(self, contract: Contract, opening: Opening) -> Job:
        """Return the job that is spoken of: the contract's current one, or a new one at its first session. Raises OutOfTurn."""
        saved = self._store.load(contract, opening.job)
        if saved is not None:
            if saved.roster != opening.roster:
                raise OutOfTurn("a session over another roster than this job's")
            return saved
        if opening.script not in LOOKS and opening.stage != 1:
            raise OutOfTurn(f"stage {opening.stage} of a job that is not known here: begin a new one (--afresh)")
        self._store.begin(contract, opening.job, Job(opening.roster))
        return Job(opening.roster)

    def _done(self, contract: Contract, opening: Opening, before: solver.Known, after: solver.Known) -> None:
        job = Job(opening.roster, opening.stage + 1, after, before)
        self._store.save(contract, opening.job, job, opening.attempt)
        self._tell(contract, after.failed)

    def _speed(self, contract: Contract) -> Speed:
        """Time what this node will do under the contract; nothing is asked of anybody."""
        bits, chance = contract.layout.key_bits, self._chance.fork("plan")
        key = kernels.stand_in(bits, chance)
        return self._gauge.speed(bits, lambda: kernels.measure_solver(key, machine.cores(), chance, time.perf_counter))

    def _tell(self, contract: Contract, failed: str) -> None:
        if failed:
            self._watch.note("check_failed", contract=contract)
            self._report(f"contract {contract.id[:8]}: CHECK FAILED: {failed}")
