"""What a measurement contract fixes, as plain numbers: the slots of a row, the codes of each segment, and the minimums.

A row has, for each group, a 0/1 for every outcome: all zeros for people of no group, for whoever was not contacted, and for cover.
"""

from __future__ import annotations

from dataclasses import dataclass

from tandem.contract import Contract
from tandem.crypto.paillier import PublicKey
from tandem.crypto.slots import Layout, Slot
from tandem.errors import ContractError
from tandem.tables import Outline


@dataclass(frozen=True)
class Terms:
    """Numbers of the contract that a measurement needs."""

    contract: bytes
    groups: int
    outcomes: tuple[str, ...]
    """Of one group, the first being contact: those of the funnel, then bands of spend."""
    main: int
    """Place of the outcome that is told first where not all can be: the end of the funnel."""
    levels: tuple[int, ...]
    """Codes of each segment; the last of each is "none of them"."""
    rows: int
    """Largest roster."""
    key_bits: int = 3072
    min_bin: int = 50
    min_class: int = 20

    @classmethod
    def of(cls, contract: Contract) -> Terms:
        """Return the terms of a measurement contract. Raises ContractError for one of another kind."""
        asked, layout = contract.measurement, contract.layout
        if asked is None:
            raise ContractError(f"contract {contract.id} is for {contract.kind}: nothing can be measured under it")
        return cls(
            contract.digest, asked.groups, asked.slots, len(asked.outcomes) - 1, asked.levels, contract.rows_cap, layout.key_bits,
            layout.min_bin, layout.min_class,
        )

    @property
    def width(self) -> int:
        """Slots of a row."""
        return self.groups * len(self.outcomes)

    @property
    def codes(self) -> int:
        """Codes of all segments together: totals in each slot."""
        return sum(self.levels)

    @property
    def outlines(self) -> list[Outline]:
        """The segments as variables under aliases; their names are in the contract."""
        return [Outline(f"s{j:02}", codes, 0, missing=False, rest=True) for j, codes in enumerate(self.levels, 1)]

    def layout(self, key: PublicKey) -> Layout:
        """Return how a row is packed under this key: group by group, each with its outcomes in order."""
        slots = tuple(Slot(f"{outcome} of group {g}", 0, 1) for g in range(1, self.groups + 1) for outcome in self.outcomes)
        return Layout(slots=slots, rows=self.rows, bits=key.bits)
