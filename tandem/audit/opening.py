"""The auditor's check: drawn rows against what the telco received, and against what an honest bank's rows can be.

    telco's ledger          request             answer                      findings
    digest of each chunk    seed, rows  ->      frames, r of each row
        SHA-256 of a frame = its digest                                     digest
        (1 + P*n) * r^n = c mod n^2, for one P                              randomness
        P in the declared slots alone, each in its range                    undeclared, range
        numbers of a row bound to each other, and to other passes           weight, column, label ...
        as many rows train as the hold-out share lets expect                few_train

Nothing is trusted that the bank says: each frame is held against the telco's ledger before it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tandem.audit import rows as checks
from tandem.audit.answer import Answer, Opened
from tandem.audit.received import AnyTerms, Sealing, chunk_rows, draw, layout_of
from tandem.audit.request import Request
from tandem.crypto.paillier import Foreign, PublicKey, admit, reveal
from tandem.crypto.proof import verify_modulus
from tandem.crypto.slots import Layout
from tandem.errors import InputError, RemoteProtocolError
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Key, Sealed

NO_ROW = -1
"""In place of a row where a whole sealing is at fault."""


@dataclass(frozen=True)
class Finding:
    """Something that an honest bank's answer does not have. `row` is a place in the roster."""

    sealing: str
    row: int
    what: str


@dataclass(frozen=True)
class Verdict:
    """What came of an audit: of each sealing (name, rows received, rows opened), and the findings."""

    opened: tuple[tuple[str, int, int], ...]
    findings: tuple[Finding, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def audit(
    contract: bytes, terms: AnyTerms, trains: float, received: Sequence[Sealing], request: Request, answer: Answer,
    tick: Callable[[int], None] = lambda _: None,
) -> Verdict:
    """Check every row that the request drew. `trains`: share of rows that train at least, on average.

    Raises InputError where request and ledger do not belong together.
    """
    there = {(one.session, one.part, one.rows): one for one in received}
    for session, _, count in (one for one in request.sealings if one not in there):
        raise InputError(f"the telco's ledger has no session {session[:8]} with {count} sealed rows: it is not the one that was asked by")
    findings: list[Finding] = []
    opened: list[tuple[str, int, int]] = []
    known: dict[tuple[int, int], list[tuple[Sealing, list[int]]]] = {}
    for asked in request.sealings:
        sealing = there[asked]
        found = Opening(contract, terms, sealing, answer)
        rows = found.rows(request, tick)
        findings += found.findings
        if checks.too_few_train(terms, sealing, list(rows.values()), trains):
            findings.append(Finding(sealing.name, NO_ROW, "few_train"))
        for row, values in rows.items():
            for earlier, before in known.get((sealing.job, row), []):
                findings += [Finding(sealing.name, row, what) for what in _apart(terms, earlier, before, sealing, values)]
            known.setdefault((sealing.job, row), []).append((sealing, values))
        opened.append((sealing.name, found.there, len(rows)))
    return Verdict(tuple(opened), tuple(findings))


def _apart(terms: AnyTerms, earlier: Sealing, before: list[int], sealing: Sealing, values: list[int]) -> list[str]:
    if sealing.part and not earlier.part and sealing.session == earlier.session:
        return [] if before[2:3] == values else ["weight_differs"]
    return [] if sealing.part or earlier.part else list(checks.disagree(terms, before, values))


class Opening:
    """The opening of one sealing's drawn rows; `findings` grows."""

    def __init__(self, contract: bytes, terms: AnyTerms, sealing: Sealing, answer: Answer) -> None:
        self.contract, self.terms, self.sealing, self.answer = contract, terms, sealing, answer
        self.layout: Layout = layout_of(terms, sealing.script, sealing.part)
        self.findings: list[Finding] = []
        self.there = sealing.rows
        """Rows received: the most that there can be, until the last chunk is seen."""

    def rows(self, request: Request, tick: Callable[[int], None]) -> dict[int, list[int]]:
        """Return the numbers of every drawn row that could be opened. How many there are to draw from, the last chunk says."""
        given = self.answer.opened.get((self.sealing.session, self.sealing.part))
        if given is None:
            self._find(NO_ROW, "missing")
            return {}
        key = self._key(given)
        if key is None:
            return {}
        found: dict[int, list[int]] = {}
        step, last = chunk_rows(self.terms, self.layout), len(self.sealing.frames) - 1
        end = self._chunk(given, last, last * step)
        if end is None:
            return {}
        self.there = last * step + len(end) // (self.layout.ciphertexts * key.width)
        drawn = draw(request.seed, self.there, request.rows).tolist()
        for chunk in sorted({row // step for row in drawn}):
            wanted = [row for row in drawn if row // step == chunk]
            sealed = end if chunk == last else self._chunk(given, chunk, chunk * step)
            for row in wanted:
                tick(1)
                values = None if sealed is None else self._row(key, sealed, row - chunk * step, row, given.roots.get(row, []))
                if values is not None:
                    found[row] = values
        return found

    def _key(self, given: Opened) -> PublicKey | None:
        """Return the modulus that the telco heard in that session, checked as the telco checked it."""
        said = self._received(Key, given.key, self.sealing.key)
        try:
            if said is not None:
                key = PublicKey.load(said.modulus, self.terms.key_bits)
                verify_modulus(key, self.contract, said.proof)
                return key
        except RemoteProtocolError:
            pass  # told below, as a key that is not there
        self._find(NO_ROW, "key")
        return None

    def _chunk(self, given: Opened, chunk: int, first: int) -> bytes | None:
        """Return the ciphertexts of a chunk, if these are the bytes that the telco received."""
        said = self._received(Sealed, given.frames.get(chunk, ""), self.sealing.frames[chunk])
        if said is None or said.first != first:
            self._find(first, "digest")
            return None
        sealed: bytes = said.rows.data
        return sealed

    def _received(self, kind: type[Any], name: str, digest: str) -> Any:
        """Return the message in the frame of this name, if it is the frame that the telco's ledger names; else None."""
        data = self.answer.frame(name)
        if not is_received(data, digest):
            return None
        try:
            return decode(kind, Frame.from_bytes(data).payload)
        except RemoteProtocolError:
            return None

    def _row(self, key: PublicKey, sealed: bytes, at: int, row: int, roots: Sequence[int]) -> list[int] | None:
        width = self.layout.ciphertexts * key.width
        data = sealed[at * width : (at + 1) * width]
        if len(roots) != self.layout.ciphertexts:
            self._find(row, "missing")
            return None
        try:
            plain = reveal(admit(key, Foreign(data)), roots)
        except (RemoteProtocolError, ValueError):
            self._find(row, "randomness")
            return None
        values = checks.values(self.layout, plain)
        if values is None:
            self._find(row, "undeclared")
            return None
        for what in checks.faults(self.terms, self.layout, values):
            self._find(row, what)
        return values

    def _find(self, row: int, what: str) -> None:
        self.findings.append(Finding(self.sealing.name, row, what))


def is_received(frame: bytes, digest: str) -> bool:
    """Tell whether these bytes are the frame that the telco's ledger names."""
    return hashlib.sha256(frame).hexdigest() == digest
