"""10^5 malformed messages: each is refused by name or is what it says, none takes long, and an honest job afterwards is what it was."""

from __future__ import annotations

import resource
import time
from dataclasses import replace

import numpy as np
import pytest
from loopback_study import make_study
from measured_campaign import campaign
from puppets import SAMPLES

from attacked.malformed import bent_bytes, bent_message
from tandem.errors import Malformed, Oversized, TandemError
from tandem.wire.codec import MESSAGES, Frame, decode, encode
from tandem.wire.messages import End

MESSAGES_SENT = 100_000
LONGEST = 1.0
"""Seconds."""
MEMORY = 50_000
"""kB."""
BENT_STUDIES = 360


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_bytes_that_no_message_has_are_refused_by_name():
    rng, before, slowest, refused = np.random.default_rng(1), peak(), 0.0, 0
    kinds = sorted(MESSAGES)
    honest = {name: encode(SAMPLES[name]) for name in kinds}
    frames = {name: Frame(bytes(32), bytes(16), "bank", 0, 0, bytes(32), name, honest[name]).to_bytes() for name in kinds}
    for turn in range(MESSAGES_SENT):
        name = kinds[turn % len(kinds)]
        whole = turn % 2 == 0
        sent = bent_bytes(frames[name] if whole else honest[name], rng)
        began = time.perf_counter()
        try:
            heard = Frame.from_bytes(sent) if whole else decode(MESSAGES[name], sent)
        except (Malformed, Oversized):
            refused += 1
        else:
            assert (heard.to_bytes() if whole else heard) is not None
            if whole:
                assert heard.to_bytes() == sent
        slowest = max(slowest, time.perf_counter() - began)
    assert slowest < LONGEST
    assert peak() - before < MEMORY
    assert refused > MESSAGES_SENT // 2


class Bending:
    """A party whose messages are bent from a given one on, at random."""

    def __init__(self, seed, speaker):
        self.rng, self.speaker = np.random.default_rng(seed), speaker
        self.due = int(self.rng.integers(0, 2 if speaker == "solver" else 6))
        self.bent = 0

    def play(self, role):
        answer = None
        while True:
            try:
                wanted = role.send(answer)
            except StopIteration as stop:
                return stop.value
            if not isinstance(wanted, type | End):
                self.due -= 1
                if self.due < 0 and self.bent < 3:
                    changed = bent_message(wanted, self.rng)
                    self.bent += changed is not wanted
                    wanted = changed
            answer = yield wanted

    def corrupt(self, name, _here, role):
        return self.play(role) if name == self.speaker else role


def outcome(play):
    """Return the name of our own error, or nothing; anything else that is raised is a crash, and fails the test."""
    began = time.perf_counter()
    try:
        play()
    except TandemError as error:
        found = type(error).__name__
    else:
        found = ""
    assert time.perf_counter() - began < 20 * LONGEST
    return found


@pytest.fixture(scope="module")
def honest():
    study = make_study(240, passes=1, min_bin=20, min_class=5)
    _, known = study.train()
    return study, known, study.card(known)


@pytest.mark.parametrize("speaker", ["sealer", "summer", "solver"])
def test_a_party_that_says_what_no_honest_one_says_meets_a_named_error(honest, speaker):
    study, known, _ = honest
    met, bent = set(), 0
    for seed in range(BENT_STUDIES // 3):
        bending = Bending(seed, speaker)
        one = replace(study, corrupt=bending.corrupt)
        plays = (one.describe, one.train, lambda one=one: one.card(known))
        met.add(outcome(plays[seed % 3]))
        bent += bending.bent > 0
    assert bent > BENT_STUDIES // 6
    assert len(met) > 3


@pytest.mark.parametrize("speaker", ["sealer", "summer", "solver"])
def test_in_a_measurement_as_well(speaker):
    for seed in range(20):
        one, bending = campaign(1), Bending(seed, speaker)
        outcome(lambda one=one, bending=bending: one.play(bend={speaker: bending.play}))


def test_an_honest_job_afterwards_is_what_it_was_before(honest):
    study, known, card = honest
    _, again = study.train()
    assert again.final == known.final
    np.testing.assert_array_equal(study.card(again)["sealer"].points, card["sealer"].points)
