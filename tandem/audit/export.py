"""A ledger's export: one JSON file that travels to the other party or an auditor, signed by the node's Ed25519 key.

    {"kind":"tandem-ledger-export", ... ,"entries":[      what is exported, by whom; head of the chain; counters
    {...},                                                one entry a line, as its hash covers it, with that hash
    {...}
    ],
    "signature":"..."}                                    Ed25519 over DOMAIN and SHA-256 of every byte before this line

Any program reads it as JSON; ours goes line by line, so that a ledger of a million entries needs no memory.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tandem.contract import ROLES, Role, public_hex, verifies
from tandem.errors import InputError, TandemError
from tandem.ledger.chain import Entry, Follower, canonical
from tandem.ledger.disclosure import Disclosed
from tandem.ledger.owner import owner
from tandem.node import disk
from tandem.node.ledger_store import Ledger
from tandem.node.recorder import now

FORMAT = 1
KIND = "tandem-ledger-export"
DOMAIN = b"tandem-ledger-export-v1\0"
_LINE = 1 << 20
"""Bytes of one line; a real one has about five hundred."""
_OPEN, _CLOSE = ',"entries":[', b"],\n"
_LAST = re.compile(rb'"signature":"((?:[0-9a-f]{128})?)"}\n')

Signature = Literal["none", "holds", "fails"]


class LedgerBroken(TandemError):
    """The chain of a ledger does not hold, its signature fails, or it is not what was exported before."""


def party_of(ledger: Ledger, contract: str = "") -> Role:
    """Return whose ledger it is. Raises InputError where its entries do not say."""
    found = owner(ledger.classes(contract))
    if found is None:
        raise InputError(f"{ledger.place} holds too few entries{' of that contract' if contract else ''} to tell whose it is")
    return found


def write(
    ledger: Ledger, path: Path, key: Ed25519PrivateKey | None, contract: str = "", *,
    tick: Callable[[int], None] = lambda _: None, clock: Callable[[], str] = now,
) -> int:
    """Export the ledger, or its entries of one contract (digest, hex), to a new file; return how many. `tick` hears of each entry.

    Raises LedgerBroken where the chain does not hold (nothing is written: nobody should sign that), InputError.
    """
    with ledger.snapshot(), disk.writing(path) as file:
        head = {
            "contract": contract, "format": FORMAT, "head": list(ledger.head), "key": public_hex(key) if key else "", "kind": KIND,
            "made": clock(), "party": party_of(ledger, contract), "rows": sum(row[-1] for row in ledger.classes(contract)),
            "used": [list(each) for each in ledger.usage() if contract in {"", each[0]}],
        }
        covered, chain, rows = hashlib.sha256(), Follower(), 0

        def put(text: str) -> None:
            data = text.encode()
            covered.update(data)
            file.write(data)

        put(_plain(head)[:-1] + _OPEN + "\n")
        for entry in ledger.entries():
            chain.take(entry)
            if chain.found is not None:
                break
            tick(1)
            if contract in {"", entry.contract}:
                put((",\n" if rows else "") + canonical(entry, bound=True))
                rows += 1
        found = chain.end(ledger.head)
        if found is not None:
            raise LedgerBroken(f"{ledger.place}: {found.reason}. Nothing was exported; see `tandem ledger verify`")
        put("\n" + _CLOSE.decode())
        signature = key.sign(DOMAIN + covered.digest()).hex() if key else ""
        file.write(f'"signature":"{signature}"}}\n'.encode())
    return rows


@dataclass
class Export:
    """An export on disk, and what its first line says; `entries` reads the rest. Raises InputError for a file of another kind or form."""

    path: Path
    party: Role
    rows: int
    head: tuple[int, str]
    contract: str
    """The one contract (digest, hex) whose entries it holds, "" for all."""
    used: list[tuple[str, str, int]]
    key: str
    """The Ed25519 key (hex) it was signed with, "" for none."""
    made: str
    signature: Signature = "none"
    """Known once `entries` was read to the end."""

    @classmethod
    def open(cls, path: Path) -> Export:
        """Read the first line."""
        with _reading(path) as file:
            first = file.readline(_LINE)
        try:
            text = first.decode()
            fields = json.loads(text.removesuffix(_OPEN + "\n") + "}")
            _require(text == _plain(fields)[:-1] + _OPEN + "\n" and (fields["kind"], fields["format"]) == (KIND, FORMAT))
            checked = _Header.read(fields)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(f"{path} is neither a ledger nor an export of this version: make one with `tandem ledger export`") from None
        return cls(path, checked.party, checked.rows, checked.head, checked.contract, checked.used, checked.key, checked.made)

    @property
    def place(self) -> str:
        """What errors call it."""
        return str(self.path)

    def entries(self) -> Iterator[Entry]:
        """Yield the entries in order, line by line; at the end `signature` is known."""
        with _reading(self.path) as file:
            first = file.readline(_LINE)
            covered, number = hashlib.sha256(first), 1
            line = file.readline(_LINE)
            while line != _CLOSE:
                number += 1
                covered.update(line)
                following = file.readline(_LINE)
                yield self._entry(line, number, last=following == _CLOSE)
                line = following
            covered.update(line)
            last = _LAST.fullmatch(file.read(_LINE))
        if last is None:
            raise InputError(f"{self.path} does not end as an export does: it was cut short, or something was added; fetch it again")
        if number - 1 != self.rows:
            raise LedgerBroken(f"{self.path} says that it holds {self.rows:,} entries and holds {number - 1:,}: it was changed")
        if self.key or last[1]:
            valid = verifies(_bytes(self.key), bytes.fromhex(last[1].decode()), DOMAIN + covered.digest())
            self.signature = "holds" if valid else "fails"

    def _entry(self, line: bytes, number: int, *, last: bool) -> Entry:
        try:
            text = line.decode().removesuffix("\n" if last else ",\n")
            found: dict[str, Any] = json.loads(text)
            disclosed = tuple(Disclosed(**each) for each in found.pop("disclosed"))
            entry = Entry(**found, disclosed=disclosed)
            _require(len(found) == len(fields(Entry)) - 1 and canonical(entry, bound=True) + ("\n" if last else ",\n") == line.decode())
            _require(all(type(value) is (int if name in {"number", "size"} else str) for name, value in found.items()))
            _require(all((type(each.to), type(each.what), type(each.bits)) == (str, str, int) for each in disclosed))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise LedgerBroken(f"{self.path}: line {number} is no entry of an export: it was changed, or the file was cut short") from None
        return entry


@dataclass(frozen=True)
class _Header:
    """The first line, its types checked."""

    party: Role
    rows: int
    head: tuple[int, str]
    contract: str
    used: list[tuple[str, str, int]]
    key: str
    made: str

    @classmethod
    def read(cls, found: dict[str, Any]) -> _Header:
        number, last = found["head"]
        used = [(contract, counter, amount) for contract, counter, amount in found["used"]]
        words = [found["contract"], found["key"], found["made"], last, *(word for row in used for word in row[:2])]
        counts = [number, found["rows"], *(row[2] for row in used)]
        _require(found["party"] in ROLES and all(type(word) is str for word in words) and all(type(count) is int for count in counts))
        return cls(cast("Role", found["party"]), found["rows"], (number, last), found["contract"], used, found["key"], found["made"])


def _reading(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as failure:
        raise disk.explain(failure, path, "read") from None


def _plain(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _require(condition: bool) -> None:  # noqa: FBT001 - the condition itself
    if not condition:
        raise ValueError


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
