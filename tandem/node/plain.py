"""Plain values as bytes and back, for a party's own disk: JSON for the structure, the bytes of arrays behind it. Nothing is executed.

A value is None, bool, int, float, str, bytes, a tuple of one kind, a dict with text keys, a numpy array, or a dataclass of such. `restore`
reads a type's annotations: bytes that do not hold exactly its fields, each of its kind, are refused. Floats come back bit by bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def restore(kind: Any, value: Any) -> Any:
    """Return what `pack` was given, of the annotated `kind`, from what `unpack` returned. Raises ValueError where they do not fit."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return None if value is None else restore(next(one for one in inside if one is not NoneType), value)
    if origin is np.ndarray and isinstance(value, np.ndarray) and value.dtype == np.dtype(get_args(inside[1])[0]):
        return value
    if origin is tuple and isinstance(value, list):
        return tuple(restore(inside[0], one) for one in value)
    if origin in {dict, Mapping} and isinstance(value, dict):
        return {name: restore(inside[1], one) for name, one in value.items()}
    if is_dataclass(kind) and isinstance(value, dict) and set(value) == {each.name for each in fields(kind)}:
        hints = get_type_hints(kind)
        return kind(**{name: restore(hints[name], one) for name, one in value.items()})  # type: ignore[operator]  # it is a class
    if type(value) is kind:
        return value
    raise ValueError(f"{type(value).__name__} stands where {kind} is due")
