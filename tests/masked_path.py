"""The masked path as a script of its own, with small keys: what the tests of sums share."""

from __future__ import annotations

from functools import cache

import numpy as np

from tandem.arguments import Seeded
from tandem.crypto.opening import SecretKey
from tandem.crypto.slots import Layout, Slot
from tandem.engine.serial import Serial
from tandem.session.loopback import converse
from tandem.session.script import Script, many, one, say
from tandem.session.session import Session
from tandem.sums.sealer import open_shares, say_key, seal_rows
from tandem.sums.solver import collect, totals
from tandem.sums.summer import fold, make_units, share, take_key
from tandem.tables import CodedTable
from tandem.wire.messages import Key, Masks, Opened, Opening, Sealed, Shares

CONTEXT = bytes(32)
SUMS = Script(
    "sums",
    (("sealer", "summer"), ("sealer", "solver"), ("summer", "solver")),
    (
        one(say("sealer", "summer", Key), say("sealer", "solver", Key)),
        many(say("sealer", "summer", Sealed)),
        many(say("summer", "sealer", Shares), say("sealer", "solver", Opened), say("summer", "solver", Masks)),
    ),
)
BITS = 256


@cache
def secret(bits=BITS, seed=b"sums"):
    return SecretKey.generate(bits, Seeded(seed))


def table_of(codes, bins):
    return CodedTable(codes.astype(np.uint8), tuple(bins), tuple(f"t{j}" for j in range(len(bins))))


def sealing(layout, rows, chance, bits=BITS):
    yield from say_key(secret(bits), CONTEXT)
    yield from seal_rows(secret(bits), layout, rows, Serial(), chance)
    yield from open_shares(secret(bits), Serial())


def summing(table, layout, chance, bits=BITS):
    key = yield from take_key(CONTEXT, bits)
    ahead = make_units(key, sum(table.bins) * layout.ciphertexts, Serial(), chance.fork("units"))
    products = yield from fold(key, table, layout, Serial())
    yield from share(key, products, layout, ahead, chance)
    return products


def solving(layout, counts, bits=BITS):
    key = yield from take_key(CONTEXT, bits)
    plain = yield from collect(key, len(counts) * layout.ciphertexts)
    return plain, totals(layout, plain, counts)


def play(roles, alter=None):
    opening = Opening("test", "sums", 0, (), (), b"")
    return converse({name: (Session(SUMS, name, bytes(32), bytes(16), opening), role) for name, role in roles.items()}, alter)


def cast(rows, codes, bins, layout, seed=b"s", **changed):
    table = table_of(codes, bins)
    counts = np.concatenate([np.bincount(codes[:, j], minlength=b) for j, b in enumerate(bins)])
    roles = {
        "sealer": lambda: sealing(layout, rows, Seeded(seed).fork("sealer")),
        "summer": lambda: summing(table, layout, Seeded(seed).fork("summer")),
        "solver": lambda: solving(layout, counts),
    }
    return {name: changed.get(name, role)() if name not in changed else changed[name] for name, role in roles.items()}


def exact(rows, codes, bins):
    return np.concatenate([[rows[codes[:, j] == b].sum(axis=0) for b in range(size)] for j, size in enumerate(bins)])


def world(count=60, bins=(3, 2), slots=2, seed=0, reach=50):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, bins, (count, len(bins)))
    layout = Layout(tuple(Slot(f"x{i}", -reach, reach) for i in range(slots)), max(count, 1), BITS)
    return rng.integers(-reach, reach + 1, (count, slots)), codes, bins, layout
