"""One study played twice: all roles in one process, and over gRPC streams. What the tests of both drivers share."""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from dataclasses import replace

from three_parties import make_coordinator, make_job, make_solving, make_telco, run_study, serving

from bank_party.conduct import Conductor
from bank_party.solving import packed
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.engine.serial import Serial
from tandem.node.casting import arranged, player
from tandem.node.ledger_store import Ledger
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.session.tap import untapped


class LoopbackStage:
    """Plays a whole session in this thread; stands where `node.client.Stage` stands."""

    def __init__(self, contract, troupes, tap):
        self.contract, self._troupes, self._tap = contract, troupes, tap

    async def play(self, cast, session, opening, tap):
        casts = {cast.role: cast}
        for party, troupe in self._troupes.items():
            if party in {player(self.contract, role) for role in cast.script.roles if role not in casts}:
                one = troupe.cast(self.contract, session, opening)
                casts[one.role] = one
        script = arranged(cast.script, self.contract)
        results = converse({
            role: (Session(script, role, self.contract.digest, session, opening, self._tap(self._name(role))), one.playing)
            for role, one in casts.items()
        })
        for role, one in casts.items():
            one.finish(results[role])
        return results[cast.role]

    def _name(self, role):
        party = player(self.contract, role)
        return "bank's solver" if (role, party) == ("solver", BANK) else party


class BanksSolver:
    """The bank's own solver as a troupe."""

    def __init__(self, solving):
        self._solving, self._known = solving, b""

    def cast(self, _, session, opening):
        return replace(self._solving.cast(session, opening, self._known), finish=self._keep)

    def _keep(self, after):
        self._known = packed(after)


def by_link(frames):
    """Return the frames of each (who, peer, sent), in order: on one link order is fixed, between links it is not."""
    found = defaultdict(list)
    for party, seen in frames:
        found[party, seen.peer, seen.sent].append((seen.script, seen.stage, seen.kind, seen.number, seen.frame))
    return found


async def in_one_process(site, folder, run=run_study):
    frames = []
    with ExitStack() as stack:
        ledgers = {role: stack.enter_context(Ledger(folder / f"loopback-{role}.sqlite")) for role in ROLES}

        def tap(party):
            return lambda seen: frames.append((party, seen))

        solving = make_solving(site, tap)
        solver = {BANK: BanksSolver(solving)} if solving else {COORDINATOR: make_coordinator(site, ledgers[COORDINATOR])}
        troupes = {TELCO: make_telco(site, ledgers[TELCO]), **solver}
        stage = LoopbackStage(site.contract, troupes, tap)
        job = make_job(site, ledgers[BANK], chance=Seeded(b"job"))
        trained = await run(site, Conductor(stage, site.contract, Serial(), Seeded(b"bank"), lambda _: untapped, job))
    return trained, frames


async def over_grpc(site, run=run_study):
    async with serving(site) as nodes:
        async with nodes.bank(chance=Seeded(b"job")) as conductor:
            trained = await run(site, conductor)
        return trained, nodes.frames, {role: list(ledger.entries()) for role, ledger in nodes.ledgers.items()}
