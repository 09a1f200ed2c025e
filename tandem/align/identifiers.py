"""Identifiers as they lie in files, made one spelling a person: a number that is written two ways must hash to one tag.

    "phone"                  E.164 text, `+8613800138000`, however written: `+86 138-0013-8000`, `008613800138000`, full-width digits
    "sha256", "md5", "sm3"   lower-case hex of the hash of the normalised phone, made elsewhere or by `prehash`
    "text"                   NFKC, stripped; case stays

A pre-hash hides nothing by itself (11 digits are searched in seconds): it only spares a party the sight of plain numbers.

Errors and logs name rows by number, counted from 1 over data rows, the header left out; never by value.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import phonenumbers
from cryptography.hazmat.primitives import hashes

from tandem.errors import InputError

Hash = Literal["sha256", "md5", "sm3"]
Form = Literal["phone", "sha256", "md5", "sm3", "text"]
Keep = Literal["error", "first", "last"]
Written = Literal["e164", "national"]

REGION = "CN"
"""Where a number without a country code is at home."""

NAMED_ROWS = 5
"""Rows that an error names before it stops counting them out."""

TEXT_LIMIT = 1024
"""Bytes of one identifier in form "text"; the oblivious hash itself would take 65535."""

_HEX_DIGITS: dict[str, int] = {"sha256": 64, "md5": 32, "sm3": 64}
_HEX = re.compile(r"[0-9a-f]+")
# A mobile of mainland China by the numbering plan alone (1, 3 to 9, nine digits): a number out of a range opened since the phone library
# was released is still a number. Before it 86, +86, 0086, and the trunk 0 that older files carry.
_MOBILE = re.compile(r"(?:(?:\+|00)?86)?0?(1[3-9][0-9]{9})")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212().\u00b7/]+")
_FLOAT_TAIL = re.compile(r"\+?[0-9]+\.0")
_NUMBER = re.compile(r"\+?[0-9]{3,20}")


@dataclass(frozen=True)
class Identifiers:
    """Normalised identifiers, unique, in row order.

    `values[i]` is UTF-8 text; `rows[i]` is its place in what was given, counted from 0, so that `column[ids.rows]` lines up. The counts are
    of rows left out.
    """

    values: list[bytes] = field(repr=False)
    rows: npt.NDArray[np.int64] = field(repr=False)
    empty: int = 0
    malformed: int = 0
    repeated: int = 0

    def __len__(self) -> int:
        return len(self.values)


def normalise(values: Sequence[str | None], form: Form, keep: Keep = "error", *, drop_bad: bool = False) -> Identifiers:
    """Return the identifiers of a column, one spelling each.

    `keep` says which row of a repeated identifier stays; `drop_bad` leaves empty and malformed ones out and counts them. Raises InputError
    for what is neither kept nor dropped, with the count and the first rows, and for an unknown `form` or `keep`.
    """
    if form not in get_args(Form) or keep not in get_args(Keep):
        raise InputError(f"form {form!r}, keep {keep!r}: form must be one of {get_args(Form)}, keep one of {get_args(Keep)}")
    spell = _speller(form)
    place: dict[bytes, int] = {}
    empty, malformed, repeated = [], [], []
    for row, value in enumerate(values):
        if value is None or not value.strip():
            empty.append(row)
        elif (spelt := spell(value)) is None:
            malformed.append(row)
        elif spelt not in place:
            place[spelt] = row
        else:
            repeated.append(row)
            if keep == "last":
                del place[spelt]  # set anew, so that the dictionary stays in row order
                place[spelt] = row
    problems = [] if drop_bad else [_problem(empty, "empty"), _problem(malformed, f"malformed for form {form!r}")]
    if keep == "error":
        problems.append(_problem(repeated, "a repetition of an earlier one"))
    if told := [problem for problem in problems if problem]:
        raise InputError(
            f"identifiers: {'; '.join(told)} (data rows, counted from 1 without the header). Correct the file, or set keep to "
            "'first' or 'last' for repetitions and drop_bad for the rest"
        )
    rows = np.fromiter(place.values(), np.int64, len(place))
    return Identifiers(list(place), rows, len(empty), len(malformed), len(repeated))


def prehash(ids: Iterable[bytes], form: Hash, written: Written = "e164") -> list[bytes]:
    """Return lower-case hex digests of normalised phones, so that a side with plain numbers can join a contract in a hashed form.

    `written` is what was hashed on the other side: `+8613800138000` ("e164") or `13800138000` ("national": numbers of mainland China lose
    +86, others stay as they are). The two never match: agree on it. Raises InputError for another form.
    """
    if form not in _HEX_DIGITS:
        raise InputError(f"identifiers cannot be hashed to form {form!r}: use one of {tuple(_HEX_DIGITS)}")
    digest = _DIGESTS[form]
    if written == "national":
        return [digest(value.removeprefix(b"+86")).hex().encode() for value in ids]
    return [digest(value).hex().encode() for value in ids]


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest (GB/T 32905), 32 bytes: hashlib's where its OpenSSL has it, else that of cryptography."""
    try:
        return hashlib.new("sm3", data).digest()
    except ValueError:
        fallback = hashes.Hash(hashes.SM3())
        fallback.update(data)
        return fallback.finalize()


_DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "sm3": sm3,
}


def _speller(form: Form) -> Callable[[str], bytes | None]:
    if form == "phone":
        return phone
    if form == "text":
        return _text
    width = _HEX_DIGITS[form]

    def hexadecimal(value: str) -> bytes | None:
        value = value.strip().lower()
        return value.encode() if len(value) == width and _HEX.fullmatch(value) else None

    return hexadecimal


def phone(value: str) -> bytes | None:
    """Return a phone number as E.164 text, or None if it is none. Numbers without a country code are Chinese.

    `13800138000.0`, what a table of floats makes of a number, is repaired: exactly one point and one zero after plain digits. Exponents
    (`1.38E+10`), letters and extensions are refused: digits are lost there, or the line is shared.
    """
    if not value.isascii():
        # full-width digits, signs and spaces to ASCII; marks without a width, which phones put around copied numbers, go
        value = "".join(letter for letter in unicodedata.normalize("NFKC", value) if unicodedata.category(letter) != "Cf")
    value = value.strip()
    if _FLOAT_TAIL.fullmatch(value):
        value = value[:-2]
    if (mobile := _MOBILE.fullmatch(value)) or (mobile := _MOBILE.fullmatch(value := _SEPARATORS.sub("", value))):
        return b"+86" + mobile[1].encode()
    if not _NUMBER.fullmatch(value):
        return None
    try:
        number = phonenumbers.parse(value, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).encode()


def _text(value: str) -> bytes | None:
    try:
        spelt = unicodedata.normalize("NFKC", value).strip().encode()
    except UnicodeEncodeError:  # half of a surrogate pair: the file was read in the wrong encoding
        return None
    return spelt if 0 < len(spelt) <= TEXT_LIMIT else None


def _problem(rows: list[int], what: str) -> str:
    if not rows:
        return ""
    named = ", ".join(str(row + 1) for row in rows[:NAMED_ROWS]) + (", ..." if len(rows) > NAMED_ROWS else "")
    return f"{len(rows)} {'is' if len(rows) == 1 else 'are'} {what}: {'row' if len(rows) == 1 else 'rows'} {named}"
