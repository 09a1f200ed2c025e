"""What each bank has had of this node within a year: over all its contracts, keys, epochs and restarts, and by person.

    budget_peers      marks by which a bank is known again (`peers`)
    budget_rosters    the persons of each roster of which something was told
    budget_spent      what was spent, when, by which bank, under which contract; bits name their roster, 0 is everybody

They lie in the ledger's place and are written in its transactions, so they are under its witness too. A person is 8 bytes of a keyed hash
(BLAKE2b, RFC 7693) under the node's own seed: no identifier lies here, and two contracts name one person alike. Two people of 10^6 fall
together once in 10^7 tables; they would share one budget.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from tandem.align.identifiers import Form, prehash
from tandem.contract import Contract
from tandem.errors import BudgetSpent, Enumeration, RosterTooNear, ScoreBudgetSpent, TandemError
from tandem.node.contracts import utc_now
from tandem.node.keys import derive
from tandem.node.ledger_store import Ledger
from telco_party.limits import COUNTERS, MEANINGS, YEAR, Counter, Limits
from telco_party.peers import Known, marks, name_of, together

Persons = npt.NDArray[np.uint64]
"""(N,) names of people; a person who stands in a roster twice (an empty seat of a cover group) is here twice."""

EVERYBODY = 0
"""Number of the roster of a charge that is not known by person."""
SHARES = 4
"""Parts of the limit by which `show` counts persons."""

_WIDTH = 8
_KEPT = 2
"""Windows after which what was spent is removed: a clock that was wrong by less than one forgets nothing."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS budget_peers (bank TEXT NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (bank, mark))",
    """CREATE TABLE IF NOT EXISTS budget_rosters (
      number INTEGER PRIMARY KEY, digest TEXT NOT NULL, persons BLOB NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS budget_spent (
      number INTEGER PRIMARY KEY, bank TEXT NOT NULL, moment INTEGER NOT NULL, counter TEXT NOT NULL, contract TEXT NOT NULL,
      note TEXT NOT NULL, amount INTEGER NOT NULL, roster INTEGER NOT NULL)""",
)


@dataclass(frozen=True)
class Line:
    """What a peer has used of one counter; of bits, the person who has most. `frees`: when the oldest of it counts no more."""

    counter: Counter
    used: int
    limit: int
    frees: datetime | None

    @property
    def left(self) -> int:
        """What is left, 0 at the least: limits may have been lowered."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True)
class Peer:
    """A bank, or banks that count as one. `persons[i]`: people who have used more than i, up to i + 1, `SHARES` of the limit of bits."""

    name: str
    keys: int
    lines: tuple[Line, ...]
    persons: tuple[int, ...]


@dataclass(frozen=True)
class _Account:
    group: tuple[str, ...]
    now: int = field(repr=False)

    @property
    def since(self) -> int:
        return self.now - int(YEAR.total_seconds())

    @property
    def banks(self) -> str:
        return ", ".join("?" * len(self.group))


class Budgets:
    """The budgets of one node. Whatever raises does so before anything is written."""

    def __init__(self, ledger: Ledger, limits: Limits, seed: bytes, clock: Callable[[], datetime] = utc_now) -> None:
        self._ledger, self._limits, self._clock = ledger, limits, clock
        self._key = derive(seed, "budget persons").draw(32)
        with ledger.together() as database:
            for statement in _TABLES:
                database.execute(statement)

    def persons(self, ids: Sequence[bytes], form: Form) -> Persons:
        """Return the names of people by normalised identifiers, in order. A phone is named by its sha256: one person in both forms."""
        values = prehash(ids, "sha256") if form == "phone" else ids
        key = self._key
        named = b"".join(hashlib.blake2b(value, digest_size=_WIDTH, key=key).digest() for value in values)
        return np.frombuffer(named, "<u8").astype(np.uint64)

    def begin(self, contract: Contract, asked: int, table: bytes) -> None:
        """Spend what a new job's alignment takes: `asked` identifiers, and a table (its digest) that was not offered yet.

        Raises Enumeration or BudgetSpent where that, or the job itself, is beyond a limit.
        """
        with self._ledger.together():
            account = self._open(contract)
            self._room(contract, account)
            self._spend(contract, account, "identifiers", asked)
            note = hashlib.blake2b(table, digest_size=16, key=self._key).hexdigest()
            if not self._noted(account, "tables", note):
                self._spend(contract, account, "tables", 1, note)

    def admit(self, contract: Contract, persons: Persons) -> None:
        """Pass if a whole job over these people is within all limits. Spends nothing. Raises as `tell` and `score` do."""
        persons = np.sort(persons)
        with self._ledger.together():
            account = self._open(contract)
            self._room(contract, account)
            self._apart(contract, account, persons)
            self._within(account, persons, contract.job_bits)

    def tell(self, contract: Contract, job: bytes, persons: Persons) -> None:
        """Spend what a job takes once, before the first session that tells of its roster: roster, training, label slots.

        Raises RosterTooNear for a roster that nearly is an earlier one, BudgetSpent for what is beyond a limit.
        """
        note, persons = f"{contract.digest.hex()} {job.hex()}", np.sort(persons)
        with self._ledger.together():
            account = self._open(contract)
            if self._noted(account, "rosters", note):
                return
            self._apart(contract, account, persons)
            new = int(not self._told(account, _digest(persons)))
            self._allow(account, "rosters", new)
            self._write(contract, account, "rosters", new, note, self._keep(persons))
            if slots := _slots(contract):
                self._spend(contract, account, "labels", slots, note)
            if contract.kind == "training":
                self._spend(contract, account, "trainings", 1, note)

    def score(self, contract: Contract, persons: Persons, bits: int) -> None:
        """Spend `bits` of each of these people. Raises ScoreBudgetSpent, and spends nothing, if one of them has fewer left."""
        persons = np.sort(persons)
        with self._ledger.together():
            account = self._open(contract)
            self._within(account, persons, bits)
            if bits:
                self._write(contract, account, "bits", bits, "", self._keep(persons))

    def lose(self, contract: Contract) -> None:
        """Spend all that the contract allowed, of everybody: what was really spent under it was lost. Twice is once."""
        caps, note = contract.caps, f"lost {contract.digest.hex()}"
        amounts: dict[Counter, int] = {
            "identifiers": caps.identifiers, "tables": 1, "rosters": contract.jobs,
            "bits": caps.disclosure_bits if contract.job_bits else 0,
            "labels": contract.jobs * _slots(contract), "trainings": contract.jobs if contract.kind == "training" else 0,
        }
        with self._ledger.together():
            account = self._open(contract)
            for counter, amount in amounts.items():
                if amount and not self._noted(account, counter, note):
                    self._write(contract, account, counter, amount, note)

    def shown(self) -> list[Peer]:
        """Return what every peer has used."""
        with self._ledger.together():
            known = self._known()
            groups = sorted({together(key, known, self._limits) for key, _ in known})
            return [self._peer(_Account(group, self._now()), known) for group in groups]

    def _peer(self, account: _Account, known: Known) -> Peer:
        everybody, used = self._by_person(account)
        bounds = [self._limits.bits * i / SHARES for i in range(1, SHARES)]
        persons = np.bincount(np.searchsorted(bounds, used), minlength=SHARES) if len(used) else np.zeros(SHARES, np.int64)
        most = int(used.max()) if len(used) else everybody
        used_up = {counter: self._used(account, counter) for counter in COUNTERS} | {"bits": most}
        lines = tuple(Line(one, used_up[one], self._limits.of(one), self._frees(account, one)) for one in COUNTERS)
        return Peer(name_of(account.group, known), len(account.group), lines, tuple(int(count) for count in persons))

    def _room(self, contract: Contract, account: _Account) -> None:
        """Pass if a job of this contract still fits what is counted by job."""
        self._allow(account, "labels", _slots(contract))
        self._allow(account, "trainings", int(contract.kind == "training"))

    def _apart(self, contract: Contract, account: _Account, persons: Persons) -> None:
        """Pass if the totals over these people, less those over any earlier roster, are of nobody or of enough (S3)."""
        if not _slots(contract):
            return
        least = max(contract.layout.min_bin, self._limits.min_bin) * contract.layout.cover
        digest = _digest(persons)
        sql = (
            "SELECT DISTINCT r.digest, r.number FROM budget_rosters r JOIN budget_spent s ON s.roster = r.number "  # noqa: S608 - ? alone
            "JOIN budget_spent l ON l.bank = s.bank AND l.note = s.note AND l.counter = 'labels' "
            f"WHERE s.counter = 'rosters' AND s.moment > ? AND s.bank IN ({account.banks})"
        )
        with self._ledger.together() as database:
            earlier = database.execute(sql, (account.since, *account.group)).fetchall()
        for other, number in earlier:
            if other == digest:
                continue
            apart = _apart(persons, self._roster(number))
            if 0 < apart < least:
                raise RosterTooNear(
                    f"a roster that differs by {apart} people from an earlier one of this bank, where {least} are the least: their"
                    " difference would tell of those few. Let the bank use the earlier file, or wait until more people have come or gone"
                    " (docs/budgets.md)"
                )

    def _within(self, account: _Account, persons: Persons, bits: int) -> None:
        if not bits or not len(persons):
            return
        seats = np.searchsorted(persons, persons, "right") - np.searchsorted(persons, persons, "left")
        wanted = self._bits_of(account, persons) + bits * seats
        over = int((wanted > self._limits.bits).sum())
        if over:
            raise ScoreBudgetSpent(
                f"scores would disclose up to {int(wanted.max())} bits a person within a year, for {over} of {len(persons)} people more"
                f" than budget.bits, {self._limits.bits}: nothing was told. `tandem telco budget show` says when some of it frees"
            )

    def _bits_of(self, account: _Account, persons: Persons) -> npt.NDArray[np.int64]:
        used = np.zeros(len(persons), np.int64)
        for roster, bits in self._scored(account):
            if roster == EVERYBODY:
                used += bits
                continue
            named = self._roster(roster)
            used += bits * (np.searchsorted(named, persons, "right") - np.searchsorted(named, persons, "left"))
        return used

    def _by_person(self, account: _Account) -> tuple[int, npt.NDArray[np.int64]]:
        """Return the bits spent of everybody, and the bits of every person who was scored, those included."""
        scored = self._scored(account)
        everybody = sum(bits for roster, bits in scored if roster == EVERYBODY)
        named = [self._roster(roster) for roster, _ in scored if roster != EVERYBODY]
        people = np.unique(np.concatenate(named)) if named else np.empty(0, np.uint64)
        return everybody, self._bits_of(account, people)

    def _scored(self, account: _Account) -> list[tuple[int, int]]:
        sql = (
            "SELECT roster, SUM(amount) FROM budget_spent WHERE counter = 'bits' AND moment > ? "  # noqa: S608 - ? alone
            f"AND bank IN ({account.banks}) GROUP BY roster ORDER BY roster"
        )
        with self._ledger.together() as database:
            return [(int(roster), int(bits)) for roster, bits in database.execute(sql, (account.since, *account.group)).fetchall()]

    def _roster(self, number: int) -> Persons:
        with self._ledger.together() as database:
            (data,) = database.execute("SELECT persons FROM budget_rosters WHERE number = ?", (number,)).fetchone()
        return np.frombuffer(bytes(data), "<u8").astype(np.uint64)

    def _keep(self, persons: Persons) -> int:
        """Return the number of this roster; it is kept once, however often it comes."""
        digest = _digest(persons)
        with self._ledger.together() as database:
            row = database.execute("SELECT number FROM budget_rosters WHERE digest = ?", (digest,)).fetchone()
            if row is not None:
                return int(row[0])
            (number,) = database.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM budget_rosters").fetchone()
            database.execute("INSERT INTO budget_rosters VALUES (?, ?, ?)", (number, digest, persons.astype("<u8").tobytes()))
            return int(number)

    def _told(self, account: _Account, digest: str) -> bool:
        sql = (
            "SELECT 1 FROM budget_spent s JOIN budget_rosters r ON r.number = s.roster WHERE s.counter = 'rosters' "  # noqa: S608 - ? alone
            f"AND r.digest = ? AND s.moment > ? AND s.bank IN ({account.banks})"
        )
        with self._ledger.together() as database:
            return database.execute(sql, (digest, account.since, *account.group)).fetchone() is not None

    def _spend(self, contract: Contract, account: _Account, counter: Counter, amount: int, note: str = "") -> None:
        self._allow(account, counter, amount)
        self._write(contract, account, counter, amount, note)

    def _allow(self, account: _Account, counter: Counter, amount: int) -> None:
        total, limit = self._used(account, counter) + amount, self._limits.of(counter)
        if total > limit and amount:
            raise _beyond(counter, total, limit)

    def _write(self, contract: Contract, account: _Account, counter: Counter, amount: int, note: str, roster: int = EVERYBODY) -> None:
        with self._ledger.together() as database:
            (number,) = database.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM budget_spent").fetchone()
            row = (number, contract.bank.signing_key, account.now, counter, contract.digest.hex(), note, amount, roster)
            database.execute("INSERT INTO budget_spent VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def _used(self, account: _Account, counter: Counter) -> int:
        sql = f"SELECT COALESCE(SUM(amount), 0) FROM budget_spent WHERE counter = ? AND moment > ? AND bank IN ({account.banks})"  # noqa: S608 - ? alone
        with self._ledger.together() as database:
            (found,) = database.execute(sql, (counter, account.since, *account.group)).fetchone()
        return int(found)

    def _frees(self, account: _Account, counter: Counter) -> datetime | None:
        sql = f"SELECT MIN(moment) FROM budget_spent WHERE counter = ? AND moment > ? AND amount > 0 AND bank IN ({account.banks})"  # noqa: S608 - ? alone
        with self._ledger.together() as database:
            (found,) = database.execute(sql, (counter, account.since, *account.group)).fetchone()
        return None if found is None else datetime.fromtimestamp(int(found), UTC) + YEAR

    def _noted(self, account: _Account, counter: Counter, note: str) -> bool:
        sql = f"SELECT 1 FROM budget_spent WHERE counter = ? AND note = ? AND moment > ? AND bank IN ({account.banks})"  # noqa: S608 - ? alone
        with self._ledger.together() as database:
            return database.execute(sql, (counter, note, account.since, *account.group)).fetchone() is not None

    def _open(self, contract: Contract) -> _Account:
        """Return the account of the contract's bank, whose marks are kept from now on; what is long over is removed."""
        bank, now = contract.bank.signing_key, self._now()
        with self._ledger.together() as database:
            known = self._known()
            for mark in marks(contract):
                if (bank, mark) not in known:
                    database.execute("INSERT INTO budget_peers VALUES (?, ?)", (bank, mark))
            old = now - _KEPT * int(YEAR.total_seconds())
            if database.execute("SELECT 1 FROM budget_spent WHERE moment < ?", (old,)).fetchone():
                database.execute("DELETE FROM budget_spent WHERE moment < ?", (old,))
                database.execute("DELETE FROM budget_rosters WHERE number NOT IN (SELECT roster FROM budget_spent)")
            return _Account(together(bank, self._known(), self._limits), now)

    def _known(self) -> Known:
        with self._ledger.together() as database:
            return tuple((row[0], row[1]) for row in database.execute("SELECT bank, mark FROM budget_peers ORDER BY bank, mark").fetchall())

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _digest(persons: Persons) -> str:
    return hashlib.sha256(persons.astype("<u8").tobytes()).hexdigest()


def _apart(one: Persons, other: Persons) -> int:
    """Return how many people stand in one of two ascending rosters and not in the other."""
    one, other = _distinct(one), _distinct(other)
    if not len(one) or not len(other):
        return len(one) + len(other)
    at = np.minimum(np.searchsorted(one, other), len(one) - 1)
    return len(one) + len(other) - 2 * int((one[at] == other).sum())


def _distinct(persons: Persons) -> Persons:
    """Return ascending names without repetitions."""
    return persons[np.r_[True, persons[1:] != persons[:-1]]] if len(persons) else persons


def _slots(contract: Contract) -> int:
    """Return how many 0/1 numbers a job sums by bin."""
    if contract.measurement is not None:
        return contract.measurement.groups * len(contract.measurement.slots)
    return int(contract.kind == "training")


def _beyond(counter: Counter, total: int, limit: int) -> TandemError:
    text = (
        f"{MEANINGS[counter]} of this bank within a year would be {total}, budget.{counter} is {limit}: refused; "
        "`tandem telco budget show` says when some of it frees"
    )
    return Enumeration(text) if counter == "identifiers" else BudgetSpent(text)
