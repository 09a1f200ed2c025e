"""Key-holding coordinator: sealed rows pass through a coordinator that has the key to them."""

from __future__ import annotations

from typing import Any

from attacked.trainings import COORDINATOR, Training
from attacked.views import View
from attacked.weak.one_more_line import hearing, saying, with_line
from tandem.wire.messages import PairSums, Sealed, Wish


def holds_the_key(study: Training) -> Training:
    """Return the study, whose rows (of one message) go to the coordinator too."""
    said: list[Sealed] = []

    def noting(role: Any) -> Any:
        answer = None
        while True:
            try:
                wanted = role.send(answer)
            except StopIteration as stop:
                return stop.value
            if isinstance(wanted, Sealed):
                said.append(wanted)
            answer = yield wanted

    def played(name: str, _: Any, role: Any) -> Any:
        if name == "sealer":
            return saying(noting(role), Wish, lambda: PairSums(said[-1].rows))
        return hearing(role, Wish, PairSums) if name == "solver" else role

    study.lines = lambda script: with_line(script, Wish, "sealer", "solver", PairSums)
    study.corrupt = played
    return study


def its_view(study: Training) -> View:
    """Return what such a coordinator has."""
    return study.recorder.view(COORDINATOR, {"secret": study.secret})
