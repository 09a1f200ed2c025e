from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Frame(_message.Message):
    __slots__ = ("contract", "session", "speaker", "line", "number", "previous", "kind", "digest", "payload")
    CONTRACT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    contract: bytes
    session: bytes
    speaker: str
    line: int
    number: int
    previous: bytes
    kind: str
    digest: bytes
    payload: bytes
    def __init__(self, contract: _Optional[bytes] = ..., session: _Optional[bytes] = ..., speaker: _Optional[str] = ..., line: _Optional[int] = ..., number: _Optional[int] = ..., previous: _Optional[bytes] = ..., kind: _Optional[str] = ..., digest: _Optional[bytes] = ..., payload: _Optional[bytes] = ...) -> None: ...

class Opening(_message.Message):
    __slots__ = ("version", "script", "stage", "size_names", "sizes", "roster", "job", "attempt")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SIZE_NAMES_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    ROSTER_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    version: str
    script: str
    stage: int
    size_names: _containers.RepeatedScalarFieldContainer[str]
    sizes: _containers.RepeatedScalarFieldContainer[int]
    roster: bytes
    job: bytes
    attempt: int
    def __init__(self, version: _Optional[str] = ..., script: _Optional[str] = ..., stage: _Optional[int] = ..., size_names: _Optional[_Iterable[str]] = ..., sizes: _Optional[_Iterable[int]] = ..., roster: _Optional[bytes] = ..., job: _Optional[bytes] = ..., attempt: _Optional[int] = ...) -> None: ...

class End(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Closing(_message.Message):
    __slots__ = ("peers", "sent", "received")
    PEERS_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    peers: _containers.RepeatedScalarFieldContainer[str]
    sent: _containers.RepeatedScalarFieldContainer[bytes]
    received: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, peers: _Optional[_Iterable[str]] = ..., sent: _Optional[_Iterable[bytes]] = ..., received: _Optional[_Iterable[bytes]] = ...) -> None: ...
