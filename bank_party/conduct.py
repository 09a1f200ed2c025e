"""The bank's side of the conversation: one function a script, over gRPC. Plain values go in and come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

import numpy as np

from bank_party.jobs import Job
from bank_party.offered import known_table
from bank_party.sealings import Sealings
from bank_party.solving import Solving, packed
from tandem.align.script import ALIGN
from tandem.align.seeker import Found, seek
from tandem.arguments import Chance, Engine, Keep, keep_nothing
from tandem.contract import BANK, Contract
from tandem.crypto.opening import SecretKey
from tandem.describe.woe import Described
from tandem.errors import CheckFailed
from tandem.measure import sealer as measuring
from tandem.measure.script import MEASURE
from tandem.measure.terms import Terms as MeasureTerms
from tandem.node.casting import VERSION, Cast, player
from tandem.node.client import Stage
from tandem.node.joined import play_both
from tandem.node.recorder import both
from tandem.node.watch import SILENT, Watch
from tandem.plan.roles import Asked, ask, ask_solver
from tandem.plan.script import PLAN, PLAN_SOLVER, PROBES
from tandem.plan.watch import Clock
from tandem.score.statement import roster_digest
from tandem.session.script import Script
from tandem.session.session import Role
from tandem.session.tap import Tap, Tapped
from tandem.sums.terms import Integers, Terms
from tandem.tables import Codes, Positions
from tandem.tell.asker import ask as ask_levels
from tandem.tell.script import TELL
from tandem.train import sealer
from tandem.train.script import CARD, DESCRIBE, ERRORS, SERVE, TRAIN, order
from tandem.wire.messages import Opening, Speed


@dataclass(frozen=True)
class Statistics:
    """What a look before training gave, or the check that failed."""

    described: tuple[Described, ...]
    failed: str


@dataclass
class Caller:
    """Asks the peers what costs nothing: where to play, under which contract, with which workers and chance, and who looks on."""

    stage: Stage
    contract: Contract
    engine: Engine
    chance: Chance = field(repr=False)
    tap: Callable[[bytes], Tap]
    watch: Watch = field(default=SILENT, kw_only=True)

    async def ask(self, clock: Clock) -> Asked:
        """Ask the telco, before a study, what it offers and how fast it is."""
        playing = ask(self.contract.caps.table, self.contract.layout.bins, clock, self.chance.fork("plan"))
        asked: Asked = await self._session(Cast(PLAN, "sealer", playing), Opening(VERSION, PLAN.name, 0, ("probes",), (PROBES,), b""))
        return asked

    async def ask_coordinator(self) -> Speed:
        """Ask the coordinator how fast it is."""
        opening = Opening(VERSION, PLAN_SOLVER.name, 0, ("probes",), (0,), b"")
        speed: Speed = await self._session(Cast(PLAN_SOLVER, "sealer", ask_solver()), opening)
        return speed

    def _name(self, opening: Opening) -> bytes:
        return self.chance.fork("session", opening.script, opening.stage, opening.attempt).draw(16)

    async def _session(self, cast: Cast, opening: Opening, *watching: Tap) -> Any:
        session = self._name(opening)
        tap = self.tap(session)
        with self.watch.session(self.contract, opening) as weight:
            for one in (*watching, weight.tap):
                tap = both(tap, one)
            return await self.stage.play(cast, session, opening, tap)


@dataclass
class Conductor(Caller):
    """Plays the bank's roles in the steps of a job."""

    job: Job
    solving: Solving | None = None
    """Where the bank solves for itself."""
    sealings: Sealings | None = None
    """Where the contract names an auditor."""

    async def align(self, ids: list[bytes]) -> Found:
        """Find which identifiers the telco also has."""
        public = bytes.fromhex(self.contract.telco.oprf_key)
        caps, layout = self.contract.caps, self.contract.layout

        def playing(attempt: int) -> Role[Found]:
            # Blinds of the job, not of the attempt: asked again, the same identifiers are the same bytes, and cost nothing.
            return seek(
                public, ids, caps.table, layout.min_matched, self.engine, self.chance.fork("align", attempt), self.job.blinds,
                known_table(self.job.ledger, self.contract), cover=layout.cover, roster_cap=caps.roster,
            )

        found: Found = await self._play("align", Found, ALIGN, "seeker", playing, 0, ("ids", len(ids)), b"")
        return found

    async def describe(self, secret: SecretKey, rows: sealer.Rows, choice: sealer.Choice, roster: Positions) -> list[Described]:
        """Look at the telco's variables before training. Raises CheckFailed, once all have closed, if a check failed at the coordinator."""

        def playing(attempt: int) -> Role[Statistics]:
            chance = self.chance.fork("describe", attempt)
            keep = self._keep(DESCRIBE, 0, attempt)
            described, failed = yield from sealer.describe(secret, rows, choice, self._terms, self.engine, chance, keep=keep)
            return Statistics(tuple(described), failed)

        seen: Statistics = await self._play(
            "describe", Statistics, DESCRIBE, "sealer", playing, 0, ("rows", rows.count), roster_digest(roster)
        )
        if seen.failed:
            self.job.end()
            raise CheckFailed(seen.failed)
        return list(seen.described)

    async def train(
        self, secret: SecretKey, rows: sealer.Rows, progress: sealer.Progress, choice: sealer.Choice, roster: Positions, stage: int
    ) -> sealer.Progress:
        """Run training pass number `stage`."""
        terms = self._terms

        def playing(attempt: int) -> Role[sealer.Progress]:
            chance = self.chance.fork("train", stage, attempt)
            keep = self._keep(TRAIN, stage, attempt)
            return sealer.train(secret, rows, progress, choice, terms, self.engine, chance, last=stage == terms.passes, keep=keep)

        after: sealer.Progress = await self._play(
            f"pass_{stage}", sealer.Progress, TRAIN, "sealer", playing, stage, ("rows", rows.count), roster_digest(roster)
        )
        return after

    async def errors(self, secret: SecretKey, rows: sealer.Rows, progress: sealer.Progress, roster: Positions) -> None:
        """Have weights summed by pairs of bins, for exact standard errors; they come with the card."""
        terms = self._terms

        def playing(attempt: int) -> Role[None]:
            keep = self._keep(ERRORS, terms.passes + 1, attempt)
            return sealer.errors(secret, rows, progress, terms, self.engine, self.chance.fork("errors", attempt), keep=keep)

        await self._play(
            "errors", NoneType, ERRORS, "sealer", playing, terms.passes + 1, ("rows", rows.count), roster_digest(roster)
        )

    async def card(self, secret: SecretKey, rows: sealer.Rows, roster: Positions) -> sealer.Card:
        """Have the card sealed and the roster scored with it."""

        def playing(_: int) -> Role[sealer.Card]:
            return sealer.card(secret, rows, self._terms, self.engine)

        made: sealer.Card = await self._play(
            "score", sealer.Card, CARD, "sealer", playing, len(order(self._terms)), ("rows", rows.count), roster_digest(roster)
        )
        return made

    async def serve(self, secret: SecretKey, count: int, roster: Positions, card_step: int) -> Integers:
        """Score new customers with a card that the telco holds."""

        def playing(_: int) -> Role[Integers]:
            return sealer.serve(secret, count, card_step, self.engine, open_weights=self._terms.open_weights)

        points: Integers = await self._play("serve", Integers, SERVE, "sealer", playing, 0, ("rows", count), roster_digest(roster))
        return points

    async def measure(self, secret: SecretKey, rows: measuring.Rows, roster: Positions) -> measuring.Heard:
        """Have a campaign counted by the telco's segments. Raises CheckFailed, once all have closed, if a check failed at the solver."""
        terms = MeasureTerms.of(self.contract)

        def playing(attempt: int) -> Role[measuring.Heard]:
            keep = self._keep(MEASURE, 0, attempt)
            return measuring.measure(secret, rows, terms, self.engine, self.chance.fork("measure", attempt), keep=keep)

        heard: measuring.Heard = await self._play(
            "measure", measuring.Heard, MEASURE, "sealer", playing, 0, ("rows", rows.count), roster_digest(roster)
        )
        if heard.failed:
            self.job.end()
            raise CheckFailed(heard.failed)
        return heard

    async def tell(self, roster: Positions) -> Codes:
        """Ask for the level of each told column, (rows of the roster, columns); nothing is asked where the contract names none."""
        levels = [len(column.levels) for column in self.contract.tells]
        if not levels:
            return np.empty((len(roster), 0), dtype=np.uint8)
        told: Codes = await self._play(
            "tell", Codes, TELL, "asker", lambda _: ask_levels(len(roster), levels), 1, ("rows", len(roster)), roster_digest(roster)
        )
        return told

    @property
    def _terms(self) -> Terms:
        return Terms.of(self.contract)

    def _keep(self, script: Script, stage: int, attempt: int) -> Keep:
        return keep_nothing if self.sealings is None else self.sealings.keep(self.job.id, script.name, stage, attempt)

    async def _play(
        self, name: str, kind: Any, script: Script, role: str, playing: Callable[[int], Role[Any]], stage: int, size: tuple[str, int],
        roster: bytes,
    ) -> Any:
        """Play one step of the job, or return what was kept of it."""

        async def play(attempt: int) -> Any:
            opening = Opening(VERSION, script.name, stage, (size[0],), (size[1],), roster, self.job.id, attempt)
            cast = Cast(script, role, playing(attempt))
            if self.solving is None or "solver" not in script.roles:
                return await self._session(cast, opening, self._look_on(opening))
            return await self._both(self.solving, cast, opening)

        return await self.job.step(name, kind, play)

    def _look_on(self, opening: Opening) -> Tap:
        return self.job.heard if self.sealings is None else both(self.job.heard, self.sealings.tap(opening))

    async def _both(self, solving: Solving, cast: Cast, opening: Opening) -> Any:
        """Play sealer and solver; what the solver knows afterwards is kept in one with the step's result."""
        session = self._name(opening)
        solver = solving.cast(session, opening, self.job.known)
        with self.watch.session(self.contract, opening) as weight:

            def weigh(seen: Tapped) -> None:
                if player(self.contract, seen.peer) != BANK:  # what the two say to each other travels nowhere
                    weight.tap(seen)

            sealing, beside = both(self.tap(session), both(self._look_on(opening), weigh)), both(solving.tap(session), weigh)
            result, after = await play_both(self.stage, (cast, sealing), (solver, beside), session, opening, BANK)
        self.job.know(packed(after))
        return result
