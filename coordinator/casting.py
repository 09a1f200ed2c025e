"""The coordinator's role: solver. It sees totals, no row, no identifier, no column name."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tandem.contract import COORDINATOR, Contract, Role
from tandem.errors import ContractError, Enumeration, OutOfTurn
from tandem.node import machine
from tandem.node.casting import Cast, size, stage_in_order
from tandem.node.chance import System
from tandem.node.contracts import Contracts
from tandem.node.keys import Keys, derive
from tandem.plan import kernels
from tandem.plan.roles import tell_solver
from tandem.plan.script import PLAN_SOLVER
from tandem.score.statement import Here
from tandem.session.script import Script
from tandem.sums.terms import Terms
from tandem.train import solver
from tandem.train.script import CARD, DESCRIBE, TRAIN
from tandem.wire.messages import Opening, Speed

ROSTER_WIDTH = 32
"""Bytes of a roster's digest, SHA-256."""


@dataclass(frozen=True)
class Job:
    """What lies between two passes: the roster they are over, what is known, and the next pass due."""

    roster: bytes
    known: solver.Known = field(repr=False)
    next_stage: int


class Coordinator:
    """Casts the solver (node.casting.Troupe). Everything it knows of a job ends with the process."""

    role: Role = COORDINATOR
    scripts: Mapping[str, Script] = MappingProxyType({script.name: script for script in (DESCRIBE, TRAIN, CARD, PLAN_SOLVER)})

    def __init__(self, contracts: Contracts, keys: Keys, report: Callable[[str], None]) -> None:
        self._contracts, self._keys, self._report = contracts, keys, report
        self._jobs: dict[bytes, Job] = {}
        self._gauge = machine.Gauge()

    def contract(self, digest: bytes) -> Contract:
        """Return the live contract of this digest. Raises ContractError."""
        return self._contracts.live(digest)

    def cast(self, contract: Contract, session: bytes, opening: Opening) -> Cast:
        """Return the solver for this session. Raises ContractError, Enumeration, OutOfTurn to refuse."""
        if opening.script == PLAN_SOLVER.name:
            return Cast(PLAN_SOLVER, "solver", tell_solver(lambda: self._speed(contract)))
        if contract.kind != "training":
            raise ContractError(f"contract {contract.id} is for scoring: it needs no solver")
        rows, terms = size(opening, "rows"), Terms.of(contract)
        if len(opening.roster) != ROSTER_WIDTH:
            raise OutOfTurn("an opening whose roster digest has a wrong width: what we sign names it")
        if rows > contract.rows_cap:
            raise Enumeration(f"a roster of {rows}, caps.roster is {contract.rows_cap}")
        if opening.script == DESCRIBE.name:
            return Cast(DESCRIBE, "solver", solver.describe(rows, terms), lambda failed: self._tell(contract, failed))
        job = self._jobs.get(contract.digest)
        if opening.stage == 1 or job is None or job.roster != opening.roster:
            job = Job(opening.roster, solver.Known(), 1)
        stage_in_order(opening, job.next_stage, terms.passes)
        here = Here(contract.digest, session, opening.roster, opening.stage)
        kept = derive(self._keys.seed, "tables")
        if opening.script == TRAIN.name:
            playing = solver.train(job.known, here, rows, terms, self._keys.signing.sign, kept)
        elif opening.script == CARD.name:
            playing = solver.card(job.known, here, terms, self._keys.signing.sign, kept)
        else:
            raise OutOfTurn(f"script {opening.script[:20]!r} is none that this node plays")
        script = TRAIN if opening.script == TRAIN.name else CARD
        return Cast(script, "solver", playing, lambda known: self._done(contract, job, known))

    def _speed(self, contract: Contract) -> Speed:
        """Time what this node will do under the contract; nothing is asked of anybody."""
        bits, chance = contract.layout.key_bits, System()
        key = kernels.stand_in(bits, chance)
        return self._gauge.speed(bits, lambda: kernels.measure_solver(key, machine.cores(), chance, time.perf_counter))

    def _done(self, contract: Contract, job: Job, known: solver.Known) -> None:
        self._jobs[contract.digest] = Job(job.roster, known, job.next_stage + 1)
        self._tell(contract, known.failed)

    def _tell(self, contract: Contract, failed: str) -> None:
        if failed:
            self._report(f"contract {contract.id[:8]}: CHECK FAILED: {failed}")
