"""The telco's roles: holder in an alignment, summer in everything else. Caps and budgets are held here, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from tandem.align.holder import hold
from tandem.align.script import ALIGN
from tandem.arguments import Chance, Engine
from tandem.contract import TELCO, Contract, Role, verifies
from tandem.crypto.paillier import PublicKey
from tandem.errors import ContractError, Enumeration, OutOfTurn
from tandem.node.casting import Cast, size, stage_in_order
from tandem.node.contracts import Contracts
from tandem.node.keys import Keys, derive
from tandem.node.ledger_store import Ledger
from tandem.score.open_weights import OpenTable
from tandem.score.statement import Here, roster_digest
from tandem.score.summer import SealedTable
from tandem.session.script import Script
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Positions, Table
from tandem.train import summer
from tandem.train.pairs import pair_counts
from tandem.train.script import CARD, DESCRIBE, SERVE, TRAIN
from tandem.wire.messages import Opening
from telco_party import bins, cards
from telco_party.config import TelcoConfig
from telco_party.subscribers import Subscribers, hashed


@dataclass(frozen=True)
class Job:
    """What the telco keeps between the sessions of one contract: the roster's digest, its coded rows, and the next pass due."""

    roster: bytes
    coded: summer.Coded | None
    table: CodedTable
    cuts: bins.Cuts = field(repr=False)
    card: cards.Card | None = None
    next_stage: int = 1
    looked: bool = False
    """Statistics alone were asked for since the alignment: they cost no bits, so there is one look a job (S3)."""


class Telco:
    """Casts the telco's roles (node.casting.Troupe)."""

    role: Role = TELCO
    scripts: Mapping[str, Script] = MappingProxyType({script.name: script for script in (ALIGN, DESCRIBE, TRAIN, CARD, SERVE)})

    def __init__(
        self, config: TelcoConfig, keys: Keys, table: Table, ledger: Ledger, engine: Engine, chance: Chance, report: Callable[[str], None]
    ) -> None:
        self._config, self._keys, self._table, self._ledger = config, keys, table, ledger
        self._engine, self._chance, self._report = engine, chance, report
        self._contracts = Contracts(config.at(config.contracts))
        self._subscribers: dict[bytes, Subscribers] = {}
        self._jobs: dict[bytes, Job] = {}

    def contract(self, digest: bytes) -> Contract:
        """Return the live contract of this digest. Raises ContractError."""
        return self._contracts.live(digest)

    def prepare(self) -> list[Contract]:
        """Make the tags of every live contract, so that nobody waits for them later; return these contracts."""
        live = self._contracts.usable()
        for contract in live:
            self._report(f"contract {contract.id[:8]}: {len(self._hashed(contract))} subscribers hashed, {contract.kind}")
        return live

    def cast(self, contract: Contract, session: bytes, opening: Opening) -> Cast:
        """Return the role for this session. Raises ContractError, Enumeration, ScoreBudgetSpent, OutOfTurn to refuse."""
        if opening.script == ALIGN.name:
            return self._align(contract, opening)
        job = self._jobs.get(contract.digest)
        if job is None:
            raise OutOfTurn("a session before any alignment under this contract, or after this node was started again: align first")
        if opening.roster != job.roster or size(opening, "rows") != job.table.rows:
            raise OutOfTurn("a session over another roster than was aligned")
        here = Here(contract.digest, session, job.roster, opening.stage)
        secrets = summer.Secrets(self._chance, derive(self._keys.seed, "dither"))
        if contract.kind == "scoring":
            return self._serve(contract, opening, job, here, secrets)
        return self._train(contract, opening, job, here, secrets)

    def _align(self, contract: Contract, opening: Opening) -> Cast:
        asked = size(opening, "ids")
        if asked > contract.caps.identifiers:
            raise Enumeration(f"{asked} identifiers would be asked, caps.identifiers is {contract.caps.identifiers}")
        self._ledger.use(contract.digest.hex(), "jobs", 1, contract.jobs)
        self._ledger.use(contract.digest.hex(), "identifiers", asked, contract.caps.identifiers)
        subscribers = self._hashed(contract)
        playing = hold(
            subscribers.key, subscribers.tags, asked, contract.caps.roster, self._engine, self._chance.fork("align", contract.digest)
        )
        return Cast(ALIGN, "holder", playing, lambda roster: self._aligned(contract, subscribers, roster))

    def _aligned(self, contract: Contract, subscribers: Subscribers, roster: Positions) -> None:
        """Code the roster's rows: fresh cuts for a training, the card's own for a scoring."""
        rows = subscribers.rows[roster]
        layout = contract.layout
        card = cards.load(self._models, contract) if contract.kind == "scoring" else None
        if card is None:
            cuts, coded = bins.fit(self._table, rows, layout.bins, layout.min_bin)
        else:
            cuts = card.cuts
            coded = cuts.code(self._table, rows)
        if len(cuts.columns) != contract.telco.variables:
            offered = f"the table offers {len(cuts.columns)} variables, telco.variables is {contract.telco.variables}"
            raise ContractError(f"contract {contract.id}: {offered}: drop columns, or draft a new contract")
        whole = None
        if card is None:
            whole = summer.Coded(coded, tuple(cuts.outlines), summer.fit_to_tell(pair_counts(coded.codes, coded.bins), layout.min_bin))
        self._jobs[contract.digest] = Job(roster_digest(roster), whole, coded, cuts, card)
        self._report(f"contract {contract.id[:8]}: roster of {len(roster)}")

    def _train(self, contract: Contract, opening: Opening, job: Job, here: Here, secrets: summer.Secrets) -> Cast:
        if job.coded is None:
            raise ContractError(f"contract {contract.id} is for scoring: nothing can be trained under it")
        coded, terms = job.coded, Terms.of(contract)
        if opening.script == DESCRIBE.name:
            if job.looked:
                raise OutOfTurn("statistics again on one alignment: there is one look a job")
            self._jobs[contract.digest] = replace(job, looked=True)
            return Cast(DESCRIBE, "summer", summer.describe(coded, terms, self._engine, self._chance))
        solver = bytes.fromhex(contract.party(contract.solver).signing_key)

        def verify(signature: bytes, statement: bytes) -> bool:
            return verifies(solver, signature, statement)

        stage_in_order(opening, job.next_stage, terms.passes)
        if opening.script == TRAIN.name:
            self._spend(contract, contract.pass_bits)
            playing = summer.train(coded, here, terms, verify, self._engine, secrets)
            return Cast(TRAIN, "summer", playing, lambda _: self._done(contract, job))
        if opening.script == CARD.name:
            self._spend(contract, contract.card_bits)
            playing_card = summer.card(coded, here, terms, verify, self._engine, secrets)
            return Cast(CARD, "summer", playing_card, lambda made: self._carded(contract, job, made))
        raise OutOfTurn(f"script {opening.script[:20]!r} is none that this node plays")

    def _serve(self, contract: Contract, opening: Opening, job: Job, here: Here, secrets: summer.Secrets) -> Cast:
        if opening.script != SERVE.name or job.card is None:
            raise ContractError(f"contract {contract.id} is for scoring: nothing else can be done under it")
        self._spend(contract, contract.card_bits)
        card = job.card
        if isinstance(card.table, OpenTable):
            playing = summer.serve_open(card.key, card.table, card.card_step, job.table, here, secrets)
        else:
            playing = summer.serve(card.key, card.table, card.card_step, job.table, here, self._engine, secrets)
        return Cast(SERVE, "summer", playing)

    def _done(self, contract: Contract, job: Job) -> None:
        self._jobs[contract.digest] = replace(job, next_stage=job.next_stage + 1)

    def _carded(self, contract: Contract, job: Job, made: tuple[PublicKey, SealedTable | OpenTable]) -> None:
        key, table = made
        kept = table if isinstance(table, OpenTable) else table.data
        card = cards.Card(contract.digest.hex(), job.roster.hex(), contract.layout.card_step, key, job.cuts, kept)
        self._report(f"contract {contract.id[:8]}: card kept in {card.save(self._models)}")

    def _spend(self, contract: Contract, bits: int) -> None:
        self._ledger.use(contract.digest.hex(), "bits", bits, contract.caps.disclosure_bits)

    def _hashed(self, contract: Contract) -> Subscribers:
        if contract.digest not in self._subscribers:
            shelf = self._config.at(self._config.state)
            made = hashed(self._table, self._config.table, contract, self._keys.seed, self._engine, shelf)
            self._subscribers[contract.digest] = made
        return self._subscribers[contract.digest]

    @property
    def _models(self) -> Path:
        return self._config.at(self._config.state) / "models"
