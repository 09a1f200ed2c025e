"""The bank as one of its commands sees it: configuration, contract, keys, peers, and the way to talk with them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from bank_party.conduct import Conductor
from bank_party.config import StudyConfig
from bank_party.jobs import Job, Kept
from bank_party.sealings import Sealings, remove_ended
from bank_party.solving import Solving
from bank_party.watching import Watching
from tandem.contract import BANK, COORDINATOR, SLOT_BITS, TELCO, Contract, Role
from tandem.crypto.opening import SecretKey
from tandem.engine.pool import Pool
from tandem.errors import InputError
from tandem.measure.terms import Terms as MeasureTerms
from tandem.node import disk, keys
from tandem.node.chance import System
from tandem.node.checkpoints import Checkpoints
from tandem.node.client import Dialler, Stage
from tandem.node.config import read
from tandem.node.contracts import live_contract, utc_now
from tandem.node.keys import Keys
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import both, recorder
from tandem.node.watch import Watch, outlets
from tandem.session.tap import Tap
from tandem.sums.terms import Terms
from tandem.train.script import order

T = TypeVar("T")


@dataclass(frozen=True)
class Party:
    """The bank as one command sees it."""

    config: StudyConfig
    contract: Contract
    keys: Keys = field(repr=False)
    peers: dict[Role, tuple[str, bytes]] = field(repr=False)

    @classmethod
    def open(cls, study: Path) -> Party:
        """Read configuration, contract, keys and peers' certificates. Raises InputError, ContractError."""
        config = read(study, StudyConfig)
        remove_ended(config.at(config.state) / "sealed", utc_now())
        contract = live_contract(config.at(config.contract))
        folder = config.at(config.peers)
        addresses: dict[Role, str] = {TELCO: config.telco, COORDINATOR: config.coordinator}
        peers = {
            role: (address, disk.read_text(folder / f"{role}.pem").encode())
            for role, address in addresses.items() if role in contract.roles
        }
        party = cls(config, contract, keys.load(config.at(config.keys)), peers)
        if party.keys.pin not in contract.bank.tls_pin:
            raise InputError(f"{config.keys}: these are not the keys that contract {contract.id} names for the bank")
        disk.make_private_folder(party.state)
        return party

    @property
    def state(self) -> Path:
        """The folder of what this node keeps between commands."""
        return self.config.at(self.config.state)

    def watching(self, console: Console, secret: SecretKey) -> Watching:
        """Return what tells a session's progress on the terminal."""
        key, layout = secret.public, self.contract.layout
        terms = Terms.of(self.contract)
        sealed = terms.layout(key) if self.contract.measurement is None else MeasureTerms.of(self.contract).layout(key)
        row, stages = sealed.ciphertexts * key.width, 2 if self.contract.kind == "measurement" else 1 + len(order(terms))
        return Watching(console, layout.passes, stages, self.config.lang, row, key.width / (key.bits // SLOT_BITS))

    def alone(self) -> AbstractContextManager[None]:
        """Keep other commands of this bank off the same contract. Raises InputError if one is at it."""
        return disk.alone(self.state / f"{self.contract.digest.hex()[:16]}.lock")

    def steps(self, purpose: str) -> tuple[str, ...]:
        """Return the steps of a job of this purpose, as they are called in its state."""
        passes = tuple(f"pass_{number}" for number in range(1, self.contract.layout.passes + 1))
        errors = ("errors",) if self.contract.layout.se == "exact" else ()
        told = ("tell",) if self.contract.tells else ()
        looks = {"describe": ("describe",), "score": ("serve", *told), "measure": ("measure",)}
        return ("align", *{"train": (*passes, *errors, "score"), **looks}[purpose])

    def job(self, purpose: str, inputs: bytes, ledger: Ledger, watching: Watching, *, afresh: bool) -> Job:
        """Return the job to go on with, or a new one, and tell which."""
        store = Checkpoints(Kept, ledger, self.keys.seed, System())
        job = Job.open(store, self.contract, purpose, inputs, System(), self.config.reconnect, watching.tell, afresh=afresh)
        if job.resumed:
            due = next((watching.title(step) for step in self.steps(purpose) if step not in job.resumed), "writing its results")
            watching.tell(f"resuming job {job.id.hex()[:8]} at: {due}; --afresh begins a new one")
        return job

    async def converse(
        self, run: Callable[[Conductor], Coroutine[Any, Any, T]], job: Job, ledger: Ledger, pool: Pool, progress: Tap
    ) -> T:
        """Dial, run the steps of a job, hang up."""

        def conducted(stage: Stage, tap: Callable[[bytes], Tap], watch: Watch) -> Coroutine[Any, Any, T]:
            solving = None
            if self.contract.solver == BANK:
                solving = Solving(
                    self.contract, self.keys, System(), lambda session: recorder(ledger, self.contract, session, COORDINATOR)
                )
            sealings = None if self.contract.auditor is None else Sealings(self.state / "sealed", self.contract, System())
            return run(Conductor(stage, self.contract, pool, System(), tap, job, solving, sealings, watch=watch))

        return await self.dialled(conducted, ledger, progress)

    async def dialled(
        self, run: Callable[[Stage, Callable[[bytes], Tap], Watch], Coroutine[Any, Any, T]], ledger: Ledger, progress: Tap
    ) -> T:
        """Dial, run, hang up."""
        dialler = Dialler(self.keys, self.contract, self.peers)
        try:

            def tap(session: bytes) -> Tap:
                return both(recorder(ledger, self.contract, session, BANK), progress)

            with outlets(self.config, "bank", ledger, lambda: (self.contract,)) as watch:
                return await run(Stage(self.contract, dialler, self.config.patience), tap, watch)
        finally:
            await dialler.close()
