from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Wish(_message.Message):
    __slots__ = ("rows", "events", "keep", "min_iv", "max_correlation", "max_vif", "monotone")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    KEEP_FIELD_NUMBER: _ClassVar[int]
    MIN_IV_FIELD_NUMBER: _ClassVar[int]
    MAX_CORRELATION_FIELD_NUMBER: _ClassVar[int]
    MAX_VIF_FIELD_NUMBER: _ClassVar[int]
    MONOTONE_FIELD_NUMBER: _ClassVar[int]
    rows: int
    events: int
    keep: _containers.RepeatedScalarFieldContainer[str]
    min_iv: float
    max_correlation: float
    max_vif: float
    monotone: bool
    def __init__(self, rows: _Optional[int] = ..., events: _Optional[int] = ..., keep: _Optional[_Iterable[str]] = ..., min_iv: _Optional[float] = ..., max_correlation: _Optional[float] = ..., max_vif: _Optional[float] = ..., monotone: bool = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("aliases", "bins", "group", "groups", "counts", "events", "woe", "iv", "host", "reasons", "failed")
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    WOE_FIELD_NUMBER: _ClassVar[int]
    IV_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedScalarFieldContainer[str]
    bins: _containers.RepeatedScalarFieldContainer[int]
    group: _containers.RepeatedScalarFieldContainer[int]
    groups: _containers.RepeatedScalarFieldContainer[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    events: _containers.RepeatedScalarFieldContainer[int]
    woe: _containers.RepeatedScalarFieldContainer[float]
    iv: _containers.RepeatedScalarFieldContainer[float]
    host: _containers.RepeatedScalarFieldContainer[int]
    reasons: _containers.RepeatedScalarFieldContainer[str]
    failed: str
    def __init__(self, aliases: _Optional[_Iterable[str]] = ..., bins: _Optional[_Iterable[int]] = ..., group: _Optional[_Iterable[int]] = ..., groups: _Optional[_Iterable[int]] = ..., counts: _Optional[_Iterable[int]] = ..., events: _Optional[_Iterable[int]] = ..., woe: _Optional[_Iterable[float]] = ..., iv: _Optional[_Iterable[float]] = ..., host: _Optional[_Iterable[int]] = ..., reasons: _Optional[_Iterable[str]] = ..., failed: _Optional[str] = ...) -> None: ...
