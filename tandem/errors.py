"""What can go wrong, in two families: the user's input, and the conversation with a peer.

`LocalProtocolError`: we strayed, nothing was sent. `RemoteProtocolError`: they strayed, found while reading their bytes. Each attack
we stop has a class of its own, and a test of that name. The peer is told `REFUSED` and nothing else; our own log gets the class and text.
No text may contain an identifier, label, key or share: rows are named by number.
"""

from __future__ import annotations

REFUSED = "refused"
"""The one word that a peer hears, whatever was wrong with what it said or with us."""

LOST = "lost"
"""What a peer hears where we lost it or another peer: calling again may help. It tells no more than the cable does."""


class TandemError(Exception):
    """The root. The text says what was wrong, where, and what to do; commands print it and exit with 2."""


class InputError(TandemError):
    """A file, column, value or setting of our own user is wrong."""


class RolledBack(InputError):
    """Our own ledger is older than its witness: budgets would start again from what a backup holds (A2, S6)."""


class ContractError(TandemError):
    """The contract is missing, unsigned, altered, expired, or does not allow what was asked."""


class PeerLost(TandemError):
    """The peer died, was not reachable, or let a deadline pass."""


class PeerRefused(PeerLost):
    """The peer, or one that it depends on, refused or failed: calling again will not help."""


class CheckFailed(TandemError):
    """A check on totals failed: somebody cheated or broke. Told loudly to the bank and the coordinator, never to the telco."""


class LocalProtocolError(TandemError):
    """We strayed; nothing was sent."""


class UnblindedLeaving(LocalProtocolError):
    """A product that was not multiplied by r^n was about to leave: its randomness would betray which rows it holds (K5)."""


class SlotOverflow(LocalProtocolError):
    """A number lies outside the range that the layout declares for its slot (K9)."""


class ScoreBudgetSpent(LocalProtocolError):
    """The scores asked for would tell more bits a person than the contract allows (S6)."""


class BudgetSpent(LocalProtocolError):
    """More trainings, label slots, tables or rosters than one bank may have within a year, over all its contracts (S3, S6)."""


class RemoteProtocolError(TandemError):
    """They strayed; found while reading their bytes."""


class OutOfTurn(RemoteProtocolError):
    """A message that the script does not allow here, or from the wrong speaker (N1)."""


class Oversized(RemoteProtocolError):
    """More bytes, items or rows than declared or allowed."""


class Replayed(RemoteProtocolError):
    """A frame of another number, session, contract or history than the one expected (N1)."""


class OtherContent(RemoteProtocolError):
    """A step of a job played again with other content than the first time: answered, it would tell more than one step costs (A2, S3)."""


class Reflected(RemoteProtocolError):
    """Our own bytes came back as the peer's (N1)."""


class Malformed(RemoteProtocolError):
    """Bytes that are not the canonical encoding of the message they claim to be."""


class Enumeration(RemoteProtocolError):
    """More identifiers asked, or a larger table or roster, than the contract's cap: somebody asks for everyone (A2, A3, A12)."""


class OtherTable(RemoteProtocolError):
    """Other tags than the contract began with, or a smaller table too often: so a telco narrows down who is a customer (A11)."""


class RosterTooNear(RemoteProtocolError):
    """A roster that differs from an earlier one by a few people: totals over both, subtracted, would tell of those few (S3)."""


class KeySwitched(RemoteProtocolError):
    """The proof that one pinned key answered the whole batch fails: part may have been answered under another key (A5)."""


class ForeignElement(RemoteProtocolError):
    """Not the canonical encoding of an element fit to be used: identity, duplicate, off the group (A6), wrong width."""


class FactorPlanted(RemoteProtocolError):
    """A ciphertext that is 0, out of range or shares a factor with n: opening it would hand out the key (K4)."""


class NakedCiphertext(RemoteProtocolError):
    """A ciphertext without randomness (c mod n = 1): anyone reads it without a key (K1)."""


class RandomiserRepeated(RemoteProtocolError):
    """Two ciphertexts with equal c mod n: their ratio is the difference of the rows (K2)."""


class CrookedModulus(RemoteProtocolError):
    """The Paillier modulus is short, even, prime, square, has a small factor, or its proof fails (K7)."""


class RowAsSum(RemoteProtocolError):
    """Totals that cannot be sums over the declared rows (S1, T2, T6)."""


class TableForged(RemoteProtocolError):
    """A sealed point table that the contract's solver did not sign for this session, roster and pass (S7)."""


class DuplicateTag(RemoteProtocolError):
    """Two equal tags in one table: no honest table has them, and one customer would stand in it twice (A3)."""
