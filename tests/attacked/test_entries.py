"""That no entry is forgotten: a new message with ciphertexts, or a new module that lets them in, must be tried with planted ones too."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import tandem
from attacked.entries import ENTRIES, enter
from attacked.sealed_sums import key
from tandem.arguments import Seeded
from tandem.errors import FactorPlanted
from tandem.wire import messages

TRIED = {"Sealed", "Shares", "PairSums", "Table", "Scores"}
ADMITTING = {
    "sums/cells.py", "sums/sealer.py", "sums/solver.py", "score/summer.py", "plan/kernels.py",
    "audit/opening.py",  # frames that the telco let in before; tests/audit shows that a planted one is found
    "audit/trying.py",  # plants them itself
}


def test_every_message_with_ciphertexts_has_an_entry():
    kinds = {
        name for name, kind in vars(messages).items()
        if dataclasses.is_dataclass(kind) and any("Ciphertexts" in str(field.type) for field in dataclasses.fields(kind))
    }
    assert kinds == TRIED


def test_ciphertexts_are_let_in_where_we_think():
    root = Path(tandem.__file__).parent
    found = {
        str(path.relative_to(root)) for path in root.rglob("*.py")
        if path.parent.name != "crypto" and "from tandem.crypto.paillier import" in (text := path.read_text(encoding="utf-8"))
        and re.search(r"\badmit\(", text)
    }
    assert found == ADMITTING


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_takes_what_is_honest_and_nothing_planted(entry):
    secret = key(512)
    honest = secret.seal([3, 4], Seeded(b"honest")).encode()
    assert enter(secret, entry, honest) is None
    with pytest.raises(FactorPlanted):
        enter(secret, entry, honest + bytes(secret.public.width))
