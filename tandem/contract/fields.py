"""Kinds of field of a contract: what each accepts, and its one canonical form. No floats: two machines may print them differently."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints

MOMENT = "%Y-%m-%dT%H:%M:%SZ"
"""A moment in a contract: UTC, whole seconds."""

AUTO = "auto"
"""A ridge that whoever solves chooses from the totals."""


class Value(BaseModel):
    """A part of a contract: cannot change, knows no other field, converts no type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _line(text: str) -> str:
    # The reader approves what the terminal shows: escapes and right-to-left marks could show another text than the one signed.
    if not text.isprintable() or text != text.strip():
        raise ValueError("must be one line of printable text without blanks at its ends")
    return text


def _pair(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _distinct(pins: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(pins) <= 2 or len(set(pins)) != len(pins):
        raise ValueError("must hold one pin, or two different ones while a certificate is being replaced")
    return pins


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("must say its time zone: write it as 2027-01-31T00:00:00Z")
        return value.astimezone(UTC).strftime(MOMENT)
    return value


def moment(text: str) -> datetime:
    """Return the moment that `text` names; ValueError where it is not in the one form that contracts use."""
    at = datetime.strptime(text, MOMENT).replace(tzinfo=UTC)
    if at.strftime(MOMENT) != text:
        raise ValueError(text)
    return at


def _check_moment(text: str) -> str:
    try:
        moment(text)
    except ValueError:
        raise ValueError("must be a moment in UTC such as 2027-01-31T00:00:00Z") from None
    return text


def _fraction(low: Fraction, high: Fraction) -> AfterValidator:
    def canonical(text: str) -> str:
        # The form is checked first: Fraction("1e999999999") would fill the memory.
        if not re.fullmatch(r"[0-9]{1,6}(/[1-9][0-9]{0,5}|\.[0-9]{1,6})?", text):
            raise ValueError('must be a fraction such as "1/4"')
        value = Fraction(text)
        if not low <= value <= high:
            raise ValueError(f'must lie between "{low}" and "{high}"')
        return f"{value.numerator}/{value.denominator}"

    return AfterValidator(canonical)


def _decimal(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f'must be a number such as "1" or "0.5", or "{AUTO}"') from None
    if not Decimal("0.000001") <= number <= Decimal(1_000_000):  # also refuses NaN: comparisons with it signal below
        raise ValueError("must lie between 0.000001 and 1000000")
    if number != round(number, 6):
        raise ValueError("must have at most six decimals")
    return f"{number.normalize():f}"


def _ridge(value: object) -> object:
    if value == AUTO:
        return value
    try:
        return _decimal(value)
    except InvalidOperation:
        raise ValueError("must be a number") from None


def _within(low: Decimal, high: Decimal, *, may_be_empty: bool = False) -> BeforeValidator:
    """Accept a decimal number from low to high, plain or as text, of no more decimals than `low` has; keep its one canonical text."""

    def canonical(value: object) -> object:
        if (may_be_empty and value == "") or isinstance(value, bool) or not isinstance(value, str | int | float):
            return value
        try:
            number = Decimal(str(value))
            sound = low <= number <= high and number % low == 0  # NaN signals
        except InvalidOperation:
            sound = False
        if not sound:
            raise ValueError(f'must lie between "{low:f}" and "{high:f}", in steps of the first')
        return f"{number.normalize():f}"

    return BeforeValidator(canonical)


Line = Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(_line)]
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_line)]
Licence = Annotated[str, StringConstraints(max_length=80), AfterValidator(_line)]
Identity = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
DigestOrNone = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")]
SignatureOrNone = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{128})?$")]
Pins = Annotated[tuple[Digest, ...], BeforeValidator(_pair), AfterValidator(_distinct)]
Moment = Annotated[str, BeforeValidator(_moment), AfterValidator(_check_moment)]
Grain = Annotated[str, _fraction(Fraction(1, 16), Fraction(1))]
Share = Annotated[str, _fraction(Fraction(1, 100), Fraction(1, 2))]
Most = Annotated[str, _fraction(Fraction(1, 100), Fraction(1))]
Ridge = Annotated[str, BeforeValidator(_ridge)]
Epsilon = Annotated[str, _within(Decimal("0.01"), Decimal(100), may_be_empty=True)]
Delta = Annotated[str, _within(Decimal("0.000000000001"), Decimal("0.001"))]


class _Failure(Protocol):
    def errors(self) -> list[Any]: ...


_ADVICE = {
    "missing": "is missing: add it, as `tandem contract new` writes it",
    "extra_forbidden": "is no field of this version: remove it, or use the version of tandem that wrote it",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "int_type": "must be a whole number",
    "string_type": "must be text in quotes",
    "tuple_type": "must be a list",
    "model_type": "must be a section of its own",
    "string_unicode": "must be valid Unicode text",
}
_SHAPES = {
    r"^[0-9a-f]{32}$": "must be 32 hex digits in lower case",
    r"^[0-9a-f]{64}$": "must be 64 hex digits in lower case",
    r"^([0-9a-f]{64})?$": "must be 64 hex digits in lower case, or empty",
    r"^([0-9a-f]{128})?$": "must be 128 hex digits in lower case, or absent",
}


def complaint(failure: _Failure) -> str:
    """Return in one line which fields are wrong and what each must be."""
    return "; ".join(_one(error) for error in failure.errors())


def _one(error: Mapping[str, Any]) -> str:
    kind, context = str(error["type"]), dict(error.get("ctx", {}))
    where = ".".join(str(part) for part in error["loc"])
    if kind == "value_error":
        advice = str(context["error"])
    elif kind == "string_pattern_mismatch":
        advice = _SHAPES[context["pattern"]]
    else:
        advice = _ADVICE.get(kind, str(error["msg"])).format(**context)
    return f"{where} {advice}" if where else advice
