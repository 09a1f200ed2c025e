"""Planned bytes against those of real sessions, link by link."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback_study import Wire, make_study

from tandem.align.holder import hold
from tandem.align.script import ALIGN
from tandem.align.seeker import seek
from tandem.align.tags import make_tags
from tandem.arguments import Seeded
from tandem.crypto.voprf import derive_key_pair
from tandem.engine.serial import Serial
from tandem.plan import traffic
from tandem.plan.job import Job
from tandem.session.loopback import converse
from tandem.session.session import Session
from tandem.sums.terms import Terms
from tandem.wire.codec import Frame, encode
from tandem.wire.messages import Opening, Pairs, Sealed, Tags

NEAR = 0.02
"""What the promise allows; most links are exact to some bytes."""


def job_of(study):
    return Job(study.rows.count, study.rows.count, True, study.rows.count, study.coded.table.bins, study.terms)


def sessions(wire):
    """Return the bytes on each link of each session, in order."""
    found = {}
    for speaker, listener, data in wire.frames:
        found.setdefault(Frame.from_bytes(data).session, Counter())[speaker, listener] += len(data)
    return list(found.values())


def near(planned, actual, slack=12):
    """`slack`: an opening names version "test" where a node names "1", and coefficients that are 0 or a first row are left out."""
    assert planned.keys() == actual.keys()
    off = {way: (planned[way], actual[way]) for way in actual if abs(planned[way] - actual[way]) > NEAR * actual[way] + slack}
    assert off == {}


@pytest.mark.parametrize(("count", "value_bits"), [(1500, 16), (4000, 24)])
def test_a_study_puts_on_each_link_what_was_planned(count, value_bits):
    wire = Wire()
    study = make_study(count, passes=2, value_bits=value_bits)
    study.alter = wire
    _, known = study.train()
    study.card(known)
    study.describe()
    job = job_of(study)
    plans = [traffic.train(job, 1), traffic.train(job, 2), traffic.card(job), traffic.describe(job)]
    assert job.layout.ciphertexts == 1
    for planned, actual in zip(plans, sessions(wire), strict=True):
        near(planned, actual)
        assert planned["sealer", "summer"] == pytest.approx(actual["sealer", "summer"], abs=4)
        assert planned["summer", "sealer"] == actual["summer", "sealer"]


def test_rows_of_several_ciphertexts_and_several_messages_are_counted():
    wire = Wire()
    study = make_study(17_000, bits=256, value_bits=24, passes=1)
    study.terms = replace(study.terms, rows=1 << 15)
    study.alter = wire
    study.train()
    job = job_of(study)
    assert job.layout.ciphertexts > 1
    assert len(wire.messages(Sealed)) > 1
    near(traffic.train(job, 1), sessions(wire)[0])


@pytest.mark.parametrize(("asked", "table"), [(40, 60), (700, 300)])
def test_an_alignment_puts_on_each_link_what_was_planned(asked, table):
    wire, key, engine, chance = Wire(), derive_key_pair(bytes(32), b"traffic"), Serial(), Seeded(b"traffic")
    ids, others = ([b"%d" % n for n in range(count)] for count in (asked, table))
    opening = Opening("1", ALIGN.name, 0, ("ids",), (asked,), b"")
    found = converse({
        "seeker": (Session(ALIGN, "seeker", bytes(32), bytes(16), opening), seek(key.public, ids, table, 1, engine, chance, chance)),
        "holder": (
            Session(ALIGN, "holder", bytes(32), bytes(16), opening),
            hold(key, make_tags(key, others, engine), asked, asked, engine, chance),
        ),
    }, wire)
    matched = len(found["holder"])
    assert matched == min(asked, table)
    near(traffic.align(Job(asked, table, True, matched, (8,), Terms(bytes(32), 3, 1, asked))), sessions(wire)[0], slack=80)


@settings(deadline=None)
@given(st.text("sealrumho", min_size=1, max_size=6), st.integers(0, 300), st.integers(0, 2**40), st.integers(0, 70_000))
def test_a_frame_is_as_long_as_the_codec_makes_it(speaker, line, number, length):
    frame = Frame(bytes(32), bytes(16), speaker, line, number, bytes(32), "Tags", encode(Tags(bytes(length))))
    assert traffic.frame(speaker, line, number, "Tags", traffic.data(length)) == len(frame.to_bytes())


def test_a_session_with_a_turn_that_is_not_planned_is_noticed():
    with pytest.raises(KeyError, match="Tags"):
        traffic.frames(ALIGN, {}, "ids", 3, 0, 0)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 10**6), st.lists(st.integers(1, 32), min_size=1, max_size=8))
def test_pair_counts_take_what_independent_variables_with_equal_bins_would(rows, bins):
    job = Job(rows, rows, True, rows, tuple(bins), Terms(bytes(32), 3, len(bins), 1 << 20))
    places = [(j, b) for j, size in enumerate(bins) for b in range(size)]
    actual = 0
    for at, (j, b) in enumerate(places):
        for k, c in places[at:]:
            met = rows // bins[j] if (j, b) == (k, c) else 0 if j == k else rows // (bins[j] * bins[k])
            actual += len(encode(Pairs((met,)))) - 2  # without the field's tag and length
    assert sum(traffic._pairs(job)) == traffic.data(actual)
