"""The tap that writes the ledger: every frame, before it leaves or as soon as it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from tandem.contract import COORDINATOR, Contract, Role
from tandem.ledger.chain import Entry
from tandem.ledger.disclosure import declared
from tandem.node.casting import PLAYERS, player
from tandem.node.ledger_store import Ledger
from tandem.session.tap import Tap, Tapped

_SCORED = {"train": "pass_bits", "card": "card_bits", "serve": "card_bits", "tell": "told_bits"}


AS_SOLVER = "-solver"
"""What a ledger adds to a script's name on the link of a bank that solves: "train-solver"."""


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def recorder(ledger: Ledger, contract: Contract, session: bytes, party: Role, clock: Callable[[], str] = now) -> Tap:
    """Return the tap of one session. An entry that cannot be written stops the frame: nothing leaves unrecorded.

    `party` is a column of the table of disclosures: COORDINATOR for the session in which a bank solves in its place. What its sealer and
    its solver say to each other never leaves the bank and is not recorded; what the solver hears and says stands under a name of its own.
    """
    told: set[tuple[str, str, bool]] = set()
    home = contract.filled_by(party)

    def record(seen: Tapped) -> None:
        peer = player(contract, seen.peer)
        if peer == home:
            return
        entry = declared(seen.kind)
        bits = int(getattr(contract, _SCORED.get(seen.script, ""), 0)) if entry.by_person else 0
        learner = PLAYERS[seen.peer] if seen.sent else party
        # A disclosure is noted with the first frame of its class in each direction of a link; later frames are more of the same. Both
        # ends see the same frames on a link, so both note it at the same frame.
        way = (seen.kind, seen.peer, seen.sent)
        disclosed = () if way in told else entry.to(learner, bits, contract.filled_by(learner))
        told.add(way)
        ledger.append(Entry(
            time=clock(), contract=contract.digest.hex(), session=session.hex(), direction="sent" if seen.sent else "received",
            peer=peer, script=_script(contract, seen, party), message=seen.kind, size=len(seen.frame),
            frame=hashlib.sha256(seen.frame).hexdigest(), disclosed=disclosed,
        ))

    return record


def _script(contract: Contract, seen: Tapped, party: Role) -> str:
    """Return the script's name; that of a bank's link as solver says so: a session has two links then between the same two parties."""
    solves = COORDINATOR in {party, PLAYERS[seen.peer]} and contract.solver != COORDINATOR
    return f"{seen.script}{AS_SOLVER}" if solves else seen.script


def both(first: Tap, second: Tap) -> Tap:
    """Return a tap that tells both."""

    def tell(seen: Tapped) -> None:
        first(seen)
        second(seen)

    return tell
