"""What the doctor says: a finding each, and no value of anybody's table in any of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing looked at. `remedy` says what to do; only an "ok" may lack it."""

    level: Level
    subject: str
    text: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.level != "ok" and not self.remedy:
            raise ValueError(f"a finding without a remedy: {self.subject}: {self.text}")


def ok(subject: str, text: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding("ok", subject, text)


def warning(subject: str, text: str, remedy: str) -> Finding:
    """Return a finding that does not stop a study, or not yet."""
    return Finding("warning", subject, text, remedy)


def wrong(subject: str, text: str, remedy: str) -> Finding:
    """Return a finding that stops a study."""
    return Finding("wrong", subject, text, remedy)


def failed(subject: str, error: Exception) -> Finding:
    """Return an error of ours as a finding: its text ends, after the last colon, with what to do."""
    text, _, remedy = str(error).rpartition(": ")
    return wrong(subject, text or remedy, remedy)
