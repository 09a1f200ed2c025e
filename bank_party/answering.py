"""`tandem bank answer`: open to the contract's auditor the rows that he drew, and no others.

Nothing that he sends is opened: rows are sealed again from what was kept, and only if they come out as they were sent is their randomness
shown. So the answer opens what this bank sealed, and is no oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from bank_party import studies
from bank_party.party import Party
from bank_party.sealings import KeptFrame, KeptRows, Sealings
from tandem.arguments import Engine
from tandem.audit.answer import Opened, Writing, writing
from tandem.audit.received import AnyTerms, chunk_rows, draw, layout_of, persons, terms_of
from tandem.audit.request import Request, auditor_of, read
from tandem.audit.waiting import waiting
from tandem.contract import Contract
from tandem.crypto.opening import SealRows, SecretKey
from tandem.crypto.paillier import Blinded
from tandem.engine.pool import Pool
from tandem.errors import InputError, SlotOverflow
from tandem.node import disk
from tandem.node.chance import System
from tandem.sums.terms import Integers
from tandem.wire.codec import encode
from tandem.wire.messages import Sealed


@dataclass(frozen=True)
class OpenRows:
    """Worker's task: seal a chunk (number, rows, which of them) again, and show the randomness of those."""

    seal: SealRows = field(repr=False)

    def __call__(self, item: tuple[int, Integers, list[int]]) -> tuple[Blinded, list[list[int]]]:
        """Return the chunk, and for each row wanted one r a ciphertext."""
        number, rows, wanted = item
        sealed, width = self.seal((number, rows)), self.seal.layout.ciphertexts
        return sealed, [self.seal.secret.roots(sealed.part(row * width, (row + 1) * width)) for row in wanted]


def persons_asked(request: Request, sealings: Sealings) -> int:
    """Return how many persons of the roster a request has opened."""
    kept = ((sealings.find(session, part)[0].job, received) for session, part, received in request.sealings)
    return persons(request.seed, request.rows, kept)


def answer(
    request: Request, contract: Contract, sealings: Sealings, secret: SecretKey, engine: Engine, answering: Writing,
    tick: Callable[[int], None] = lambda _: None,
) -> Iterator[Opened]:
    """Yield what is opened of each sealing that the request names. Raises InputError if it is not as it was sent: then nothing leaves."""
    for session, part, received in request.sealings:
        kept, key, frames = sealings.find(session, part)
        yield _opened(request, contract, terms_of(contract), kept, key, frames, received, secret, engine, answering, tick)


def _opened(
    request: Request, contract: Contract, terms: AnyTerms, kept: KeptRows, key: KeptFrame, frames: list[KeptFrame], received: int,
    secret: SecretKey, engine: Engine, answering: Writing, tick: Callable[[int], None],
) -> Opened:
    layout = layout_of(terms, kept.script, kept.part)
    step = chunk_rows(terms, layout)
    there = min(len(kept.rows), -(-received // step) * step)
    if -(-received // step) > -(-there // step):
        raise InputError(f"session {key.session[:8]}: the request speaks of {received} rows, and {len(kept.rows)} were sealed")
    opened = Opened(key.session, kept.part, answering.put(_whole(key, contract, bytes.fromhex(key.payload))))
    drawn = draw(request.seed, there, request.rows).tolist()
    chunks = sorted({row // step for row in (*drawn, there - 1)})  # the last one shows how many rows there are
    wanted = {chunk: [row - chunk * step for row in drawn if row // step == chunk] for chunk in chunks}
    items = ((chunk, kept.rows[chunk * step : (chunk + 1) * step], wanted[chunk]) for chunk in chunks)
    task = OpenRows(SealRows(secret, layout, kept.chance))
    try:
        for chunk, (sealed, roots) in zip(chunks, engine.map(task, items), strict=True):
            if chunk >= len(frames):
                raise InputError(f"session {key.session[:8]}: chunk {chunk} was never sent, says what is kept here")
            opened.frames[chunk] = answering.put(_whole(frames[chunk], contract, encode(Sealed(chunk * step, sealed))))
            opened.roots |= {chunk * step + row: shown for row, shown in zip(wanted[chunk], roots, strict=True)}
            tick(len(roots))
    except SlotOverflow:
        raise _altered(key) from None
    return opened


def _whole(frame: KeptFrame, contract: Contract, payload: bytes) -> bytes:
    whole = frame.whole(contract.digest, payload)
    if whole is None:
        raise _altered(frame)
    return whole


def _altered(frame: KeptFrame) -> InputError:
    return InputError(
        f"session {frame.session[:8]}: what is kept does not come out as it was sent; it was changed, or another key sealed it. "
        "Nothing is opened"
    )


def answer_command(
    request: Annotated[Path, typer.Argument(metavar="REQUEST", help="The auditor's request.")],
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study's configuration, TOML.")],
    out: Annotated[Path, typer.Option(help="The answer to write, a ZIP file.")],
) -> None:
    """Open to the auditor whom the contract names the sealed rows that he drew: he reads these persons' numbers, by position.

    Not for the telco: it knows who stands where. Example: tandem bank answer request.json bank/study.toml --out answer.zip
    """
    party = Party.open(study)
    contract = party.contract
    asked = read(disk.read_text(request).encode(), contract, str(request))
    sealings = Sealings(party.state / "sealed", contract, System())
    secret = studies.secret_key(party.state, contract, System())
    opened: list[Opened] = []
    rows = sum(min(asked.rows, received) for *_, received in asked.sealings)
    with Pool(party.config.workers) as pool, party.alone(), waiting("opening", rows) as tick:
        sealings.grant(asked.digest, persons_asked(asked, sealings), auditor_of(contract).rows)
        with writing(out, contract, asked.digest, opened, party.keys.signing) as answering:
            opened += answer(asked, contract, sealings, secret, pool, answering, tick)
    typer.echo(f"{out}: {rows} rows of {len(opened)} sealings opened, for {auditor_of(contract).name} alone; keep it from the telco")
