"""Who shares a cover group with whom, for one bank: drawn once, kept in the node's state, and the same in all of that bank's contracts.

The file holds keyed marks of identifiers, group after group, under one line that says what they are of. Without the node's seed the marks
are random numbers.
"""

from __future__ import annotations

from pathlib import Path

from tandem.align.cover import WIDTH, Seating, grouped, mark, seat
from tandem.contract import Contract
from tandem.errors import ContractError, InputError
from tandem.node import disk
from tandem.node.keys import derive

KIND = "tandem-companions-1"
KEY_WIDTH = 32


def seated(ids: list[bytes], contract: Contract, seed: bytes, shelf: Path) -> Seating:
    """Seat the table's people for this contract; people new to this bank are put into groups first, and the file in `shelf` grows.

    Raises ContractError if the bank's groups were made with another `cover` or for another form of identifier, InputError if the file is
    damaged or not private, or nobody in it is in the table.
    """
    bank, size = contract.bank.signing_key, contract.layout.cover
    people = mark(ids, derive(seed, "companions", bank).draw(KEY_WIDTH))
    path = shelf / f"companions-{bank[:16]}.bin"
    head = f"{KIND} {size} {contract.identifier}\n".encode()
    known = _read(path, head, size, contract) if path.exists() else b""
    groups = grouped(known, people, size)
    if known and len(groups) - len(known) == len(ids) // size * size * WIDTH > 0:
        raise InputError(f"{path} knows nobody in the table: it was made with another seed, or of other people; restore seed or table")
    if groups != known:
        disk.write(path, head + groups)
    return seat(groups, people, size, derive(seed, "order", contract.digest))


def told(seating: Seating) -> str:
    """Return what the operator should know of the groups, in counts."""
    groups, size = seating.seats.shape
    return (
        f"{groups} cover groups of {size}: {seating.thinned} of them lost people and hide a customer among fewer; {seating.broken} more "
        f"lost half or more and are not offered; {seating.waiting} people wait for companions"
    )


def _read(path: Path, head: bytes, size: int, contract: Contract) -> bytes:
    data = disk.read_private(path)
    found, newline, groups = data.partition(b"\n")
    words = found.decode(errors="replace").split()
    if not newline or len(words) != 3 or words[0] != KIND:
        raise InputError(f"{path} is damaged or of another version: restore it from its backup")
    if found + newline != head:
        raise ContractError(
            f"contract {contract.id}: layout.cover is {size} and identifier {contract.identifier}, but for this bank our people are in "
            f"groups of {words[1]} by {words[2]}: rosters under two groupings, laid over each other, name customers. Draft the contract "
            f"like the earlier ones; or, if bank and telco both accept that, move {path} away"
        )
    if len(groups) % (size * WIDTH):
        raise InputError(f"{path} is damaged: it ends within a group; restore it from its backup")
    return groups
