"""Plain values as bytes and back, for a party's own disk: JSON for the structure, the bytes of arrays behind it. Nothing is executed.

A value is None, bool, int, float, str, bytes, a list or tuple, a dict with text keys, a numpy array, or a dataclass of such. `restore`
reads a type's annotations: bytes that do not hold exactly its fields, each of its kind, are refused. Floats come back bit by bit.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")

_RAW = "\0raw"
"""Key of an object that stands for bytes or an array: [dtype or "", shape, place in the tail, length]."""


def pack(value: object) -> bytes:
    """Return the bytes of a plain value. Raises TypeError for anything else."""
    tail = bytearray()

    def place(one: object) -> object:
        if is_dataclass(one) and not isinstance(one, type):
            return {each.name: getattr(one, each.name) for each in fields(one)}
        if isinstance(one, np.generic):
            return one.item()
        if isinstance(one, bytes):
            raw, kind, shape = one, "", [len(one)]
        elif isinstance(one, np.ndarray) and one.dtype.kind in "biuf":
            little = np.ascontiguousarray(one, one.dtype.newbyteorder("<"))
            raw, kind, shape = little.tobytes(), little.dtype.str, list(one.shape)
        else:
            raise TypeError(f"{type(one).__name__} is no plain value")
        tail.extend(raw)
        return {_RAW: [kind, shape, len(tail) - len(raw), len(raw)]}

    head = json.dumps(value, default=place, separators=(",", ":"), ensure_ascii=False).encode()
    return len(head).to_bytes(8, "little") + head + bytes(tail)


def unpack(data: bytes) -> Any:
    """Return the value: lists for tuples, dicts for dataclasses. Raises ValueError for bytes that `pack` did not write."""
    at = 8 + int.from_bytes(data[:8], "little")
    tail = memoryview(data)[at:]

    def found(one: dict[str, Any]) -> object:
        if _RAW not in one:
            return one
        kind, shape, first, length = one[_RAW]
        raw = bytes(tail[first : first + length])
        if len(raw) != length:
            raise ValueError("bytes are missing at the end")
        return np.frombuffer(raw, kind).astype(np.dtype(kind).newbyteorder("=")).reshape(shape) if kind else raw

    return json.loads(data[8:at], object_hook=found)


def restore(kind: Any, value: Any) -> Any:  # noqa: C901, PLR0911 - one line a kind
    """Return what `pack` was given, of the annotated `kind`, from what `unpack` returned. Raises ValueError where they do not fit."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is UnionType:
        if value is None and NoneType in inside:
            return None
        (kind,) = (one for one in inside if one is not NoneType)
        return restore(kind, value)
    if origin is np.ndarray or kind is np.ndarray:
        wanted = np.dtype(get_args(inside[1])[0])
        if isinstance(value, np.ndarray) and value.dtype == wanted:
            return value
    elif origin in {tuple, list} and isinstance(value, list):
        if inside[-1] is ... or origin is list:
            return origin(restore(inside[0], one) for one in value)
        return tuple(restore(one, each) for one, each in zip(inside, value, strict=True))
    elif origin is dict and isinstance(value, dict):
        return {str(name): restore(inside[1], one) for name, one in value.items()}
    elif is_dataclass(kind) and isinstance(kind, type) and isinstance(value, dict):
        hints = get_type_hints(kind)
        if set(value) != {each.name for each in fields(kind)}:
            raise ValueError(f"other fields than those of {kind.__name__}")
        return kind(**{name: restore(hints[name], one) for name, one in value.items()})
    elif kind in {bool, int, float, str, bytes} and type(value) is kind:
        return value
    raise ValueError(f"{type(value).__name__} stands where {kind} is due")
