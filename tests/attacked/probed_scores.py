"""Trials of scoring with a table that the bank made to read codes with (S7)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import numpy as np
from attacks import s07_probing_tables as s07
from contracts import unsigned
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from attacked.coded_rosters import Roster, key, roster
from attacked.results import Gate, Result, Size, rate
from tandem.arguments import Seeded
from tandem.contract import PASS_NOISE_BITS, SLOT_BITS
from tandem.crypto.paillier import Foreign, PublicKey
from tandem.crypto.slots import ScoreSlots
from tandem.errors import TandemError
from tandem.score.solver import draw_table
from tandem.score.statement import Here, table_digest
from tandem.score.summer import Verify, take_table
from tandem.wire.messages import Signature, Table

Around = Callable[[], AbstractContextManager[None]]
BINS = (8,) * 10
SOLVES = {"layout": {"solver": "bank"}, "coordinator": None}
"""A contract in which the bank solves for itself."""
MAKER, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes(31) + bytes([n])) for n in (1, 2))


def _probed(count: int, bits: int, seed: int, points: list[int], around: Around) -> Roster:
    """Play a pass in which the solver's table has these points."""
    study = roster(count, bits, seed, BINS, passes=1, min_bin=20, min_class=10)

    def corrupt(name: str, here: Here, role: object) -> object:
        if name != "solver":
            return role
        table = draw_table(study.secret.public, np.array(points), here, Seeded(b"probe %d" % seed))
        return s07.bent(role, table.sealed, study.sign(here.statement(table.digest)))

    study.corrupt = corrupt
    with around():
        study.train()
    return study


def _slots(study: Roster) -> ScoreSlots:
    return ScoreSlots(study.secret.public.bits, PASS_NOISE_BITS, SLOT_BITS)


def vectors_read(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many rows' code vectors the digits of a pass's scores spell out."""
    hits = trials = 0
    for seed in size.seeds:
        study = _probed(size.of(1000, 4000), size.of(512, 1024), seed, s07.probing(BINS), around)
        found = s07.digits(s07.scores(study.bank, _slots(study), study.rows.count), len(BINS))
        hits += int((found == study.codes).all(axis=1).sum())
        trials += study.rows.count
    return rate("code vectors read", hits, trials, note=f"{len(BINS)} codes of 3 bits from one score of {SLOT_BITS} bits")


def bits_read(size: Size) -> Result:
    """Return the mutual information between codes and scores of a table aimed above the noise, bits a row.

    From joint counts; limits from the spread of the information density over rows.
    """
    values = []
    for seed in size.seeds:
        points = s07.aimed_above(BINS, PASS_NOISE_BITS, SLOT_BITS)
        study = _probed(size.of(4000, 20_000), size.of(512, 1024), seed, points, nullcontext)
        read = s07.scores(study.bank, _slots(study), study.rows.count) >> PASS_NOISE_BITS
        sums = np.array([0] * study.rows.count)
        for column, part in zip(study.codes.T, np.split(np.array(points), np.cumsum(BINS)[:-1]), strict=True):
            sums += part[column]
        values.append((sums >> PASS_NOISE_BITS, read))
    said, read = (np.concatenate(parts) for parts in zip(*values, strict=True))
    density = information(said, read)
    value, off = float(density.mean()), 1.96 * float(density.std()) / len(density) ** 0.5
    return Result(
        "bits a row", value, value - off, value + off, trials=len(said), seeds=size.seeds,
        note=f"the contract says {unsigned(**SOLVES).pass_bits} a pass",
    )


def information(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return log2 p(x, y) / p(x) p(y) of each row of two columns of whole numbers; its mean is their mutual information."""

    def shares(*columns: np.ndarray) -> np.ndarray:
        _, at, counts = np.unique(np.column_stack(columns), axis=0, return_inverse=True, return_counts=True)
        found: np.ndarray = counts[at.ravel()] / len(at)
        return found

    found: np.ndarray = np.log2(shares(one, other) / (shares(one) * shares(other)))
    return found


AS_TOLD = Gate("no more bits a row than the contract says", lambda found: found.low > 0 and found.high <= unsigned(**SOLVES).pass_bits)


def written_above(size: Size, *, around: Around = nullcontext) -> Result:
    """Return how many rows are read from where no row stands: rosters whose last pack has one row, points beyond its slot."""
    hits = trials = 0
    for seed in size.seeds:
        for turn in range(size.of(4, 30)):
            slots = ScoreSlots(512, PASS_NOISE_BITS, SLOT_BITS).slots
            study = _probed(60 * slots + 1, 512, 3000 * seed + turn, s07.probing(BINS, SLOT_BITS), around)
            found = s07.digits(s07.beyond(study.bank, SLOT_BITS)[-1:], len(BINS))
            hits += int((found == study.codes[-1:]).all())
            trials += 1
    return rate("last rows read", hits, trials, note="above the one row of the last pack")


def forged(size: Size, *, verify: Verify | None = None) -> Result:
    """Return how many tables are taken that the solver did not sign for this place. Raises AssertionError if its own is not."""
    public, hits, trials = key(512).public, 0, 0
    bins, wanted = (4, 3), 200
    for seed in size.seeds:
        for turn in range(size.of(wanted // 2, wanted)):
            chance = Seeded(b"forged %d %d" % (seed, turn))
            here = Here(chance.draw(32), chance.draw(16), chance.draw(32), 1 + turn % 4)
            mine, other = (draw_table(public, np.array(points), here, chance).sealed.encode() for points in (range(7), s07.probing(bins)))
            honest = MAKER.sign(here.statement(table_digest(public, mine)))
            if not _taken(public, bins, here, verify or _by_the_maker, mine, honest):
                raise AssertionError("the solver's own table is refused")
            named = partial(table_digest, public)
            tries = s07.forgeries(mine, other, public.width, here, MAKER.sign, STRANGER.sign, named, chance)
            hits += sum(_taken(public, bins, here, verify or _by_the_maker, table, signature) for _, table, signature in tries)
            trials += len(tries)
    return rate("tables taken", hits, trials, note="another's, altered, replayed, unsigned")


def unverified(_signature: bytes, _statement: bytes) -> bool:
    """Take any signature: the fixture."""
    return True


def _by_the_maker(signature: bytes, statement: bytes) -> bool:
    try:
        MAKER.public_key().verify(signature, statement)
    except InvalidSignature:
        return False
    return True


def _taken(public: PublicKey, bins: tuple[int, ...], here: Here, verify: Verify, table: bytes, signature: bytes) -> bool:
    role = take_table(public, bins, here, verify)
    try:
        next(role)
        role.send(Table(Foreign(table)))
        role.send(None)
        role.send(Signature(signature))
    except StopIteration:
        return True
    except TandemError:
        return False
    raise AssertionError("the telco waits for more than a table and its signature")
