from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Pairs(_message.Message):
    __slots__ = ("counts",)
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, counts: _Optional[_Iterable[int]] = ...) -> None: ...

class Own(_message.Message):
    __slots__ = ("hessian", "gradient", "theta", "ridge")
    HESSIAN_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    RIDGE_FIELD_NUMBER: _ClassVar[int]
    hessian: _containers.RepeatedScalarFieldContainer[float]
    gradient: _containers.RepeatedScalarFieldContainer[float]
    theta: _containers.RepeatedScalarFieldContainer[float]
    ridge: float
    def __init__(self, hessian: _Optional[_Iterable[float]] = ..., gradient: _Optional[_Iterable[float]] = ..., theta: _Optional[_Iterable[float]] = ..., ridge: _Optional[float] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("failed", "square", "tau", "theta", "ridge")
    FAILED_FIELD_NUMBER: _ClassVar[int]
    SQUARE_FIELD_NUMBER: _ClassVar[int]
    TAU_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    RIDGE_FIELD_NUMBER: _ClassVar[int]
    failed: str
    square: float
    tau: float
    theta: _containers.RepeatedScalarFieldContainer[float]
    ridge: float
    def __init__(self, failed: _Optional[str] = ..., square: _Optional[float] = ..., tau: _Optional[float] = ..., theta: _Optional[_Iterable[float]] = ..., ridge: _Optional[float] = ...) -> None: ...

class Polish(_message.Message):
    __slots__ = ("accepted", "scale", "theta", "newton")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    NEWTON_FIELD_NUMBER: _ClassVar[int]
    accepted: bool
    scale: float
    theta: _containers.RepeatedScalarFieldContainer[float]
    newton: bool
    def __init__(self, accepted: bool = ..., scale: _Optional[float] = ..., theta: _Optional[_Iterable[float]] = ..., newton: bool = ...) -> None: ...

class Release(_message.Message):
    __slots__ = ("failed", "aliases", "theta", "se", "points", "table", "exact")
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    THETA_FIELD_NUMBER: _ClassVar[int]
    SE_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    failed: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    theta: _containers.RepeatedScalarFieldContainer[float]
    se: _containers.RepeatedScalarFieldContainer[float]
    points: _containers.RepeatedScalarFieldContainer[int]
    table: bytes
    exact: bool
    def __init__(self, failed: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ..., theta: _Optional[_Iterable[float]] = ..., se: _Optional[_Iterable[float]] = ..., points: _Optional[_Iterable[int]] = ..., table: _Optional[bytes] = ..., exact: bool = ...) -> None: ...
