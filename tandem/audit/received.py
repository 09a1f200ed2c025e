"""What a telco's ledger says of sealed rows that came in: which sessions, how many rows, and the digest of each chunk's frame."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

import numpy as np

from tandem.contract import BANK, Contract
from tandem.crypto.paillier import PublicKey
from tandem.crypto.slots import Layout
from tandem.errors import InputError
from tandem.ledger.chain import Entry
from tandem.measure.terms import Terms as MeasureTerms
from tandem.sums.terms import Integers, Terms, chunk_length
from tandem.wire.codec import LENGTH, Frame, bucket

SCRIPTS = ("describe", "train", "errors", "measure")
"""Scripts in which rows are sealed; `errors` seals twice: rows, then their weights alone."""
LEAST = LENGTH + int.from_bytes(Frame(bytes(32), bytes(16), "sealer", 1, 1, bytes(32), "Sealed", b"").to_bytes()[:LENGTH], "little")
"""Bytes of a frame of sealed rows without the rows and what fills it up, about; a few more where numbers are long."""
MOST_MORE = 24
"""By which it may be longer: numbers of line, frame and row, and lengths."""

AnyTerms = Terms | MeasureTerms


@dataclass
class Sealing:
    """Rows that one session brought in one piece, chunk by chunk."""

    session: str
    script: str
    part: int
    """0, or 1 for the second piece of a session."""
    job: int
    """Alignments that came before, in this ledger: rows of one job stand in one order."""
    key: str
    """Digest (hex) of the frame that brought the modulus."""
    frames: list[str] = field(default_factory=list)
    """Digests (hex) of the chunks' frames."""
    rows: int = 0
    """As many as the frames can hold: they are filled up, so there may be some fewer in the last one."""

    @property
    def name(self) -> str:
        """What findings call it."""
        return f"{self.script} {self.session[:8]}" + (" weights" if self.part else "")


def terms_of(contract: Contract) -> AnyTerms:
    """Return what the contract fixes of sealed rows."""
    return Terms.of(contract) if contract.measurement is None else MeasureTerms.of(contract)


def trains_of(contract: Contract) -> float:
    """Return the share of the roster that trains at least, on average: customers, of whom there is one in a cover group, not held out."""
    return float(1 - contract.layout.hold_out_share) / contract.layout.cover


def layout_of(terms: AnyTerms, script: str, part: int = 0) -> Layout:
    """Return how a row of such a session is packed, under a modulus of the contract's length."""
    key = PublicKey((1 << terms.key_bits) - 1)  # the length is all that a layout asks of a key
    if isinstance(terms, MeasureTerms):
        return terms.layout(key)
    return terms.weight_layout(key) if part else terms.layout(key, statistics_only=script == "describe")


def row_width(terms: AnyTerms, layout: Layout) -> int:
    """Return the bytes of a sealed row."""
    return layout.ciphertexts * PublicKey((1 << terms.key_bits) - 1).width


def chunk_rows(terms: AnyTerms, layout: Layout) -> int:
    """Return the rows of every chunk but the last."""
    return chunk_length(row_width(terms, layout))


def sealings(entries: Iterable[Entry], contract: bytes, terms: AnyTerms) -> list[Sealing]:
    """Return all that came in under a contract (digest), in order, from the telco's ledger. Raises InputError for sizes that cannot be."""
    found: list[Sealing] = []
    keys: dict[str, str] = {}
    growing: dict[str, Sealing] = {}
    jobs = 0
    for entry in entries:
        if (entry.contract, entry.direction, entry.peer) != (contract.hex(), "received", BANK):
            continue
        if entry.script == "align" and entry.message == "Opening":
            jobs += 1
        if entry.script not in SCRIPTS:
            continue
        if entry.message == "Key":
            keys[entry.session] = entry.frame
        elif entry.message == "End":
            growing.pop(entry.session, None)
        elif entry.message == "Sealed":
            if entry.session not in growing:
                part = sum(one.session == entry.session for one in found)
                growing[entry.session] = Sealing(entry.session, entry.script, part, jobs, keys.get(entry.session, ""))
                found.append(growing[entry.session])
            _grow(growing[entry.session], entry, terms)
    return found


def _grow(sealing: Sealing, entry: Entry, terms: AnyTerms) -> None:
    width = row_width(terms, layout_of(terms, sealing.script, sealing.part))
    step = chunk_length(width)
    rows = min(step, (entry.size - LEAST) // width)
    filled = (bucket(LEAST + rows * width), bucket(LEAST + rows * width + MOST_MORE))
    if rows < 1 or entry.size not in filled or sealing.rows != step * len(sealing.frames):
        raise InputError(f"entry {entry.number} is of {entry.size} bytes, as no chunk of rows of this contract: was the key another?")
    sealing.frames.append(entry.frame)
    sealing.rows += rows


def draw(seed: bytes, rows: int, count: int) -> Integers:
    """Return `count` of `rows` positions, ascending (all, if there are no more), drawn by a seed.

    A position has the same lot however many others there are: so the same persons are drawn in every session of a job, and an auditor
    learns of `count` persons, not of as many in each session.
    """
    lots = np.frombuffer(hashlib.shake_256(b"tandem-audit-draw-v1" + seed).digest(8 * rows), "<u8")
    return np.sort(np.argsort(lots, kind="stable")[:count]).astype(np.int64)


def persons(seed: bytes, rows: int, sealings: Iterable[tuple[Hashable, int]]) -> int:
    """Return how many persons a draw of `rows` in each of (job, rows received) opens: those of one job once, of two jobs twice.

    More than `rows` where there are several jobs, or a session was cut off before all rows had come.
    """
    drawn: dict[Hashable, set[int]] = {}
    for job, received in sealings:
        drawn.setdefault(job, set()).update(draw(seed, received, rows).tolist())
    return sum(map(len, drawn.values()))
