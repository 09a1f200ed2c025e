"""How signed numbers ride in one plaintext: P = sum_s v_s * 2^(W*s), so that sums of rows are sums of slots.

    | top noise T | slot m-1 | ... | slot 1 | slot 0 |        W bits a slot, the bits above the declared slots are noise when totals leave

W = bits(v) with sign + ceil(log2 N) + 1 holds every total over N rows with a bit to spare. Totals are read from the lowest slot up by
signed remainder; what lies above the declared slots is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from tandem.arguments import Chance, below
from tandem.errors import RowAsSum, SlotOverflow

HEADROOM = 3
"""Bits of n kept above the slots: totals plus at least one unit of top noise stay in [0, n/2)."""


@dataclass(frozen=True)
class Slot:
    """A whole number in every row, declared to lie in [low, high]."""

    name: str
    low: int
    high: int

    def __post_init__(self) -> None:
        if not -(2**62) <= self.low <= self.high < 2**62:
            raise ValueError(f"slot {self.name} declares [{self.low}, {self.high}]: no range within 63 bits")

    @property
    def size(self) -> int:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))

    @property
    def bits(self) -> int:
        """Bits of a value in two's complement, the sign included."""
        return max(max(self.high, 0).bit_length(), max(~self.low, 0).bit_length()) + 1


@dataclass(frozen=True)
class Layout:
    """The slots of a row under a modulus of `bits` bits, wide enough for totals over `rows` rows; fixed in the contract.

    A row that does not fit one ciphertext is cut in slot order: part 0 holds slots 0 to capacity - 1, and so on.
    """

    slots: tuple[Slot, ...]
    rows: int
    bits: int
    spare: int = 0
    """Rows by which noise may put a total off."""

    def __post_init__(self) -> None:
        if not self.slots or self.rows < 1:
            raise ValueError("a layout needs a slot and a row")
        if self.capacity < 1:
            raise ValueError(f"a slot of {self.width} bits does not fit under a modulus of {self.bits} bits; lower the number of rows")

    @cached_property
    def width(self) -> int:
        """W, bits a slot."""
        return max(slot.bits for slot in self.slots) + (self.rows + self.spare - 1).bit_length() + 1

    @cached_property
    def capacity(self) -> int:
        """Slots in one ciphertext."""
        return (self.bits - HEADROOM) // self.width

    @cached_property
    def ciphertexts(self) -> int:
        """Ciphertexts a row."""
        return -(-len(self.slots) // self.capacity)

    def part(self, part: int) -> tuple[Slot, ...]:
        """Return the slots that ciphertext `part` of a row holds."""
        return self.slots[part * self.capacity : (part + 1) * self.capacity]

    def pack(self, values: NDArray[np.int64]) -> list[list[int]]:
        """Return the signed plaintexts of rows (rows, m): one list a ciphertext of a row, one number a row.

        Raises SlotOverflow, naming row and slot by number and name, for a value outside its declared range.
        """
        rows = np.ascontiguousarray(values, np.int64)
        low, high = (np.array([getattr(slot, end) for slot in self.slots], np.int64) for end in ("low", "high"))
        outside = np.argwhere((rows < low) | (rows > high))
        if len(outside):
            row, slot = outside[0]
            raise SlotOverflow(f"row {row} of this chunk leaves the range declared for {self.slots[slot].name}; widen it or clip first")
        above = (rows - low).astype("<u8")
        return [self._pack_part(above[:, p * self.capacity : (p + 1) * self.capacity], p) for p in range(self.ciphertexts)]

    def pack_row(self, values: Sequence[int]) -> list[int]:
        """Twin of `pack` for one row, slot by slot: the plaintext of each of its ciphertexts."""
        for value, slot in zip(values, self.slots, strict=True):
            if not slot.low <= value <= slot.high:
                raise SlotOverflow(f"the value lies outside the range declared for {slot.name}; widen it or clip first")
        return [self.place(values, part) for part in range(self.ciphertexts)]

    def place(self, values: Sequence[int], part: int) -> int:
        """Return the plaintext that adds `values`, one a slot and of any sign, to ciphertext `part` of a row's total."""
        return sum(int(value) << (self.width * s) for s, value in enumerate(values[part * self.capacity : (part + 1) * self.capacity]))

    def unpack(self, plain: Sequence[int], rows: int) -> list[int]:
        """Return the m totals over `rows` rows from their plaintexts, one a ciphertext of a row (unmasked; with top noise, or signed).

        Raises RowAsSum for a total outside rows * [low, high] by more than `spare` rows' worth, or for more rows than the layout was made
        for.
        """
        if not 0 <= rows <= self.rows:
            raise RowAsSum(f"a total claims {rows} rows where the layout allows {self.rows}")
        totals = []
        for part, number in enumerate(plain):
            for slot, total in zip(self.part(part), signed_digits(number, self.width, len(self.part(part))), strict=True):
                off = self.spare * slot.size
                if not rows * slot.low - off <= total <= rows * slot.high + off:
                    raise RowAsSum(f"the total of {slot.name} cannot be a sum over {rows} rows")
                totals.append(total)
        if len(totals) != len(self.slots):
            raise ValueError(f"{len(plain)} plaintexts were given where a row has {self.ciphertexts}")
        return totals

    def top_noise(self, chance: Chance, part: int) -> int:
        """Return T * 2^(W*m), m the slots of ciphertext `part`, T >= 1 uniform as far as total and noise stay in [0, n/2)."""
        return _noise_above(chance, self.width * len(self.part(part)), self.bits)

    def _pack_part(self, above: NDArray[np.uint64], part: int) -> list[int]:
        """Lay the bits of (value - low) side by side, then subtract what `low` added to every row."""
        rows, width = len(above), self.width
        bits = np.unpackbits(np.ascontiguousarray(above).view(np.uint8).reshape(*above.shape, 8), axis=2, bitorder="little")
        bits = np.pad(bits, ((0, 0), (0, 0), (0, max(0, width - 64))))[:, :, :width]
        data = np.packbits(bits.reshape(rows, above.shape[1] * width), axis=1, bitorder="little")
        offset = mpz(sum(slot.low << (width * s) for s, slot in enumerate(self.part(part))))
        return [mpz.from_bytes(row.tobytes(), "little") + offset for row in data]


@dataclass(frozen=True)
class ScoreSlots:
    """The slots of a pack of blind scores: a signed score of `width` bits a row, `noise` of them drowned, under n of `bits` bits."""

    bits: int
    noise: int
    width: int = 32

    def __post_init__(self) -> None:
        if not 0 <= self.noise < self.width - 1 or self.slots < 1:
            raise ValueError(f"{self.noise} bits of noise in slots of {self.width} bits under {self.bits} bits leave no score")

    @property
    def slots(self) -> int:
        """Scores in one ciphertext."""
        return (self.bits - HEADROOM) // self.width

    @property
    def limit(self) -> int:
        """A score, noise included, must stay below this in size: 2^(V-1). Without noise: |score| < limit - 2^noise."""
        return 1 << (self.width - 1)

    def mask(self, chance: Chance, used: int) -> int:
        """Return the plaintext to add to a pack of `used` scores: uniform low bits in each, uniform bits above the last.

        Whatever table was sealed, at most about width - noise bits a row get through (R2.1). The noise of a slot lies in [0, 2^noise).
        """
        if not 0 < used <= self.slots:
            raise ValueError(f"a pack holds 1 to {self.slots} scores, not {used}")
        low = sum(noise << (self.width * s) for s, noise in enumerate(self.noises(chance, used)))
        return low + _noise_above(chance, self.width * used, self.bits)

    def noises(self, chance: Chance, used: int) -> list[int]:
        """Return the noise of each of a pack's first `used` slots, as `mask` adds it."""
        return [below(chance, 1 << self.noise) for _ in range(used)]

    def unpack(self, plain: int, used: int) -> list[int]:
        """Return the `used` scores of one opened pack, noise included."""
        return signed_digits(plain, self.width, used)

    def packs(self, rows: int) -> int:
        """Return how many ciphertexts carry `rows` scores."""
        return -(-rows // self.slots)


def signed_digits(number: int, width: int, count: int) -> list[int]:
    """Return the lowest `count` digits in base 2^width, each in [-2^(width-1), 2^(width-1))."""
    number, half, mask = int(number), 1 << (width - 1), (1 << width) - 1
    digits = []
    for _ in range(count):
        digit = ((number + half) & mask) - half
        digits.append(digit)
        number = (number - digit) >> width
    return digits


def _noise_above(chance: Chance, used: int, bits: int) -> int:
    """Return T * 2^used, T uniform in [1, 2^(bits-2-used)): added to anything of size below 2^used it stays in [0, n/2)."""
    return (1 + below(chance, (1 << (bits - 2 - used)) - 1)) << used
