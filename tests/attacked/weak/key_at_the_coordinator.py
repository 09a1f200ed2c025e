"""K11: sealed sums with an arbiter, who holds the key, opens what the summer sends and returns it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from masked_path import CONTEXT, table_of

from attacked.sealed_sums import SealedSums
from attacked.views import Recorder, View
from tandem.arguments import Seeded, below
from tandem.crypto.paillier import blind, encrypt, units
from tandem.engine.serial import Serial
from tandem.session.loopback import converse
from tandem.session.script import Script, many, one, say
from tandem.session.session import Session
from tandem.sums.sealer import open_shares
from tandem.sums.summer import fold, take_key
from tandem.wire.messages import Key, Opened, Opening, Sealed, Shares

ARBITER = Script(
    "sums",
    (("solver", "sealer"), ("solver", "summer"), ("sealer", "summer")),
    (
        one(say("solver", "sealer", Key), say("solver", "summer", Key)),
        many(say("sealer", "summer", Sealed)),
        many(say("summer", "solver", Shares), say("solver", "summer", Opened)),
    ),
)


def play(world: SealedSums, corrupt: Callable[[Any], Any]) -> View:
    """Play one session and return the summer's view; `corrupt` is how the summer cheats."""
    recorder, opening = Recorder(), Opening("test", "sums", 0, (), (), b"")
    roles = {"sealer": _sealer(world), "summer": corrupt(_summer(world)), "solver": _solver(world)}
    converse({name: (Session(ARBITER, name, CONTEXT, bytes(16), opening, recorder.tap(name)), role) for name, role in roles.items()})
    return recorder.view("summer", {"codes": world.codes})


def _solver(world: SealedSums) -> Any:
    key = Key(world.secret.public.to_bytes(), world.secret.prove(CONTEXT))
    yield key
    yield key
    yield from open_shares(world.secret, Serial())


def _sealer(world: SealedSums) -> Any:
    key = yield from take_key(CONTEXT, world.secret.public.bits)
    packed = world.layout.pack(world.rows)[0]
    yield Sealed(0, encrypt(key, packed, units(key, Seeded(b"sealer"), len(packed))))


def _summer(world: SealedSums) -> Any:
    key = yield from take_key(CONTEXT, world.secret.public.bits)
    products = yield from fold(key, table_of(world.codes, world.bins), world.layout, Serial())
    chance = Seeded(b"summer")
    masks = [below(chance, int(key.n)) for _ in products.values]
    yield Shares(blind(key, products, masks, units(key, chance, len(masks))))
    yield Opened
