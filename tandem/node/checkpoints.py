"""What a job stands at, kept from one step to the next, in the same file and the same transactions as ledger and budgets.

    jobs       a contract's current job: id, newest attempt, and its state, sealed     replaced by the next job, removed at the end
    saves      how often a contract's state was sealed: only grows
    attempts   how often each step of a job was begun
    answered   digests of what was answered in each step of a job

A state is sealed with AES-256-GCM under a key derived from the node's seed; the associated data are contract, job and the number of the
save, which must be the newest: a state that was altered, cut, moved to another job or put back from a copy is refused, never gone on from.
A copy of the *whole* file, put back, is not noticed here: the peers then refuse the old attempt numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tandem.arguments import Chance, Once
from tandem.contract import Contract
from tandem.contract.fields import MOMENT
from tandem.errors import ContractError, InputError, OtherContent, OutOfTurn, Replayed
from tandem.node.contracts import utc_now
from tandem.node.keys import derive
from tandem.node.ledger_store import Ledger
from tandem.node.plain import pack, restore, unpack
from tandem.wire.messages import JOB_WIDTH, Opening

T = TypeVar("T")

ATTEMPTS = 16
"""Times that one step of a job may be begun: a line that breaks every few minutes for hours; what is answered is the same each time."""

_NONCE = 12
"""Bytes of a nonce, NIST SP 800-38D section 8.2.2: drawn at random, far fewer than 2^32 under one key."""

_TABLES = (
    """CREATE TABLE IF NOT EXISTS jobs (
      contract TEXT PRIMARY KEY, job TEXT NOT NULL, attempt INTEGER NOT NULL, expiry TEXT NOT NULL, sealed BLOB NOT NULL)""",
    "CREATE TABLE IF NOT EXISTS saves (contract TEXT PRIMARY KEY, number INTEGER NOT NULL)",
    """CREATE TABLE IF NOT EXISTS attempts (
      contract TEXT NOT NULL, step TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (contract, step))""",
    """CREATE TABLE IF NOT EXISTS answered (
      contract TEXT NOT NULL, step TEXT NOT NULL, digest TEXT NOT NULL, items INTEGER NOT NULL, PRIMARY KEY (contract, step, digest))""",
)


def step_of(opening: Opening) -> str:
    """Return the name of the step that an opening begins."""
    return f"{opening.script}-{opening.stage}"


class Checkpoints(Generic[T]):
    """The states, of type `kind`, of one node's jobs: one job a contract."""

    def __init__(self, kind: type[T], ledger: Ledger, seed: bytes, chance: Chance, clock: Callable[[], datetime] = utc_now) -> None:
        """Keep them in the ledger's file. `seed` is the node's own, `chance` gives the nonces. Jobs of contracts that ended are removed."""
        self._kind, self.ledger, self._chance = kind, ledger, chance
        self._aead = AESGCM(derive(seed, "checkpoint").draw(32))
        with ledger.together() as database:
            for statement in _TABLES:
                database.execute(statement)
            ended = database.execute("SELECT contract FROM jobs WHERE expiry < ?", (clock().strftime(MOMENT),)).fetchall()
            for (name,) in ended:
                self._forget(name)

    def job(self, contract: Contract) -> bytes | None:
        """Return the id of the contract's current job."""
        with self.ledger.together() as database:
            row = database.execute("SELECT job FROM jobs WHERE contract = ?", (contract.digest.hex(),)).fetchone()
        return None if row is None else bytes.fromhex(row[0])

    def load(self, contract: Contract, job: bytes) -> T | None:
        """Return the state of `job`, None if it is not the current one. Raises InputError for a state that is not the newest we sealed."""
        name = contract.digest.hex()
        with self.ledger.together() as database:
            row = database.execute("SELECT sealed FROM jobs WHERE contract = ? AND job = ?", (name, job.hex())).fetchone()
            number = self._number(name)
        if row is None:
            return None
        sealed = bytes(row[0])
        try:
            data = self._aead.decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(contract, job, number))
            state: T = restore(self._kind, unpack(data))
        except (InvalidTag, ValueError, TypeError, KeyError):
            raise InputError(
                f"{self.ledger.place}: the state of job {job.hex()[:8]} under contract {contract.id[:8]} was altered, comes from an older"
                " copy, or belongs to other keys: it is not gone on from; let the bank begin a new job (--afresh)"
            ) from None
        return state

    def begin(self, contract: Contract, job: bytes, state: T) -> None:
        """Make `job` the contract's current one; the one before it is forgotten."""
        if len(job) != JOB_WIDTH:
            raise OutOfTurn(f"a job named by {len(job)} bytes, not {JOB_WIDTH}")
        with self.ledger.together() as database:
            self.forget(contract)
            database.execute("INSERT INTO jobs VALUES (?, ?, 0, ?, ?)", (contract.digest.hex(), job.hex(), contract.expiry, b""))
            self._seal(contract, job, state)

    def save(self, contract: Contract, job: bytes, state: T, attempt: int | None = None) -> None:
        """Keep a new state of the current job. Raises OutOfTurn, and keeps nothing, if the job, or the `attempt` that led here, is over."""
        with self.ledger.together():
            self._require_newest(contract, job, attempt)
            self._seal(contract, job, state)

    def forget(self, contract: Contract) -> None:
        """Remove the contract's job and all that was kept of it."""
        self._forget(contract.digest.hex())

    def attempt(self, contract: Contract, opening: Opening) -> int:
        """Count one more beginning of a step of the current job, before anything of it is done; return how many there were, this included.

        Raises Replayed for an attempt number that is not above all before it, ContractError for more than ATTEMPTS.
        """
        name, step = contract.digest.hex(), step_of(opening)
        with self.ledger.together() as database:
            row = database.execute("SELECT attempt FROM jobs WHERE contract = ? AND job = ?", (name, opening.job.hex())).fetchone()
            if row is None:
                raise OutOfTurn("a step of another job than the contract's current one")
            if opening.attempt <= row[0]:
                raise Replayed(f"attempt {opening.attempt} of a job whose attempt {row[0]} was seen: the caller's state is an old copy")
            count = self.begun(contract, step) + 1
            if count > ATTEMPTS:
                raise ContractError(f"step {step} was begun {ATTEMPTS} times: mend the line, then let the bank begin a new job (--afresh)")
            database.execute("UPDATE jobs SET attempt = ? WHERE contract = ?", (opening.attempt, name))
            sql = "INSERT INTO attempts VALUES (?, ?, ?) ON CONFLICT (contract, step) DO UPDATE SET number = excluded.number"
            database.execute(sql, (name, step, count))
        return count

    def next_attempt(self, contract: Contract) -> int:
        """Return the caller's next attempt number of the current job; it is kept before it is used."""
        with self.ledger.together() as database:
            database.execute("UPDATE jobs SET attempt = attempt + 1 WHERE contract = ?", (contract.digest.hex(),))
            (number,) = database.execute("SELECT attempt FROM jobs WHERE contract = ?", (contract.digest.hex(),)).fetchone()
            return int(number)

    def begun(self, contract: Contract, step: str) -> int:
        """Return how often a step of the current job was begun."""
        with self.ledger.together() as database:
            sql = "SELECT number FROM attempts WHERE contract = ? AND step = ?"
            row = database.execute(sql, (contract.digest.hex(), step)).fetchone()
        return 0 if row is None else int(row[0])

    def once(self, contract: Contract, opening: Opening, limit: int = 1) -> Once:
        """Return who remembers what this step answers: whatever was answered before, and new items until there are `limit` of them."""
        name, step = contract.digest.hex(), step_of(opening)

        def remember(digest: bytes, items: int = 1) -> None:
            with self.ledger.together() as database:
                self._require_newest(contract, opening.job, opening.attempt)
                key = (name, step, digest.hex())
                if database.execute("SELECT 1 FROM answered WHERE contract = ? AND step = ? AND digest = ?", key).fetchone():
                    return
                sql = "SELECT COALESCE(SUM(items), 0) FROM answered WHERE contract = ? AND step = ?"
                (before,) = database.execute(sql, key[:2]).fetchone()
                if int(before) + items > limit:
                    raise OtherContent(f"step {step} was played before with other content: no more is answered in this job")
                database.execute("INSERT INTO answered VALUES (?, ?, ?, ?)", (*key, items))

        return remember

    def _forget(self, name: str) -> None:
        with self.ledger.together() as database:
            for table in ("jobs", "attempts", "answered"):
                database.execute(f"DELETE FROM {table} WHERE contract = ?", (name,))  # noqa: S608 - constants

    def _require_newest(self, contract: Contract, job: bytes, attempt: int | None) -> None:
        with self.ledger.together() as database:
            row = database.execute("SELECT job, attempt FROM jobs WHERE contract = ?", (contract.digest.hex(),)).fetchone()
        if row is None or row[0] != job.hex() or attempt not in {None, row[1]}:
            raise OutOfTurn("this session was given up: its peer has opened the step, or another job, since")

    def _number(self, name: str) -> int:
        with self.ledger.together() as database:
            row = database.execute("SELECT number FROM saves WHERE contract = ?", (name,)).fetchone()
        return 0 if row is None else int(row[0])

    def _seal(self, contract: Contract, job: bytes, state: T) -> None:
        name = contract.digest.hex()
        with self.ledger.together() as database:
            number = self._number(name) + 1
            nonce = self._chance.draw(_NONCE)
            sealed = nonce + self._aead.encrypt(nonce, pack(state), _bound(contract, job, number))
            database.execute(
                "INSERT INTO saves VALUES (?, ?) ON CONFLICT (contract) DO UPDATE SET number = excluded.number", (name, number)
            )
            database.execute("UPDATE jobs SET sealed = ? WHERE contract = ?", (sealed, name))


def _bound(contract: Contract, job: bytes, number: int) -> bytes:
    """Return what a sealed state is bound to; each part has a fixed width."""
    return b"tandem-checkpoint-v1" + contract.digest + job + number.to_bytes(8, "big")
