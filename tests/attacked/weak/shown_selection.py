"""Selection in the clear: the wish, with the variables to keep, goes to the summer too, as where it is asked for those alone."""

from __future__ import annotations

from typing import Any

from attacked.trainings import Training
from attacked.weak.one_more_line import hearing, saying, with_line
from tandem.train import sealer
from tandem.wire.messages import Shares, Wish


def shows_its_wish(study: Training) -> Training:
    """Return the study, whose training says its wish twice."""

    def played(name: str, _: Any, role: Any) -> Any:
        if name == "sealer":
            return saying(role, Wish, lambda: sealer._wish(study.rows, study.choice))
        return hearing(role, Shares, Wish) if name == "summer" else role

    study.lines = lambda script: with_line(script, Wish, "sealer", "summer", Wish) if script.name == "train" else script
    study.corrupt = lambda name, here, role: played(name, here, role) if here.stage else role
    return study
