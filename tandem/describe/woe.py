"""WoE and IV of each variable from its bin totals, with small groups withheld before anybody reads them.

WoE = ln(share of bads / share of goods): a higher WoE is a worse bin. IV = sum of (share of bads - share of goods) * WoE.

What is released of a variable are groups of bins with at least `min_bin` rows, `min_class` bads and `min_class` goods each; they add up to
all training rows, which the label's owner knows. So bins that stay too small have WoE 0 and are *counted with the commonest group*: left
out of it, their rows and bads would be what is missing from the sum.

One label at a time. The groups of two labels over the same rows may cut across each other, and their counts then differ by a small group:
describe several labels by the smallest of them, or not in one study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np

from tandem.describe.merging import Pile, information, join_all, merge_monotone, merge_ordered, weight_of_evidence
from tandem.errors import CheckFailed, InputError, RowAsSum
from tandem.tables import Floats, Outline

NEUTRAL = -1
"""In `Described.group`: a bin too small to speak of. Its WoE is 0."""


@dataclass(frozen=True)
class Rule:
    """How small a group may be spoken of: rows, and rows of either class. Wish: ordered bins merged until the bad rate runs one way."""

    min_bin: int = 50
    min_class: int = 20
    monotone: bool = False

    def __post_init__(self) -> None:
        if self.min_class < 1 or self.min_bin < 2 * self.min_class:
            asked = f"min_bin = {self.min_bin}, min_class = {self.min_class}"
            raise InputError(f"{asked}: min_class must be at least 1, min_bin at least twice that")

    def enough(self, pile: Pile) -> bool:
        """Say whether the pile may be spoken of."""
        return pile.count >= self.min_bin and min(pile.bads, pile.count - pile.bads) >= self.min_class


@dataclass(frozen=True)
class Described:
    """What is released of one variable.

    `group[b]` is the released group of original bin b, or NEUTRAL. `counts`, `bads` and `woe` are by group, ordered groups first, then
    levels, missing, rest; they add up to all training rows, as group `host` (if not NEUTRAL) also counts the rows of the neutral bins.
    `reason` is empty while the variable is in use; else there is one group with WoE 0.
    """

    alias: str
    group: tuple[int, ...]
    counts: tuple[int, ...]
    bads: tuple[int, ...]
    woe: tuple[float, ...]
    iv: float
    host: int = NEUTRAL
    reason: str = ""

    @property
    def values(self) -> Floats:
        """WoE of each original bin, shape (bins,): what codes the variable in a fit."""
        return np.array([0.0 if at == NEUTRAL else self.woe[at] for at in self.group], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Described:
        """Return what `to_dict` wrote; raises InputError if it is damaged."""
        try:
            whole = {name: tuple(int(v) for v in data[name]) for name in ("group", "counts", "bads")}
            woe = tuple(float(v) for v in data["woe"])
            return cls(str(data["alias"]), **whole, woe=woe, iv=float(data["iv"]), host=int(data["host"]), reason=str(data["reason"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("a variable's description is damaged: a field is missing or of another type") from error


def check_totals(
    outlines: Sequence[Outline],
    counts: Sequence[Sequence[int]],
    bads: Sequence[Sequence[int]],
    roster: Sequence[Sequence[int]],
    rows: int,
    bad: int,
    spare: int = 0,
) -> None:
    """Check training totals by (variable, bin) against the roster's own counts and the declared `rows` and `bad` of the training rows.

    0 <= bads <= count <= roster count in each bin, where noise may put rows and bads off by `spare`, and each variable's sums equal what
    was declared, noise or not. Raises RowAsSum naming the alias.
    """
    if not 0 <= bad <= rows:
        raise RowAsSum(f"{bad} bads of {rows} training rows were declared; nothing can be released")
    for outline, count, bads_of, held in zip(outlines, counts, bads, roster, strict=True):
        if not len(count) == len(bads_of) == len(held) == outline.bins:
            raise RowAsSum(f"variable {outline.alias}: totals do not come in {outline.bins} bins; stop and ask who sealed and who summed")
        if not all(-spare <= b <= c + 2 * spare <= most + 3 * spare for c, b, most in zip(count, bads_of, held, strict=True)):
            raise RowAsSum(f"variable {outline.alias}: a bin breaks 0 <= bads <= rows <= roster rows; ask who sealed and who summed")
        if sum(count) != rows or sum(bads_of) != bad:
            raise RowAsSum(f"variable {outline.alias}: its bins do not add up to the declared rows and bads; stop and ask who summed")


def check_labels(totals: Mapping[str, int], min_bin: int) -> None:
    """Refuse labels whose totals over the same rows differ by fewer than `min_bin`: by difference they would speak of those few.

    Raises CheckFailed naming the two labels.
    """
    for (one, a), (other, b) in combinations(sorted(totals.items()), 2):
        if abs(a - b) < min_bin:
            raise CheckFailed(f"labels {one} and {other} have totals that differ by fewer than {min_bin}: leave one of them out")


def describe(
    outlines: Sequence[Outline],
    counts: Sequence[Sequence[int]],
    bads: Sequence[Sequence[int]],
    roster: Sequence[Sequence[int]],
    rows: int,
    bad: int,
    rule: Rule,
) -> list[Described]:
    """Check the totals (see `check_totals`), withhold small groups, and return what may be released, one entry a variable."""
    check_totals(outlines, counts, bads, roster, rows, bad)
    return [release(o, [int(v) for v in c], [int(v) for v in b], rule) for o, c, b in zip(outlines, counts, bads, strict=True)]


def release(outline: Outline, counts: Sequence[int], bads: Sequence[int], rule: Rule) -> Described:
    """Merge the bins of one variable until each may be spoken of: see the module and protocols.md section 3."""
    bins = [Pile((b,), counts[b], bads[b]) for b in range(outline.bins)]
    rows, bad = sum(counts), sum(bads)
    if outline.constant:
        return _dropped(outline, rows, bad, "one bin")
    if not rule.enough(join_all(bins)):
        return _dropped(outline, rows, bad, f"fewer than {rule.min_bin} training rows, or than {rule.min_class} of a class")
    piles, rest = _withheld(outline, bins, rule)
    neutral: tuple[int, ...] = ()
    host = NEUTRAL
    if rest.bins and rule.enough(rest):
        piles.append(rest)
    elif rest.bins and piles:
        neutral = rest.bins
        host = max(range(len(piles)), key=lambda i: (piles[i].count, -i))
        piles[host] = Pile(piles[host].bins, piles[host].count + rest.count, piles[host].bads + rest.bads)
    if len(piles) < 2:
        return _dropped(outline, rows, bad, "one bin left after small groups were merged")
    group = {b: i for i, pile in enumerate(piles) for b in pile.bins} | dict.fromkeys(neutral, NEUTRAL)
    return Described(
        alias=outline.alias,
        group=tuple(group[b] for b in range(outline.bins)),
        counts=tuple(pile.count for pile in piles),
        bads=tuple(pile.bads for pile in piles),
        woe=tuple(weight_of_evidence(pile, rows, bad) for pile in piles),
        iv=information(piles),
        host=host,
    )


def _withheld(outline: Outline, bins: list[Pile], rule: Rule) -> tuple[list[Pile], Pile]:
    """Return the groups that may be spoken of, and what is left over as one rest."""
    ordered = merge_ordered(bins[: outline.ordered], rule.enough)
    if rule.monotone:
        ordered = merge_monotone(ordered)
    others = bins[outline.ordered :]
    # The variable's own rest bin takes in what is too small even if it could stand alone.
    weak = [p for p in others if not rule.enough(p)]
    weak += [p for p in ordered if not rule.enough(p)]
    own_rest = bins[-1:] if outline.rest else []
    rest = join_all([*[p for p in weak if p not in own_rest], *own_rest])
    return [p for p in [*ordered, *others] if p not in weak and p not in own_rest], rest


def _dropped(outline: Outline, rows: int, bad: int, reason: str) -> Described:
    return Described(outline.alias, (0,) * outline.bins, (rows,), (bad,), (0.0,), 0.0, reason=reason)
