"""Summing sealed rows by the bins of many variables at once: joint cells.

    S[j][b] = product of c_i mod n^2 over the rows i with code C[i][j] = b

One variable at a time takes N multiplications a variable. Here k variables share a table of B^k cells: N multiplications a group, then
the table is multiplied out by halves (the rows and the columns of a matrix, each again a table of half as many variables): about 2 * B^k in
all. Rows arrive in chunks, their codes with them, and are gone when folded; what stays is the cells. Partial results of workers multiply
together, in any order, to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from tandem.arguments import Engine
from tandem.crypto.paillier import Checked, Foreign, Products, PublicKey, admit, read, write
from tandem.errors import ForeignElement, Malformed, Oversized

CELLS = 1 << 17
"""Most cells a worker holds: 105 MB under a modulus of 3072 bits."""


@dataclass(frozen=True)
class Shape:
    """How many bins each variable of the coded table has (1 to 256)."""

    bins: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.bins or not all(1 <= b <= 256 for b in self.bins):
            raise ValueError("a table needs a variable, and each variable 1 to 256 bins")

    @property
    def total(self) -> int:
        """Bins of all variables together: products a fold and ciphertext of a row."""
        return sum(self.bins)


def halving_cost(bins: Sequence[int]) -> int:
    """Return the multiplications it takes to get every variable's bins from their joint table, by halves."""
    if len(bins) < 2:
        return 0
    left, right = bins[: len(bins) // 2], bins[len(bins) // 2 :]
    return 2 * prod(bins) - prod(left) - prod(right) + halving_cost(left) + halving_cost(right)


def best_groups(rows: int, bins: Sequence[int], copies: int = 1, cells: int = CELLS) -> tuple[tuple[int, ...], ...]:
    """Return which variables (by position) share a table, so that folding `rows` rows takes the fewest multiplications.

    `copies` is how often each table is held (once a ciphertext of a row); all of them together keep to `cells` cells where groups of
    more than one variable are concerned.
    """
    order = sorted(range(len(bins)), key=lambda j: bins[j])
    limit = cells
    while True:
        groups = _partition(rows, [bins[j] for j in order], copies, limit)
        held = copies * sum(prod(bins[j] for j in order[first:last]) for first, last in groups)
        if held <= cells or limit == 1:
            return tuple(tuple(order[first:last]) for first, last in groups)
        limit //= 2


def _partition(rows: int, bins: Sequence[int], copies: int, limit: int) -> list[tuple[int, int]]:
    """Cut the sorted variables into runs of least total cost, by dynamic programming; runs of several keep to `limit` cells."""
    best: list[tuple[float, list[tuple[int, int]]]] = [(0, [])]
    for last in range(1, len(bins) + 1):
        options = []
        for first in range(last - 1, -1, -1):
            if first < last - 1 and prod(bins[first:last]) > limit:
                break
            cost, cuts = best[first]
            options.append((cost + rows + copies * halving_cost(bins[first:last]), [*cuts, (first, last)]))
        best.append(min(options))
    return best[-1][1]


class Cells:
    """The joint cells of one coded table, for rows of one or several ciphertexts."""

    def __init__(
        self, key: PublicKey, rows: int, shape: Shape, ciphertexts: int = 1, groups: tuple[tuple[int, ...], ...] | None = None
    ) -> None:
        """Make ready for about `rows` rows. `groups`: the cheapest for so many if not given."""
        self.key, self.shape, self.ciphertexts = key, shape, ciphertexts
        self.groups = groups or best_groups(rows, shape.bins, ciphertexts)
        self.sizes = [prod(shape.bins[j] for j in group) for group in self.groups]
        self.tables = [[[mpz(1)] * size for size in self.sizes] for _ in range(ciphertexts)]

    def fold(self, codes: NDArray[np.uint8], rows: Checked) -> int:
        """Multiply ciphertexts, row after row, into their cells; return how many rows.

        Raises ValueError unless `codes` (rows, d) has a row for each of them, each code below the bins of its variable.
        """
        bins = self.shape.bins
        if codes.shape != (len(rows) // self.ciphertexts, len(bins)) or bool((codes >= np.array(bins)).any()):
            raise ValueError("the codes do not have the shape declared for them")
        n2 = self.key.n2
        for number, group in enumerate(self.groups):
            places = self._places(codes, group)
            for part in range(self.ciphertexts):
                table = self.tables[part][number]
                for place, c in zip(places, rows.values[part :: self.ciphertexts], strict=True):
                    table[place] = table[place] * c % n2
        return len(codes)

    def _places(self, codes: NDArray[np.uint8], group: tuple[int, ...]) -> list[int]:
        """Return the cell of each row in a group's table: the mixed-radix number of its codes."""
        place = np.zeros(len(codes), np.int64)
        for j in group:
            place = place * self.shape.bins[j] + codes[:, j]
        return place.tolist()

    def merge(self, other: Cells) -> None:
        """Multiply the cells of another worker into these."""
        n2 = self.key.n2
        for mine, theirs in zip(self.tables, other.tables, strict=True):
            for number, table in enumerate(theirs):
                mine[number] = [a * b % n2 for a, b in zip(mine[number], table, strict=True)]

    def marginals(self) -> Products:
        """Return the product of every bin, ordered by variable, bin, ciphertext of a row; an empty bin is 1."""
        found: dict[tuple[int, int], list[mpz]] = {}
        for part, tables in enumerate(self.tables):
            for group, table in zip(self.groups, tables, strict=True):
                for j, products in zip(group, _halve(table, [self.shape.bins[j] for j in group], self.key.n2), strict=True):
                    found[j, part] = products
        return Products(
            self.key, [found[j, part][b] for j, bins in enumerate(self.shape.bins) for b in range(bins) for part in range(self.ciphertexts)]
        )


def fold_plain(key: PublicKey, codes: NDArray[np.uint8], shape: Shape, rows: Checked, ciphertexts: int = 1) -> Products:
    """Twin of `Cells`: one variable, one row after the other."""
    products = []
    for j, bins in enumerate(shape.bins):
        table = [[mpz(1)] * ciphertexts for _ in range(bins)]
        for row in range(len(codes)):
            cell = table[codes[row, j]]
            for part in range(ciphertexts):
                cell[part] = cell[part] * rows.values[row * ciphertexts + part] % key.n2
        products += [c for cell in table for c in cell]
    return Products(key, products)


@dataclass(frozen=True)
class Partial:
    """What one worker folded: every bin's product, as `Cells.marginals` orders them. Moves between our own processes only."""

    key: PublicKey
    rows: int
    values: list[mpz] = field(repr=False)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _partial_of, (self.key, self.rows, write(self.values, self.key.width))


@dataclass(frozen=True)
class StartFolding:
    """How a worker starts: everything `Cells` is made of."""

    key: PublicKey
    rows: int
    shape: Shape
    ciphertexts: int = 1

    def __call__(self) -> Folding:
        """Return an empty accumulator."""
        return Folding(Cells(self.key, self.rows, self.shape, self.ciphertexts))


class Folding:
    """An accumulator in a worker: item (codes, a peer's ciphertexts), these checked here before anything touches them."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.rows = 0

    def add(self, item: tuple[NDArray[np.uint8], Foreign]) -> None:
        """Admit and fold one chunk. Raises what `admit` raises."""
        codes, foreign = item
        self.rows += self.cells.fold(codes, admit(self.cells.key, foreign))

    def result(self) -> Partial:
        """Return the products of what was folded here."""
        return Partial(self.cells.key, self.rows, self.cells.marginals().values)


class FoldRows:
    """One table being summed on an engine: chunks in row order go in, products come out at the end.

    Workers get the codes of a chunk's rows with the chunk: a table as large as you like is in one process only.
    """

    def __init__(self, start: StartFolding, codes: NDArray[np.uint8], engine: Engine) -> None:
        self.start, self.codes = start, codes
        self.taken = 0
        self._workers = engine.accumulate(start)

    def add(self, foreign: Foreign) -> int:
        """Hand on the next rows and return how many there are; waits while the workers are far behind.

        Raises ForeignElement for a torn row, Oversized for rows beyond the table's end, and whatever a worker found in earlier chunks.
        """
        width = self.start.key.width * self.start.ciphertexts
        rows, torn = divmod(len(foreign.data), width)
        if torn:
            raise ForeignElement(f"{len(foreign.data)} bytes are no whole number of sealed rows of {width} bytes")
        if self.taken + rows > len(self.codes):
            raise Oversized(f"{self.taken + rows} sealed rows were sent for a table of {len(self.codes)}")
        self._workers.add((self.codes[self.taken : self.taken + rows], foreign))
        self.taken += rows
        return rows

    def products(self) -> Products:
        """Wait for the workers and return every bin's product, ordered as `Cells.marginals`. Raises Malformed if rows are missing."""
        partials = self._workers.results()
        if self.taken != len(self.codes) or self.taken != sum(partial.rows for partial in partials):
            raise Malformed(f"{self.taken} sealed rows came for a table of {len(self.codes)}; the job must be run again")
        return merge(partials)


def fold_rows(key: PublicKey, codes: NDArray[np.uint8], shape: Shape, ciphertexts: int, engine: Engine) -> FoldRows:
    """Begin to sum sealed rows by the bins of `codes` (N, d) on the workers of `engine`."""
    return FoldRows(StartFolding(key, len(codes), shape, ciphertexts), codes, engine)


def merge(partials: Sequence[Partial]) -> Products:
    """Multiply the results of several workers; order does not matter."""
    n2, first = partials[0].key.n2, partials[0]
    values = list(first.values)
    for partial in partials[1:]:
        values = [a * b % n2 for a, b in zip(values, partial.values, strict=True)]
    return Products(first.key, values)


def _halve(table: list[mpz], bins: Sequence[int], n2: mpz) -> list[list[mpz]]:
    """Return each variable's bin products from a joint table, the last variable running fastest."""
    if len(bins) == 1:
        return [table]
    half = len(bins) // 2
    columns = prod(bins[half:])
    rows = [product(table[at : at + columns], n2) for at in range(0, len(table), columns)]
    return _halve(rows, bins[:half], n2) + _halve([product(table[at::columns], n2) for at in range(columns)], bins[half:], n2)


def product(values: Iterable[mpz], n2: mpz) -> mpz:
    """Return the product mod n^2; cells that no row fell into are 1 and cost nothing."""
    result = mpz(1)
    for value in values:
        if value != 1:
            result = result * value % n2
    return result


def _partial_of(key: PublicKey, rows: int, data: bytes) -> Partial:
    return Partial(key, rows, read(data, key.width))
