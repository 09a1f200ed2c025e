"""The way to the peers, step by step: name, port, TLS, then a probe over the channel that a study would use.

Peers are looked at side by side, and each step has a deadline: the whole ends within 20 s.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from tandem.contract import PROTOCOL, Contract, Role
from tandem.doctor import way
from tandem.doctor.findings import Finding, failed, ok, warning, wrong
from tandem.doctor.handshake import shake
from tandem.errors import PeerLost, TandemError
from tandem.node.chance import System
from tandem.node.client import Dialler, Stage
from tandem.node.keys import Keys
from tandem.node.ledger_store import Ledger
from tandem.node.probing import probe
from tandem.node.recorder import recorder
from tandem.node.side import Side
from tandem.probe.roles import Sounding

PROBING = 6.0
"""Seconds for a probe."""
SLIGHT, SERIOUS = 5.0, 60.0
"""Seconds by which two clocks may differ: beyond the first a warning, beyond the second a fault. Contracts begin and end to the second."""


@dataclass(frozen=True)
class Peer:
    """A party that we dial: where it is, and the certificate that we hold of it."""

    role: Role
    address: str
    pinned: bytes | None = field(repr=False)


def reach(side: Side, peers: list[Peer], now: datetime, environment: Mapping[str, str] = os.environ) -> dict[Role, list[Finding]]:
    """Go as far as TLS with each peer, side by side."""
    with ThreadPoolExecutor(max(1, len(peers))) as threads:
        found = threads.map(lambda peer: _reach(side, peer, now, environment), peers)
        return {peer.role: told for peer, told in zip(peers, found, strict=True)}


def _reach(side: Side, peer: Peer, now: datetime, environment: Mapping[str, str]) -> list[Finding]:
    host, _ = way.split(peer.address)
    told = []
    proxy = way.proxy_for(host, environment)
    try:
        if proxy:
            told.append(way.proxied(peer.role, host, proxy))
        else:
            told.append(way.resolve(peer.role, host))
        with way.connect(peer.role, peer.address, proxy) as link:
            told.append(ok(f"{peer.role}: port", f"{peer.address} is open"))
            if peer.pinned is not None:
                told += shake(link, peer.role, side.config.at(side.config.keys), peer.pinned, now)
    except way.Unreached as unreached:
        told.append(unreached.finding)
    return told


def sound(side: Side, own: Keys, contract: Contract, peers: list[Peer], patience: float = PROBING) -> dict[Role, list[Finding]]:
    """Probe the peers under the contract, side by side, and return what is to be said of each. What is sent stands in our ledger."""
    return asyncio.run(_sound(side, own, contract, peers, patience))


async def _sound(side: Side, own: Keys, contract: Contract, peers: list[Peer], patience: float) -> dict[Role, list[Finding]]:
    with Ledger(side.config.ledger_place) as ledger:
        found = await asyncio.gather(*(_one(side, own, contract, peer, patience, ledger) for peer in peers))
    return {peer.role: told for peer, told in zip(peers, found, strict=True)}


async def _one(side: Side, own: Keys, contract: Contract, peer: Peer, patience: float, ledger: Ledger) -> list[Finding]:
    subject = f"{peer.role}: contract"
    try:
        dialler = Dialler(own, contract, {peer.role: (peer.address, peer.pinned or b"")})
    except TandemError as error:
        return [failed(subject, error)]
    session = System().draw(16)
    try:
        async with asyncio.timeout(patience):
            stage = Stage(contract, dialler, patience)
            sounding = await probe(stage, side.role, peer.role, session, recorder(ledger, contract, session, side.role))
    except TimeoutError:
        text = f"a probe of a few hundred KB did not end in {patience:.0f} s"
        return [wrong(f"{peer.role}: way", text, "have the line between the two looked at: it is very slow, or loses packets")]
    except PeerLost as error:
        text = f"a probe under contract {contract.id[:8]} (digest {contract.digest.hex()[:16]}...) failed: {str(error).partition(': ')[0]}"
        return [wrong(subject, text, _REFUSED.format(peer=peer.role))]
    except TandemError as error:
        return [failed(subject, error)]
    finally:
        await dialler.close()
    return [ok(subject, f"the {peer.role} honours contract {contract.id[:8]}"), *judged(peer.role, sounding)]


_REFUSED = (
    "the {peer}'s log says why, its word to others never does. Most often: the signed file does not lie in its folder of contracts, or is "
    "another than ours; by its clock the contract has not begun, or is over; its program is older and knows no probe"
)


def judged(peer: str, found: Sounding) -> list[Finding]:
    """Return what a probe's result says of version, clock and way."""
    hello = found.hello
    speaks = f"tandem {_plain(hello.program)}, protocol {hello.oldest}" + (f" to {hello.newest}" if hello.newest != hello.oldest else "")
    if hello.oldest <= PROTOCOL <= hello.newest:
        version = ok(f"{peer}: version", speaks)
    else:
        older = "this machine" if hello.oldest > PROTOCOL else f"the {peer}"
        version = wrong(f"{peer}: version", f"{speaks}; this machine speaks protocol {PROTOCOL}", f"update {older}")
    return [version, _clock(peer, found), _way(peer, found)]


def _clock(peer: str, found: Sounding) -> Finding:
    subject, apart = f"{peer}: clock", abs(found.ahead)
    text = f"{apart:.1f} s {'ahead of' if found.ahead > 0 else 'behind'} ours, give or take {found.within:.1f} s"
    if apart <= SLIGHT + found.within:
        return ok(subject, text)
    level: Callable[[str, str, str], Finding] = wrong if apart > SERIOUS else warning
    return level(subject, text, "set both clocks by NTP (`timedatectl` shows which of the two is off)")


def _way(peer: str, found: Sounding) -> Finding:
    rates = f"{found.up * 8 / 1e6:.1f} Mbit/s there, {found.down * 8 / 1e6:.1f} back, on a connection just opened"
    return ok(f"{peer}: way", f"{found.round_trip * 1000:.1f} ms there and back; {rates}")


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:20]
