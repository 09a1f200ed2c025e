"""Sealed Newton, the side that holds codes. It does the same whatever the labels are, and whatever fails. See the picture in `script`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from gmpy2 import mpz

from tandem.arguments import Chance, Engine, Once, unkept
from tandem.contract import SLOT_BITS
from tandem.crypto.paillier import Products, PublicKey
from tandem.crypto.slots import Layout, ScoreSlots
from tandem.errors import Malformed
from tandem.score.open_weights import OpenTable, say_open_scores, take_points
from tandem.score.statement import Here, Scale
from tandem.score.summer import SealedTable, Verify, restore_table, say_scores, take_table
from tandem.session.session import Role
from tandem.sums.noise import Drawn, by_variable
from tandem.sums.shapes import tell
from tandem.sums.summer import fold, fold_by_pairs, make_units, say_sealed, share, take_key
from tandem.sums.terms import Terms
from tandem.tables import CodedTable, Outline
from tandem.train.pairs import IntArray, blanked, told
from tandem.wire.messages import Pairs

PAIRS_A_CHUNK = 100_000
"""Pair counts in one message: at most 8 bytes each."""


@dataclass(frozen=True)
class Coded:
    """The roster as the summer sees it: codes, outlines, and pair counts blanked under min_bin (M, M)."""

    table: CodedTable
    outlines: tuple[Outline, ...]
    pairs: IntArray = field(repr=False)
    noise: Drawn | None = field(default=None, repr=False)
    """Where the contract asks for noise: `pairs` are then of it, blanked."""

    @property
    def counts(self) -> list[IntArray]:
        """Rows of each bin as they may be told, one array a variable."""
        return self.table.counts if self.noise is None else by_variable(self.noise.counts, self.table.bins)

    def blur(self, layout: Layout) -> IntArray | None:
        """Return the noise on totals of this layout, if there is any."""
        return None if self.noise is None else self.noise.totals[:, : len(layout.slots)]


@dataclass(frozen=True)
class Secrets:
    """What this side's randomness comes from: `chance` fresh, `kept` repeatable from a seed it keeps (the dither)."""

    chance: Chance = field(repr=False)
    kept: Chance = field(repr=False)


def describe(coded: Coded, terms: Terms, engine: Engine, chance: Chance) -> Role[None]:
    """Play DESCRIBE."""
    key, ahead = yield from _open(coded, terms, engine, chance, packs=0, statistics_only=True)
    layout = terms.layout(key, statistics_only=True)
    products = yield from fold(key, coded.table, layout, engine)
    yield from share(key, products, layout, ahead, chance, coded.blur(layout))


def train(
    coded: Coded, here: Here, terms: Terms, verify: Verify, engine: Engine, secrets: Secrets, once: Once = unkept
) -> Role[None]:
    """Play one pass of TRAIN. `once` lets the roster be scored with one table in all attempts at a pass, and no other."""
    packs = 0 if terms.open_weights else coded.table.rows
    key, ahead = yield from _open(coded, terms, engine, secrets.chance, packs=packs, statistics_only=False)
    layout = terms.layout(key)
    products = yield from fold(key, coded.table, layout, engine)
    yield from share(key, products, layout, ahead, secrets.chance, coded.blur(layout))
    yield from _score(key, coded.table, Scale.training(terms.grain), here, verify, engine, ahead, secrets, terms, once)


def errors(coded: Coded, terms: Terms, engine: Engine, chance: Chance) -> Role[None]:
    """Play ERRORS: sum by bins as in a pass, then the weights by pairs of bins; small pairs are left out, sealed or not."""
    shown = told(coded.pairs, coded.table.bins)
    key, ahead = yield from _open(coded, terms, engine, chance, packs=0, statistics_only=False, pairs=int(shown.sum()))
    layout = terms.layout(key)
    products = yield from fold(key, coded.table, layout, engine)
    yield from share(key, products, layout, ahead, chance)
    pairs = yield from fold_by_pairs(key, coded.table, engine)
    yield from say_sealed(key, Products(key, [value for value, fit in zip(pairs.values, shown, strict=True) if fit]), ahead)


def card(
    coded: Coded, here: Here, terms: Terms, verify: Verify, engine: Engine, secrets: Secrets, once: Once = unkept
) -> Role[tuple[PublicKey, SealedTable | OpenTable]]:
    """Play CARD; return key and signed table, which this side keeps for new customers. `once`: see `train`.

    Raises Malformed for points that are not whole.
    """
    key = yield from take_key(terms.contract, terms.key_bits)
    ahead = make_units(key, 0 if terms.open_weights else _packs(key, coded.table.rows), engine, secrets.chance.fork("card"))
    scale = Scale.card(terms.card_step)
    table = yield from _score(key, coded.table, scale, here, verify, engine, ahead, secrets, terms, once)
    if isinstance(table, OpenTable) and not np.array_equal(scale.points(table.points) << scale.noise_bits, table.points):
        raise Malformed("points of a card that are not whole multiples of its step")
    return key, table


def _score(
    key: PublicKey, coded: CodedTable, scale: Scale, here: Here, verify: Verify, engine: Engine, ahead: Iterator[mpz], secrets: Secrets,
    terms: Terms, once: Once,
) -> Role[SealedTable | OpenTable]:
    """Hear the table of points and score the roster with it, blindly or, under open weights, in the clear: with one table (`once`)."""
    if terms.open_weights:
        told = yield from take_points(coded.bins, scale, here, verify)
        once(told.digest)
        yield from say_open_scores(told, coded, scale, key.bits, dither(secrets.kept, here, told))
        return told
    table = yield from take_table(key, coded.bins, here, verify)
    once(table.digest)
    yield from say_scores(key, table, coded, scale, engine, ahead, dither(secrets.kept, here, table))
    return table


def serve(
    key: PublicKey, data: bytes, card_step: int, coded: CodedTable, here: Here, engine: Engine, secrets: Secrets
) -> Role[None]:
    """Play SERVE with the card table `data` that was signed when it was made."""
    ahead = make_units(key, _packs(key, coded.rows), engine, secrets.chance.fork("serve"))
    table = restore_table(key, coded.bins, data)
    yield from say_scores(key, table, coded, Scale.card(card_step), engine, ahead, dither(secrets.kept, here, table))


def serve_open(key: PublicKey, table: OpenTable, card_step: int, coded: CodedTable, here: Here, secrets: Secrets) -> Role[None]:
    """Play SERVE under open weights, with the card's points."""
    yield from say_open_scores(table, coded, Scale.card(card_step), key.bits, dither(secrets.kept, here, table))


def dither(kept: Chance, here: Here, table: SealedTable | OpenTable) -> Chance:
    """Return the noise of one scoring: a function of contract, roster, pass and table, so the same question gets the same answer."""
    return kept.fork("dither", here.contract, here.roster, here.stage, table.digest)


def _open(
    coded: Coded, terms: Terms, engine: Engine, chance: Chance, *, packs: int, statistics_only: bool, pairs: int = 0
) -> Role[tuple[PublicKey, Iterator[mpz]]]:
    """Take the key, start making randomisers, and tell shapes and pair counts."""
    key = yield from take_key(terms.contract, terms.key_bits)
    sums = sum(coded.table.bins) * terms.layout(key, statistics_only=statistics_only).ciphertexts
    ahead = make_units(key, sums + pairs + _packs(key, packs), engine, chance.fork("units"))
    yield tell(list(coded.outlines))
    yield tell(list(coded.outlines), coded.counts)
    upper = coded.pairs[np.triu_indices(len(coded.pairs))].tolist()
    for first in range(0, len(upper), PAIRS_A_CHUNK):
        yield Pairs(tuple(upper[first : first + PAIRS_A_CHUNK]))
    return key, ahead


def _packs(key: PublicKey, rows: int) -> int:
    return ScoreSlots(key.bits, 0, SLOT_BITS).packs(rows)


def fit_to_tell(pairs: IntArray, min_bin: int) -> IntArray:
    """Return pair counts as they may be told: cells under min_bin blanked onto both diagonals."""
    return blanked(pairs, min_bin)
