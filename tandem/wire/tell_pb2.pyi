from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Told(_message.Message):
    __slots__ = ("column", "levels")
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    column: int
    levels: bytes
    def __init__(self, column: _Optional[int] = ..., levels: _Optional[bytes] = ...) -> None: ...
