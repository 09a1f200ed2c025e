"""What a study is, as numbers: everything that its seconds, bytes and memory follow from, and nothing of what is in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tandem.contract import SLOT_BITS
from tandem.crypto.slots import Layout, ScoreSlots
from tandem.sums.terms import Terms


@dataclass(frozen=True)
class Job:
    """One study. `matched` rows of the `asked` identifiers are in the summer's table of `table`, its variables cut into `bins`."""

    asked: int
    table: int
    ready: bool
    """The table's tags are made."""
    matched: int
    bins: tuple[int, ...]
    terms: Terms
    training: float = 0.7
    """Share of the roster that trains."""

    def __post_init__(self) -> None:
        if not 1 <= self.matched <= min(self.asked, self.table) or not self.bins:
            raise ValueError("a study needs a matched row, asked for and in the table, and a variable")

    @property
    def columns(self) -> int:
        """The sealer's own columns, without intercept."""
        return self.terms.columns

    @property
    def width(self) -> int:
        """Bytes of a ciphertext."""
        return 2 * self.plain_width

    @property
    def plain_width(self) -> int:
        """Bytes of a number mod n."""
        return -(-self.terms.key_bits // 8)

    @property
    def layout(self) -> Layout:
        """How a training row is packed."""
        return Layout(self.terms.slots(), self.terms.rows, self.terms.key_bits)

    @property
    def statistics(self) -> Layout:
        """How a row is packed where statistics alone are wanted."""
        return Layout(self.terms.slots()[:2], self.terms.rows, self.terms.key_bits)

    @property
    def total(self) -> int:
        """Bins of all variables, M."""
        return sum(self.bins)

    @property
    def slots(self) -> int:
        """Scores in a pack."""
        return ScoreSlots(self.terms.key_bits, 0, SLOT_BITS).slots

    @property
    def packs(self) -> int:
        """Ciphertexts that carry the roster's scores."""
        return ScoreSlots(self.terms.key_bits, 0, SLOT_BITS).packs(self.matched)

    def with_matched(self, matched: int) -> Job:
        """Return the study with another number of matched rows."""
        return replace(self, matched=matched)
