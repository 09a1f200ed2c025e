"""One trial under each seed of a size: counts are added up; of what is no count, the seed that fails its gate stands for all."""

from __future__ import annotations

from dataclasses import replace

from attacked.catalogue import Trial
from attacked.results import Gate, Result, Size, rate


def over(trial: Trial, gate: Gate) -> Trial:
    """Return the trial over all seeds; `trial` itself takes `size.seeds[0]`."""

    def run(size: Size) -> Result:
        found = [trial(replace(size, seeds=(seed,))) for seed in size.seeds]
        first = found[0]
        if len(found) == 1:
            return first
        if first.hits is None:
            return next((one for one in found if not gate.holds(one)), first)
        hits, trials = sum(one.hits or 0 for one in found), sum(one.trials for one in found)
        return rate(first.what, hits, trials, first.baseline, first.note)

    return run
