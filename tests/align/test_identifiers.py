"""Identifiers: one person stays one and two stay two, rows are named by number, and the hashes are the published ones."""

from __future__ import annotations

import hashlib
import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import shared

from tandem.align import identifiers
from tandem.align.identifiers import Identifiers, normalise, phone, prehash, sm3
from tandem.errors import InputError

mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


def full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else "\u3000" if letter == " " else letter for letter in text)


WAYS = [
    lambda m: m,
    lambda m: f"+86{m}",
    lambda m: f"86{m}",
    lambda m: f"0086{m}",
    lambda m: f"0{m}",
    lambda m: f"+86 {m[:3]}-{m[3:7]}-{m[7:]}",
    lambda m: f"(+86) {m[:3]} {m[3:7]} {m[7:]}",
    lambda m: f"86-{m[:3]}\u2011{m[3:7]}\u2013{m[7:]}",
    lambda m: f" {m}\t",
    lambda m: f"{m}.0",
    lambda m: f"86{m}.0",
    lambda m: f"\u202d{m}\u202c",
    lambda m: f"\ufeff{m}",
    lambda m: f"{m[:3]}\u00a0{m[3:7]}\u00a0{m[7:]}",
    full_width,
    lambda m: full_width(f"+86 {m[:3]}-{m[3:7]}-{m[7:]}"),
    lambda m: full_width(f"{m}.0"),
]


@given(mobiles, st.sampled_from(WAYS))
def test_one_person_stays_one(mobile, way):
    assert phone(way(mobile)) == b"+86" + mobile.encode()


@given(mobiles, mobiles, st.sampled_from(WAYS), st.sampled_from(WAYS))
def test_two_persons_stay_two(one, other, way, other_way):
    assert (phone(way(one)) == phone(other_way(other))) == (one == other)


@given(st.text(max_size=25))
def test_a_normalised_phone_is_its_own_normal_form(text):
    spelt = phone(text)
    assert spelt is None or (phone(spelt.decode()) == spelt and spelt.startswith(b"+") and spelt[1:].isdigit())


@pytest.mark.parametrize(("written", "spelt"), [
    ("+86 138-0013-8000", b"+8613800138000"), ("008613800138000", b"+8613800138000"),
    ("010-6552 9988", b"+861065529988"), ("+86 (0)10 65529988", b"+861065529988"), ("+852 9123 4567", b"+85291234567"),
    ("0085291234567", b"+85291234567"), ("+1 202-456-1111", b"+12024561111"), ("0012024561111", b"+12024561111"),
])
def test_written_forms(written, spelt):
    assert phone(written) == spelt


@pytest.mark.parametrize("written", [
    "12800138000", "1380013800", "138001380000", "13800138000.5", "13800138000.00", "1.3800138e+10", "1.3800138E10",
    "13800138000 ext 5", "13800138000x5", "call 13800138000", "13800138000/13900139000", "1-800-FLOWERS", "nan", "-", "+",
    "++8613800138000", "86", "\u0661\u0663",
    "+13800138000", "95588",
])
def test_what_is_no_single_number_is_refused(written):
    assert phone(written) is None


def test_rows_line_up_and_count_from_zero():
    ids = normalise(["13900139000", "13800138000", None, "bad", "+86 139 0013 9000"], "phone", "first", drop_bad=True)
    assert ids.values == [b"+8613900139000", b"+8613800138000"]
    assert ids.rows.tolist() == [0, 1]
    assert ids.rows.dtype == np.int64
    assert (len(ids), ids.empty, ids.malformed, ids.repeated) == (2, 1, 1, 1)


def test_keep_last_takes_the_later_row_in_row_order():
    ids = normalise(["a", "b", "a", "c", "a"], "text", "last")
    assert (ids.values, ids.rows.tolist(), ids.repeated) == ([b"b", b"c", b"a"], [1, 3, 4], 2)


@given(st.lists(st.sampled_from("abcde"), max_size=12), st.sampled_from(["first", "last"]))
def test_keep_against_a_slow_twin(values, keep):
    ids = normalise(values, "text", keep)
    at = [values.index(value) if keep == "first" else len(values) - 1 - values[::-1].index(value) for value in set(values)]
    assert ids.rows.tolist() == sorted(at)
    assert ids.values == [values[row].encode() for row in sorted(at)]
    assert ids.repeated == len(values) - len(set(values))


def test_errors_name_rows_from_one_and_no_value():
    plain = "13800138000"
    with pytest.raises(InputError) as caught:
        normalise([plain, "", "1380013800x", None, f"+86{plain}", "  "], "phone")
    text = str(caught.value)
    assert "3 are empty: rows 2, 4, 6" in text
    assert "1 is malformed for form 'phone': row 3" in text
    assert "1 is a repetition of an earlier one: row 5" in text
    assert "counted from 1 without the header" in text
    assert "1380013" not in text


def test_errors_name_the_first_rows_only():
    with pytest.raises(InputError, match=r"9 are empty: rows 1, 2, 3, 4, 5, \.\.\."):
        normalise([None] * 9, "text")


def test_repetitions_are_an_error_even_where_bad_rows_are_dropped():
    with pytest.raises(InputError, match="repetition"):
        normalise(["a", None, "a"], "text", drop_bad=True)


def test_bad_rows_are_an_error_even_where_repetitions_are_kept():
    with pytest.raises(InputError, match="1 is empty: row 2"):
        normalise(["a", None, "a"], "text", "first")


def test_unknown_settings_are_refused():
    with pytest.raises(InputError, match="form"):
        normalise(["a"], "sha1")
    with pytest.raises(InputError, match="keep"):
        normalise(["a"], "text", "any")
    with pytest.raises(InputError, match="hashed"):
        prehash([b"a"], "text")


def test_nothing_is_printed():
    ids = normalise(["13800138000"], "phone")
    assert isinstance(ids, Identifiers)
    assert "138" not in repr(ids)


def test_an_empty_column_gives_no_identifiers():
    ids = normalise([], "phone")
    assert (len(ids), ids.rows.shape) == (0, (0,))


@given(st.text(max_size=20))
def test_text_is_nfkc_and_stripped(text):
    spelt = unicodedata.normalize("NFKC", text).strip().encode()
    ids = normalise([text], "text", drop_bad=True)
    assert ids.values == ([spelt] if spelt else [])


def test_text_without_an_encoding_or_too_long_is_malformed():
    assert normalise(["\ud800", "x" * 1025, "x" * 1024], "text", drop_bad=True).malformed == 2


@pytest.mark.parametrize("form", ["sha256", "md5", "sm3"])
def test_a_prehashed_side_meets_a_plain_side(form):
    plain = normalise(["+86 138-0013-8000", "13900139000"], "phone")
    hashed = prehash(plain.values, form)
    upper = normalise([digest.decode().upper() + " " for digest in hashed], form)
    assert upper.values == hashed
    for bad in (hashed[0].decode()[:-1], hashed[0].decode() + "0", "g" + hashed[0].decode()[1:], "13800138000"):
        assert normalise([bad], form, drop_bad=True).malformed == 1


def test_prehashes_are_of_the_text_agreed_on():
    ids = [b"+8613800138000", b"+85291234567"]
    assert prehash(ids, "sha256") == [hashlib.sha256(value).hexdigest().encode() for value in ids]
    assert prehash(ids, "md5", "national") == [hashlib.md5(value, usedforsecurity=False).hexdigest().encode()
                                               for value in (b"13800138000", b"+85291234567")]


def without_openssl(name, data):
    raise ValueError(name)


@pytest.fixture(params=["as found", "fallback"])
def _either_sm3(request, monkeypatch):
    if request.param == "fallback":
        monkeypatch.setattr(identifiers.hashlib, "new", without_openssl)


@pytest.mark.usefixtures("_either_sm3")
def test_sm3_of_the_standard():
    # GB/T 32905-2016, appendix A
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3(b"abcd" * 16).hex() == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


def hmac_sm3(key: bytes, message: bytes) -> bytes:
    block = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")  # RFC 2104 over our own sm3
    inner = sm3(bytes(byte ^ 0x36 for byte in block) + message)
    return sm3(bytes(byte ^ 0x5C for byte in block) + inner)


@pytest.mark.usefixtures("_either_sm3")
def test_sm3_by_the_hmac_vectors():
    groups = json.loads(shared("wycheproof/hmac_sm3_test.json").read_text())["testGroups"]
    seen = {"valid": 0, "invalid": 0}
    for group in groups:
        for case in group["tests"]:
            tag = hmac_sm3(bytes.fromhex(case["key"]), bytes.fromhex(case["msg"]))[: group["tagSize"] // 8]
            assert (tag.hex() == case["tag"]) == (case["result"] == "valid")
            seen[case["result"]] += 1
    assert seen == {"valid": 66, "invalid": 108}
