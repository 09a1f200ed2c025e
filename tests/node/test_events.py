"""Events: the fields there are, what none of them takes, and what is told of a session."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import replace

import pytest
from contracts import signed

from coordinator.casting import Coordinator
from tandem.contract import COORDINATOR, TELCO
from tandem.errors import LOST, REFUSED, ContractError, Enumeration, InputError, PeerLost, PeerRefused
from tandem.node import casting
from tandem.node.events import FIELDS, Event, text_of
from tandem.node.probing import probes_of
from tandem.node.watch import Watch
from tandem.session.tap import Tapped
from tandem.wire.messages import Opening
from telco_party.casting import Telco

TERMS = signed()
OPENING = Opening(casting.VERSION, "align", 0, ("ids",), (360,), b"", bytes(range(16)), 3)
PHONE = "13800138000"
BASE = {"time": "2027-02-01T09:30:00.000+00:00", "level": "info", "party": TELCO, "event": "session_ended"}


def test_an_event_holds_the_fields_of_the_list_and_no_other():
    assert FIELDS == (
        "time", "level", "party", "event", "contract", "job", "script", "stage", "attempt", "rows", "bytes", "seconds", "error", "told",
        "text",
    )
    with pytest.raises(TypeError):
        Event(**BASE, phone=PHONE)
    with pytest.raises(TypeError):
        Watch(TELCO).note("session_ended", phone=PHONE)


PLANTED = (PHONE, int(PHONE), PHONE.encode(), [PHONE], hashlib.sha256(b"x").hexdigest(), -1, float("nan"), True)


@pytest.mark.parametrize(("field", "planted"), [
    (field, planted) for field in FIELDS for planted in PLANTED
    if (field, planted) != ("bytes", int(PHONE))  # a session may weigh that many
])
def test_no_field_takes_an_identifier_or_a_hash(field, planted):
    with pytest.raises(ValueError, match=f"an event's {field} may not hold that") as refused:
        Event(**{**BASE, field: planted})
    assert PHONE not in str(refused.value)


def test_text_stands_beside_an_error_of_ours_only():
    assert Event(**BASE, error="Enumeration", text="cap").text == "cap"
    for error in ("", "ValueError"):
        with pytest.raises(ValueError, match="text"):
            Event(**BASE, error=error, text="cap")


def test_what_an_error_should_not_have_held_is_blanked():
    key = bytes(range(200, 232))
    for secret in (PHONE, key.hex(), base64.b64encode(key).decode()):
        assert secret not in text_of(InputError(f"column 'age' holds {secret}: mend it"))
        assert text_of(ValueError(secret)) == ""
    path = "/etc/tandem/telco/contracts/signed/by/all/three/contract.toml"
    assert text_of(ContractError(f"{path} is void")) == f"{path} is void"
    assert text_of(Enumeration("360 identifiers, caps.identifiers is 100")) == "360 identifiers, caps.identifiers is 100"


def test_a_line_is_json_with_what_is_known_and_no_more():
    line = Event(**BASE, script="align", rows=0, seconds=0.0).to_json()
    assert json.loads(line) == {**BASE, "script": "align", "rows": 0, "seconds": 0.0}
    assert "\n" not in Event(**BASE, error="Enumeration", text="two\nlines").to_json()


def test_every_script_there_is_can_be_told():
    names = {*Telco.scripts, *Coordinator.scripts, *probes_of(TELCO), *probes_of(COORDINATOR)}
    assert len(names) > 8
    for name in names:
        assert Event(**BASE, script=name).script == name


def told(play, opening=OPENING, **how):
    """Return what is told of a session in which `play` runs."""
    events, clock = [], iter([10.0, 12.5])
    with Watch(TELCO, sinks=(events.append,), clock=lambda: next(clock)).session(TERMS, opening, **how) as weight:
        play(weight)
    return events


def failed(failure, **how):
    events, clock = [], iter([10.0, 12.5])

    def run():
        with Watch(TELCO, sinks=(events.append,), clock=lambda: next(clock)).session(TERMS, OPENING, **how):
            raise failure

    with pytest.raises(type(failure)):
        run()
    assert events[0].event == "session_begun"
    return events[-1]


def test_a_session_is_told_with_its_job_duration_and_weight():
    begun, ended = told(lambda weight: [weight.tap(Tapped(True, "seeker", "align", 0, "Tags", 0, bytes(size))) for size in (100, 23)])
    assert (begun.event, ended.event) == ("session_begun", "session_ended")
    assert (ended.contract, ended.job) == (TERMS.digest.hex()[:8], "00010203")
    assert (ended.script, ended.stage, ended.attempt, ended.rows, ended.bytes, ended.seconds) == ("align", 0, 3, 360, 123, 2.5)


@pytest.mark.parametrize(("failure", "name", "word", "level"), [
    (Enumeration("too many"), "session_refused", REFUSED, "warning"), (PeerRefused("they did"), "session_refused", REFUSED, "warning"),
    (PeerLost("gone"), "session_lost", LOST, "warning"), (asyncio.CancelledError(), "session_lost", LOST, "warning"),
    (ValueError(PHONE), "fault", REFUSED, "error"),
])
def test_how_a_session_failed_and_what_the_peer_heard(failure, name, word, level):
    event = failed(failure, answers=True)
    assert (event.event, event.told, event.level, event.error, event.seconds) == (name, word, level, type(failure).__name__, 2.5)
    assert PHONE not in event.to_json()
    assert failed(failure).told == ""


def test_numbers_that_a_peer_declares_beyond_any_count_are_left_out():
    wild = replace(OPENING, stage=1 << 40, attempt=1 << 60, sizes=(int(PHONE),), job=b"13800138000")
    (_, ended) = told(lambda _: None, wild)
    assert (ended.stage, ended.attempt, ended.rows, ended.job) == (None, None, None, "")
