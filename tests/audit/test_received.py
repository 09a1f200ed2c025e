from __future__ import annotations

import numpy as np
import pytest
from attacked.audits import CONTRACT, SESSION, small_terms
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tandem.audit.received import LEAST, chunk_rows, draw, layout_of, persons, row_width, sealings, trains_of
from tandem.errors import InputError
from tandem.ledger.chain import Entry
from tandem.wire import sums_pb2
from tandem.wire.codec import STEP as SPARE
from tandem.wire.codec import Frame

TERMS = small_terms(512, 1 << 20)
LAYOUT = layout_of(TERMS, "train")
STEP, WIDTH = chunk_rows(TERMS, LAYOUT), row_width(TERMS, LAYOUT)


def entry(message="Sealed", script="train", size=0, session="", **other):
    fields = {"time": "", "contract": CONTRACT.digest.hex(), "direction": "received", "peer": "bank", "frame": f"{size}", "disclosed": ()}
    return Entry(**{**fields, "session": session or SESSION.hex(), "script": script, "message": message, "size": size, **other})


def size_of(first, rows, number, line=3, width=WIDTH):
    payload = sums_pb2.Sealed(first=first, rows=bytes(rows * width)).SerializeToString(deterministic=True)
    return len(Frame(CONTRACT.digest, SESSION, "sealer", line, number, bytes(32), "Sealed", payload).to_bytes())


def most(rows, width=WIDTH, step=STEP):
    """Return the most rows that a frame of so many can hold: it is filled up."""
    return min(step, (size_of(0, rows, 2, width=width) - LEAST) // width)


@given(st.integers(0, 200), st.integers(1, STEP), st.integers(1, 20))
def test_rows_are_as_many_as_the_frames_can_hold(chunks, last, line):
    full = [entry(size=size_of(number * STEP, STEP, number + 2, line)) for number in range(min(chunks, 2))]
    rows = sealings([*full, entry(size=size_of(chunks * STEP, last, chunks + 2, line))], CONTRACT.digest, TERMS)[0].rows
    there = len(full) * STEP + last
    assert there <= rows <= len(full) * STEP + STEP
    assert rows - there <= SPARE // WIDTH + 1


def test_sessions_and_their_pieces_are_told_apart():
    one = entry("Key", frame="k")
    weights, whole = (of(TERMS, layout_of(TERMS, "errors", 1)) for of in (row_width, chunk_rows))
    found = sealings([
        entry("Opening", "align"), one, entry(size=size_of(0, 5, 2)), entry("End"),
        entry("Opening", "align"), entry("Key", "errors", session="e", frame="x"),
        entry(script="errors", session="e", size=size_of(0, 7, 2)), entry("End", "errors", session="e"),
        entry("Shares", "errors", session="e", direction="sent"),
        entry(script="errors", session="e", size=size_of(0, 7, 9, width=weights)), entry("End", "errors", session="e"),
        entry(contract="00" * 32, size=size_of(0, 5, 2)), entry(direction="sent", size=1),
    ], CONTRACT.digest, TERMS)
    assert [(each.session, each.part, each.job, each.key, each.rows) for each in found] == [
        (SESSION.hex(), 0, 1, "k", most(5)), ("e", 0, 2, "x", most(7)), ("e", 1, 2, "x", most(7, weights, whole)),
    ]


@pytest.mark.parametrize("size", [0, 100, 4096 - 1, size_of(0, 5, 2) + 60, 2 * 1024 * 1024])
def test_a_size_that_no_chunk_has_is_refused(size):
    with pytest.raises(InputError, match="as no chunk of rows"):
        sealings([entry(size=size)], CONTRACT.digest, TERMS)


def test_rows_after_a_chunk_that_was_not_full_are_refused():
    short = entry(size=size_of(0, STEP // 2, 2))
    with pytest.raises(InputError, match="as no chunk of rows"):
        sealings([short, short], CONTRACT.digest, TERMS)


def test_a_draw_is_uniform_and_the_same_persons_stand_in_longer_lists():
    counts = np.zeros(40)
    for seed in range(2000):
        drawn = draw(b"%d" % seed, 40, 10)
        assert len(set(drawn.tolist())) == 10
        assert (np.diff(drawn) > 0).all()
        counts[drawn] += 1
    assert chisquare(counts).pvalue > 0.001
    shorter, longer = draw(b"seed", 1000, 100), draw(b"seed", 1010, 100)
    assert len(set(shorter) & set(longer)) >= 90
    assert draw(b"seed", 7, 100).tolist() == list(range(7))


def test_persons_of_one_job_count_once_and_those_of_another_again():
    assert persons(b"seed", 10, [(1, 1000), (1, 1000), (1, 1000)]) == 10
    assert persons(b"seed", 10, [(1, 1000), (2, 1000)]) == 20
    assert 10 < persons(b"seed", 10, [(1, 1000), (1, 300)]) <= 20


def test_cover_and_hold_out_say_how_many_rows_train():
    assert trains_of(CONTRACT) == pytest.approx(0.7)
    covered = CONTRACT.amended({"layout": {"cover": 4}, "caps": {"roster": 20000}})
    assert trains_of(covered) == pytest.approx(0.7 / 4)
