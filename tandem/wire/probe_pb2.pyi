from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Hello(_message.Message):
    __slots__ = ("program", "oldest", "newest", "moment")
    PROGRAM_FIELD_NUMBER: _ClassVar[int]
    OLDEST_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    MOMENT_FIELD_NUMBER: _ClassVar[int]
    program: str
    oldest: int
    newest: int
    moment: int
    def __init__(self, program: _Optional[str] = ..., oldest: _Optional[int] = ..., newest: _Optional[int] = ..., moment: _Optional[int] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("back", "data")
    BACK_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    back: int
    data: bytes
    def __init__(self, back: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...
