"""The contract and the parties' public cards as TOML text. Text in, text out; `node.disk` reads and writes the files."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from pydantic import ValidationError

from tandem.contract.auditor import Auditor
from tandem.contract.fields import complaint
from tandem.contract.value import Contract, Party, Role
from tandem.errors import ContractError

TEXT_LIMIT = 1 << 20
"""Bytes of a contract file; a real one has about three thousand."""

_HEAD = """\
# A Tandem contract. Read it with `tandem contract show`, sign it with `tandem contract sign`.
# A field that is changed after a signature makes that signature void.

"""


class PartyCard(Party):
    """What a party hands to the bank before a contract is drafted: its public side and the role it will play."""

    role: Role

    @property
    def party(self) -> dict[str, Any]:
        """The fields that go into the contract."""
        return self.model_dump(exclude={"role"})


def dumps(contract: Contract) -> str:
    """Return the contract as TOML, signatures that exist included."""
    fields = contract.model_dump(exclude={"signatures"}, exclude_none=True)
    if not contract.tells:
        del fields["tells"]
    signatures = {role: text for role, text in contract.signatures.model_dump().items() if text}
    if signatures:
        fields["signatures"] = signatures
    return _HEAD + tomli_w.dumps(fields)


def loads(text: str, where: str = "contract.toml") -> Contract:
    """Return the contract in `text`. Raises ContractError naming `where` and the field."""
    return Contract.read(_toml(text, where), where)


def dumps_card(card: PartyCard) -> str:
    """Return the public card as TOML."""
    return tomli_w.dumps(card.model_dump())


def loads_card(text: str, where: str) -> PartyCard:
    """Return the public card in `text`. Raises ContractError naming `where` and the field."""
    try:
        return PartyCard.model_validate(_toml(text, where))
    except ValidationError as failure:
        raise ContractError(f"{where}: {complaint(failure)}") from None


def loads_auditor(text: str, where: str) -> Auditor:
    """Return the auditor's card in `text`. Raises ContractError naming `where` and the field."""
    try:
        return Auditor.model_validate(_toml(text, where))
    except ValidationError as failure:
        raise ContractError(f"{where}: {complaint(failure)}") from None


def _toml(text: str, where: str) -> dict[str, Any]:
    if len(text) > TEXT_LIMIT:
        raise ContractError(f"{where}: larger than {TEXT_LIMIT} characters: this is no file of ours")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as failure:
        raise ContractError(f"{where}: not TOML: {failure}: fetch the file again, or correct that line") from None
