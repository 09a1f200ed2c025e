"""Messages to bytes and back: one encoding, nothing unknown, no number that is none, no ciphertext that is not fit to leave."""

from __future__ import annotations

import math
from dataclasses import fields, is_dataclass, replace

import pytest
from google.protobuf.message import Message as Wire
from hypothesis import given, settings
from hypothesis import strategies as st
from puppets import KEY, SAMPLES, blinded

from tandem.arguments import Seeded
from tandem.crypto.paillier import Blinded, Checked, Foreign, Products, admit, encrypt, units
from tandem.errors import Malformed, Oversized, UnblindedLeaving
from tandem.wire import codec, messages
from tandem.wire.codec import MESSAGES, PAYLOAD_LIMIT, decode, encode, require_native_protobuf
from tandem.wire.messages import End, Masks, Own, Polish, Sealed, Shapes, Shares, Step, Tags, Wish

SEALED = {name: field.name for name, kind in MESSAGES.items() for field in fields(kind) if str(field.type) == "Ciphertexts"}
REAL = {(name, field.name) for name, kind in MESSAGES.items() for field in fields(kind) if "float" in str(field.type)}


def small(low=0):
    return st.integers(low, 2**31 - 1)


def value(name, field, annotation):
    """Return a strategy for one field."""
    signed = {("Statistics", "group"), ("Statistics", "host"), ("Release", "points"), ("Points", "points"), ("OpenScores", "scores")}
    plain = {
        "str": st.text(st.characters(codec="utf-8"), max_size=20),
        "int": small(-(2**31)) if (name, field) in signed else small(),
        "float": st.floats(allow_nan=False, allow_infinity=False),
        "bool": st.booleans(),
        "bytes": st.binary(max_size=70),
        "Ciphertexts": st.builds(ciphertexts, st.integers(0, 3)),
    }
    if annotation.startswith("tuple["):
        return st.lists(plain[annotation[6:].partition(",")[0]], max_size=5).map(tuple)
    return plain[annotation]


def ciphertexts(count):
    return encrypt(KEY, list(range(count)), units(KEY, Seeded(b"codec"), count))


def arrived(message):
    """Return the message as its receiver has it: ciphertexts foreign."""
    name = SEALED.get(type(message).__name__)
    return message if name is None else replace(message, **{name: Foreign(getattr(message, name).encode())})


ANY = st.one_of(
    [st.builds(kind, *(value(name, field.name, str(field.type)) for field in fields(kind))) for name, kind in MESSAGES.items()]
)


@settings(max_examples=400, deadline=None)
@given(ANY)
def test_round_trip(message):
    data = encode(message)
    assert decode(type(message), data) == arrived(message)
    assert encode(message) == data


@pytest.mark.parametrize("name", MESSAGES)
def test_a_sample_of_each_class_round_trips(name):
    assert decode(MESSAGES[name], encode(SAMPLES[name])) == arrived(SAMPLES[name])


def test_fields_are_those_of_the_proto_files_in_name_and_order():
    for name, kind in MESSAGES.items():
        wire: type[Wire] = codec._WIRE[name]
        assert [field.name for field in fields(kind)] == [field.name for field in wire.DESCRIPTOR.fields]
        assert wire.DESCRIPTOR.full_name == f"tandem.wire.{name}"


def test_every_message_of_the_proto_files_has_a_dataclass():
    found = {name for module in codec._MODULES for name in module.DESCRIPTOR.message_types_by_name}
    assert found == set(MESSAGES) | {"Frame"}
    written = {name for name, kind in vars(messages).items() if is_dataclass(kind) and kind.__module__ == messages.__name__}
    assert written == set(MESSAGES)


@pytest.mark.parametrize(("name", "field"), sorted(REAL))
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused(name, field, number):
    repeated = isinstance(getattr(SAMPLES[name], field), tuple)
    message = replace(SAMPLES[name], **{field: (0.5, number) if repeated else number})
    with pytest.raises(Malformed, match=f"{name}.{field} holds a number that is not finite"):
        decode(MESSAGES[name], encode(message))


def test_reals_are_where_we_think():
    assert {name for name, _ in REAL} == {"Wish", "Statistics", "Own", "Step", "Polish", "Release", "Speed"}
    assert SEALED == {"Sealed": "rows", "Shares": "shares", "PairSums": "sums", "Table": "points", "Scores": "packs"}


# Safe at the door


def products():
    return Products(KEY, admit(KEY, Foreign(blinded().encode())).values)


@pytest.mark.parametrize("name", sorted(SEALED))
@pytest.mark.parametrize("made", [products, lambda: admit(KEY, Foreign(blinded().encode())), lambda: Foreign(blinded().encode()),
                                  lambda: blinded().encode(), lambda: None, list])
def test_unblinded_leaving(name, made):
    with pytest.raises(UnblindedLeaving, match="takes blinded ciphertexts, not"):
        encode(replace(SAMPLES[name], **{SEALED[name]: made()}))


def test_what_is_refused_at_the_door_is_what_roles_hold():
    assert isinstance(products(), Products)
    assert isinstance(admit(KEY, Foreign(blinded().encode())), Checked)
    assert isinstance(blinded(), Blinded)


@pytest.mark.parametrize("name", sorted(SEALED))
def test_what_arrives_is_foreign_and_may_not_be_computed_with(name):
    heard = getattr(decode(MESSAGES[name], encode(SAMPLES[name])), SEALED[name])
    assert type(heard) is Foreign
    assert not hasattr(heard, "values")


# One encoding


TAGS = encode(Tags(b"abc"))


def test_the_encoding_is_the_one_that_the_proto_file_says():
    assert TAGS == b"\x0a\x03abc"
    assert encode(Shapes(("v",), (300,), (0,), (2,), ())) == b"\x0a\x01v\x12\x02\xac\x02\x1a\x01\x00\x22\x01\x02"
    assert encode(Sealed(3, ciphertexts(0))) == b"\x08\x03"
    assert encode(End()) == b""
    assert encode(Polish(accepted=True, scale=0.0, theta=(), newton=False)) == b"\x08\x01"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Tags, TAGS + b"\x12\x00"),  # an unknown field
        (Tags, TAGS + TAGS),  # a field twice: the last would win
        (Tags, b"\x0a\x00"),  # a default written out
        (Tags, b"\x0a\x83\x00abc"),  # a padded varint
        (Tags, b"\x8a\x00\x03abc"),  # a padded tag
        (Tags, b"\x08\x03"),  # another wire type
        (Tags, TAGS[:-1]),
        (Tags, TAGS + b"\0"),
        (Tags, b"\x0b\x0c"),  # a group, as protobuf once had
        (End, b"\x08\x01"),
        (Shapes, b"\x12\x01\x01\x0a\x01v"),  # out of order
        (Shapes, b"\x0a\x01v\x10\x05\x1a\x01\x00\x22\x01\x02"),  # a packed field unpacked
        (Shapes, b"\x0a\x01v\x12\x01\x05\x12\x01\x06"),  # packed in two pieces
        (Shapes, b"\x0a\x01\xff"),  # no UTF-8
        (Shapes, b"\x12\x06\xac\x82\x80\x80\x80\x10"),  # beyond 32 bits
        (Polish, b"\x08\x02"),  # a truth beyond 1
        (Step, b"\x11\x00\x00\x00"),
    ],
)
def test_bytes_that_are_not_the_canonical_encoding(kind, data):
    with pytest.raises(Malformed):
        decode(kind, data)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=60))
def test_noise_is_refused_or_is_the_one_encoding_of_what_it_says(name, data):
    try:
        message = decode(MESSAGES[name], data)
    except Malformed:
        return
    if name not in SEALED:
        assert encode(message) == data


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(MESSAGES)), st.data())
def test_a_flipped_or_missing_byte_never_decodes_to_the_same_message(name, data):
    honest = encode(SAMPLES[name])
    if not honest:
        return
    at = data.draw(st.integers(0, len(honest) - 1))
    flipped = honest[:at] + bytes([honest[at] ^ data.draw(st.integers(1, 255))]) + honest[at + 1 :]
    changed = honest[:at] if data.draw(st.booleans()) else flipped
    try:
        heard = decode(MESSAGES[name], changed)
    except Malformed:
        return
    assert heard != arrived(SAMPLES[name])


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_read_as_another_kind_is_never_that_message(name):
    for other, kind in MESSAGES.items():
        if other == name:
            continue
        try:
            heard = decode(kind, encode(SAMPLES[name]))
        except Malformed:
            continue
        assert type(heard) is kind


def test_oversized():
    room = PAYLOAD_LIMIT - 4  # tag and length
    assert len(encode(Masks(bytes(room)))) == PAYLOAD_LIMIT
    with pytest.raises(Oversized, match="cut it into chunks"):
        encode(Masks(bytes(room + 1)))


def test_native_protobuf_is_asked_for(monkeypatch):
    require_native_protobuf()
    monkeypatch.setattr(codec.api_implementation, "Type", lambda: "python")
    with pytest.raises(RuntimeError, match="native back end"):
        require_native_protobuf()


def test_numbers_beyond_their_field_do_not_leave():
    for message in (Wish(-1, 0, (), 0.0, 0.0, 0.0, monotone=False), Shapes(("a",), (2**32,), (0,), (0,), ())):
        with pytest.raises((ValueError, OverflowError)):
            encode(message)


def test_order_of_a_repeated_field_is_kept():
    own = Own((3.0, 1.0, 2.0), (), (-0.0,), 1.0)
    heard = decode(Own, encode(own))
    assert heard.hessian == (3.0, 1.0, 2.0)
    assert math.copysign(1.0, heard.theta[0]) == -1.0


def test_sealed_rows_are_the_bytes_of_the_ciphertexts():
    shares = Shares(ciphertexts(3))
    assert decode(Shares, encode(shares)).shares.data == shares.shares.encode()
    assert len(shares.shares.encode()) == 3 * KEY.width
