"""The telco's roles: holder in an alignment, summer in everything else. Caps and budgets are held here, before anything is computed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from tandem.align.holder import hold
from tandem.align.identifiers import normalise
from tandem.align.script import ALIGN
from tandem.arguments import Chance, Engine
from tandem.contract import TELCO, Contract, Role, verifies
from tandem.crypto.paillier import PublicKey
from tandem.errors import ContractError, Enumeration, InputError, OtherContent, OutOfTurn
from tandem.measure.script import MEASURE
from tandem.node import machine, noise
from tandem.node.casting import Cast, due_step, size, stage_in_order, stage_of_its_own
from tandem.node.checkpoints import Checkpoints
from tandem.node.contracts import Contracts, utc_now
from tandem.node.keys import Keys, derive
from tandem.node.ledger_store import Ledger
from tandem.node.watch import SILENT, Watch
from tandem.plan import kernels
from tandem.plan.roles import tell
from tandem.plan.script import PLAN
from tandem.score.open_weights import OpenTable
from tandem.score.statement import Here, roster_digest
from tandem.score.summer import SealedTable
from tandem.session.script import Script
from tandem.sums.noise import Drawn, Integers, Sampler, draw
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Codes, Positions, Table
from tandem.tell.holder import tell as tell_levels
from tandem.tell.script import TELL
from tandem.train import summer
from tandem.train.pairs import pair_counts
from tandem.train.script import CARD, DESCRIBE, ERRORS, SERVE, TRAIN, order
from tandem.wire.messages import Offer, Opening, Speed
from telco_party import bins, cards, measuring, tables
from telco_party.budgets import Budgets, Persons
from telco_party.config import TelcoConfig
from telco_party.subscribers import Subscribers, hashed
from telco_party.tables import Tables

_SERVED = f"{SERVE.name}-0"
"""The step that scores new customers, as `checkpoints.step_of` has it."""


@dataclass(frozen=True)
class Standing:
    """What the telco keeps of a job on its disk: identifiers declared, the next stage due (0 aligns), and the roster.

    `coded` is the digest of the roster's rows as they were coded. Rows and cuts are made again from table and roster after a restart: they
    must come out the same. `noise` is drawn once a job: drawn again, it would average out.
    """

    asked: int
    next_stage: int = 0
    roster: Positions = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    coded: bytes = b""
    noise: Drawn | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Job:
    """What the telco knows between the sessions of one contract: the job, the roster's digest, and its coded rows."""

    job: bytes
    standing: Standing
    roster: bytes
    coded: summer.Coded | None
    table: CodedTable
    cuts: bins.Cuts = field(repr=False)
    card: cards.Card | None = None
    levels: tuple[Codes, ...] = field(default=(), repr=False)
    """By told column the level of each roster row."""
    persons: Persons = field(default_factory=lambda: np.empty(0, np.uint64), repr=False)
    """Who the roster's rows are, as the budgets name them."""


class Telco:
    """Casts the telco's roles (node.casting.Troupe)."""

    role: Role = TELCO
    scripts: Mapping[str, Script] = MappingProxyType({
        script.name: script for script in (ALIGN, DESCRIBE, TRAIN, ERRORS, CARD, SERVE, TELL, MEASURE, PLAN)
    })

    def __init__(
        self, config: TelcoConfig, keys: Keys, held: Tables, ledger: Ledger, engine: Engine, chance: Chance, report: Callable[[str], None],
        watch: Watch = SILENT, sampler: Sampler = noise.discrete_gaussian, clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._config, self._keys, self._tables, self._ledger = config, keys, held, ledger
        self._engine, self._chance, self._report, self._watch = engine, chance, report, watch
        self._sampler = sampler
        self._store = Checkpoints(Standing, ledger, keys.seed, chance)
        self._budgets = Budgets(ledger, config.budget, keys.seed, clock)
        self._contracts = Contracts(config.at(config.contracts))
        self._subscribers: dict[bytes, Subscribers] = {}
        self._jobs: dict[bytes, Job] = {}
        self._gauge = machine.Gauge()

    def contract(self, digest: bytes) -> Contract:
        """Return the live contract of this digest. Raises ContractError."""
        return self._contracts.live(digest)

    def prepare(self) -> list[Contract]:
        """Make the tags of every live contract, so that nobody waits for them later; return these contracts."""
        live = self._contracts.usable()
        for section, text in self._config.idle(self._contracts.all()):
            folder = self._config.contracts
            self._report(f"[{section}] is for contract {text}, and none in {folder} is called so: put it there, or mend the id")
        for contract in live:
            tables.told(contract, self._tables.of(contract))  # now is the time to say that a column is missing
            count = len(self._hashed(contract))
            self._watch.note("hashed", contract=contract, rows=count)
            self._report(f"contract {contract.id[:8]}: {count} subscribers hashed, {contract.kind}")
        return live

    def cast(self, contract: Contract, session: bytes, opening: Opening) -> Cast:
        """Return the role for this session. Raises ContractError, Enumeration, ScoreBudgetSpent, OutOfTurn to refuse."""
        if opening.script == PLAN.name:
            return Cast(PLAN, "summer", tell(lambda: self._offer(contract), lambda: self._speed(contract)))
        stage_of_its_own(opening)
        if opening.script == ALIGN.name:
            return self._align(contract, opening)
        job = self._job(contract, opening.job)
        if job is None:
            raise OutOfTurn("a session before any alignment in this job: align first")
        if opening.roster != job.roster or size(opening, "rows") != job.table.rows:
            raise OutOfTurn("a session over another roster than was aligned")
        here = Here(contract.digest, session, job.roster, opening.stage)
        secrets = summer.Secrets(self._chance, derive(self._keys.seed, "dither"))
        with self._ledger.together():  # what an attempt costs and that it was made are written at once, or neither
            self._budgets.tell(contract, opening.job, job.persons)
            if contract.kind == "scoring":
                return self._serve(contract, opening, job, here, secrets)
            if contract.kind == "measurement":
                playing = measuring.play(contract, opening, job.table, self._engine, self._chance)
                self._store.attempt(contract, opening)
                return playing
            return self._train(contract, opening, job, here, secrets)

    def _offer(self, contract: Contract) -> Offer:
        """Say what an alignment would meet: the table's size, and its bins on a sample, without labels. Spends nothing."""
        hashed_already = self._subscribers.get(contract.digest)
        table = self._tables.of(contract)
        sample = np.arange(min(table.rows, kernels.SAMPLE))
        cuts, _ = bins.fit(table, sample, contract.layout.bins, contract.layout.min_bin)
        rows = table.rows if hashed_already is None else len(hashed_already)
        return Offer(rows, hashed_already is not None, tuple(outline.bins for outline in cuts.outlines))

    def _speed(self, contract: Contract) -> Speed:
        """Time what this node will do under the contract, on made-up numbers."""
        bits, workers = contract.layout.key_bits, self._config.workers

        def measure() -> Speed:
            key = kernels.stand_in(bits, self._chance.fork("plan"))
            return kernels.measure(key, self._engine, workers, machine.cores(), self._chance.fork("plan"), time.perf_counter)

        return self._gauge.speed(bits, measure, self._engine)

    def _align(self, contract: Contract, opening: Opening) -> Cast:
        asked = size(opening, "ids")
        if asked > contract.caps.identifiers:
            raise Enumeration(f"{asked} identifiers would be asked, caps.identifiers is {contract.caps.identifiers}")
        if contract.noise is not None:
            noise.require()
        subscribers = self._hashed(contract)
        with self._ledger.together():
            saved = self._store.load(contract, opening.job)
            if saved is None:
                self._ledger.use(contract.digest.hex(), "jobs", 1, contract.jobs)
                self._ledger.use(contract.digest.hex(), "identifiers", asked, contract.caps.identifiers)
                self._budgets.begin(contract, asked, subscribers.people)
                self._store.begin(contract, opening.job, Standing(asked))
                self._jobs.pop(contract.digest, None)
            elif asked != saved.asked or self._moved_on(contract):
                raise OutOfTurn("an alignment again, of another size or after the job went on: begin a new job")
            self._store.attempt(contract, opening)
        once = self._store.once(contract, opening, asked)
        playing = hold(
            subscribers.key, subscribers.tags, asked, contract.caps.roster, self._engine, self._chance.fork("align", contract.digest), once,
            cover=contract.layout.cover,
        )
        return Cast(ALIGN, "holder", playing, lambda roster: self._aligned(contract, opening, roster))

    def _moved_on(self, contract: Contract) -> bool:
        return any(self._store.begun(contract, step) for step in (f"{TRAIN.name}-1", f"{DESCRIBE.name}-0", _SERVED, f"{MEASURE.name}-0"))

    def _aligned(self, contract: Contract, opening: Opening, roster: Positions) -> None:
        """Code the roster's rows and keep the roster. In a job aligned before it must be the same one."""
        made = self._code(contract, opening.job, Standing(size(opening, "ids"), 1, roster))
        with self._ledger.together():
            saved = self._store.load(contract, opening.job)
            if saved is not None and saved.next_stage and saved.coded != made.standing.coded:
                raise OtherContent("a second alignment in one job ended with another roster: the first one stays")
            self._budgets.admit(contract, made.persons)
            self._store.save(contract, opening.job, made.standing, opening.attempt)
        self._jobs[contract.digest] = made
        machine.give_back()
        self._report(f"contract {contract.id[:8]}: roster of {len(roster)}")

    def _code(self, contract: Contract, job: bytes, standing: Standing) -> Job:
        """Code the roster's rows: fresh cuts for a training, the card's own for a scoring, the contract's levels for a measurement."""
        rows = self._hashed(contract).rows[standing.roster]
        layout, table = contract.layout, self._tables.of(contract)
        card = cards.load(self._models, contract) if contract.kind == "scoring" else None
        levels = tables.fit(contract, table, None if card is None else card.cuts, self._config.section(contract))
        if contract.measurement is not None:
            cuts, coded = measuring.NO_CUTS, measuring.code(table, rows, contract.measurement)
        elif card is None:
            cuts, coded = bins.fit(table, rows, layout.bins, layout.min_bin)
        else:
            cuts = card.cuts
            coded = cuts.code(table, rows)
            for alias, count in cuts.unlisted(table, rows):
                self._report(f"contract {contract.id[:8]}: {count} of {len(rows)} rows hold a level that the card's {alias} has no bin "
                             "for: they are coded as its rest")
        levels = tuple(codes[rows] for codes in levels)
        whole = None
        if contract.kind == "training":
            standing, pairs = self._blurred(contract, standing, coded)
            whole = summer.Coded(coded, tuple(cuts.outlines), summer.fit_to_tell(pairs, layout.min_bin), standing.noise)
        roster = roster_digest(standing.roster)
        found = hashlib.sha256(roster + cuts.digest)
        found.update(np.ascontiguousarray(coded.codes).data)
        for codes in levels:
            found.update(codes.tobytes())
        standing = replace(standing, coded=found.digest())
        return Job(job, standing, roster, whole, coded, cuts, card, levels, self._persons(contract, table, rows))

    def _persons(self, contract: Contract, table: Table, rows: Positions) -> Persons:
        distinct, seats = np.unique(rows, return_counts=True)  # an empty seat of a cover group is its companion a second time
        ids = normalise([table.ids[row] for row in distinct.tolist()], contract.identifier).values
        return np.repeat(self._budgets.persons(ids, contract.identifier), seats)

    def _blurred(self, contract: Contract, standing: Standing, coded: CodedTable) -> tuple[Standing, Integers]:
        """Return the standing and the pair counts, with the job's noise where the contract asks for it: as it was kept, or drawn now.

        An alignment draws; none is played, nor kept, once anything was told in the job.
        """
        pairs, terms = pair_counts(coded.codes, coded.bins), Terms.of(contract)
        if terms.noise is None:
            return standing, pairs
        kept = standing.noise or draw(terms.noise, self._sampler, coded.bins, [slot.size for slot in terms.slots()], pairs)
        return replace(standing, noise=kept), kept.pairs

    def _job(self, contract: Contract, job: bytes) -> Job | None:
        """Return the job, once aligned: as we know it, or, after a restart, from the disk. Raises InputError if the table changed since."""
        known = self._jobs.get(contract.digest)
        if known is None or known.job != job:
            saved = self._store.load(contract, job)
            if saved is None or not saved.next_stage:
                return None
            known = self._code(contract, job, saved)
            if known.standing.coded != saved.coded:
                source = self._config.source(self._config.section(contract)).source
                raise InputError(
                    f"{source} is not the table that job {job.hex()[:8]} was aligned on: put that one back and start"
                    " this node again, or let the bank begin a new job (--afresh)"
                )
            self._report(f"contract {contract.id[:8]}: job {job.hex()[:8]} goes on, roster of {len(saved.roster)}")
            self._jobs[contract.digest] = known
        return known

    def _train(self, contract: Contract, opening: Opening, job: Job, here: Here, secrets: summer.Secrets) -> Cast:
        if job.coded is None:
            raise ContractError(f"contract {contract.id} is for {contract.kind}: nothing can be trained under it")
        coded, terms, store = job.coded, Terms.of(contract), self._store
        if opening.script == DESCRIBE.name:
            # The solver tells the same statistics again in a job, and no others: one look a job (S3).
            store.attempt(contract, opening)
            return Cast(DESCRIBE, "summer", summer.describe(coded, terms, self._engine, self._chance))
        solver = bytes.fromhex(contract.party(contract.solver).signing_key)

        def verify(signature: bytes, statement: bytes) -> bool:
            return verifies(solver, signature, statement)

        due = job.standing.next_stage
        stage_in_order(opening, due, order(terms), begun=store.begun(contract, due_step(order(terms), due)) > 0)
        once = store.once(contract, opening)
        if opening.script == TRAIN.name:
            self._begin(contract, opening, contract.pass_bits, job.persons)
            playing = summer.train(coded, here, terms, verify, self._engine, secrets, once)
            return Cast(TRAIN, "summer", playing, lambda _: self._done(contract, opening, job))
        if opening.script == ERRORS.name:
            self._begin(contract, opening, 0, job.persons)
            playing_errors = summer.errors(coded, terms, self._engine, self._chance)
            return Cast(ERRORS, "summer", playing_errors, lambda _: self._done(contract, opening, job))
        if opening.script == CARD.name:
            self._begin(contract, opening, contract.card_bits, job.persons)
            playing_card = summer.card(coded, here, terms, verify, self._engine, secrets, once)
            return Cast(CARD, "summer", playing_card, lambda made: self._carded(contract, opening, job, made))
        raise OutOfTurn(f"script {opening.script[:20]!r} is none that this node plays")

    def _serve(self, contract: Contract, opening: Opening, job: Job, here: Here, secrets: summer.Secrets) -> Cast:
        if opening.script == TELL.name and contract.tells:
            return self._tell(contract, opening, job)
        if opening.script != SERVE.name or job.card is None:
            raise ContractError(f"contract {contract.id} is for scoring: nothing else can be done under it")
        self._begin(contract, opening, contract.card_bits, job.persons)
        card = job.card
        if isinstance(card.table, OpenTable):
            playing = summer.serve_open(card.key, card.table, card.card_step, job.table, here, secrets)
        else:
            playing = summer.serve(card.key, card.table, card.card_step, job.table, here, self._engine, secrets)
        return Cast(SERVE, "summer", playing)

    def _tell(self, contract: Contract, opening: Opening, job: Job) -> Cast:
        """Tell the levels of the roster's people, once they were scored: the same ones however often in a job (`_code` checks)."""
        if not self._store.begun(contract, _SERVED):
            raise OutOfTurn("levels are told of people who were scored: score them first")
        self._begin(contract, opening, contract.told_bits, job.persons)
        for column, codes in zip(contract.tells, job.levels, strict=True):
            none = int((codes == len(column.levels)).sum())
            self._report(f"contract {contract.id[:8]}: a column told of {len(codes)} people, {none} of them with none of its levels")
        return Cast(TELL, "holder", tell_levels(job.levels))

    def _done(self, contract: Contract, opening: Opening, job: Job) -> None:
        after = replace(job, standing=replace(job.standing, next_stage=opening.stage + 1))
        self._store.save(contract, opening.job, after.standing, opening.attempt)
        self._jobs[contract.digest] = after

    def _carded(self, contract: Contract, opening: Opening, job: Job, made: tuple[PublicKey, SealedTable | OpenTable]) -> None:
        key, table = made
        kept = table if isinstance(table, OpenTable) else table.data
        card = cards.Card(contract.digest.hex(), job.roster.hex(), contract.layout.card_step, key, job.cuts, kept)
        self._report(f"contract {contract.id[:8]}: card kept in {card.save(self._models)}")
        self._done(contract, opening, job)

    def _begin(self, contract: Contract, opening: Opening, bits: int, persons: Persons) -> None:
        """Count an attempt; the first at a step pays for its scores, which are the same in all of them."""
        if self._store.attempt(contract, opening) == 1:
            self._ledger.use(contract.digest.hex(), "bits", bits, contract.caps.disclosure_bits)
            self._budgets.score(contract, persons, bits)

    def _hashed(self, contract: Contract) -> Subscribers:
        if contract.digest not in self._subscribers:
            shelf = self._config.at(self._config.state)
            options = self._config.source(self._config.section(contract))
            made = hashed(self._tables.of(contract), options, contract, self._keys.seed, self._engine, shelf)
            self._subscribers[contract.digest] = made
            machine.give_back()
            if made.note:
                self._report(f"contract {contract.id[:8]}: {made.note}")
        return self._subscribers[contract.digest]

    @property
    def _models(self) -> Path:
        return self._config.at(self._config.state) / "models"
