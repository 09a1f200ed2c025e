"""Ways around the budgets of a telco's node: variants of A2, S3 and S6."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from attacks.s06_another_door import beyond

from attacked.accounts import ASKED, Account, Door, account, doors
from attacked.catalogue import Line, Trial
from attacked.results import ALL, NONE, Result, Size, rate
from attacked.weak import budgets as weak

_BITS = 2 * 16
"""Two trainings of one pass and a card."""


def _trial(
    what: str, take: Callable[[Account, Door], int], allowed: int, limits: dict[str, int],
    fixture: Callable[[], AbstractContextManager[None]] = nullcontext, *, witnessed: bool = True, **route: int,
) -> Trial:
    """Return a trial: through how many doors more than `allowed` was given, of those tried after that."""

    def trial(size: Size) -> Result:
        with fixture(), account(witnessed=witnessed, **limits) as node:
            extra, tried = beyond(doors(node.site, size.of(4, 10), **route), lambda door: take(node, door), allowed)
        return rate(what, extra, max(1, tried))

    return trial


def _line(
    id_: str, title: str, what: str, take: Callable[[Account, Door], int], allowed: int, limits: dict[str, int], weakness: str,
    fixture: Callable[[], AbstractContextManager[None]] = nullcontext, *, witnessed: bool = True, **route: int,
) -> Line:
    return Line(
        id_, title, "bank", "bounded", weakness,
        _trial(what, take, allowed, limits, fixture, witnessed=witnessed, **route), ALL,
        _trial(what, take, allowed, limits, **route), NONE,
    )


_IDS = {"identifiers": 2 * ASKED}
_SCORES = {"bits": _BITS}
_ASK, _SCORE = "doors that answered identifiers beyond the budget", "doors that scored beyond the budget"

LINES: tuple[Line, ...] = (
    _line("A2b", "ask for everyone under one contract after another", _ASK, Account.ask, 2 * ASKED, _IDS,
          "counted by contract", weak.by_contract_alone),
    _line("A2c", "ask under another signing key and certificate", _ASK, Account.ask, 2 * ASKED, _IDS,
          "banks known by key", weak.by_key_alone, fresh_keys=True),
    _line("A2d", "ask again after a restart", _ASK, Account.ask, 2 * ASKED, _IDS, "counter in memory", weak.in_memory, again=True),
    _line("A2e", "ask again after the ledger was put back from a backup", _ASK, Account.ask, 2 * ASKED, _IDS,
          "no counter outside the backup", witnessed=False, put_back=True),
    _line("S3r", "nested rosters that differ by one person", "rosters near an earlier one that were told of",
          Account.look, 1, {"bits": 100 * _BITS}, "rosters not compared", weak.without_comparing, fewer=1),
    _line("S6c", "score subsets of the same people under one contract after another", _SCORE, Account.score, _BITS, _SCORES,
          "counted by contract", weak.by_contract_alone, fewer=20),
    _line("S6d", "score them under another signing key and certificate", _SCORE, Account.score, _BITS, _SCORES,
          "banks known by key", weak.by_key_alone, fewer=20, fresh_keys=True),
    _line("S6e", "score them again after a restart", _SCORE, Account.score, _BITS, _SCORES,
          "counter in memory", weak.in_memory, fewer=20, again=True),
    _line("S6f", "score them again after the ledger was put back", _SCORE, Account.score, _BITS, _SCORES,
          "no counter outside the backup", witnessed=False, fewer=20, put_back=True),
)
