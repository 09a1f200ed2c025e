"""Whose ledger it is, told from its rows: what may be sent to whom is declared, so each class of frames leaves few parties to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from tandem.contract import BANK, COORDINATOR, ROLES, TELCO, Role
from tandem.ledger.disclosure import DECLARED, Declared


def owner(classes: Iterable[tuple[str, str, str, str, int]]) -> Role | None:
    """Return the party that most rows speak of, from (direction, peer, script, message, frames) of every class; None if two fit as well.

    Honest rows agree on one party; a row that someone changed is outvoted.
    """
    votes: Counter[Role] = Counter()
    for direction, peer, script, message, frames in classes:
        declared = DECLARED.get(message)
        if declared is None:
            continue
        sent = direction == "sent"
        fitting = {own for own, other in (route if sent else route[::-1] for route in _routes(declared)) if other == peer}
        for role in fitting & _present(script):
            votes[role] += frames
    first, second = ([*votes.most_common(2), (None, 0), (None, 0)])[:2]
    return first[0] if first[1] > second[1] else None


def _routes(declared: Declared) -> Iterator[tuple[Role, Role]]:
    """Yield who says it to whom, a bank that solves in the coordinator's place included: the telco hears both its roles from it."""
    for route in declared.routes:
        yield route
        if set(route) == {TELCO, COORDINATOR}:
            yield (BANK, TELCO) if route[1] == TELCO else (TELCO, BANK)


def _present(script: str) -> set[Role]:
    """Return the parties of a script: alignment has no coordinator."""
    return set(ROLES) - ({"coordinator"} if script == "align" else set())
