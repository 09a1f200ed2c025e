"""Sealed sums, the side that holds codes: fold what arrives, blind what leaves. See the picture in `sealer`."""

from __future__ import annotations

from collections.abc import Iterator

from gmpy2 import mpz

from tandem.arguments import Chance, Engine, below
from tandem.crypto.paillier import MakeUnits, Products, PublicKey, blind
from tandem.crypto.proof import verify_modulus
from tandem.crypto.slots import Layout
from tandem.errors import OutOfTurn
from tandem.session.session import Role
from tandem.sums.cells import FoldRows, Shape, fold_rows
from tandem.sums.pairs import fold_pairs
from tandem.sums.terms import Integers, chunk_length
from tandem.tables import CodedTable
from tandem.wire.messages import Key, Masks, PairSums, Sealed, Shares

UNITS_A_TASK = 8
"""Randomisers made in one worker task: short, so that folding is never kept waiting."""


def take_key(context: bytes, minimum_bits: int) -> Role[PublicKey]:
    """Hear a modulus and check it ourselves. Raises CrookedModulus."""
    said: Key = yield Key
    key = PublicKey.load(said.modulus, minimum_bits)
    verify_modulus(key, context, said.proof)
    return key


def make_units(key: PublicKey, count: int, engine: Engine, chance: Chance) -> Iterator[mpz]:
    """Start making `count` randomisers in the workers, and yield each once. In memory only."""
    tasks = [(number, min(UNITS_A_TASK, count - first)) for number, first in enumerate(range(0, count, UNITS_A_TASK))]
    made = engine.begin(MakeUnits(key, chance), tasks)
    return (unit for batch in made for unit in batch)


def fold(key: PublicKey, table: CodedTable, layout: Layout, engine: Engine) -> Role[Products]:
    """Fold all rows of the roster as they come; return one product for each variable, bin and ciphertext.

    Raises OutOfTurn for rows out of order, Oversized or Malformed for more or fewer rows than the roster has.
    """
    return (yield from _folded(fold_rows(key, table.codes, Shape(table.bins), layout.ciphertexts, engine)))


def fold_by_pairs(key: PublicKey, table: CodedTable, engine: Engine) -> Role[Products]:
    """Fold rows of one ciphertext as `fold` does; return one product for each cell of `places`. Raises what `fold` raises."""
    return (yield from _folded(fold_pairs(key, table.codes, Shape(table.bins), engine)))


def _folded(cells: FoldRows) -> Role[Products]:
    while part := (yield Sealed):
        if part.first != cells.taken:
            raise OutOfTurn(f"sealed rows from {part.first} on where row {cells.taken} was due")
        cells.add(part.rows)
    return cells.products()


def say_sealed(key: PublicKey, products: Products, ahead: Iterator[mpz]) -> Role[None]:
    """Send sealed totals of pairs to one who cannot open them, re-randomised.

    There is no noise above the slot (K9): weighted sums of them would carry it into the slot. The solver holds each sum against its range.
    """
    step = chunk_length(key.width)
    for first in range(0, len(products), step):
        part = Products(key, products.values[first : first + step])
        yield PairSums(blind(key, part, [0] * len(part), [next(ahead) for _ in part.values]))


def share(
    key: PublicKey, products: Products, layout: Layout, ahead: Iterator[mpz], chance: Chance, noise: Integers | None = None
) -> Role[None]:
    """Blind the sums, mask them over the whole plaintext, and send share and mask their two ways.

    `noise` (sums, slots), if given, is added to the totals themselves: the solver never sees them without it.

    The mask R is uniform mod n: D = P + R mod n tells nothing (K8). Above the declared slots goes uniform noise, which the solver then
    sees in place of whatever rode there (K9).
    """
    step = chunk_length(key.width)
    for first in range(0, len(products), step):
        part = Products(key, products.values[first : first + step])
        masks = [below(chance, int(key.n)) for _ in range(len(part))]
        top = [layout.top_noise(chance, (first + i) % layout.ciphertexts) for i in range(len(part))]
        blurs = [_blur(layout, noise, first + i) for i in range(len(part))]
        added = [(mask + above + blur) % int(key.n) for mask, above, blur in zip(masks, top, blurs, strict=True)]
        yield Shares(blind(key, part, added, [next(ahead) for _ in added]))
        yield Masks(b"".join(mask.to_bytes(key.plain_width, "little") for mask in masks))


def _blur(layout: Layout, noise: Integers | None, at: int) -> int:
    """Return the plaintext of the noise on ciphertext number `at` of all sums in line."""
    if noise is None:
        return 0
    row, part = divmod(at, layout.ciphertexts)
    return layout.place(noise[row].tolist(), part)
