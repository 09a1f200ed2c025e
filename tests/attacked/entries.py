"""Every place where a peer's ciphertexts enter, and a watch on what of them reaches the secret key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import numpy as np
from gmpy2 import gcd
from masked_path import table_of

from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Foreign
from tandem.crypto.slots import ScoreSlots
from tandem.engine.serial import Serial
from tandem.score.sealer import read_scores
from tandem.score.statement import Here, Scale
from tandem.score.summer import take_table
from tandem.sums.cells import FoldRows, Shape, StartFolding
from tandem.sums.sealer import open_shares
from tandem.sums.solver import hear_sealed
from tandem.wire.messages import Crossed, PairSums, Scores, Sealed, Shares, Signature, Table

ENTRIES = ("rows", "shares", "weighted sums", "pair totals", "point table", "scores")
HERE = Here(bytes(32), bytes(16), bytes(32), 1)


def enter(secret: SecretKey, entry: str, data: bytes) -> None:
    """Hand `data` to a role as what a peer sent; returns if the role took it, raises what the role raises."""
    key, foreign, count = secret.public, Foreign(data), len(data) // int(secret.public.width)
    if entry == "rows":
        table = table_of(np.zeros((count, 1), np.uint8), (2,))
        FoldRows(StartFolding(key, count, Shape(table.bins)), table.codes, Serial()).add(Sealed(0, foreign).rows)
        return
    scale = Scale.training(0.25)
    packed = count * ScoreSlots(key.bits, scale.noise_bits).slots
    role, said = {
        "shares": lambda: (open_shares(secret, Serial()), [Shares(foreign)]),
        "weighted sums": lambda: (open_shares(secret, Serial(), Crossed), [Shares(foreign)]),
        "pair totals": lambda: (hear_sealed(key, count), [PairSums(foreign), None]),
        "point table": lambda: (take_table(key, (count,), HERE, lambda *_: True), [Table(foreign), None, Signature(b"")]),
        "scores": lambda: (read_scores(secret, packed, scale, Serial()), [Scores(foreign), None]),
    }[entry]()
    next(role)
    try:
        for message in said:
            role.send(message)
    except StopIteration:
        pass


@dataclass
class Reached:
    """How many ciphertexts came to the secret key, and how many of them had a factor of n."""

    opened: int = 0
    planted: int = 0


@contextmanager
def watched_opening() -> Iterator[Reached]:
    """Count what reaches the power by p - 1 inside opening."""
    reached, whole = Reached(), SecretKey.open

    def count(self, sealed):
        reached.opened += len(sealed)
        reached.planted += sum(gcd(c, self.public.n) != 1 for c in sealed.values)
        return whole(self, sealed)

    with mock.patch.object(SecretKey, "open", count):
        yield reached
