"""Sealed rows, a telco that keeps the digest of what it hears, and an auditor: what the attacks on an audit are tried on."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np
from contracts import KEYS, NOW, unsigned
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from loopback_study import small_key

from bank_party.answering import answer
from bank_party.sealings import Sealings
from tandem.arguments import Seeded
from tandem.audit import opening
from tandem.audit import request as requests
from tandem.audit.answer import Answer, Opened, Writing, writing
from tandem.audit.received import AnyTerms, chunk_rows, draw, layout_of, sealings, trains_of
from tandem.contract import BANK, public_hex
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Blinded
from tandem.engine.serial import Serial
from tandem.errors import InputError
from tandem.ledger.chain import Entry
from tandem.session.session import START
from tandem.session.tap import Tapped, untapped
from tandem.sums.sealer import seal_rows
from tandem.sums.terms import Terms
from tandem.wire.codec import Frame, encode
from tandem.wire.messages import Key, Opening, Sealed

AUDITOR = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"auditor").digest())
CARD = {"name": "Auditors", "signing_key": public_hex(AUDITOR), "rows": 100_000}
CONTRACT = unsigned(layout={"bank_columns": 2, "key_bits": 2048}).amended({"auditor": CARD})
SESSION = bytes(range(16))


def small_terms(bits: int, rows: int) -> Terms:
    """Return terms with two columns under a short key."""
    return Terms(CONTRACT.digest, columns=2, variables=1, rows=rows, key_bits=bits)


def honest_rows(terms: Terms, count: int, seed: int = 1) -> np.ndarray:
    """Return a training pass's rows in fixed point: three in ten do not train."""
    rng = np.random.default_rng(seed)
    x, y, m = rng.normal(size=(count, terms.columns)).clip(-4, 4), rng.random(count) < 0.3, rng.random(count) < 0.7
    p = 1 / (1 + np.exp(-rng.normal(size=count)))
    w, r = p * (1 - p) * m, (p - y) * m
    return terms.fixed(np.column_stack((m, m * y, w, r, w[:, None] * x)))


@dataclass
class Link:
    """The bank's link to the telco: frames of one session, and the rows of the telco's ledger about them."""

    tap: object = untapped
    session: bytes = SESSION
    script: str = "train"
    frames: list[bytes] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    previous: bytes = START

    def carry(self, message, line: int) -> None:
        place = (CONTRACT.digest, self.session, "sealer", line, len(self.frames), self.previous)
        frame = Frame(*place, type(message).__name__, encode(message))
        data, self.previous = frame.to_bytes(), frame.digest
        self.tap(Tapped(True, "summer", self.script, 1, frame.kind, frame.number, data))
        self.frames.append(data)
        self.heard(frame.kind, data)

    def heard(self, kind: str, data: bytes = b"") -> None:
        """Let the telco's ledger have a row: of a frame from the bank."""
        digest = hashlib.sha256(data).hexdigest()
        place = (CONTRACT.digest.hex(), self.session.hex(), "received", BANK, self.script)
        self.entries.append(Entry("", *place, kind, len(data), digest, ()))


@dataclass
class Cheat:
    """A bank that sealed crafted plaintexts; `honest` is what stood in their place."""

    terms: Terms
    secret: SecretKey
    honest: list[int]
    sent: list[int]
    link: Link
    part: int = 0

    @classmethod
    def make(cls, bits: int, count: int, bend, link: Link | None = None) -> Cheat:
        """Return one whose plaintexts are bent; a row has one ciphertext."""
        terms = small_terms(bits, count)
        honest = [int(number) for number in layout_of(terms, "train").pack(honest_rows(terms, count))[0]]
        made = cls(terms, small_key(bits), honest, bend(honest), link or Link())
        made.link.carry(Key(made.secret.public.to_bytes(), made.secret.prove(CONTRACT.digest)), 1)
        made.send()
        return made

    def send(self) -> None:
        """Send the rows; a second time in a session they are its second piece."""
        for first, sealed in self.chunks(self.sent):
            self.link.carry(Sealed(first, sealed), 2 + self.part)
        self.link.heard("End")

    def chunks(self, plain):
        """Yield what a chunk begins with, and the chunk."""
        step = chunk_rows(self.terms, layout_of(self.terms, "train"))
        for first in range(0, len(plain), step):
            yield first, _seal(self.secret, tuple(plain[first : first + step]))

    def opened(self, rows: list[int], show, answering: Writing) -> Opened:
        """Return what it opens of `rows`: of the plaintexts that `show(honest, sent, drawn)` gives."""
        shown = list(self.chunks(show(self.honest, self.sent, rows)))
        sealed = Blinded.join([part for _, part in shown])
        opened = Opened(self.link.session.hex(), self.part, answering.put(self.link.frames[0]))
        mine = [frame for frame in map(Frame.from_bytes, self.link.frames) if frame.line == 2 + self.part]
        for chunk, (first, part) in enumerate(shown):
            opened.frames[chunk] = answering.put(replace(mine[chunk], payload=encode(Sealed(first, part))).to_bytes())
        opened.roots = {row: _roots(self.secret, sealed.part(row, row + 1)) for row in rows}
        return opened

    def passes(self, seed: bytes, drawn: int, show) -> bool:
        """Tell whether the bank passes an audit of so many rows."""
        return verdict([self], seed, drawn, show).clean


def verdict(banks: list[Cheat], seed: bytes, drawn: int, show) -> opening.Verdict:
    """Audit what one bank sealed in several sessions, or in two pieces of one."""
    links = {id(bank.link): bank.link for bank in banks}.values()
    received = sealings([entry for link in links for entry in link.entries], CONTRACT.digest, banks[0].terms)
    asked, opened = _request(received, drawn, seed), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answer.zip"
        with writing(path, CONTRACT, asked.digest, opened, KEYS[BANK]) as answering:
            opened += [bank.opened(draw(asked.seed, len(bank.sent), drawn).tolist(), show, answering) for bank in banks]
        return _verdict(banks[0].terms, received, asked, path)


@cache
def _seal(secret: SecretKey, plain: tuple[int, ...]) -> Blinded:
    return secret.seal(plain, Seeded(b"cheat").fork(hashlib.sha256(repr(plain).encode()).digest()))


@cache
def _roots(secret: SecretKey, one: Blinded) -> list[int]:
    return secret.roots(one)


def _request(received, rows: int, seed: bytes) -> requests.Request:
    return requests.read(requests.ask(CONTRACT, received, rows, hashlib.sha256(seed).digest(), AUDITOR, ""), CONTRACT)


def _verdict(terms: AnyTerms, received, asked: requests.Request, path: Path) -> opening.Verdict:
    given = Answer(path, CONTRACT, asked.digest)
    try:
        return opening.audit(CONTRACT.digest, terms, trains_of(CONTRACT), received, asked, given)
    finally:
        given.close()


class Honest:
    """A bank that seals honest rows by shipped code, keeps them, and answers by shipped code."""

    def __init__(self, folder: Path, secret: SecretKey, count: int, seed: int = 1) -> None:
        self.terms, self.secret, self.folder = Terms.of(CONTRACT), secret, folder
        self.kept = Sealings(folder / "sealed", CONTRACT, Seeded(b"seeds").fork(seed), clock=lambda: NOW)
        step = Opening("test", "train", 1, ("rows",), (count,), bytes(32), bytes(16), 1)
        self.link = Link(self.kept.tap(step))
        self.link.carry(Key(secret.public.to_bytes(), secret.prove(CONTRACT.digest)), 1)
        rows, keep = honest_rows(self.terms, count, seed), self.kept.keep(step.job, step.script, step.stage, step.attempt)
        for said in seal_rows(secret, self.terms.layout(secret.public), rows, Serial(), Seeded(b"unused"), keep):
            self.link.carry(said, 2)
        self.received = sealings(self.link.entries, CONTRACT.digest, self.terms)

    @property
    def rows_file(self) -> Path:
        """Where rows and seed are kept."""
        (path,) = self.kept.folder.glob("*.rows")
        return path

    def passes(self, seed: bytes, drawn: int) -> bool:
        """Tell whether the bank answers, and passes an audit of so many rows."""
        asked, opened, path = _request(self.received, drawn, seed), [], self.folder / "answer.zip"
        try:
            with writing(path, CONTRACT, asked.digest, opened, KEYS[BANK]) as answering:
                opened += answer(asked, CONTRACT, self.kept, self.secret, Serial(), answering)
        except InputError:
            return False
        return _verdict(self.terms, self.received, asked, path).clean
