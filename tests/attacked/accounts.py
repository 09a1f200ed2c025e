"""A telco's node on a disk of its own, and the doors through which one bank comes to it: contracts, keys, restarts, backups."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tomli_w
from three_parties import SHARED, Site, make_site, make_telco

from tandem.contract import TELCO, Contract
from tandem.errors import TandemError
from tandem.node import disk
from tandem.node.casting import VERSION
from tandem.node.keys import alignment_key
from tandem.node.ledger_store import Ledger
from tandem.node.witness import Witness
from tandem.score.statement import roster_digest
from tandem.wire.messages import Opening

ASKED = 100
"""Identifiers that each door asks."""
PEOPLE = np.arange(SHARED, dtype=np.int64)


@dataclass(frozen=True)
class Door:
    """A contract, and whether the node is started again before, or its ledger put back from a copy of the first moment as well."""

    contract: Contract
    people: np.ndarray
    """Rows of the telco's file that make the roster."""
    again: bool = False
    put_back: bool = False


class Account:
    """The node, as `tandem telco serve` makes it; without `witnessed` its ledger has no counter outside the backup."""

    def __init__(self, site: Site, *, witnessed: bool) -> None:
        self.site, self.witnessed, self.attempt = site, witnessed, 0
        self.place = site.folder(TELCO) / "ledger.sqlite"
        self.backup = site.root / "backup.sqlite"
        self.ledger: Ledger | None = None

    def start(self, *, put_back: bool = False) -> None:
        """Start the node, and keep a copy of its ledger the first time. Raises TandemError."""
        self.stop()
        if put_back:
            shutil.copy(self.backup, self.place)
        self.ledger = Ledger(self.place, witness=Witness(self.site.root / "witness") if self.witnessed else None)
        self.telco = make_telco(self.site, self.ledger)

    def keep(self) -> None:
        """Make the backup."""
        self.stop()
        shutil.copy(self.place, self.backup)
        self.start()

    def stop(self) -> None:
        if self.ledger is not None:
            self.ledger.close()
            self.ledger = None

    def enter(self, door: Door) -> None:
        """Go to a door. Raises TandemError if the node no longer starts."""
        if door.again or door.put_back:
            self.start(put_back=door.put_back)
        if self.ledger is None:
            raise TandemError("the node does not run")

    def cast(self, contract: Contract, opening: Opening):
        self.attempt += 1
        job = bytes.fromhex(contract.id)
        return self.telco.cast(contract, bytes(16), replace(opening, job=job, attempt=self.attempt))

    def ask(self, door: Door) -> int:
        """Return how many identifiers an alignment may ask through this door."""
        try:
            self.enter(door)
            self.cast(door.contract, Opening(VERSION, "align", 0, ("ids",), (ASKED,), b""))
        except TandemError:
            return 0
        return ASKED

    def score(self, door: Door) -> int:
        """Return how many bits of the first person's scores a training, pass and card, gives through this door."""
        given, contract = 0, door.contract
        try:
            self.enter(door)
            roster = np.flatnonzero(np.isin(self.telco._hashed(contract).rows, door.people))
            self.cast(contract, Opening(VERSION, "align", 0, ("ids",), (len(roster),), b"")).finish(roster)
            passing = Opening(VERSION, "train", 1, ("rows",), (len(roster),), roster_digest(roster))
            self.cast(contract, passing).finish(None)
            given += contract.pass_bits
            self.cast(contract, replace(passing, script="card", stage=2))
            given += contract.card_bits
        except TandemError:
            pass  # what was given before stays given
        return given

    def look(self, door: Door) -> int:
        """Return 1 if totals over this roster are given."""
        return int(self.score(door) > 0)


@contextmanager
def account(*, witnessed: bool = True, **limits: int) -> Iterator[Account]:
    """Make a node with these limits, on a disk that is gone afterwards."""
    with TemporaryDirectory() as folder:
        site = make_site(Path(folder))
        path = site.folder(TELCO) / "node.toml"
        disk.write(path, tomli_w.dumps({**tomllib.loads(path.read_text()), "budget": limits}).encode())
        one = Account(site, witnessed=witnessed)
        one.start()
        one.keep()
        try:
            yield one
        finally:
            one.stop()


def doors(site: Site, count: int, *, fresh_keys: bool = False, fewer: int = 0, again: bool = False, put_back: bool = False) -> list[Door]:
    """Return doors, each a contract of its own; `fewer` people at each, `fresh_keys` of the same bank at each."""
    found = []
    for number in range(count):
        bank = {"signing_key": f"{number + 1:064x}", "tls_pin": [f"{number + 77:064x}"]} if fresh_keys else {}
        bare = Contract.read(site.contract.model_dump(exclude={"signatures"}))
        draft = bare.amended({"id": f"{number + 1:032x}", "bank": bank})
        key = alignment_key(site.parties[TELCO].keys.seed, draft).public.hex()
        found.append((draft.amended({"telco": {"oprf_key": key}}), PEOPLE[: len(PEOPLE) - fewer * number]))
    return [Door(contract, people, again=again and at > 0, put_back=put_back and at > 0) for at, (contract, people) in enumerate(found)]
