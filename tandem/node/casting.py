"""What a party brings to a session: its script, the role it plays, who plays the others, and what becomes of the result.

Where the bank solves (contract, layout.solver) it plays sealer and solver in one process, and its solver dials the telco: it listens to
nobody. The lines of a script are the same whoever solves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tandem.contract import BANK, COORDINATOR, PROTOCOL, TELCO, Contract, Role
from tandem.errors import ContractError, OutOfTurn
from tandem.session.script import Script
from tandem.session.session import Role as Playing
from tandem.train.script import OPEN
from tandem.wire.messages import Opening

PLAYERS: Mapping[str, Role] = {
    "seeker": BANK, "asker": BANK, "holder": TELCO, "sealer": BANK, "summer": TELCO, "solver": COORDINATOR,
}
"""Which party plays which role of a script where a coordinator solves. In the table of disclosures this is a role's column."""

STAGES: Mapping[str, int] = {"align": 0, "describe": 0, "serve": 0, "measure": 0, "tell": 1}
"""The one stage at which a script that is no step of a training is opened. What a step costs and answered is counted by its stage."""

VERSION = str(PROTOCOL)
"""Of the protocols, as openings name it: both sides must speak the same."""


@dataclass(frozen=True)
class Cast:
    """A role ready to play. `finish` is called with its result once all roles have closed; what it keeps is plain values."""

    script: Script
    role: str
    playing: Playing[Any] = field(repr=False)
    finish: Callable[[Any], None] = lambda _: None


class Troupe(Protocol):
    """A listening party: looks contracts up and casts itself when somebody calls."""

    role: Role
    scripts: Mapping[str, Script]
    """The scripts that this party plays in, by name: what it may be called for."""

    def contract(self, digest: bytes) -> Contract:
        """Return the live contract of this digest. Raises ContractError."""

    def cast(self, contract: Contract, session: bytes, opening: Opening) -> Cast:
        """Hold the declared sizes against caps and budgets, and return the role. Runs in a thread. Raises any TandemError to refuse."""


def player(contract: Contract, role: str) -> Role:
    """Return which party plays this role of a script under the contract."""
    return contract.filled_by(PLAYERS[role])


def arranged(script: Script, contract: Contract) -> Script:
    """Return the script as the contract has it played: its lines by `layout.weights`, who dials whom by `layout.solver`."""
    if contract.layout.weights == "open":
        script = OPEN.get(script.name, script)
    return script.turned(lambda role: player(contract, role) != BANK)


def callers(script: Script, party: Role, contract: Contract) -> tuple[str, ...]:
    """Return the roles of `script` that call the party's own role in it; nobody else may open such a session. Raises OutOfTurn."""
    script = arranged(script, contract)
    for role in script.roles:
        if player(contract, role) == party:
            return tuple(peer for peer in script.peers(role) if role in script.called_by(peer))
    raise OutOfTurn(f"the {party} plays no role in script {script.name!r}")


def same_version(opening: Opening) -> None:
    """Pass if the caller speaks our version of the protocols. Raises ContractError: one of the two has to update."""
    if opening.version != VERSION:
        raise ContractError(
            f"the caller speaks version {opening.version[:20]!r} of the protocols, this node {VERSION!r}: update the older of the two"
        )


def size(opening: Opening, name: str) -> int:
    """Return a declared size. Raises OutOfTurn if it was not declared."""
    declared = dict(zip(opening.size_names, opening.sizes, strict=False))
    if name not in declared or len(opening.size_names) != len(opening.sizes):
        raise OutOfTurn(f"an opening that does not declare its {name}")
    return declared[name]


def stage_of_its_own(opening: Opening) -> None:
    """Pass if the script is a step of a training, or opened at its one stage. Raises OutOfTurn: elsewhere it is a step not paid for."""
    stage = STAGES.get(opening.script, opening.stage)
    if opening.stage != stage:
        raise OutOfTurn(f"{opening.script} as stage {opening.stage}, where it is stage {stage} of every job")


def due_step(order: tuple[Script, ...], due: int) -> str:
    """Return the name of the step that is due, as `checkpoints.step_of` has it; nothing after the last."""
    return f"{order[due - 1].name}-{due}" if due <= len(order) else ""


def stage_in_order(opening: Opening, due: int, order: tuple[Script, ...], *, begun: bool) -> None:
    """Pass if this is the session that is due, or, unless that one has `begun`, the one before; `order` holds the script of stage 1 and on.

    A caller may stand one stage behind: it keeps its result after we kept ours. Raises OutOfTurn.
    """
    near = opening.stage == due or (not begun and opening.stage == due - 1)
    if not near or not 1 <= opening.stage <= len(order) or opening.script != order[opening.stage - 1].name:
        raise OutOfTurn(f"stage {opening.stage} of {opening.script[:20]!r} where stage {due} of {len(order)} was due")
