"""What a node may say of itself to machines: events made of an allow-list of fields, each held to its form. See docs/observability.md.

An event has no field that could carry an identifier, label, key or score: words come from fixed lists, numbers are counts, and the one text
is that of our own errors, which hold no value (`tandem.errors`). Anything else is refused when the event is made, before it is written.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

from tandem.contract import ROLES, Role
from tandem.errors import LOST, REFUSED, PeerLost, PeerRefused, TandemError

Name = Literal[
    "listening", "stopped", "table_read", "hashed", "session_begun", "session_ended", "session_refused", "session_lost", "call_refused",
    "call_lost", "check_failed", "fault",
]
Level = Literal["info", "warning", "error"]

_HEX = re.compile(r"([0-9a-f]{8})?")
_SCRIPT = re.compile(r"[a-z_-]{0,24}")
"""Scripts are named by letters: no digit of an identifier fits."""
_CLASS = re.compile(r"([A-Za-z_]\w{0,39})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", re.ASCII)
COUNT_LIMIT = 1 << 32
"""Above every count there is, rows included (`caps.table`), and below a mobile number of eleven digits."""
_BYTES_LIMIT = 1 << 50
_TEXT_LIMIT = 500
"""Characters of an error's text that are told."""
_LIKE_A_VALUE = re.compile(r"\d{9,}|[0-9A-Fa-f]{17,}|(?=[a-zA-Z+/]*\d)(?=[a-z0-9+/]*[A-Z])[A-Za-z0-9+/]{40,}")
"""A mobile number, a hash, a key. No error's text should hold one; if one does, it is blanked in events."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. Empty words, and numbers that are None, are left out when it is written. Raises ValueError for what no field may hold."""

    time: str
    level: Level
    party: Role
    event: Name
    contract: str = ""
    """First 8 hex digits of the contract's digest."""
    job: str = ""
    """First 8 hex digits of the job's id, which the three parties share."""
    script: str = ""
    stage: int | None = None
    attempt: int | None = None
    rows: int | None = None
    """Rows, or identifiers, as the opening declares them."""
    bytes: int | None = None
    """Of all frames of the session, sent and received."""
    seconds: float | None = None
    error: str = ""
    """Class of what was raised."""
    told: str = ""
    """What the peer heard."""
    text: str = ""
    """Text of one of our own errors."""

    def __post_init__(self) -> None:
        held = {
            "time": _MOMENT.fullmatch(_word(self.time)), "level": self.level in get_args(Level), "party": self.party in ROLES,
            "event": self.event in get_args(Name), "contract": _HEX.fullmatch(_word(self.contract)), "job": _HEX.fullmatch(_word(self.job)),
            "script": _SCRIPT.fullmatch(_word(self.script)), "stage": _counts(self.stage), "attempt": _counts(self.attempt),
            "rows": _counts(self.rows), "bytes": _counts(self.bytes, _BYTES_LIMIT), "seconds": _lasts(self.seconds),
            "error": _CLASS.fullmatch(_word(self.error)), "told": self.told in ("", LOST, REFUSED),
            "text": self.text == "" or (self.error in ours() and 0 < len(_word(self.text)) <= _TEXT_LIMIT),
        }
        if wrong := [name for name, right in held.items() if not right]:
            raise ValueError(f"an event's {' and '.join(wrong)} may not hold that")  # what it would have held is not said either

    def to_json(self) -> str:
        """Return the event as one line."""
        return json.dumps({name: value for name, value in asdict(self).items() if value not in ("", None)}, ensure_ascii=False)


FIELDS = tuple(each.name for each in fields(Event))
"""The allow-list."""


def ours() -> frozenset[str]:
    """Return the names of our own error classes, of all modules that are loaded."""
    found, due = {TandemError}, [TandemError]
    while due:
        new = [each for each in due.pop().__subclasses__() if each not in found]
        found.update(new)
        due.extend(new)
    return frozenset(each.__name__ for each in found)


def gone(failure: BaseException) -> bool:
    """Say whether a session ended because somebody was gone, and not because of what was said or of a fault of ours."""
    return isinstance(failure, PeerLost | asyncio.CancelledError) and not isinstance(failure, PeerRefused)


def text_of(failure: BaseException) -> str:
    """Return the text of one of our own errors on one line, shortened; nothing of any other, whose text may quote what it met."""
    if not isinstance(failure, TandemError):
        return ""
    return _LIKE_A_VALUE.sub("...", " ".join(str(failure).split()))[:_TEXT_LIMIT]


Sink = Callable[[Event], None]
"""Takes events: a log, metrics."""


def _word(value: object) -> str:
    """Return what must be a string; for anything else, one that no form fits."""
    return value if isinstance(value, str) else "\0"


def _counts(value: object, limit: int = COUNT_LIMIT) -> bool:
    return value is None or (type(value) is int and 0 <= value < limit)


def _lasts(value: object) -> bool:
    return value is None or (type(value) is float and math.isfinite(value) and 0 <= value < COUNT_LIMIT)
