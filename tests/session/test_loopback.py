"""Every frame of a whole study, in one process: what may be seen from outside, and by each role."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from loopback_study import Wire, make_study, small_key

from tandem.crypto.paillier import read
from tandem.ledger.disclosure import declared
from tandem.session.session import START
from tandem.train import sealer
from tandem.train.script import CARD, DESCRIBE, TRAIN
from tandem.wire.codec import MESSAGES, Frame, decode, encode

PLAYERS = {"sealer": "bank", "summer": "telco", "solver": "coordinator"}


def played(study):
    """Play DESCRIBE, the passes and CARD; return the wire."""
    wire = study.alter = Wire()
    study.describe()
    _, known = study.train()
    study.card(known)
    assert known.failed == ""
    return wire


def made(change=lambda rows: rows, **settings):
    study = make_study(900, min_bin=20, min_class=5, passes=2, **settings)
    study.rows = change(study.rows)
    return study


@cache
def wire():
    return played(made())


def shuffled(rows):
    """Another world: the same rows and training rows, labels dealt out anew."""
    return sealer.Rows(rows.x, np.random.default_rng(5).permutation(rows.y), rows.train)


def exchanged(rows):
    """Another world: training rows and hold-out trade places."""
    return sealer.Rows(rows.x, rows.y, rows.train[::-1].copy())


def ciphertexts(found):
    key = small_key().public
    for _, _, data in found.frames:
        frame = Frame.from_bytes(data)
        for field in fields(MESSAGES[frame.kind]):
            if str(field.type) == "Ciphertexts":
                yield from read(getattr(decode(MESSAGES[frame.kind], frame.payload), field.name).data, key.width)


def test_no_ciphertext_is_naked_and_none_is_there_twice():
    n = small_key().public.n
    residues = [c % n for c in ciphertexts(wire())]
    assert len(residues) > 900 * 3
    assert all(residue not in (0, 1) for residue in residues)
    assert len(set(residues)) == len(residues)


def test_ciphertexts_are_of_one_width_below_n_squared():
    key = small_key().public
    assert all(0 < c < key.n2 for c in ciphertexts(wire()))


def test_every_frame_is_declared_and_goes_where_it_may():
    seen = set()
    for speaker, listener, data in wire().frames:
        kind = Frame.from_bytes(data).kind
        assert (PLAYERS[speaker], PLAYERS[listener]) in declared(kind).routes
        seen.add(kind)
    expected = {turn.message.__name__ for script in (DESCRIBE, TRAIN, CARD) for line in script.lines for turn in line.turns}
    assert seen == expected | {"Opening", "End", "Closing"}


def test_order_number_and_history_of_every_frame():
    last, lines = {}, {}
    for speaker, listener, data in wire().frames:
        frame = Frame.from_bytes(data)
        link = (frame.session, speaker, listener)
        assert (frame.number, frame.previous) == last.get(link, (0, START))
        assert frame.line >= lines.get(link, 0)
        last[link], lines[link] = (frame.number + 1, frame.digest), frame.line
        assert frame.speaker == speaker
    assert len({session for session, _, _ in last}) == 4


def test_payloads_are_the_canonical_bytes_of_what_they_say():
    for _, _, data in wire().frames:
        frame = Frame.from_bytes(data)
        assert frame.to_bytes() == data
        message = decode(MESSAGES[frame.kind], frame.payload)
        if not any(str(field.type) == "Ciphertexts" for field in fields(message)):
            assert encode(message) == frame.payload


@pytest.mark.parametrize("change", [shuffled, exchanged, lambda rows: replace(rows, x=rows.x * [1, 0.1, -1, 0.5])])
def test_the_summer_sees_the_same_kinds_and_lengths_whatever_the_labels_are(change):
    """N2, T1, T5: in the order in which it sees them, all four sessions, byte counts equal."""
    assert played(made(change)).view("summer") == wire().view("summer")


def test_what_the_summer_hears_in_clear_does_not_depend_on_labels():
    """Openings and keys are equal; all else it hears is sealed, signed, or a digest of such."""
    clear = []
    for found in (wire(), played(made(shuffled))):
        told = [Frame.from_bytes(data) for _, listener, data in found.frames if listener == "summer"]
        assert {frame.kind for frame in told} == {"Opening", "Key", "Sealed", "Table", "Signature", "End", "Closing"}
        clear.append([frame.payload for frame in told if frame.kind in ("Opening", "Key", "End")])
    assert clear[0] == clear[1]


def test_bulk_lengths_hang_on_public_sizes_alone():
    key = small_key().public
    lengths = {}
    for _, _, data in wire().frames:
        frame = Frame.from_bytes(data)
        for field in fields(MESSAGES[frame.kind]):
            if str(field.type) == "Ciphertexts" or (frame.kind in ("Opened", "Masks") and field.name == "values"):
                value = getattr(decode(MESSAGES[frame.kind], frame.payload), field.name)
                lengths.setdefault(frame.kind, set()).add(len(getattr(value, "data", value)))
    assert lengths["Shares"] == lengths["Table"] == {12 * key.width}
    assert lengths["Opened"] == lengths["Masks"] == {12 * key.plain_width}
    assert lengths["Scores"] == {900 // 15 * key.width}
    assert lengths["Sealed"] == {900 * key.width}


def test_same_seeds_same_frames_byte_for_byte():
    assert played(made()).frames == wire().frames


def test_other_chance_other_bytes_same_lengths():
    study = made()
    study.seed = b"another"
    found = played(study)
    assert [(a, b, len(data)) for a, b, data in found.frames] == [(a, b, len(data)) for a, b, data in wire().frames]
    own, other = set(map(int, ciphertexts(found))), set(map(int, ciphertexts(wire())))
    assert not own & other


def test_no_label_alias_or_point_is_written_where_the_summer_reads():
    told = b"".join(data for _, listener, data in wire().frames if listener == "summer")
    study = made()
    for planted in (study.rows.y.astype(np.uint8).tobytes()[:64], study.rows.x[:4].tobytes(), b"t01", b"failed"):
        assert planted not in told
