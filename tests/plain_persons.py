"""Persons by the rule of telco_party/persons.py, one pair after the other: the slow twin."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd

MOST = 4
ALWAYS, NEVER = pd.Timestamp("1900-01-01"), pd.Timestamp("2200-01-01")
FOLDING = ("device", "cookie")


def closure(nodes, edges):
    """Return the sets that edges join: sets are melted together until nothing changes."""
    sets = [{node} for node in nodes]
    for one, other in edges:
        joined = [each for each in sets if one in each or other in each]
        sets = [each for each in sets if not (one in each or other in each)] + [set().union(*joined)]
    return sets


def persons(identifiers, phones, as_of):  # noqa: C901, PLR0912 - the rule, from its first step to its last
    """Return (persons, holdings): frozensets of identifiers with a phone among them, and [(identifier, person, since, until)]."""
    seen = defaultdict(list)
    for kind, value, other_kind, other, day in identifiers.itertuples(index=False):
        if day < as_of:
            for one, two in (((kind, value), (other_kind, other)), ((other_kind, other), (kind, value))):
                if one[0] != "phone" and (two[0] != "phone" or two[1] in phones):
                    seen[one, two].append(day)
    with_phones = defaultdict(list)
    for (one, two), days in seen.items():
        if one[0] in FOLDING and two[0] == "phone":
            with_phones[one].append((min(days), two, max(days)))
    public = {one for one, sightings in with_phones.items() if len(sightings) > MOST}
    seen = {pair: days for pair, days in seen.items() if not public & set(pair)}
    runs = {}
    for one in with_phones.keys() - public:
        groups, newest = [], None
        for first, phone, last in sorted(with_phones[one]):
            if newest is None or first > newest:
                groups.append([])
            groups[-1].append((first, phone))
            newest = last if newest is None else max(newest, last)
        runs[one] = groups
    edges = [(group[0][1], phone) for groups in runs.values() for group in groups for _, phone in group]
    edges += [(one, groups[-1][0][1]) for one, groups in runs.items()]
    edges += [(a, b) for a, b in seen if a[0] in FOLDING and b[0] in FOLDING and not (a in runs and b in runs)]
    nodes = {("phone", one) for one in phones} | {one for pair in seen for one in pair if one[0] in FOLDING}
    found, crowded = [], set()
    for one in closure(nodes, edges):
        numbers = [node for node in one if node[0] == "phone"]
        found += [frozenset({node}) for node in numbers] if len(numbers) > MOST else [frozenset(one)] if numbers else []
        crowded |= set(numbers) if len(numbers) > MOST else set()
    whose = {node: one for one in found for node in one}
    holdings = [(node, one, ALWAYS, NEVER) for node, one in whose.items() if node not in runs]
    for key, groups in runs.items():
        since = [ALWAYS, *(group[0][0] for group in groups[1:]), NEVER]
        holdings += [(key, whose[group[0][1]], since[at], since[at + 1]) for at, group in enumerate(groups) if group[0][1] not in crowded]
    households = defaultdict(set)
    for one, two in seen:
        if one[0] == "broadband" and two in whose:
            households[one].add(whose[two])
    holdings += [(one, next(iter(group)), ALWAYS, NEVER) for one, group in households.items() if len(group) == 1]
    first = {one: min(day for (a, _), days in seen.items() if a == one for day in days) for one in {a for a, _ in seen}}
    return found, holdings, households, first
