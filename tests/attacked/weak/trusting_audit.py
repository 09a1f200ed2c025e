"""An audit with one of its checks taken out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from bank_party.sealings import KeptFrame
from tandem.audit import opening, rows
from tandem.crypto.slots import Layout, signed_digits
from tandem.wire.codec import Frame


@contextmanager
def without_digests() -> Iterator[None]:
    """The bank may show other rows than the telco received."""
    with patch.object(opening, "is_received", lambda *_: True):
        yield


@contextmanager
def without_ranges() -> Iterator[None]:
    """Whatever numbers a row holds, it is an honest one."""

    def values(layout: Layout, plain: Sequence[int]) -> list[int]:
        return [digit for part, number in enumerate(plain) for digit in signed_digits(number, layout.width, len(layout.part(part)))]

    with patch.object(rows, "faults", lambda *_: ()), patch.object(rows, "values", values):
        yield


@contextmanager
def without_counting() -> Iterator[None]:
    """However few rows train, the others were held out."""
    with patch.object(rows, "too_few_train", lambda *_: False):
        yield


@contextmanager
def without_comparing() -> Iterator[None]:
    """The bank opens whatever its files give, and the auditor takes it."""

    def whole(kept: KeptFrame, contract: bytes, payload: bytes) -> bytes:
        place = (contract, bytes.fromhex(kept.session), "sealer", kept.line, kept.number, bytes.fromhex(kept.previous))
        return Frame(*place, kept.kind, payload).to_bytes()

    with without_digests(), patch.object(KeptFrame, "whole", whole):
        yield
