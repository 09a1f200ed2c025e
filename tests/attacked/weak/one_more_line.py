"""A script with one message more than the shipped one, and the shipped roles saying and hearing it: how a fixture shows what is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tandem.session.script import Line, Script, one, say


def with_line(script: Script, before: type[Any], speaker: str, listener: str, kind: type[Any]) -> Script:
    """Return the script with `kind` said just before the line in which `before` is."""
    at = next(i for i, line in enumerate(script.lines) if any(turn.message is before for turn in line.turns))
    lines: tuple[Line, ...] = (*script.lines[:at], one(say(speaker, listener, kind)), *script.lines[at:])
    return replace(script, lines=lines)


def saying(role: Any, before: type[Any], make: Callable[[], Any]) -> Any:
    """Play `role`, and say make() once, before it says or hears `before`."""
    return _with(role, before, make)


def hearing(role: Any, before: type[Any], kind: type[Any]) -> Any:
    """Play `role`, and hear `kind` once, before it says or hears `before`."""
    return _with(role, before, lambda: kind)


def _with(role: Any, before: type[Any], make: Callable[[], Any]) -> Any:
    answer, done = None, False
    while True:
        try:
            wanted = role.send(answer)
        except StopIteration as stop:
            return stop.value
        if not done and before in {wanted, type(wanted)}:
            done = True
            yield make()
        answer = yield wanted
