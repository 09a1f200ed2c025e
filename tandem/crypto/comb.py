"""Powers of a fixed base by the comb of Lim and Lee (CRYPTO 1994): many entries, few multiplications, for many uniform exponents at once.

An exponent of h*v*w bits is written as h rows of v blocks of w columns. Entry i of block j is the product of g^(2^((k*v + j)*w)) over the
bits k of i; a power takes v*w multiplications and w-1 squarings, the same for every exponent. For 1536 bits and 2^16 entries: h = 13,
v = 8, w = 15, 134 steps and 28 MB, where plain windows take 154 steps and 65 MB.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from tandem.arguments import Chance

ENTRIES = 1 << 16
"""Most table entries a prime: 28 MB at 3072 bits, 20 MB at 2048; building both took
0.9 s and 0.45 s in scripts/benchmark (one core)."""


@dataclass(frozen=True)
class Comb:
    """The table of one base. A power of it is found by `power` from a row of `indices`."""

    modulus: mpz = field(repr=False)
    order: mpz = field(repr=False)
    teeth: int
    blocks: int
    columns: int
    tables: list[list[mpz]] = field(repr=False)

    def draw(self, chance: Chance, count: int) -> NDArray[np.uint16]:
        """Return the indices of `count` exponents uniform in [0, order), drawn by rejection: shape (count, columns, blocks)."""
        bits, order = self.order.bit_length(), int(self.order)
        width, mask = (bits + 7) // 8, (1 << bits) - 1
        kept: list[bytes] = []
        while len(kept) < count:
            data = chance.draw(width * (count - len(kept)))
            for at in range(0, len(data), width):
                exponent = int.from_bytes(data[at : at + width], "little") & mask
                if exponent < order:
                    kept.append(exponent.to_bytes(width, "little"))
        return self.indices(b"".join(kept), width)

    def indices(self, exponents: bytes, width: int) -> NDArray[np.uint16]:
        """Return the table indices of little-endian exponents of `width` bytes, highest column first."""
        length = self.teeth * self.blocks * self.columns
        bits = np.unpackbits(np.frombuffer(exponents, np.uint8).reshape(-1, width), axis=1, bitorder="little")[:, :length]
        bits = np.pad(bits, ((0, 0), (0, length - bits.shape[1]))).reshape(-1, self.teeth, self.blocks, self.columns)
        index = np.zeros((len(bits), self.blocks, self.columns), np.uint16)
        for tooth in range(self.teeth):
            index |= bits[:, tooth].astype(np.uint16) << tooth
        return np.ascontiguousarray(index.transpose(0, 2, 1)[:, ::-1])

    def power(self, row: list[list[int]]) -> mpz:
        """Return base^exponent mod modulus for one exponent's indices."""
        modulus, tables, result = self.modulus, self.tables, mpz(1)
        for column in row:
            result = result * result % modulus
            for table, index in zip(tables, column, strict=True):
                result = result * table[index] % modulus
        return result


def comb(base: mpz, order: mpz, modulus: mpz, entries: int = ENTRIES) -> Comb:
    """Build the table of `base`, of the given order mod `modulus`, in the shape that takes the fewest steps with `entries` entries."""
    teeth, blocks, columns = best_shape(order.bit_length(), entries)
    tables = []
    for block in range(blocks):
        table = [mpz(1)]
        for tooth in range(teeth):
            power = _squared(base, (tooth * blocks + block) * columns, modulus)
            table += [entry * power % modulus for entry in table]
        tables.append(table)
    return Comb(modulus, order, teeth, blocks, columns, tables)


def best_shape(bits: int, entries: int) -> tuple[int, int, int]:
    """Return (teeth, blocks, columns) with teeth * blocks * columns >= bits and blocks * 2^teeth <= entries, of the fewest steps."""
    shapes = []
    for teeth in range(1, min(16, entries.bit_length())):
        for blocks in range(1, (entries >> teeth) + 1):
            columns = -(-bits // (teeth * blocks))
            shapes.append((blocks * columns + columns, blocks << teeth, teeth, blocks, columns))
            if columns == 1:
                break
    _, _, teeth, blocks, columns = min(shapes)
    return teeth, blocks, columns


def _squared(base: mpz, times: int, modulus: mpz) -> mpz:
    """Return base^(2^times) mod modulus."""
    for _ in range(times):
        base = base * base % modulus
    return base
