"""Attacks on tags, queries and answers (A1, A2, A4 to A6), each tried and scored: what was secret is known here."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from attacks import a01_reversed_tags as reversing
from attacks import a02_enumeration as enumerating
from attacks import a04_dictionary_on_the_query as guessing
from attacks import a05_switched_key as switching
from attacks import a06_bad_points as planting
from three_parties import make_site, make_telco
from vectors import BESIDE

from attacked.alignments import Aligned, agreed, align, numbers, telco
from attacked.results import Result, Size, rate
from attacked.views import View, changed
from attacked.weak import plain_x25519
from attacked.weak.stale_blinds import Ones, reused
from bank_party.jobs import Job, Kept
from tandem.align.script import ALIGN
from tandem.align.seeker import seek
from tandem.arguments import Chance, Seeded
from tandem.contract import TELCO, Contract
from tandem.crypto import group, voprf
from tandem.engine.serial import Serial
from tandem.errors import REFUSED, ForeignElement, KeySwitched, TandemError
from tandem.node.casting import VERSION
from tandem.node.chance import System
from tandem.node.checkpoints import Checkpoints
from tandem.node.ledger_store import Ledger
from tandem.node.watch import verdict
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.wire.messages import JOB_WIDTH, Answer, Opening, Proof, Query, Weighed

EVERY_MOBILE = 4.5e9
"""Mobile numbers that there may be in China."""


# A1 ---------------------------------------------------------------------------------------------------------------------------------------


def tags_reversed(size: Size, *, salted: Any = nullcontext, candidates: int = 0) -> Result:
    """Hash 200 secret numbers of a range, with cover so that there are marks too, and have tags and files read back."""
    count = candidates or size.of(2_000, 1_000_000)
    secret = np.random.default_rng(size.seeds[0]).choice(count, 200, replace=False)
    contract = agreed(cover=4)
    with telco() as node, salted():
        table = node.table(secret, contract)
        bank = align(contract, table.tags, numbers([count + 1])).bank
        files = tuple(_body(path) for path in node.shelf.iterdir())
    thief = bank.with_(View("thief", inputs={"files": files}))
    salts = (contract.digest, bytes.fromhex(contract.telco.oprf_key), contract.id.encode(), bytes.fromhex(contract.id))
    began = time.perf_counter()
    found = reversing.reverse(thief, numbers(range(count)), salts, f"{contract.id}|align|{contract.epoch}".encode(), len(secret))
    hours = (time.perf_counter() - began) / count * EVERY_MOBILE / 3600
    right = found & set(numbers(secret))
    whole = f"; all mobile numbers in {hours:.1f} core-hours" if len(right) == len(secret) else ""
    return rate("numbers read from tags and files", len(right), len(secret), note=f"{count} candidates{whole}")




def _body(path: Path) -> bytes:
    """Return a file's tags or marks; those of companions come under one line of text."""
    data = path.read_bytes()
    return data.partition(b"\n")[2] if path.name.startswith("companions") else data


# A2 ---------------------------------------------------------------------------------------------------------------------------------------

RANGE, CAP, STEP = 1_000, 500, 100


class Counting(Serial):
    """Counts the elements that were evaluated."""

    def __init__(self) -> None:
        """Begin at none."""
        self.elements = 0

    def map(self, task: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        """Yield task(item), and count what is evaluated."""
        for item in items:
            if getattr(task, "func", None) is voprf.evaluate_batch:
                self.elements += len(item[1])
            yield task(item)


def range_asked(size: Size, *, uncounted: Any = nullcontext) -> Result:
    """Ask a real telco's node for a whole range, in many jobs, the node started again every third time."""
    people = [b"p%04d" % number for number in range(RANGE)]
    engine, read, refused = Counting(), set(), 0
    with tempfile.TemporaryDirectory() as folder, uncounted():
        site = make_site(Path(folder), caps={"identifiers": CAP, "trainings": 100, "disclosure_bits": 10_000})
        tried = iter(enumerating.tries(people, STEP))
        while some := list(islice(tried, 3)):
            with Ledger(site.folder(TELCO) / "ledger.sqlite") as ledger:
                node = make_telco(site, ledger, engine=engine)
                for one in some:
                    try:
                        read |= _asked(node, site.contract, one)
                    except TandemError:
                        refused += 1
    beyond = max(0, engine.elements - CAP)
    return rate(
        "numbers answered beyond the cap", min(beyond, RANGE - CAP), RANGE - CAP,
        note=f"{engine.elements} answered under a cap of {CAP}, {len(read)} members of the table read, {refused} openings refused",
    )


def _asked(node: Any, contract: Contract, one: enumerating.Try) -> set[bytes]:
    session = bytes([one.attempt]) + one.job.to_bytes(15, "big")
    opening = Opening(VERSION, ALIGN.name, 0, ("ids",), (one.declared,), b"", one.job.to_bytes(JOB_WIDTH, "big"), one.attempt)
    cast = node.cast(contract, session, opening)
    seeker = seek(bytes.fromhex(contract.telco.oprf_key), one.asked, contract.caps.table, 0, Serial(), Seeded(session), Seeded(b"blinds"))
    results = converse({
        "seeker": (Session(ALIGN, "seeker", contract.digest, session, opening), seeker),
        "holder": (Session(ALIGN, "holder", contract.digest, session, opening), cast.playing),
    })
    return {one.asked[row] for row in results["seeker"].rows}


# A4 ---------------------------------------------------------------------------------------------------------------------------------------


def query_guessed(size: Size, *, blinds: Chance | None = None) -> Result:
    """Ask about 200 of a range, and have the whole range guessed, with the blinds of an earlier job known."""
    contract, ids = agreed(), numbers(range(200))
    with telco() as node:
        table = node.table(range(100, 110), contract)
        asked = align(contract, table.tags, ids, blinds=blinds, chance=b"this job")
    earlier = group.random_scalars(Seeded(b"an earlier job").fork("blinds").fork("blind", 0), size.of(3, 50))
    found = guessing.dictionary(asked.telco, numbers(range(size.of(400, 4000))), earlier)
    return rate("people of the query guessed", len(found & set(ids)), len(ids))


def query_repeated(size: Size, *, stale: Any = nullcontext) -> Result:
    """Ask about the same people in 100 jobs of the bank, as it begins them, and have the queries compared."""
    contract, ids = agreed(), numbers(range(size.of(10, 200)))
    jobs, views = 100, []
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger, telco() as node, stale():
        table = node.table(range(5), contract)
        store = Checkpoints(Kept, ledger, bytes(32), System())
        for number in range(jobs):
            job = Job.open(store, contract, "train", b"inputs", System(), 0.0, lambda _: None, afresh=True)
            views.append(align(contract, table.tags, ids, blinds=job.blinds, chance=b"%d" % number).telco)
    return rate("elements asked before", guessing.repeated(views), (jobs - 1) * len(ids), note=f"{jobs} jobs")


stale_jobs = partial(query_repeated, stale=reused)
ones = partial(query_guessed, blinds=Ones())


# A5 ---------------------------------------------------------------------------------------------------------------------------------------


def order_recovered(size: Size, *, unproved: Any) -> Result:
    """Without a proof: have parts of the answers switched, and the bank's row order read from the rosters."""
    rng = np.random.default_rng(size.seeds[0])
    people = rng.permutation(size.of(64, 1024))
    contract, digits = agreed(), int(len(people) - 1).bit_length()
    with telco() as node, unproved():
        table = node.table(np.sort(people), contract)
        behind = [numbers(np.sort(people))[row] for row in table.rows]

        def run(part: Any = None) -> Aligned:
            bend = (lambda role: switching.answering(role, switching.part_under(part))) if part else (lambda role: role)
            return align(contract, table.tags, numbers(people), telco=bend, inputs={"behind": behind})

        runs = [run(lambda row, digit=digit: bool(row >> digit & 1)).telco for digit in range(digits)]
        guessed = switching.order(run().telco, runs)
    right = sum(guessed.get(person) == row for row, person in enumerate(numbers(people)))
    return rate("rows of the bank's order recovered", right, len(people), note=f"{digits + 1} runs")


def switched_unrefused(size: Size) -> Result:
    """With the proof: tamper with batches in every way of the list; count those that the bank did not refuse as KeySwitched."""
    contract, batches = agreed(), size.of(210, 1_000)
    kinds: list[Any] = [partial(_answering, tampering) for tampering in switching.KINDS.values()]
    kinds.append(lambda role: switching.with_its_proof(role, Seeded(b"proof")))
    passed = 0
    with telco() as node:
        table = node.table(range(20), contract)
        for number in range(batches):
            played = align(contract, table.tags, numbers(range(4)), telco=kinds[number % len(kinds)], chance=b"%d" % number)
            passed += not isinstance(played.error, KeySwitched) or len(played.roster) > 0
    return rate("tampered batches not refused as KeySwitched", passed, batches, note=f"{len(kinds)} kinds")


def _answering(tampering: switching.Tampering, role: Any) -> Any:
    return switching.answering(role, tampering)


# A6 ---------------------------------------------------------------------------------------------------------------------------------------


def residues_read(size: Size) -> Result:
    """On plain X25519: have k modulo 8, up to sign, read from answers to bad points."""
    rng = np.random.default_rng(size.seeds[0])
    secret = [int.from_bytes(rng.bytes(32), "little") >> 1 for _ in range(200)]
    read = sum(planting.residue(partial(plain_x25519.multiply, k)) == min(k % 8, -k % 8) for k in secret)
    return rate("keys whose k mod 8 is read, or bad elements let in", read, len(secret))


def bad_elements_admitted(size: Size) -> Result:
    """On shipped code: send them as query, weighed sum, answer and proof; count what is not refused as ForeignElement in the one word."""
    contract, ids = agreed(), numbers(range(4))
    good = [group.multiply_base((number + 2).to_bytes(group.WIDTH, "little")) for number in range(size.of(4, 50))]
    admitted = tried = 0
    with telco() as node:
        table = node.table(range(20), contract)
        for who, kind, change in _bends(good, _published()):
            bend = partial(_bent, kind, change)
            played = align(contract, table.tags, ids, **{who: bend})
            tried += 1
            told = verdict(played.error or AssertionError(), "call_refused", "call_lost")
            admitted += not isinstance(played.error, ForeignElement) or told != ("call_refused", REFUSED) or len(played.roster) > 0
    return rate("keys whose k mod 8 is read, or bad elements let in", admitted, tried)


def _bent(kind: type[Any], change: Callable[[Any], Any], role: Any) -> Any:
    return changed(role, kind, change)


def _bends(good: Sequence[bytes], known: Sequence[bytes]) -> Iterator[tuple[str, type[Any], Callable[[Any], Any]]]:
    """Yield (who cheats, in which message, how)."""
    for _, encoding in planting.encodings(good, known):
        yield "bank", Query, lambda one, encoding=encoding: Query(one.points[: -group.WIDTH] + encoding)
        yield "bank", Weighed, lambda _, encoding=encoding: Weighed(encoding)
        yield "telco", Answer, lambda one, encoding=encoding: Answer(encoding + one.points[group.WIDTH :])
    yield "bank", Query, lambda one: Query(one.points[: -group.WIDTH] + one.points[: group.WIDTH])
    for number in range(7):
        yield "telco", Proof, lambda one, number=number: Proof([proof for _, proof in planting.scalars(one.proof)][number])


def _published() -> list[bytes]:
    path = BESIDE / "vectors" / "ristretto255" / "ristretto255.json"
    return [bytes.fromhex(one) for one in json.loads(path.read_text())["bad_encodings"]] if path.is_file() else []
