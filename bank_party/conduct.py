"""The bank's side of the conversation: one function a script, over gRPC. Plain values go in and come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bank_party.solving import Solving
from tandem.align.script import ALIGN
from tandem.align.seeker import Found, seek
from tandem.arguments import Chance, Engine
from tandem.contract import BANK, Contract
from tandem.crypto.opening import SecretKey
from tandem.describe.woe import Described
from tandem.errors import CheckFailed
from tandem.node.casting import VERSION, Cast
from tandem.node.client import Stage
from tandem.node.joined import play_both
from tandem.score.statement import roster_digest
from tandem.session.script import Script
from tandem.session.session import Role
from tandem.session.tap import Tap
from tandem.sums.terms import Integers, Terms
from tandem.tables import Positions
from tandem.train import sealer
from tandem.train.script import CARD, DESCRIBE, SERVE, TRAIN
from tandem.wire.messages import Opening


@dataclass
class Conductor:
    """Plays the bank's roles: where to play, under which contract, with which workers and chance, and who looks on."""

    stage: Stage
    contract: Contract
    engine: Engine
    chance: Chance = field(repr=False)
    tap: Callable[[bytes], Tap]
    solving: Solving | None = None
    """Where the bank solves for itself."""

    async def align(self, ids: list[bytes]) -> Found:
        """Find which identifiers the telco also has."""
        public = bytes.fromhex(self.contract.telco.oprf_key)
        playing = seek(
            public, ids, self.contract.caps.table, self.contract.layout.min_matched, self.engine, self.chance.fork("align")
        )
        found: Found = await self._play(ALIGN, "seeker", playing, 0, ("ids", len(ids)), b"")
        return found

    async def describe(self, secret: SecretKey, rows: sealer.Rows, choice: sealer.Choice, roster: Positions) -> list[Described]:
        """Look at the telco's variables before training. Raises CheckFailed, once all have closed, if a check failed at the coordinator."""
        playing = sealer.describe(secret, rows, choice, self._terms, self.engine, self.chance.fork("describe"))
        described, failed = await self._play(DESCRIBE, "sealer", playing, 0, ("rows", rows.count), roster_digest(roster))
        if failed:
            raise CheckFailed(failed)
        return list(described)

    async def train(
        self, secret: SecretKey, rows: sealer.Rows, progress: sealer.Progress, choice: sealer.Choice, roster: Positions, stage: int
    ) -> sealer.Progress:
        """Run training pass number `stage`."""
        terms = self._terms
        last = stage == terms.passes
        playing = sealer.train(secret, rows, progress, choice, terms, self.engine, self.chance.fork("train", stage), last=last)
        after: sealer.Progress = await self._play(TRAIN, "sealer", playing, stage, ("rows", rows.count), roster_digest(roster))
        return after

    async def card(self, secret: SecretKey, rows: sealer.Rows, roster: Positions) -> sealer.Card:
        """Have the card sealed and the roster scored with it."""
        playing = sealer.card(secret, rows, self._terms, self.engine)
        made: sealer.Card = await self._play(
            CARD, "sealer", playing, self._terms.passes + 1, ("rows", rows.count), roster_digest(roster)
        )
        return made

    async def serve(self, secret: SecretKey, count: int, roster: Positions, card_step: int) -> Integers:
        """Score new customers with a card that the telco holds."""
        playing = sealer.serve(secret, count, card_step, self.engine, open_weights=self._terms.open_weights)
        points: Integers = await self._play(SERVE, "sealer", playing, 0, ("rows", count), roster_digest(roster))
        return points

    @property
    def _terms(self) -> Terms:
        return Terms.of(self.contract)

    async def _play(self, script: Script, role: str, playing: Role[Any], stage: int, size: tuple[str, int], roster: bytes) -> Any:
        session = self.chance.fork("session", script.name, stage).draw(16)
        opening = Opening(VERSION, script.name, stage, (size[0],), (size[1],), roster)
        cast = Cast(script, role, playing)
        if self.solving is None or "solver" not in script.roles:
            return await self.stage.play(cast, session, opening, self.tap(session))
        solver = self.solving.cast(session, opening)
        return await play_both(
            self.stage, ((cast, self.tap(session)), (solver, self.solving.tap(session))), session, opening, BANK
        )
