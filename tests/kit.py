"""The kit of vectors (docs/vectors): how each case is put to our code. Another implementation does the same with its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from tandem.align import identifiers
from tandem.align.script import ALIGN
from tandem.arguments import Seeded
from tandem.contract import files
from tandem.crypto import group, paillier, proof, voprf
from tandem.crypto.opening import SecretKey
from tandem.crypto.paillier import Foreign, PublicKey
from tandem.crypto.slots import Layout, ScoreSlots, Slot
from tandem.errors import TandemError
from tandem.ledger.chain import Entry, first_break
from tandem.ledger.disclosure import Disclosed
from tandem.measure.script import MEASURE
from tandem.score.statement import Here, roster_digest, table_digest
from tandem.session.session import Send, Session, Wait
from tandem.train.script import CARD, DESCRIBE, TRAIN
from tandem.wire.codec import LENGTH, MESSAGES, Frame, bucket, decode, encode
from tandem.wire.messages import Opening

FOLDER = Path(__file__).parents[1] / "docs" / "vectors"
SCRIPTS = {script.name: script for script in (ALIGN, DESCRIBE, TRAIN, CARD, MEASURE)}
KEY = SecretKey.generate(512, Seeded(b"vectors"))


def shown(value: Any) -> Any:
    """Return a value as JSON has it: bytes in hex, reals as Python writes them, lists."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, Foreign):
        return value.data.hex()
    if isinstance(value, paillier.Blinded):
        return value.encode().hex()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple | list):
        return [shown(one) for one in value]
    return value


def read(case: dict[str, Any], name: str) -> bytes:
    return bytes.fromhex(case[name])


# What a case gives ------------------------------------------------------------------------------------------------------------------------


def message(case: dict[str, Any]) -> dict[str, Any]:
    """Decode; the fields are what it says."""
    heard = decode(MESSAGES[case["kind"]], read(case, "encoding"))
    return {"fields": {field.name: shown(getattr(heard, field.name)) for field in fields(heard)}}


def frame(case: dict[str, Any]) -> dict[str, Any]:
    """Read an envelope; its digest is what the next one names."""
    heard = Frame.from_bytes(read(case, "frame") + bytes(case["zeros"]))
    return {"kind": heard.kind, "speaker": heard.speaker, "line": heard.line, "number": heard.number, "digest": heard.digest.hex()}


def hashing(case: dict[str, Any]) -> dict[str, Any]:
    """Ask, be answered, open, hold the proof against the sums."""
    inputs, blinds = ([bytes.fromhex(one) for one in case[name]] for name in ("inputs", "blinds"))
    points = voprf.blind_batch(voprf.Mode.VOPRF, (inputs, blinds))
    evaluated = [bytes.fromhex(one) for one in case["answers"]]
    if len(evaluated) != len(points):
        evaluated = group.admit_points(b"".join(evaluated))
    opened = voprf.open_batch((0, inputs, blinds, points, evaluated, read(case, "weights")))
    voprf.verify(read(case, "public"), opened.weighed, opened.answered, read(case, "proof"))
    return {
        "query": shown(points), "weighed": opened.weighed.hex(), "answered": opened.answered.hex(),
        "tags": [one[: voprf.TAG_WIDTH].hex() for one in opened.outputs],
    }


def modulus(case: dict[str, Any]) -> dict[str, Any]:
    """Check a modulus and its proof."""
    key = PublicKey.load(read(case, "modulus"), case["minimum_bits"])
    proof.verify_modulus(key, read(case, "context"), read(case, "proof"))
    return {"bits": key.bits, "digest": key.digest.hex()}


def ciphertexts(case: dict[str, Any]) -> dict[str, Any]:
    """Admit ciphertexts; with the secret key that the file prints, open them."""
    return {"opened": [str(one) for one in KEY.open(paillier.admit(KEY.public, Foreign(read(case, "ciphertexts")), set()))]}


def totals(case: dict[str, Any]) -> dict[str, Any]:
    """Take the mask off opened shares and read the totals."""
    layout = Layout(tuple(Slot(name, low, high) for name, low, high in case["slots"]), case["most_rows"], case["bits"])
    n = int(case["n"])
    plain = [(int(opened) - int(mask)) % n for opened, mask in zip(case["opened"], case["masks"], strict=True)]
    return {"width": layout.width, "totals": layout.unpack(plain, case["rows"])}


def scores(case: dict[str, Any]) -> dict[str, Any]:
    """Read one opened pack of scores; name table, roster and what is signed."""
    slots = ScoreSlots(case["bits"], case["noise"])
    found = slots.unpack(int(case["opened"]), case["rows"])
    table = table_digest(KEY.public, read(case, "table"))
    roster = roster_digest(np.array(case["roster"]))
    here = Here(read(case, "contract"), read(case, "session"), roster, case["stage"])
    return {
        "scores": found, "points": [one >> case["noise"] for one in found], "table": table.hex(), "roster": roster.hex(),
        "statement": here.statement(table).hex(),
    }


def contract(case: dict[str, Any]) -> dict[str, Any]:
    """Read a contract and hold each signature against its canonical bytes."""
    found = files.loads(case["toml"])
    faults = {role: found.signature_fault(role) for role in found.roles}
    return {
        "canonical": found.canonical.decode(), "digest": found.digest.hex(),
        "signed": sorted(role for role in found.roles if not faults[role]),
    }


def ledger(case: dict[str, Any]) -> dict[str, Any]:
    """Follow a chain."""
    entries = [
        Entry(**{**one, "disclosed": tuple(Disclosed(**each) for each in one["disclosed"])}) for one in case["entries"]
    ]
    found = first_break(entries, (case["head"][0], case["head"][1]))
    return {"broken_at": None if found is None else found.number}


def identifier(case: dict[str, Any]) -> dict[str, Any]:
    """Spell an identifier."""
    found = identifiers.normalise([case["written"]], case["form"], drop_bad=True)
    return {"spelt": [one.decode() for one in found.values]}


# Sessions ---------------------------------------------------------------------------------------------------------------------------------


def session(case: dict[str, Any]) -> dict[str, Any]:
    """Play one role of a recorded session: it says what the record has it say, and hears the record, changed as the case asks."""
    script, role = SCRIPTS[case["script"]], case["role"]
    opening = decode(Opening, read(case, "opening"))
    record = [(a, b, filled_up(data)) for a, b, data in case["frames"]]
    heard = {peer: iter(altered([data for a, b, data in record if (a, b) == (peer, role)], case, peer)) for peer in script.peers(role)}
    playing = Session(script, role, read(case, "contract"), read(case, "session"), opening)
    run, sent, given = playing.run(replay(record, role, case["turns"][role])), [], None
    while True:
        try:
            act = run.send(given)
        except StopIteration:
            break
        given = None
        if isinstance(act, Send):
            sent.append((act.peer, act.frame))
        elif isinstance(act, Wait):
            given = next(heard[act.peer], b"")
    said = [(b, data) for a, b, data in record if a == role]
    return {"sent": len(sent), "as_recorded": sorted(sent) == sorted(said)}


def filled_up(data: str) -> bytes:
    """Return a frame from its hex without the zeros that fill it up."""
    frame = bytes.fromhex(data)
    return frame.ljust(bucket(LENGTH + int.from_bytes(frame[:LENGTH], "little")), b"\0")


def trimmed(frame: bytes) -> str:
    """Return the hex of a frame without the zeros that fill it up."""
    return frame[: LENGTH + int.from_bytes(frame[:LENGTH], "little")].hex()


def altered(frames: list[bytes], case: dict[str, Any], peer: str) -> list[bytes]:
    """Return what is heard from `peer`: the record, or the record with one change on one link."""
    change = case.get("change")
    if change is None or change["from"] != peer:
        return frames
    at, what = change["at"], change["what"]
    if what == "swap":
        return [*frames[:at], frames[at + 1], frames[at], *frames[at + 2 :]]
    if what == "drop":
        return [*frames[:at], *frames[at + 1 :]]
    if what == "repeat":
        return [*frames[: at + 1], frames[at], *frames[at + 1 :]]
    if what == "put":
        return [*frames[:at], filled_up(change["frame"]), *frames[at + 1 :]]
    bent = bytearray(frames[at])
    bent[change["byte"]] ^= change["mask"]
    return [*frames[:at], bytes(bent), *frames[at + 1 :]]


def replay(record: list[tuple[str, str, bytes]], role: str, turns: list[tuple[str, str]]) -> Iterator[Any]:
    """Say and hear what a role said and heard, in its order. Openings, ends and closings are the session's own."""
    said = (Frame.from_bytes(data) for speaker, _, data in record if speaker == role)
    messages = (decode(MESSAGES[one.kind], one.payload) for one in said if one.kind not in {"Opening", "End", "Closing"})
    for what, kind in turns:
        yield sayable(next(messages)) if what == "say" else MESSAGES[kind]


def sayable(heard: Any) -> Any:
    """Return a message that was heard as one that can be said: ciphertexts become fit to leave, which no node can do."""
    values = {field.name: getattr(heard, field.name) for field in fields(heard)}
    blinded = {name: paillier._fit(KEY.public, value.data) for name, value in values.items() if isinstance(value, Foreign)}
    made = type(heard)(**{**values, **blinded})
    encode(made)
    return made


CASES = {
    "messages": message, "frames": frame, "hashing": hashing, "moduli": modulus, "ciphertexts": ciphertexts, "totals": totals,
    "scores": scores, "contracts": contract, "ledgers": ledger, "identifiers": identifier, "sessions": session,
}


def verdict(name: str, case: dict[str, Any]) -> dict[str, Any]:
    """Return what our code says of a case: `accept` with what it gives, or `refuse` with the name of the failure."""
    try:
        return {"verdict": "accept", "gives": CASES[name](case)}
    except TandemError as error:
        return {"verdict": "refuse", "failure": type(error).__name__}


def load(name: str) -> list[dict[str, Any]]:
    """Return the cases of a file, those of sessions with the record that they stand on."""
    whole = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    records = {one["name"]: one for one in whole.get("records", [])}
    return [{**records[case["record"]], **case} if "record" in case else case for case in whole["cases"]]
