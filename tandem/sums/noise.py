"""Noise that whoever holds the codes adds to what the solver is told, once a job. How much: `tandem.contract.noise`.

    totals     (M bins, slots)  whole numbers, added to the sums as they are blinded; each slot's add up to 0 over a variable's bins
    counts     (M,)             roster rows by bin, noise and all, as they are told
    pairs      (M, M)           roster rows by pair of bins, noise and all, not yet blanked

That noise adds up to 0 over a variable gives nothing away: the owner of the rows tells the solver their whole totals anyway, so whoever has
noisy bins and the whole can take the noise's own sum off them, and the bins then add up to the whole exactly as without noise. All sums can
still be checked for equality. All of it is kept with the job: drawn anew for a step that is played again, it would average out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tandem.contract.noise import SLOTS, Noise
from tandem.errors import LocalProtocolError

Integers: TypeAlias = NDArray[np.int64]

Sampler: TypeAlias = Callable[[float, int], Integers]
"""(standard deviation, count) -> so many whole numbers from the discrete Gaussian distribution around 0."""


@dataclass(frozen=True)
class Drawn:
    """The noise of one job, as its holder keeps it."""

    totals: Integers = field(repr=False)
    counts: Integers = field(repr=False)
    pairs: Integers = field(repr=False)


def draw(noise: Noise, sampler: Sampler, bins: Sequence[int], limits: Sequence[int], pairs: Integers) -> Drawn:
    """Return a job's noise: `limits` is each slot's largest absolute value, the columns' last; `pairs` (M, M) the true pair counts.

    Raises LocalProtocolError if there are more variables than the noise was reckoned for.
    """
    if len(bins) > noise.variables:
        raise LocalProtocolError(f"noise for {noise.variables} variables cannot cover {len(bins)}")
    size = int(sum(bins))
    kinds = [*SLOTS[:-1], *[SLOTS[-1]] * (len(limits) - len(SLOTS) + 1)]
    totals = np.column_stack([dealt(sampler(noise.spread(kind) * limit, size), bins) for kind, limit in zip(kinds, limits, strict=True)])
    true = np.diag(pairs)
    counts = np.concatenate([
        settled(noisy, int(part.sum())) for noisy, part in zip(
            by_variable(true + dealt(sampler(noise.spread("counts"), size), bins), bins), by_variable(true, bins), strict=True
        )
    ])
    return Drawn(totals, counts, _met(noise, sampler, bins, counts, pairs))


def _met(noise: Noise, sampler: Sampler, bins: Sequence[int], counts: Integers, pairs: Integers) -> Integers:
    """Return pair counts with noise on every pair of bins of two variables, none below 0; the counts by bin on the diagonal."""
    variable = np.repeat(np.arange(len(bins)), bins)
    rows, columns = np.triu_indices(len(variable))
    apart = variable[rows] != variable[columns]
    rows, columns = rows[apart], columns[apart]
    met = np.zeros_like(pairs)
    met[rows, columns] = pairs[rows, columns]
    if len(rows):
        met[rows, columns] += sampler(noise.spread("pairs"), len(rows))
    met = met.clip(min=0)
    return met + met.T + np.diag(counts)


def by_variable(values: Integers, bins: Sequence[int]) -> list[Integers]:
    """Return the parts of a line of bins, one a variable."""
    return np.split(values, np.cumsum(np.asarray(bins, dtype=np.int64))[:-1])


def dealt(values: Integers, bins: Sequence[int]) -> Integers:
    """Take each variable's own sum off its bins, as evenly as whole numbers go, so that it is 0."""
    parts = []
    for part in by_variable(values, bins):
        each, left = divmod(int(part.sum()), len(part))
        parts.append(part - each - (np.arange(len(part)) < left))
    whole: Integers = np.concatenate(parts)
    return whole


def settled(values: Integers, total: int, most: Integers | None = None) -> Integers:
    """Return whole numbers near `values` in [0, most] that add up to `total`: what cutting moved is made good where there is most room."""
    low = np.zeros_like(values)
    high = np.full_like(values, max(total, 0)) if most is None else most.clip(min=0)
    found = np.clip(values, low, high)
    while left := total - int(found.sum()):
        room = high - found if left > 0 else found - low
        at = int(np.argmax(room))
        if not room[at]:
            break  # `most` does not add up to the total
        found[at] += np.sign(left) * min(abs(left), int(room[at]))
    return found
