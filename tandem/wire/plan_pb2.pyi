from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Probe(_message.Message):
    __slots__ = ("padding",)
    PADDING_FIELD_NUMBER: _ClassVar[int]
    padding: bytes
    def __init__(self, padding: _Optional[bytes] = ...) -> None: ...

class Offer(_message.Message):
    __slots__ = ("table", "ready", "bins")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    table: int
    ready: bool
    bins: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, table: _Optional[int] = ..., ready: bool = ..., bins: _Optional[_Iterable[int]] = ...) -> None: ...

class Speed(_message.Message):
    __slots__ = ("cores", "workers", "took", "hash", "point", "sum", "power", "admission", "product", "squaring", "noise", "cutting", "pairing", "resident", "peak", "worker", "free")
    CORES_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    TOOK_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    POINT_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    POWER_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    SQUARING_FIELD_NUMBER: _ClassVar[int]
    NOISE_FIELD_NUMBER: _ClassVar[int]
    CUTTING_FIELD_NUMBER: _ClassVar[int]
    PAIRING_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_FIELD_NUMBER: _ClassVar[int]
    PEAK_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    FREE_FIELD_NUMBER: _ClassVar[int]
    cores: int
    workers: int
    took: float
    hash: float
    point: float
    sum: float
    power: float
    admission: float
    product: float
    squaring: float
    noise: float
    cutting: float
    pairing: float
    resident: int
    peak: int
    worker: int
    free: int
    def __init__(self, cores: _Optional[int] = ..., workers: _Optional[int] = ..., took: _Optional[float] = ..., hash: _Optional[float] = ..., point: _Optional[float] = ..., sum: _Optional[float] = ..., power: _Optional[float] = ..., admission: _Optional[float] = ..., product: _Optional[float] = ..., squaring: _Optional[float] = ..., noise: _Optional[float] = ..., cutting: _Optional[float] = ..., pairing: _Optional[float] = ..., resident: _Optional[int] = ..., peak: _Optional[int] = ..., worker: _Optional[int] = ..., free: _Optional[int] = ...) -> None: ...
