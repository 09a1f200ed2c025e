"""The three roles of a plan. See the picture in `script`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tandem.arguments import Chance
from tandem.errors import Enumeration, Malformed, Oversized
from tandem.plan.script import PROBE_LENGTH, PROBES
from tandem.plan.watch import Clock
from tandem.session.session import Role
from tandem.wire.messages import Offer, Probe, Speed


@dataclass(frozen=True)
class Asked:
    """What the summer answered, and the seconds that a byte took to arrive there."""

    offer: Offer
    speed: Speed
    transfer: float


def ask(table_cap: int, bins_cap: int, clock: Clock, chance: Chance) -> Role[Asked]:
    """Play PLAN as the sealer. Raises Enumeration for a table or bins beyond the contract's caps, Malformed for times that are none."""
    offer: Offer = yield Offer
    if offer.table > table_cap or not offer.bins or not all(1 <= bins <= bins_cap for bins in offer.bins):
        raise Enumeration(f"the other side offers a table or bins beyond the contract's caps ({table_cap} rows, {bins_cap} bins)")
    padding = chance.draw(PROBE_LENGTH)  # random: a link that compresses must not look faster than it is
    began = clock()
    for number in range(PROBES):
        yield Probe(padding)
        if number == 0:
            began = clock()
    speed: Speed = yield Speed
    seconds = max(0.0, clock() - began - speed.took)
    return Asked(offer, checked(speed), seconds / ((PROBES - 1) * PROBE_LENGTH))


def ask_solver() -> Role[Speed]:
    """Play PLAN_SOLVER as the sealer. Raises Malformed for times that are none."""
    said: Speed = yield Speed
    return checked(said)


def tell(offer: Callable[[], Offer], measure: Callable[[], Speed]) -> Role[None]:
    """Play PLAN as the summer; `measure` is called once the probes are in. Raises Oversized for more of them than planned."""
    yield offer()
    heard = 0
    while probe := (yield Probe):
        heard += 1
        if heard > PROBES or len(probe.padding) > PROBE_LENGTH:
            raise Oversized(f"more than {PROBES} probes of {PROBE_LENGTH} bytes")
    yield measure()


def tell_solver(measure: Callable[[], Speed]) -> Role[None]:
    """Play PLAN_SOLVER as the solver."""
    yield measure()


def checked(speed: Speed) -> Speed:
    """Return the answer if it can be one. Raises Malformed: a time below 0 would plan a study that ends before it begins."""
    times = (speed.took, speed.hash, speed.point, speed.sum, speed.power, speed.admission, speed.product, speed.squaring)
    if min(*times, speed.noise, speed.cutting, speed.pairing) < 0.0 or speed.cores < 1 or speed.workers < 1:
        raise Malformed("a speed with a time below 0, or of a machine without cores or workers")
    return speed
