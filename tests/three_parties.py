"""Three parties in folders of their own, as the demo makes them but smaller, and their nodes in this process: real TLS on 127.0.0.1."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import tomli_w

from bank_party import studies
from bank_party.conduct import Conductor
from bank_party.config import StudyConfig
from bank_party.jobs import Job, Kept
from bank_party.solving import Solving
from coordinator.casting import Coordinator
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, Contract, dumps
from tandem.contract.fields import MOMENT
from tandem.crypto.opening import SecretKey
from tandem.engine.serial import Serial
from tandem.node import disk
from tandem.node.certificates import make_parties
from tandem.node.chance import System
from tandem.node.checkpoints import Checkpoints
from tandem.node.client import Dialler, Stage
from tandem.node.config import read
from tandem.node.contracts import Contracts
from tandem.node.keys import alignment_key
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import both, recorder
from tandem.node.server import Server
from telco_party.casting import Telco
from telco_party.config import TelcoConfig
from telco_party.tables import Tables

BITS = 2048
CUSTOMERS, SUBSCRIBERS, SHARED = 360, 400, 320
TELCO_COLUMNS = ("calls", "days", "plan")


@cache
def paillier_key(seed: bytes = b"three parties") -> SecretKey:
    return SecretKey.generate(BITS, Seeded(seed))


def tables(seed=1):
    """Return the text of the bank's and of the telco's CSV: p0000 and so on are known to both."""
    rng = np.random.default_rng(seed)
    names = [f"p{i:04}" for i in range(CUSTOMERS + SUBSCRIBERS - SHARED)]
    trait = rng.normal(size=len(names))
    bank = ["phone,age,limit,label"]
    for i in range(CUSTOMERS):
        label = int(rng.random() < 1 / (1 + np.exp(-1.2 * trait[i])))
        bank.append(f"{names[i]},{20 + int(abs(trait[i] + rng.normal()) * 15)},{rng.integers(1, 9)},{label}")
    telco = [f"phone,{','.join(TELCO_COLUMNS)}"]
    telco += [
        f"{names[i]},{int(30 + 10 * trait[i] + 5 * rng.normal())},{rng.integers(0, 6)},{'abc'[rng.integers(3)]}"
        for i in [*range(SHARED), *range(CUSTOMERS, len(names))]
    ]
    return "\n".join(bank) + "\n", "\n".join(telco) + "\n"


@dataclass
class Site:
    """Three folders, and what is in them."""

    root: Path
    parties: dict
    contract: Contract

    def folder(self, role: str) -> Path:
        return self.root / role

    @property
    def study(self) -> Path:
        return self.root / BANK / "study.toml"

    def sign(self, contract: Contract) -> Contract:
        for role in contract.roles:
            contract = contract.signed(self.parties[role].keys.signing)
        return contract

    def approve(self, contract: Contract, name: str = "study.toml") -> Contract:
        """Put the contract where each of the three looks for it."""
        text = dumps(contract).encode()
        disk.write(self.root / BANK / "contract.toml", text)
        for role in (TELCO, COORDINATOR):
            disk.make_private_folder(self.root / role / "contracts")
            disk.write(self.root / role / "contracts" / name, text)
        return contract

    def amend(self, changes: dict) -> Contract:
        """Draft the contract anew with these changes, and have it signed and approved."""
        bare = Contract.read(self.contract.model_dump(exclude={"signatures"}))
        draft = bare.amended(changes)
        draft = draft.amended({"telco": {"oprf_key": alignment_key(self.parties[TELCO].keys.seed, draft).public.hex()}})
        self.contract = self.approve(self.sign(draft))
        return self.contract

    def keep_key(self) -> None:
        """Give the bank its Paillier key, so that no test waits for primes."""
        state = self.root / BANK / "state"
        disk.make_private_folder(state)
        disk.write(state / f"paillier-{self.contract.digest.hex()[:16]}.key", paillier_key().to_bytes())


def make_site(root: Path, *, telco_address="127.0.0.1:1", coordinator_address="127.0.0.1:1", **changes) -> Site:
    """Make the folders. `changes` are fields of the contract, sections merged."""
    parties = make_parties(root, chance=Seeded(b"parties"))
    bank, telco = tables()
    (root / BANK / "bank.csv").write_text(bank)
    (root / TELCO / "telco.csv").write_text(telco)
    start = datetime.now(UTC) - timedelta(minutes=5)
    fields = {
        "format": 1, "id": "00112233445566778899aabbccddeeff", "kind": "training", "purpose": "marketing", "description": "test",
        "identifier": "text", "start": start.strftime(MOMENT), "expiry": (start + timedelta(days=2)).strftime(MOMENT),
        **{role: parties[role].card.party for role in ROLES},
        "caps": {"identifiers": 3 * CUSTOMERS, "table": SUBSCRIBERS, "roster": CUSTOMERS, "trainings": 3, "disclosure_bits": 100},
        "layout": {"bank_columns": 2, "bins": 4, "min_bin": 10, "min_class": 5, "min_matched": 100, "passes": 1, "key_bits": BITS},
    }
    draft = Contract.read(fields).amended({"telco": {"variables": len(TELCO_COLUMNS)}})
    site = Site(root, parties, draft)
    site.amend(changes)
    common = {"workers": 1, "patience": 30.0}
    study = {
        "contract": "contract.toml", "telco": telco_address, "coordinator": coordinator_address, "label": "label",
        "table": {"file": "bank.csv", "id": "phone"}, **common, "reconnect": 0.0,
    }
    node = {"listen": telco_address, "coordinator": coordinator_address, "table": {"file": "telco.csv", "id": "phone"}, **common}
    node["budget"] = {"bits": 10_000, "trainings": 1_000, "labels": 10_000}  # some tests run more jobs on one site than a year holds
    disk.write(site.study, tomli_w.dumps(study).encode())
    disk.write(root / TELCO / "node.toml", tomli_w.dumps(node).encode())
    disk.write(root / COORDINATOR / "node.toml", tomli_w.dumps({"listen": coordinator_address, "patience": 30.0}).encode())
    return site


def make_telco(site: Site, ledger: Ledger, report=lambda _: None, engine=None, seed=b"telco") -> Telco:
    config = read(site.folder(TELCO) / "node.toml", TelcoConfig)
    disk.make_private_folder(config.at(config.state))
    tables = Tables(config, Contracts(config.at(config.contracts)).usable)
    return Telco(config, site.parties[TELCO].keys, tables, ledger, engine or Serial(), Seeded(seed), report)


def make_coordinator(site: Site, ledger: Ledger, report=lambda _: None, seed=b"coordinator") -> Coordinator:
    contracts = Contracts(site.folder(COORDINATOR) / "contracts")
    return Coordinator(contracts, site.parties[COORDINATOR].keys, ledger, Seeded(seed), report)


def make_job(
    site: Site, ledger: Ledger, purpose="train", *, contract=None, reconnect=0.0, afresh=True, tell=lambda _: None,
    chance=System(),  # noqa: B008 - it has no state
) -> Job:
    store = Checkpoints(Kept, ledger, site.parties[BANK].keys.seed, System())
    return Job.open(store, contract or site.contract, purpose, b"inputs", chance, reconnect, tell, afresh=afresh)


def make_solving(site: Site, tap: Callable) -> Solving | None:
    """Return the bank's own solver if the contract wants one; frames of it go to tap("bank's solver")."""
    if site.contract.solver != BANK:
        return None
    return Solving(site.contract, site.parties[BANK].keys, Seeded(b"bank's solver"), lambda _: tap("bank's solver"))


@dataclass
class Nodes:
    """Two listening nodes in this process. `told`: what each reported; `frames`: (who, tapped) in order, of all parties."""

    site: Site
    told: dict[str, list[str]] = field(default_factory=lambda: {TELCO: [], COORDINATOR: []})
    frames: list = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    telco: Telco | None = None
    coordinator: Coordinator | None = None
    servers: dict[str, Server] = field(default_factory=dict)

    def tap(self, party: str):
        return lambda seen: self.frames.append((party, seen))

    def dialler(self, contract: Contract | None = None, keys=None) -> Dialler:
        peers = {role: (f"127.0.0.1:{self.ports[role]}", self.site.parties[role].keys.tls_certificate) for role in (TELCO, COORDINATOR)}
        contract = contract or self.site.contract
        mine = {role: peer for role, peer in peers.items() if role in contract.roles}
        return Dialler(keys or self.site.parties[BANK].keys, contract, mine)

    @asynccontextmanager
    async def bank(self, contract=None, seed=b"bank", patience=20.0, **job) -> AsyncIterator[Conductor]:
        """Give the bank a conductor, with a new job or, if `afresh` is False, the one that its ledger holds."""
        contract = contract or self.site.contract
        dialler = self.dialler(contract)
        try:
            with Ledger(self.site.folder(BANK) / "ledger.sqlite") as ledger:
                job = make_job(self.site, ledger, contract=contract, **job)
                stage = Stage(contract, dialler, patience)
                yield Conductor(
                    stage, contract, Serial(), Seeded(seed), lambda _: self.tap(BANK), job, make_solving(self.site, self.tap)
                )
        finally:
            await dialler.close()


@asynccontextmanager
async def serving(
    site: Site, *, patience=20.0, opening_patience=5.0, engine=None, wrap: Callable | None = None, ports: dict | None = None,
    seed=b"telco",
) -> AsyncIterator[Nodes]:
    """Run both nodes, at `ports` if given. `wrap(troupe)` may stand in for a node's troupe."""
    nodes, ports = Nodes(site), ports or {TELCO: 0, COORDINATOR: 0}
    wrap = wrap or (lambda troupe: troupe)
    for role in (TELCO, COORDINATOR):
        nodes.ledgers[role] = Ledger(site.folder(role) / "ledger.sqlite")
    nodes.telco = make_telco(site, nodes.ledgers[TELCO], nodes.told[TELCO].append, engine, seed)
    nodes.coordinator = make_coordinator(site, nodes.ledgers[COORDINATOR], nodes.told[COORDINATOR].append)

    def server(role, troupe, dialler=None) -> Server:
        def tap(contract, session):
            return both(nodes.tap(role), recorder(nodes.ledgers[role], contract, session, role))

        return Server(wrap(troupe), site.parties[role].keys, tap, nodes.told[role].append, dialler, patience, opening_patience)

    nodes.servers[COORDINATOR] = server(COORDINATOR, nodes.coordinator)
    try:
        nodes.ports[COORDINATOR] = await nodes.servers[COORDINATOR].start(f"127.0.0.1:{ports[COORDINATOR]}")
        certificate = site.parties[COORDINATOR].keys.tls_certificate

        def dialler(contract: Contract) -> Dialler:
            address = f"127.0.0.1:{nodes.ports[COORDINATOR]}"
            return Dialler(site.parties[TELCO].keys, contract, {COORDINATOR: (address, certificate)})

        nodes.servers[TELCO] = server(TELCO, nodes.telco, dialler)
        nodes.ports[TELCO] = await nodes.servers[TELCO].start(f"127.0.0.1:{ports[TELCO]}")
        yield nodes
    except Exception as failure:
        failure.add_note(f"what the nodes told: {nodes.told}")  # a caller hears one word; whoever reads of a failed test needs the reason
        raise
    finally:
        for one in nodes.servers.values():
            await one.stop()
        for ledger in nodes.ledgers.values():
            ledger.close()


async def run_study(site: Site, conductor: Conductor) -> studies.Trained:
    config = read(site.study, StudyConfig)
    prepared = studies.prepare(config, conductor.contract)
    seed = site.parties[BANK].keys.seed
    return await studies.train(config, conductor.contract, prepared, conductor, seed, paillier_key(), lambda *_: None)


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until it holds. Fails the test if it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what we wait for happens in other threads
            await asyncio.sleep(0.01)


class Cut(Exception):
    """The party dies here."""


def dies_at(conductor, script, stage, kind, *, sent):
    """Let the bank die at the first such frame."""
    kept = conductor.tap

    def tap(session):
        inner = kept(session)

        def seen(one):
            inner(one)
            if (one.script, one.stage, one.kind, one.sent) == (script, stage, kind, sent):
                raise Cut

        return seen

    conductor.tap = tap
