"""Dial the peers of a contract, and play sessions with them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from tandem.contract import Contract, Role
from tandem.errors import PeerLost
from tandem.node.casting import Cast, arranged, player
from tandem.node.driver import METHOD, PATIENCE, Called, Link, drive, mute
from tandem.node.keys import Keys
from tandem.node.tls import channel
from tandem.session.session import Session
from tandem.session.tap import Tap
from tandem.wire.messages import Opening


class Dialler:
    """Channels to peers by party role; `peers` gives (address, certificate) of each that we dial."""

    def __init__(self, keys: Keys, contract: Contract, peers: Mapping[Role, tuple[str, bytes]]) -> None:
        self._channels: dict[Role, grpc.aio.Channel] = {
            role: channel(address, keys, certificate, contract, role) for role, (address, certificate) in peers.items()
        }

    def dial(self, role: Role) -> grpc.aio.StreamStreamCall[bytes, bytes]:
        """Open a stream to the party that plays `role`."""
        return self._channels[role].stream_stream(METHOD)()

    async def reach(self, role: Role, seconds: float) -> None:
        """Wait until the connection to `role` stands. Raises PeerLost if it does not within `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._channels[role].channel_ready()
        except TimeoutError:
            raise PeerLost(f"the {role} cannot be reached, or holds another key than the pinned one") from None

    async def close(self) -> None:
        """Hang up everywhere."""
        for each in self._channels.values():
            await each.close()


class Stage:
    """Where one party's sessions are played: its dialler and the thread in which its roles step."""

    def __init__(self, contract: Contract, dialler: Dialler | None, patience: float = PATIENCE) -> None:
        self.contract, self._dialler, self._patience = contract, dialler, patience

    async def play(self, cast: Cast, session: bytes, opening: Opening, tap: Tap, accepted: Mapping[str, Link] | None = None) -> Any:
        """Play one session over the links `accepted` and those that this role dials beside them; return the role's result.

        A thread of its own steps the role, so that several sessions of one node go on side by side.
        """
        links: dict[str, Link] = dict(accepted or {})
        calls: list[Called] = []
        script = arranged(cast.script, self.contract)
        for peer in script.called_by(cast.role):
            if peer in links:
                continue
            if self._dialler is None:
                raise RuntimeError(f"{cast.role} dials {peer} but was given no dialler")
            party = player(self.contract, peer)
            calls.append(Called(party, self._dialler.dial(party)))
            links[peer] = calls[-1]
        run = Session(script, cast.role, self.contract.digest, session, opening, tap).run(cast.playing)
        thread = ThreadPoolExecutor(1, thread_name_prefix=f"{cast.script.name}-{cast.role}")
        try:
            result = await drive(run, links, thread, self._patience)
            for called in calls:
                try:
                    async with asyncio.timeout(self._patience):
                        await called.end()
                except TimeoutError:
                    raise mute(called.peer, self._patience) from None
        except PeerLost:
            for called in calls:  # one that refused makes us lose the others: tell of the refusal
                await called.require_no_refusal()
            raise
        finally:
            for called in calls:
                called.call.cancel()
            thread.shutdown(wait=False)
        return result
