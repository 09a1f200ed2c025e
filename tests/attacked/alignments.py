"""Alignments to attack: a telco's table behind shipped hashing, cover and caps, a bank's customers, and what each of the two then has.

`hashed_by` names the code that makes the tags, so that a weak fixture can stand in its place. Who is a customer is known here, not there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from contracts import unsigned

from attacked.views import Recorder, View
from tandem.align.holder import hold
from tandem.align.script import ALIGN
from tandem.align.seeker import Found, seek
from tandem.arguments import Chance, Once, Seeded, unkept
from tandem.contract import Contract
from tandem.crypto import voprf
from tandem.engine.serial import Serial
from tandem.errors import TandemError
from tandem.node import keys
from tandem.node.inputs.source import TableSource
from tandem.session.loopback import converse
from tandem.session.session import Role, Session
from tandem.tables import Positions, Table
from tandem.wire.messages import Opening
from telco_party import subscribers
from telco_party.subscribers import Subscribers

SEED = b"the telco's seed, 32 bytes long."
FIRST = 13_800_000_000
"""The first number of the range that the people of these tests have."""
OPTIONS = TableSource(source="telco.csv", id="phone")


def numbers(places: Sequence[int]) -> list[bytes]:
    """Return the phone numbers at these places of the range, as `normalise` spells them."""
    return [b"+86%d" % (FIRST + int(place)) for place in places]


def agreed(number: int = 1, cover: int = 1, seed: bytes = SEED, **changes: Any) -> Contract:
    """Return a contract of this number between the two, with the key that the telco's seed gives for it."""
    layout = {"cover": cover} | changes.pop("layout", {})
    caps = {"identifiers": 1_000_000, "table": 2_000_000, "roster": 1_000_000} | changes.pop("caps", {})
    draft = unsigned(id=f"{number:032x}", layout=layout, caps=caps, **changes)
    return draft.amended({"telco": {"oprf_key": keys.alignment_key(seed, draft).public.hex()}})


@dataclass
class Telco:
    """A telco's node, as far as alignment goes: a seed and a folder that outlive its contracts."""

    shelf: Path
    seed: bytes = field(default=SEED, repr=False)

    def table(self, places: Sequence[int], contract: Contract) -> Subscribers:
        """Return the table of these people under a contract; the file has them in the order given."""
        table = Table([value.decode() for value in numbers(places)], {})
        return subscribers.hashed(table, OPTIONS, contract, self.seed, Serial(), self.shelf)


@contextmanager
def telco() -> Iterator[Telco]:
    """Give a telco with an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        yield Telco(Path(folder))


@dataclass(frozen=True)
class Aligned:
    """What an alignment came to: the views of the two, and the bank's result, or why it ended."""

    bank: View
    telco: View
    found: Found | None
    roster: Positions
    """As the telco has it; none if it was not told."""
    error: TandemError | None = None


Bend = Callable[[Role[Any]], Role[Any]]


def whole(role: Role[Any]) -> Role[Any]:
    """Leave the role as it is shipped."""
    return role


def align(
    contract: Contract, tags: bytes, ids: Sequence[bytes], *, chance: bytes = b"chance", blinds: Chance | None = None,
    key: voprf.KeyPair | None = None, once: Once = unkept, bank: Bend = whole, telco: Bend = whole, asked: int | None = None,
    roster_cap: int | None = None, inputs: dict[str, Any] | None = None,
) -> Aligned:
    """Play ALIGN between a shipped seeker and a shipped holder, or what `bank` and `telco` make of them.

    `inputs`: what the telco has of its own, for its view; the bank's view has its `ids` and `blinds`.
    """
    caps, cover, many = contract.caps, contract.layout.cover, len(ids) if asked is None else asked
    recorder, draws = Recorder(), Seeded(chance)
    opening = Opening("1", "align", 0, ("ids",), (many,), b"")
    key = key or keys.alignment_key(SEED, contract)
    cap = caps.roster if roster_cap is None else roster_cap
    kept = blinds or draws.fork("blinds")
    seeking = seek(
        bytes.fromhex(contract.telco.oprf_key), list(ids), caps.table, 0, Serial(), draws.fork("weights"), kept, once,
        cover=cover, roster_cap=cap,
    )
    holding = hold(key, tags, many, cap, Serial(), draws.fork("holder"), cover=cover)
    played = {"seeker": bank(seeking), "holder": telco(holding)}
    found, roster, error = None, np.empty(0, np.int64), None
    try:
        results = converse({
            name: (Session(ALIGN, name, contract.digest, chance[:16].ljust(16), opening, recorder.tap(name)), role)
            for name, role in played.items()
        })
        found, roster = results["seeker"], results["holder"]
    except TandemError as failure:
        error = failure
    return Aligned(
        recorder.view("seeker", {"ids": list(ids), "found": found, "blinds": kept}),
        recorder.view("holder", {"roster": roster, **(inputs or {})}), found, roster, error,
    )
