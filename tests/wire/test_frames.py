"""The envelope: what it binds, how wide it is, what is no envelope."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from puppets import SAMPLES

from tandem.errors import Malformed, Oversized
from tandem.train.script import CARD, DESCRIBE, SERVE, TRAIN
from tandem.wire import frame_pb2
from tandem.wire.codec import ENVELOPE_LIMIT, MESSAGES, PAYLOAD_LIMIT, Frame, bucket, encode, filled

FRAME = Frame(bytes(range(32)), bytes(range(16)), "sealer", 3, 7, bytes(32), "Tags", b"\x0a\x03abc")

FRAMES = st.builds(
    Frame,
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=16, max_size=16),
    st.text(st.characters(codec="utf-8"), max_size=10),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.binary(min_size=32, max_size=32),
    st.text(st.characters(codec="utf-8"), max_size=10),
    st.binary(max_size=50),
)


@settings(deadline=None)
@given(FRAMES)
def test_round_trip(frame):
    assert Frame.from_bytes(frame.to_bytes()) == frame


@settings(deadline=None)
@given(FRAMES, FRAMES)
def test_the_digest_binds_every_field(one, other):
    assert (one.digest == other.digest) == (one == other)
    for name in ("contract", "session", "speaker", "line", "number", "previous", "kind", "payload"):
        mixed = replace(one, **{name: getattr(other, name)})
        assert (mixed.digest == one.digest) == (getattr(one, name) == getattr(other, name))


def envelope(frame):
    """Return what stands between length and zeros."""
    data = frame.to_bytes()
    return data[4 : 4 + int.from_bytes(data[:4], "little")]


def test_the_digest_is_that_of_the_frame_without_its_payload():
    wire = frame_pb2.Frame.FromString(envelope(FRAME))
    wire.ClearField("payload")
    assert FRAME.digest == hashlib.sha256(wire.SerializeToString(deterministic=True)).digest()
    by_hand = (
        b"\x0a\x20" + bytes(range(32)) + b"\x12\x10" + bytes(range(16)) + b"\x1a\x06sealer" + b"\x20\x03" + b"\x28\x07"
        + b"\x32\x20" + bytes(32) + b"\x3a\x04Tags" + b"\x42\x20" + hashlib.sha256(b"\x0a\x03abc").digest()
    )
    whole = by_hand + b"\x4a\x05\x0a\x03abc"
    assert FRAME.to_bytes() == len(whole).to_bytes(4, "little") + whole + bytes(4096 - 4 - len(whole))
    assert FRAME.digest == hashlib.sha256(by_hand).digest()
    assert FRAME.digest.hex() == "6a4bfe4b37c426bc5ca9eb6a2a7c9eb3697d1e97987e110aef4bf8b2a937b6c8"


@pytest.mark.parametrize(
    "change",
    [
        {"contract": b""}, {"contract": bytes(33)}, {"session": b""}, {"session": bytes(15)}, {"previous": bytes(31)},
    ],
)
def test_a_wrong_width(change):
    with pytest.raises(Malformed, match="wrong width"):
        Frame.from_bytes(replace(FRAME, **change).to_bytes())


def wired(**changes):
    wire = frame_pb2.Frame.FromString(envelope(FRAME))
    for name, value in changes.items():
        setattr(wire, name, value)
    return filled(wire.SerializeToString(deterministic=True))


@pytest.mark.parametrize("changes", [{"payload": b"other"}, {"payload": b""}, {"digest": bytes(32)}, {"digest": b""}])
def test_a_payload_under_another_digest(changes):
    with pytest.raises(Malformed, match="another digest"):
        Frame.from_bytes(wired(**changes))


def test_trailing_unknown_twice_or_in_another_order():
    honest = envelope(FRAME)
    head, tail = honest[:34], honest[34:]  # contract, the rest
    for data in (honest + b"\0", honest + b"\x52\x00", honest + honest, tail + head, honest[:-1], b"", b"\x07", bytes(100)):
        with pytest.raises(Malformed):
            Frame.from_bytes(filled(data))
    assert Frame.from_bytes(filled(head + tail)) == FRAME


@given(st.integers(0, 1 << 20))
def test_lengths_fall_into_few_buckets_and_what_fills_them_is_looked_at(length):
    full = bucket(length)
    assert full >= length
    assert full in {1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16} or full % (1 << 16) == 0
    assert bucket(full) == full
    assert full <= max(1 << 12, 2 * length)


@pytest.mark.parametrize("size", [0, 1, 100, 3900, 3949, 3950, 9000, 70_000])
def test_a_frame_that_is_filled_up_otherwise_is_none(size):
    frame = replace(FRAME, payload=bytes(size))
    data = frame.to_bytes()
    length = 4 + len(envelope(frame))
    assert Frame.from_bytes(data) == frame
    others = [data[:length], data[:-1], data + b"\0", data + bytes(4096), data.ljust(2 * len(data), b"\0")]
    others += [data[:-1] + b"\1", data[:length] + b"\1" + data[length + 1 :]]
    others += [(length - 4 + more).to_bytes(4, "little") + data[4:] for more in (-1, 1, 1 << 16, 1 << 31)]
    for other in others:
        with pytest.raises(Malformed):
            Frame.from_bytes(other)


def test_frames_whose_messages_say_much_or_little_are_equally_long():
    assert {len(replace(FRAME, payload=bytes(size)).to_bytes()) for size in (0, 1, 127, 128, 3000)} == {4096}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_noise(data):
    with pytest.raises(Malformed):
        Frame.from_bytes(data)


@settings(max_examples=400, deadline=None)
@given(st.integers(0, len(FRAME.to_bytes()) - 1), st.integers(1, 255))
def test_another_byte_is_another_frame_or_none(at, change):
    data = bytearray(FRAME.to_bytes())
    data[at] ^= change
    try:
        heard = Frame.from_bytes(bytes(data))
    except Malformed:
        return
    assert heard != FRAME
    assert heard.digest != FRAME.digest


def test_oversized_before_anything_is_parsed():
    assert Frame.from_bytes(replace(FRAME, payload=bytes(PAYLOAD_LIMIT)).to_bytes()).payload == bytes(PAYLOAD_LIMIT)
    with pytest.raises(Oversized, match=f"at most {ENVELOPE_LIMIT}"):
        Frame.from_bytes(bytes(ENVELOPE_LIMIT + 1))


def test_a_full_payload_fits_the_envelope_whatever_our_scripts_put_on_it():
    roles = {role for script in (TRAIN, CARD, DESCRIBE, SERVE) for role in script.roles} | {"seeker", "holder"}
    longest, kind = max(roles, key=len), max(MESSAGES, key=len)
    frame = Frame(bytes(32), bytes(16), longest, 2**32 - 1, 2**64 - 1, bytes(32), kind, bytes(PAYLOAD_LIMIT))
    assert len(frame.to_bytes()) <= ENVELOPE_LIMIT


@pytest.mark.parametrize("name", MESSAGES)
def test_every_sample_travels(name):
    frame = replace(FRAME, kind=name, payload=encode(SAMPLES[name]))
    assert Frame.from_bytes(frame.to_bytes()) == frame
