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
from tandem.audit.answer import Answer, Opened, writing
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
    frames: list[bytes] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    previous: bytes = START

    def carry(self, message, line: int) -> None:
        frame = Frame(CONTRACT.digest, SESSION, "sealer", line, len(self.frames), self.previous, type(message).__name__, encode(message))
        data, self.previous = frame.to_bytes(), frame.digest
        self.tap(Tapped(True, "summer", "train", 1, frame.kind, frame.number, data))
        self.frames.append(data)
        self.entries.append(Entry(
            "", CONTRACT.digest.hex(), SESSION.hex(), "received", BANK, "train", frame.kind, len(data), hashlib.sha256(data).hexdigest(), ()
        ))


@dataclass
class Cheat:
    """A bank that sealed crafted plaintexts; `honest` is what stood in their place."""

    terms: Terms
    secret: SecretKey
    honest: list[int]
    sent: list[int]
    link: Link = field(default_factory=Link)

    @classmethod
    def make(cls, bits: int, count: int, bend) -> Cheat:
        """Return one whose plaintexts are bent; a row has one ciphertext."""
        terms, secret = small_terms(bits, count), small_key(bits)
        honest = [int(number) for number in layout_of(terms, "train").pack(honest_rows(terms, count))[0]]
        made = cls(terms, secret, honest, bend(honest))
        made.link.carry(Key(secret.public.to_bytes(), secret.prove(CONTRACT.digest)), 1)
        for first, part in made.chunks(made.sent):
            made.link.carry(Sealed(first, part), 2)
        return made

    def chunks(self, plain):
        """Yield what a chunk begins with, and the chunk."""
        step = chunk_rows(self.terms, layout_of(self.terms, "train"))
        for first in range(0, len(plain), step):
            yield first, self.sealed(plain[first : first + step])

    def sealed(self, plain) -> Blinded:
        return _seal(self.secret, tuple(plain))

    def passes(self, seed: bytes, drawn: int, show) -> bool:
        """Tell whether the bank passes an audit of so many rows; `show(honest, sent, drawn)` is what it shows."""
        received = sealings(self.link.entries, CONTRACT.digest, self.terms)
        asked = _request(received, drawn, seed)
        rows = draw(asked.seed, len(self.sent), drawn).tolist()
        shown = list(self.chunks(show(self.honest, self.sent, rows)))
        sealed = Blinded.join([part for _, part in shown])
        opened = Opened(SESSION.hex(), 0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.zip"
            with writing(path, CONTRACT, asked.digest, [opened], KEYS[BANK]) as answering:
                opened.key = answering.put(self.link.frames[0])
                for chunk, (first, part) in enumerate(shown):
                    sent = Frame.from_bytes(self.link.frames[chunk + 1])
                    opened.frames[chunk] = answering.put(replace(sent, payload=encode(Sealed(first, part))).to_bytes())
                opened.roots = {row: _roots(self.secret, sealed, row) for row in rows}
            return _passes(self.terms, received, asked, path)


@cache
def _seal(secret: SecretKey, plain: tuple[int, ...]) -> Blinded:
    return secret.seal(plain, Seeded(b"cheat").fork(hashlib.sha256(repr(plain).encode()).digest()))


def _roots(secret: SecretKey, shown: Blinded, row: int) -> list[int]:
    return _roots_of(secret, shown.part(row, row + 1))


@cache
def _roots_of(secret: SecretKey, one: Blinded) -> list[int]:
    return secret.roots(one)


def _request(received, rows: int, seed: bytes) -> requests.Request:
    return requests.read(requests.ask(CONTRACT, received, rows, hashlib.sha256(seed).digest(), AUDITOR, ""), CONTRACT)


def _passes(terms: AnyTerms, received, asked: requests.Request, path: Path) -> bool:
    given = Answer(path, CONTRACT, asked.digest)
    try:
        return opening.audit(CONTRACT.digest, terms, trains_of(CONTRACT), received, asked, given).clean
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
        return _passes(self.terms, self.received, asked, path)
