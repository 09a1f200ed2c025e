"""Sealed sums in one process by the shipped pieces of roles, each role's frames recorded: where attacks on keys are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from masked_path import CONTEXT, SUMS, table_of

from attacked.views import Recorder, View
from tandem.arguments import Seeded
from tandem.crypto.opening import SecretKey
from tandem.crypto.slots import Layout, Slot
from tandem.engine.serial import Serial
from tandem.errors import TandemError
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.sums.sealer import open_shares, say_key, seal_rows
from tandem.sums.solver import collect
from tandem.sums.summer import fold, make_units, share, take_key
from tandem.wire.messages import Opening


@cache
def key(bits: int, seed: bytes = b"attacked") -> SecretKey:
    return SecretKey.generate(bits, Seeded(seed))


@dataclass(frozen=True)
class Played:
    """What each role saw, and what ended the session early, if anything did."""

    sealer: View
    summer: View
    solver: View
    error: TandemError | None = None


@dataclass(frozen=True)
class SealedSums:
    """One session to be played: the sealer's rows (N, slots), the summer's codes (N, d)."""

    secret: SecretKey = field(repr=False)
    rows: np.ndarray
    codes: np.ndarray
    bins: tuple[int, ...]
    layout: Layout
    seed: bytes = b"sums"
    corrupt: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    """Role's name -> (role) -> the role as a cheat plays it."""
    clock: Callable[[], float] | None = None
    least_bits: int = 0
    """Shortest modulus that summer and solver take, if not that of `secret`."""

    @property
    def n(self) -> int:
        return int(self.secret.public.n)

    def members(self) -> list[frozenset[int]]:
        """The truth: the rows of each cell, by variable and bin."""
        return [frozenset(np.flatnonzero(self.codes[:, j] == b).tolist()) for j, count in enumerate(self.bins) for b in range(count)]

    def play(self) -> Played:
        chance, bits = Seeded(self.seed), self.least_bits or self.secret.public.bits
        recorder = Recorder(self.clock) if self.clock else Recorder()
        roles = {
            "sealer": self._sealer(chance.fork("sealer")), "summer": self._summer(chance.fork("summer"), bits),
            "solver": self._solver(bits),
        }
        opening = Opening("test", "sums", 0, (), (), b"")
        error = None
        try:
            converse({
                name: (Session(SUMS, name, CONTEXT, bytes(16), opening, recorder.tap(name)), self.corrupt.get(name, _as_it_is)(role))
                for name, role in roles.items()
            })
        except TandemError as problem:
            error = problem
        own = {"p": int(self.secret._p), "q": int(self.secret._q), "rows": self.rows}
        return Played(recorder.view("sealer", own), recorder.view("summer", {"codes": self.codes}), recorder.view("solver"), error)

    def _sealer(self, chance: Seeded) -> Any:
        yield from say_key(self.secret, CONTEXT)
        yield from seal_rows(self.secret, self.layout, self.rows, Serial(), chance)
        yield from open_shares(self.secret, Serial())

    def _summer(self, chance: Seeded, bits: int) -> Any:
        modulus = yield from take_key(CONTEXT, bits)
        ahead = make_units(modulus, sum(self.bins) * self.layout.ciphertexts, Serial(), chance.fork("units"))
        products = yield from fold(modulus, table_of(self.codes, self.bins), self.layout, Serial())
        yield from share(modulus, products, self.layout, ahead, chance)

    def _solver(self, bits: int) -> Any:
        modulus = yield from take_key(CONTEXT, bits)
        return (yield from collect(modulus, sum(self.bins) * self.layout.ciphertexts))


def made(
    secret: SecretKey, rows: int, bins: tuple[int, ...], seed: int, *, slots: int = 2, reach: int = 1, cap: int = 0, **more: Any
) -> SealedSums:
    """Return a session over made-up rows, values 0 to `reach`; no bin is empty if there are rows enough."""
    rng = np.random.default_rng(seed)
    codes = np.column_stack([rng.permutation(np.arange(rows) % count) for count in bins])
    layout = Layout(tuple(Slot(f"x{i}", -reach, reach) for i in range(slots)), cap or rows, secret.public.bits)
    return SealedSums(secret, rng.integers(0, reach + 1, (rows, slots)), codes, bins, layout, b"sums %d" % seed, **more)


def _as_it_is(role: Any) -> Any:
    return role
