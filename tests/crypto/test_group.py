"""ristretto255: published vectors, the door, and scalars against plain integers."""

from __future__ import annotations

import hashlib
import json
from itertools import repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import shared

from tandem.arguments import Seeded
from tandem.crypto import group
from tandem.errors import ForeignElement

GENERATOR = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")  # RFC 9496, A.1, B[1]
TWICE = bytes.fromhex("6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919")  # RFC 9496, A.1, B[2]
NOT_CANONICAL = (  # RFC 9496, A.2
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000000",  # negative
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)
ONE = (1).to_bytes(32, "little")
scalars = st.integers(1, group.ORDER - 1)


def scalar(number: int) -> bytes:
    return (number % group.ORDER).to_bytes(32, "little")


def number(data: bytes) -> int:
    return int.from_bytes(data, "little")


def some_points(count: int) -> list[bytes]:
    return [group.hash_to_group(bytes([at]), b"test") for at in range(count)]


def test_expand_message_of_the_rfc():
    # RFC 9380, K.3 (expand_message_xmd with SHA-512), first vector
    expanded = group.expand_message(b"", b"QUUX-V01-CS02-with-expander-SHA512-256", 32)
    assert expanded.hex() == "6b9a7312411d92f921c6f68ca0b6380730a1a4d982c507211a90964c394179ba"


def test_expand_message_vectors():
    file = json.loads(shared("rfc9380/expand_message_xmd_SHA512_38.json").read_text())
    assert len(file["tests"]) == 10
    for case in file["tests"]:
        expanded = group.expand_message(case["msg"].encode(), file["DST"].encode(), int(case["len_in_bytes"], 16))
        assert expanded.hex() == case["uniform_bytes"]


def test_a_long_domain_is_hashed_and_the_length_is_bounded():
    assert group.expand_message(b"m", b"d" * 256) != group.expand_message(b"m", b"d" * 255)
    with pytest.raises(ValueError, match="at most"):
        group.expand_message(b"m", b"d", 255 * 64 + 1)


def test_multiples_of_the_generator():
    assert group.multiply_base(ONE) == GENERATOR
    assert group.multiply_base(scalar(2)) == group.add((GENERATOR, GENERATOR)) == TWICE


def test_map_of_the_rfc():
    # RFC 9496, A.3: the first label of the element derivation, hashed
    uniform = hashlib.sha512(b"Ristretto is traditionally a short shot of espresso coffee").digest()
    assert group.map_to_group(uniform).hex() == "3066f82a1a747d45120d1740f14358531a8f04bbffe6a819f86dfe50f44a0a46"


def test_ristretto_vectors():
    file = json.loads(shared("ristretto255/ristretto255.json").read_text())
    bad, hashed, multiples = (file[name] for name in ("bad_encodings", "from_hash", "multiples_of_generator"))
    assert (len(bad), len(hashed), len(multiples)) == (30, 7, 16)
    for encoding in bad:
        refused_everywhere(bytes.fromhex(encoding))
    for case in hashed:
        assert group.map_to_group(bytes.fromhex(case["input"])).hex() == case["output"]
    total = group.IDENTITY
    for times, case in enumerate(multiples):
        assert (times, total.hex()) == (case["scalar"], case["encoding"])
        if times:
            assert group.multiply_base(scalar(times)) == total
        total = group.add((total, GENERATOR))


def refused_everywhere(encoding: bytes):
    good = some_points(2)
    with pytest.raises(ForeignElement, match="position 2 "):
        group.admit_points(b"".join(good) + encoding)
    with pytest.raises(ForeignElement, match="position 12 "):
        group.multiply_each(repeat(ONE), [*good, encoding], first=10)
    with pytest.raises(ForeignElement, match="position 12 "):
        group.weigh([ONE] * 3, [*good, encoding], first=10)


@pytest.mark.parametrize("encoding", NOT_CANONICAL)
def test_bad_encodings_are_refused(encoding):
    refused_everywhere(bytes.fromhex(encoding))


def test_the_identity_is_refused_although_libsodium_holds_it_for_valid():
    assert group._is_valid(group.IDENTITY) == 1  # control: without our own comparison it would pass
    refused_everywhere(group.IDENTITY)


def test_the_bit_above_255_is_refused_although_libsodium_overlooks_it():
    for point in some_points(4):
        twin = point[:-1] + bytes([point[-1] | 0x80])
        refused_everywhere(twin)
        with pytest.raises(ForeignElement):
            group.add([twin])


@pytest.mark.parametrize("width", [1, 31, 33, 63])
def test_broken_widths_are_refused(width):
    with pytest.raises(ForeignElement, match="whole number"):
        group.admit_points(bytes(width))
    with pytest.raises(ForeignElement):
        group.multiply_each([ONE], [bytes(width)])
    with pytest.raises(ForeignElement):
        group.weigh([ONE], [bytes(width)])
    with pytest.raises(ForeignElement):
        group.add([bytes(width)])


def test_good_points_are_admitted():
    points = some_points(5)
    assert group.admit_points(b"".join(points)) == group.split(b"".join(points)) == points
    assert group.admit_points(b"") == []


def test_one_element_twice_is_refused_wherever_it_stands():
    points = some_points(4)
    group.distinct(group.beginnings(b"".join(points)))
    group.distinct(b"")
    group.distinct(group.beginnings(bytes(15) + b"\1" + bytes(16 + 14) + b"\1\0" + bytes(16)))  # a zero is part of an element
    with pytest.raises(ForeignElement, match="positions 1 and 3 "):
        group.distinct(group.beginnings(b"".join([*points[:3], points[1]])))


@given(st.lists(scalars, max_size=6))
def test_inverses(numbers):
    inverses = group.invert([scalar(value) for value in numbers])
    assert [number(inverse) for inverse in inverses] == [pow(value, -1, group.ORDER) for value in numbers]


def test_zero_has_no_inverse():
    with pytest.raises(ValueError, match="zero"):
        group.invert([ONE, group.IDENTITY, ONE])


@given(scalars, scalars, scalars)
def test_subtract_product(r, c, k):
    assert number(group.subtract_product(scalar(r), scalar(c), scalar(k))) == (r - c * k) % group.ORDER


@given(st.binary(min_size=64, max_size=64))
def test_reduction_is_that_of_integers(uniform):
    assert number(group.reduce_scalar(uniform)) == number(uniform) % group.ORDER


@settings(max_examples=20)
@given(st.lists(st.tuples(scalars, scalars), max_size=5))
def test_weighted_sums_equal_those_in_the_exponent(pairs):
    total = sum(weight * value for weight, value in pairs) % group.ORDER
    points = [group.multiply_base(scalar(value)) for _, value in pairs]
    expected = group.multiply_base(scalar(total)) if total else group.IDENTITY
    assert group.weigh([scalar(weight) for weight, _ in pairs], points) == expected


@pytest.mark.parametrize(("data", "good"), [(scalar(-1), True), (bytes(32), True), (group.ORDER.to_bytes(32, "little"), False),
                                            (b"\xff" * 32, False), (bytes(31), False), (bytes(33), False)])
def test_only_canonical_scalars_are_admitted(data, good):
    if good:
        assert group.admit_scalar(data) == data
    else:
        with pytest.raises(ForeignElement):
            group.admit_scalar(data)


class Queue:
    """Chance that gives what was put in."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def draw(self, count: int) -> bytes:
        drawn, self.data = self.data[:count], self.data[count:]
        return drawn

    def fork(self, *label):
        return self


def test_random_scalars_are_never_zero():
    order = group.ORDER.to_bytes(64, "little")
    chance = Queue(scalar(5) + bytes(32) + order + bytes(64) + scalar(7) + bytes(32))
    assert [number(value) for value in group.random_scalars(chance, 2)] == [5, 7]
    assert chance.data == b""


def test_random_scalars_repeat_with_the_seed_only():
    assert group.random_scalars(Seeded(b"a"), 3) == group.random_scalars(Seeded(b"a"), 3)
    assert not set(group.random_scalars(Seeded(b"a"), 3)) & set(group.random_scalars(Seeded(b"b"), 3))


@pytest.mark.parametrize("call", [
    lambda: group.multiply_base(bytes(31)), lambda: group.subtract_product(ONE, bytes(3), ONE), lambda: group.reduce_scalar(bytes(32)),
    lambda: group.map_to_group(bytes(32)), lambda: group.invert([bytes(8)]),
])
def test_libsodium_never_reads_past_what_it_is_given(call):
    with pytest.raises(ValueError, match="not"):
        call()


def test_zero_times_the_generator_is_refused():
    with pytest.raises(ForeignElement):
        group.multiply_base(bytes(32))
