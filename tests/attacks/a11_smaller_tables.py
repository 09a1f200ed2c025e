"""A11, by the telco: choose tables so that rosters say who is a customer.

Bisection: a table tells by the size of its roster how many customers it holds; of each half one more table tells, and a part with none or
with nothing else is done. Leaving out: where cover groups stay, a group that is named with a person and not without had no other customer.
Source: "Birds of a feather flock together: how set bias helps to deanonymize you via revealed intersection sizes", USENIX Security 2022;
quantitative group testing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

Count = Callable[[Sequence[bytes]], int]
"""How many customers a table has: one alignment."""


def bisect(people: Sequence[bytes], count: Count, told: set[bytes]) -> None:
    """Put into `told` whoever is a customer for certain, until all are known or `count` raises."""
    parts = [(list(people), count(people))]
    while parts:
        part, customers = parts.pop(0)
        if customers >= len(part):
            told.update(part)
        elif customers > 0:
            half = part[: len(part) // 2]
            inside = count(half)
            parts += [(half, inside), (part[len(half) :], customers - inside)]


def left_out(groups: Sequence[frozenset[bytes]], named: Callable[[Sequence[bytes]], set[frozenset[bytes]]], told: set[bytes]) -> None:
    """Put into `told` the only customer of each group: one table with everybody, and one for each place in a group, without whoever has it.

    `named` aligns a table without these people and returns the groups, as they were, that were named.
    """
    full = named([])
    for place in range(max(map(len, groups))):
        left = [sorted(group)[place] for group in groups]
        still = named(left)
        told.update(one for group, one in zip(groups, left, strict=True) if group in full and group not in still)
