"""Who may have the bank open some of the rows that it sealed, after the fact. He is no party: he signs no contract and is in no session."""

from __future__ import annotations

from pydantic import Field

from tandem.contract.fields import Digest, Line, Value


class Auditor(Value):
    """An auditor whom bank and telco both name. `signing_key`: Ed25519, under which he asks."""

    name: Line
    signing_key: Digest
    rows: int = Field(default=500, ge=1, le=1_000_000)
    """Most persons of the roster whose sealed rows are opened to him, over the contract's life (bank)."""

    def missed(self, share: float) -> float:
        """Return the chance that so many rows, drawn at random, hold none of the crafted ones if they are this share of all (S8)."""
        return float((1.0 - share) ** self.rows)
