"""A bank's answer to an auditor: a ZIP file, nothing compressed, of frames as they were sent and a signed list.

    <sha256>.frame    each chunk that holds a drawn row, and each modulus: the frame's bytes, ciphertexts and all
    answer.json       which frame is which, and of each drawn row the randomness r of its ciphertexts; signed by the bank

A row is opened by its r: with it anybody reads the plaintext of that ciphertext and of no other. The other rows of a chunk stay sealed;
they are there because the telco's ledger has the digest of the whole frame.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tandem.audit import signed
from tandem.contract import Contract
from tandem.errors import InputError
from tandem.node import disk
from tandem.wire.codec import ENVELOPE_LIMIT

KIND = "tandem-audit-answer"
LIST = "answer.json"
_LIST_LIMIT = 1 << 30
"""Bytes of the list; a row has about a kilobyte."""


@dataclass
class Opened:
    """What is opened of one sealing. `frames`: name of the frame by chunk; `roots`: of each drawn row, one r a ciphertext."""

    session: str
    part: int
    key: str = ""
    frames: dict[int, str] = field(default_factory=dict)
    roots: dict[int, list[int]] = field(default_factory=dict, repr=False)


class Writing:
    """An answer being written; frames go to the disk as they come."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive, self._there = archive, set[str]()

    def put(self, frame: bytes) -> str:
        """Add a frame and return its name."""
        name = hashlib.sha256(frame).hexdigest()
        if name not in self._there:
            self._archive.writestr(f"{name}.frame", frame)
            self._there.add(name)
        return name


@contextmanager
def writing(path: Path, contract: Contract, request: str, opened: list[Opened], key: Ed25519PrivateKey) -> Iterator[Writing]:
    """Give what frames are put into; at the end of the block `opened` is signed and the file takes its name, whole or not at all."""
    with disk.writing(path) as file, zipfile.ZipFile(file, "w") as archive:
        yield Writing(archive)
        fields = {
            "request": request,
            "sealings": [
                {
                    "session": one.session, "part": one.part, "key": one.key,
                    "frames": [[chunk, name] for chunk, name in sorted(one.frames.items())],
                    "rows": [[row, *(f"{root:x}" for root in roots)] for row, roots in sorted(one.roots.items())],
                }
                for one in opened
            ],
        }
        archive.writestr(LIST, signed.dumps(KIND, contract, fields, key))


class Answer:
    """An answer on disk, its signature checked. Frames are read one at a time. Raises InputError."""

    def __init__(self, path: Path, contract: Contract, request: str) -> None:
        """Read the list. `request`: digest (hex) of the request that it must answer."""
        self._path = path
        try:
            self._archive = zipfile.ZipFile(path)
            data = self._read(LIST, _LIST_LIMIT)
        except OSError as failure:
            raise disk.explain(failure, path, "read") from None
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
            raise InputError(f"{path} is no answer to an audit, or was cut short: fetch it again") from None
        found = signed.loads(KIND, contract, data, contract.bank.signing_key, str(path))
        try:
            self.opened = {(one.session, one.part): one for one in map(_opened, found["sealings"])}
        except (ValueError, KeyError, TypeError):
            raise InputError(f"{path} is no answer of this version") from None
        if found.get("request") != request:
            raise InputError(f"{path} answers another request than the one given")

    def frame(self, name: str) -> bytes:
        """Return a frame by its name, b"" if it is not there; its bytes are held against nothing yet."""
        try:
            return self._read(f"{name}.frame", ENVELOPE_LIMIT)
        except (KeyError, zipfile.BadZipFile):
            return b""

    def close(self) -> None:
        """Close the file."""
        self._archive.close()

    def _read(self, name: str, limit: int) -> bytes:
        if self._archive.getinfo(name).file_size > limit:  # what a reader is told; it reads no more than that
            raise InputError(f"{self._path}: {name} is larger than anything of ours")
        return self._archive.read(name)


def _opened(found: dict[str, Any]) -> Opened:
    roots = {int(row): [int(root, 16) for root in roots] for row, *roots in found["rows"]}
    frames = {int(chunk): str(name) for chunk, name in found["frames"]}
    return Opened(str(found["session"]), int(found["part"]), str(found["key"]), frames, roots)
