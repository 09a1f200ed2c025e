"""JSON files of our own that are read back: whole or not at all, and with a digest of what they hold, so that no damage goes unnoticed.

A digit that flipped on a disk would else be a model, a silent one. The digest is no signature: who may write the file may write it anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tandem.errors import InputError
from tandem.node import disk

DIGEST = "sha256"
"""Field of the digest: SHA-256, in hex, of the other fields as JSON, keys sorted, without spaces."""


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the file (0600), whole or not at all. Raises InputError where it cannot be."""
    disk.write(path, json.dumps({**content, DIGEST: _digest(content)}, ensure_ascii=False, indent=1).encode())


def read(path: Path) -> dict[str, Any]:
    """Return what the file holds. Raises InputError if it is missing, open to others, damaged, or was changed by hand."""
    try:
        found: dict[str, Any] = json.loads(disk.read_private(path))
        digest = found.pop(DIGEST)
        sound = digest == _digest(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        sound = False
    if not sound:
        raise InputError(f"{path} is damaged, was changed by hand, or is of an older version: restore it from its backup, or make it again")
    return found


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
