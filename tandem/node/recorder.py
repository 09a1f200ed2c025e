"""The tap that writes the ledger: every frame, before it leaves or as soon as it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from tandem.contract import Contract, Role
from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import declared
from tandem.node.casting import PLAYERS
from tandem.node.ledger_store import Ledger
from tandem.session.tap import Tap, Tapped

_SCORED = {"train": "pass_bits", "card": "card_bits", "serve": "card_bits"}


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def recorder(ledger: Ledger, contract: Contract, session: bytes, party: Role, clock: Callable[[], str] = now) -> Tap:
    """Return the tap of one session. An entry that cannot be written stops the frame: nothing leaves unrecorded."""
    told: set[tuple[str, str, bool]] = set()

    def record(seen: Tapped) -> None:
        entry = declared(seen.kind)
        bits = int(getattr(contract, _SCORED.get(seen.script, ""), 0)) if entry.by_person else 0
        learner = PLAYERS[seen.peer] if seen.sent else party
        # A disclosure is noted with the first frame of its class in each direction of a link; later frames are more of the same. Both
        # ends see the same frames on a link, so both note it at the same frame.
        way = (seen.kind, seen.peer, seen.sent)
        disclosed = () if way in told else entry.to(learner, bits)
        told.add(way)
        ledger.append(Entry(
            time=clock(), contract=contract.digest.hex(), session=session.hex(), direction="sent" if seen.sent else "received",
            peer=PLAYERS[seen.peer], script=seen.script, message=seen.kind, size=len(seen.frame),
            frame=hashlib.sha256(seen.frame).hexdigest(), disclosed=disclosed,
        ))

    return record


def both(first: Tap, second: Tap) -> Tap:
    """Return a tap that tells both."""

    def tell(seen: Tapped) -> None:
        first(seen)
        second(seen)

    return tell
