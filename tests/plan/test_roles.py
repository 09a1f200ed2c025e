"""Asking and telling: the probes are timed, what cannot be is refused, and nothing but speeds and sizes is on the wire."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import count

import pytest
from loopback_study import Wire, small_key, tampered
from puppets import SAMPLES, session

from tandem.arguments import Seeded
from tandem.engine.serial import Serial
from tandem.errors import Enumeration, Malformed, Oversized
from tandem.plan import kernels, sealing
from tandem.plan.roles import ask, ask_solver, tell, tell_solver
from tandem.plan.script import PLAN, PLAN_SOLVER, PROBE_LENGTH, PROBES
from tandem.session.loopback import converse
from tandem.sums.terms import Terms
from tandem.wire.messages import Offer, Probe, Speed

OFFER = Offer(1000, ready=True, bins=(8, 3))
SPEED = replace(SAMPLES["Speed"], took=2.0)


def play(offer=OFFER, speed=SPEED, table_cap=1000, bins_cap=8, clock=None, wire=None, asking=None):
    ticks = count(0.0, 5.0)
    sealer = asking or ask(table_cap, bins_cap, clock or ticks.__next__, Seeded(b"ask"))
    roles = {"sealer": sealer, "summer": tell(lambda: offer, lambda: speed)}
    return converse({name: (session(PLAN, name), role) for name, role in roles.items()}, wire)["sealer"]


def test_the_asker_learns_offer_and_speed_and_times_the_probes_without_the_measuring():
    moments = iter((100.0, 101.0, 106.0))  # before the first probe, once it has left, when the answer is there
    asked = play(clock=moments.__next__)
    assert (asked.offer, asked.speed) == (OFFER, SPEED)
    assert asked.transfer == pytest.approx((106.0 - 101.0 - SPEED.took) / ((PROBES - 1) * PROBE_LENGTH))


def test_a_measuring_that_claims_more_than_passed_leaves_no_negative_time():
    assert play(speed=replace(SPEED, took=1e6)).transfer == 0.0


def test_nothing_but_padding_offer_and_speed_is_said():
    wire = Wire()
    play(wire=wire)
    assert [kind for _, _, kind, _ in wire.view("sealer") if kind not in {"Opening", "End", "Closing"}] == [
        "Offer", *["Probe"] * PROBES, "Speed",
    ]
    first, second, *_ = (probe.padding for probe in wire.messages(Probe))
    assert first == second  # one draw of random bytes: they mean nothing
    assert {len(probe.padding) for probe in wire.messages(Probe)} == {PROBE_LENGTH}


@pytest.mark.parametrize("offer", [Offer(1001, True, (8,)), Offer(10, True, ()), Offer(10, True, (8, 9)), Offer(10, True, (0,))])
def test_an_offer_beyond_the_contract_is_refused(offer):
    with pytest.raises(Enumeration, match="beyond the contract's caps"):
        play(offer)


@pytest.mark.parametrize("field", [one.name for one in fields(Speed) if one.type == "float"])
def test_a_time_below_zero_is_refused(field):
    with pytest.raises(Malformed, match="time below 0"):
        play(speed=replace(SPEED, **{field: -1e-9}))


@pytest.mark.parametrize("field", ["cores", "workers"])
def test_a_machine_of_nothing_is_refused(field):
    with pytest.raises(Malformed, match="without cores or workers"):
        play(speed=replace(SPEED, **{field: 0}))


def test_more_probes_or_longer_ones_are_refused():
    def flood(length, times):
        yield Offer
        for _ in range(times):
            yield Probe(bytes(length))
        yield Speed

    for length, times in ((10, PROBES + 1), (PROBE_LENGTH + 1, 1)):
        with pytest.raises(Oversized, match="probes"):
            play(asking=flood(length, times))


def test_the_solver_is_asked_alone():
    roles = {"sealer": ask_solver(), "solver": tell_solver(lambda: SPEED)}
    assert converse({name: (session(PLAN_SOLVER, name), role) for name, role in roles.items()})["sealer"] == SPEED
    roles = {"sealer": tampered(ask_solver(), heard=lambda said: replace(said, power=-1.0)), "solver": tell_solver(lambda: SPEED)}
    with pytest.raises(Malformed):
        converse({name: (session(PLAN_SOLVER, name), role) for name, role in roles.items()})


def test_kernels_are_timed_by_the_clock_that_is_given():
    """A clock that ticks once a look: every kernel ends at once, and no time is 0 where work was done."""
    ticks = count(0.0, 1.0)
    key = kernels.stand_in(512, Seeded(b"key"))
    speed = kernels.measure(key, Serial(), 1, 4, Seeded(b"speed"), ticks.__next__)
    assert (speed.cores, speed.workers) == (4, 1)
    assert min(speed.point, speed.sum, speed.power, speed.squaring, speed.noise, speed.cutting, speed.pairing) > 0.0
    assert (speed.resident, speed.peak, speed.worker, speed.free) == (0, 0, 0, 0)
    solver = kernels.measure_solver(key, 4, Seeded(b"speed"), ticks.__next__)
    assert (solver.power > 0.0, solver.product, solver.workers) == (True, 0.0, 1)


def test_a_stand_in_has_the_length_asked_for_and_is_no_key_of_ours():
    for bits in (512, 2048, 3072):
        key = kernels.stand_in(bits, Seeded(b"key"))
        assert key.bits == bits
        assert key.n % 2 == 1


def test_sealing_is_timed_without_a_secret_in_what_comes_back():
    secret, frames = small_key(), []
    layout = Terms(bytes(32), 3, 3, 1000, 512).layout(secret.public)
    made = sealing.measure(secret, layout, 3, Serial(), 1, Seeded(b"seal"), count(0.0, 1.0).__next__, frames.append)
    assert min(made.seal, made.open, made.remember, made.fit, made.shelve, made.framing, made.start) > 0.0
    assert frames
    assert str(int(secret._p)) not in repr(made)
