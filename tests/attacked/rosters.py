"""Attacks on tables and rosters (A3, A7 to A12), each tried and scored: who is a customer is known here."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from attacks import a03_full_table as filling
from attacks import a07_order as ordering
from attacks import a08_linked_tables as linking
from attacks import a09_laid_over as laying
from attacks import a10_lookalikes as likening
from attacks import a11_smaller_tables as narrowing
from attacks import a12_fat_roster as fattening
from contracts import NOW
from scipy.stats import spearmanr

from attacked.alignments import SEED, Aligned, agreed, align, numbers, telco
from attacked.results import Result, Size, area, rate
from attacked.views import changed
from attacked.weak.fresh_decoys import with_decoys
from attacked.weak.uncapped import NO_CAP_ON_THE_ROSTER, NO_CAP_ON_THE_TABLE
from bank_party.offered import known_table
from tandem.align.tags import make_tags
from tandem.arguments import Once, unkept
from tandem.contract import Contract
from tandem.engine.serial import Serial
from tandem.errors import Enumeration, OtherTable, Oversized
from tandem.node import keys
from tandem.node.ledger_store import Ledger
from tandem.wire.messages import Roster


def behind(table: Any, people: Sequence[int]) -> dict[str, Any]:
    """Return what the telco has beside a roster: the person, and the row of its file, at each position."""
    named = numbers(people)
    return {"behind": [named[row] for row in table.rows], "rows": table.rows}


def drawn(size: Size, people: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of so many people, and which of them are customers."""
    rng = np.random.default_rng(size.seeds[0])
    return np.arange(people), rng.random(people) < share


def expected(share: float, cover: int) -> float:
    """Return the share of customers in named groups, if people are customers independently with this probability."""
    return share / (1 - (1 - share) ** cover)


# A3 ---------------------------------------------------------------------------------------------------------------------------------------


def everyone_offered(size: Size, *, capped: bool) -> Result:
    """Put a whole range into the table, beyond what the contract allows or under one that allows all; f = 1."""
    people, own = drawn(size, size.of(2_000, 20_000), 0.1)
    cap = {"caps": {"table": len(people) // 4, "roster": len(people) // 4}, "layout": {"min_matched": 100}}
    contract = agreed(**(cap if capped else NO_CAP_ON_THE_TABLE))
    ids = numbers(people)
    key = keys.alignment_key(SEED, contract)
    played = align(contract, make_tags(key, ids, Serial()), numbers(people[own]), inputs={"behind": ids})
    told = set().union(*filling.customers(played.telco, 1))
    if capped and not isinstance(played.error, Oversized):
        told = set(numbers(people[own]))
    return rate("customers told to who offers everybody", len(told & set(numbers(people[own]))), int(own.sum()))


def one_in_f(size: Size, *, cover: int) -> Result:
    """Offer everybody with cover; return the share of customers among the named, where customers are few."""
    share = 0.01 if cover > 1 else 0.05
    people, own = drawn(size, size.of(8_000, 50_000), share)
    contract = agreed(cover=cover)
    with telco() as node:
        table = node.table(people, contract)
    played = align(contract, table.tags, numbers(people[own]), roster_cap=cover * len(people), inputs=behind(table, people))
    groups = filling.customers(played.telco, cover)
    customers = set(numbers(people[own]))
    named = [person for group in groups for person in group]
    baseline = expected(share, cover) if cover > 1 else 0.0
    return rate("of the named are customers", sum(person in customers for person in named), len(named), baseline)


# A7 ---------------------------------------------------------------------------------------------------------------------------------------


def order_read(size: Size, *, by: str, unshuffled: Any = nullcontext) -> Result:
    """Have one side guess the other's file order; both files are in the order of numbers."""
    people, own = drawn(size, size.of(2_000, 20_000), 0.5)
    guessed, true = [], []
    with telco() as node, unshuffled():
        for number in size.seeds:
            contract = agreed(number if by == "bank" else 100 + number)
            table = node.table(people, contract)
            played = align(contract, table.tags, numbers(people[own]), inputs=behind(table, people))
            seems = ordering.telcos_order(played.bank) if by == "bank" else ordering.banks_order(played.telco)
            place = {person: at for at, person in enumerate(numbers(people) if by == "bank" else numbers(people[own]))}
            guessed += list(seems.values())
            true += [place[person] for person in seems]
    rho = float(spearmanr(guessed, true).statistic)
    # Fisher's z for Spearman's rho with the standard error of Fieller, Hartley and Pearson, Biometrika 44 (1957)
    wide = 1.96 * 1.03 / np.sqrt(len(true) - 3)
    low, high = (float(np.tanh(np.arctanh(min(rho, 1 - 1e-12)) + side)) for side in (-wide, wide))
    return Result("rank correlation", rho, low, high, trials=len(true))


# A8 ---------------------------------------------------------------------------------------------------------------------------------------


def tables_linked(size: Size, *, one_key: Any = nullcontext) -> Result:
    """Offer a table, and a later one of which some have left and to which some have come, under another contract, epoch or purpose."""
    many = size.of(1_000, 20_000)
    before, after = np.arange(many), np.arange(many // 20, many + many // 10)
    linked, exact, stay = 0, 0, many - many // 20
    with one_key():
        first = agreed(1)
        others = [agreed(2), agreed(1, epoch=2)]
        pairs = [(keys.alignment_key(SEED, first), keys.alignment_key(SEED, other)) for other in others]
        pairs.append((pairs[0][0], keys.oprf_key(SEED, first.id, "look-up", first.epoch)))
        for one, two in pairs:
            views = [
                align(first, make_tags(key, numbers(people), Serial()), [], key=key).bank for key, people in ((one, before), (two, after))
            ]
            found = linking.link(*views)
            linked += found.stayed
            exact += (found.joined, found.left) == (many // 10, many // 20)
    note = f"joiners and leavers exact in {exact} of {len(pairs)} pairs"
    return rate("people followed by equal tags", linked, stay * len(pairs), note=note)


# A9 ---------------------------------------------------------------------------------------------------------------------------------------


def laid_over(size: Size, *, share: float, contracts: int, fresh: bool) -> Result:
    """Lay the rosters of several contracts over each other, f = 4: decoys drawn afresh, or cover groups, which 1 % leave each time.

    Guessing has the last roster alone: a group that people have left hides a customer among fewer, as the node says when it happens.
    """
    people, own = drawn(size, size.of(6_000 if share < 0.05 else 2_000, 60_000), share)
    gone = np.random.default_rng(7).geometric(1e-9 if fresh else 0.01, len(people))
    ids, views, shares, told = numbers(people[own]), [], [], ""
    customers = set(ids)
    with telco() as node:
        for number in range(1, contracts + 1):
            contract, there = agreed(number, cover=1 if fresh else 4), people[gone >= number]
            table = node.table(there, contract)
            bend = {"bank": with_decoys(len(there), 4, number)} if fresh else {}
            played = align(contract, table.tags, ids, asked=4 * len(ids), inputs=behind(table, there), chance=b"%d" % number, **bend)
            views.append(played.telco)
            left = laying.in_all(views)
            shares.append(len(left & customers) / len(left))
            told = table.note
    note = "after 1, 2, ... contracts " + " ".join(f"{one:.3f}" for one in shares) + (f"; the node: {told}" if told else "")
    first, last = ([] if fresh else filling.customers(view, 4) for view in (views[0], views[-1]))
    hits = len(left & customers) if _nest(first, last) else len(left)
    guess = sum(len(group) * expected(share, len(group)) for group in last) / len(left)
    return rate("of those in all rosters are customers", hits, len(left), guess, note=note)


def _nest(first: Sequence[frozenset[bytes]], last: Sequence[frozenset[bytes]]) -> bool:
    """Say whether whoever stands in a group at last stood with the same people at first, those who left aside."""
    of = {person: group for group in first for person in group}
    return all(len({of.get(person, group) for person in group}) == 1 for group in last)


# A10 --------------------------------------------------------------------------------------------------------------------------------------


def lookalikes(size: Size, *, apart: float) -> Result:
    """Have customers told from their cover by one variable, in which they are `apart` standard deviations from the others."""
    rng = np.random.default_rng(size.seeds[0])
    people, own = drawn(size, size.of(4_000, 40_000), 0.03)
    variables = (rng.normal(size=len(people)) + apart * own)[:, None]
    contract = agreed(cover=4)
    with telco() as node:
        table = node.table(people, contract)
        inputs = {**behind(table, people), "variables": variables}
        played = align(contract, table.tags, numbers(people[own]), roster_cap=4 * len(people), inputs=inputs)
    scores = likening.likeness(played.telco)
    truth = own[table.rows[played.roster]]
    best = truth[np.argsort(-scores)[: max(20, len(truth) // 100)]]
    found = area("area of likeness over the roster", scores, truth, seed=size.seeds[0])
    return Result(
        found.what, found.value, found.low, found.high, found.baseline, found.trials, seeds=size.seeds,
        note=f"{own.sum()} customers in {len(truth)} rows; of the top {len(best)} {best.mean():.2f} are customers",
    )


def forged(size: Size, *, forging: bool) -> Result:
    """Put each of 200 targets into a group with invented strings, or into the groups that the node makes; half of them are customers."""
    rng = np.random.default_rng(size.seeds[0])
    targets = np.arange(200)
    own = rng.permutation(200) < 100
    contract, customers = agreed(cover=4), set(numbers(targets[own]))
    with telco() as node:
        if forging:
            ids = [name for target in numbers(targets) for name in (target, *(target + b"/%d" % number for number in range(3)))]
            tags = make_tags(keys.alignment_key(SEED, contract), ids, Serial())
            played = align(contract, tags, sorted(customers), roster_cap=800, inputs={"behind": ids})
            named = likening.told(played.telco, 4)
        else:
            others = np.arange(1_000, 1_000 + size.of(9_800, 50_000))
            people = np.concatenate((targets, others))
            table = node.table(people, contract)
            played = align(contract, table.tags, sorted(customers), roster_cap=800, inputs=behind(table, people))
            everybody = [person for group in filling.customers(played.telco, 4) for person in group]
            hits, guess = sum(one in customers for one in everybody), expected(len(customers) / len(people), 4)
            return rate("of those told are customers", hits, len(everybody), guess)
    return rate("of those told are customers", len(named & customers) if len(named) == len(customers) else 0, len(named))


# A11 --------------------------------------------------------------------------------------------------------------------------------------


STOPPED_BY = 3
"""The run at which a bank that remembers must have refused."""


@dataclass
class Bank:
    """A bank that aligns whenever the telco has a contract for it, with what it remembers of tables, or with nothing."""

    remembered: Callable[[Contract], Once]
    ids: Sequence[bytes]
    runs: int = 0

    def align(self, contract: Contract, tags: bytes, **more: Any) -> Aligned:
        """Align once more. Raises what the alignment ended with."""
        self.runs += 1
        played = align(contract, tags, self.ids, once=self.remembered(contract), chance=b"run %d" % self.runs, **more)
        if played.error is not None:
            raise played.error
        return played


@contextmanager
def remembering(size: Size, ids: Sequence[bytes], *, remembers: bool) -> Iterator[Bank]:
    """Give the bank, with its ledger: a contract a month, the node started again for each; or one that remembers nothing."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

        def remembered(contract: Contract) -> Once:
            if not remembers:
                return unkept
            ledger = stack.enter_context(Ledger(folder / "ledger.sqlite"))
            return known_table(ledger, contract, lambda: NOW + timedelta(days=7 * int(contract.id, 16)))

        yield Bank(remembered, ids)


def bisected(size: Size, *, remembers: bool) -> Result:
    """Bisect 1 000 people among others, ten of them customers (at night a tenth of them too); f = 4."""
    notes, right, wanted = [], 0, 0
    for many in (10, 100)[: size.of(1, 2)]:
        hits, runs = _bisect(size, many, remembers=remembers)
        right, wanted = right + hits, wanted + many
        notes.append(f"{many} customers: {runs} runs")
    return rate("customers of 1 000 suspects told for certain", right, wanted, note=", ".join(notes))


def _bisect(size: Size, many: int, *, remembers: bool) -> tuple[int, int]:
    rng = np.random.default_rng(size.seeds[0])
    suspects, others = numbers(range(1_000)), numbers(range(1_000, 1_000 + 4 * many + 60))
    customers = set(rng.choice(suspects, many, replace=False).tolist())
    told: set[bytes] = set()
    with remembering(size, sorted(customers), remembers=remembers) as bank:

        def count(part: Sequence[bytes]) -> int:
            contract = agreed(bank.runs + 1, cover=4)
            people = [*part, *others]
            ids = people + [b"nobody %d" % number for number in range(-len(people) % 4)]
            if remembers:
                tags = make_tags(keys.alignment_key(SEED, contract), ids, Serial())
                return len(bank.align(contract, tags, roster_cap=len(ids)).roster) // 4
            plain = agreed(bank.runs + 1)
            tags = make_tags(keys.alignment_key(SEED, plain), ids, Serial())
            return len(bank.align(plain, tags, asked=len(ids), bank=with_decoys(len(ids), 4, bank.runs)).roster) // 4

        try:
            narrowing.bisect(suspects, count, told)
        except OtherTable:
            if bank.runs > STOPPED_BY:
                return many, bank.runs
    return max(0, len(told & customers) - len(told - customers)), bank.runs


def left_out(size: Size, *, remembers: bool) -> Result:
    """Leave one person of each cover group out of a later table, place by place; the node gives the empty seat a tag."""
    people, own = drawn(size, size.of(800, 20_000), 0.05)
    customers, told = set(numbers(people[own])), set()
    place = {name: at for at, name in enumerate(numbers(people))}
    with telco() as node, remembering(size, sorted(customers), remembers=remembers) as bank:
        table = node.table(people, agreed(99, cover=4))
        seated = [numbers(people)[row] for row in table.rows]
        groups = [frozenset(seated[at : at + 4]) for at in range(0, len(seated), 4)]
        group_of = {person: group for group in groups for person in group}

        def named(left: Sequence[bytes]) -> set[frozenset[bytes]]:
            contract = agreed(bank.runs + 1, cover=4)
            there = np.setdiff1d(people, [place[name] for name in left])
            table = node.table(there, contract)
            roster = bank.align(contract, table.tags, roster_cap=len(people), inputs={}).roster
            return {group_of[numbers(there)[row]] for row in table.rows[roster]}

        narrowing.left_out(groups, named, told)
    return rate("customers told for certain", len(told & customers) - len(told - customers), len(customers), note=f"{bank.runs} tables")


# A12 --------------------------------------------------------------------------------------------------------------------------------------


def strangers_named(size: Size, *, capped: bool) -> Result:
    """Name whom the bank does not have, in every way of the list; count the rows of strangers that a telco would score beyond f x asked."""
    people, own = drawn(size, 2_000, 0.05)
    contract, ids = agreed(cover=4), numbers(people[own])
    with telco() as node:
        table = node.table(people, contract)
    honest = align(contract, table.tags, ids, roster_cap=4 * len(ids))
    groups = sorted({int(at) // 4 for at in honest.roster})
    scored = tried = 0
    bounds = {"roster_cap": 4 * len(ids)} if capped else NO_CAP_ON_THE_ROSTER
    kinds = list(fattening.rosters(len(people) // 4, len(ids), groups))
    for _, message in kinds if capped else kinds[:1]:
        played = align(contract, table.tags, ids, bank=partial(_naming, message), **bounds)
        tried += len(people) - len(honest.roster)
        scored += len(played.roster) - len(honest.roster) if len(played.roster) else 0
        if capped and not isinstance(played.error, Enumeration):
            scored = tried
    return rate("rows of strangers named", scored, tried, note=f"{len(kinds) if capped else 1} rosters")


def _naming(message: Roster, role: Any) -> Any:
    return changed(role, Roster, lambda _: message)


def cover_named(size: Size, *, same_key: bool) -> Result:
    """Keep the tags of cover that was scored, and ask about everybody later: under the same key, or under that of the next contract."""
    people, own = drawn(size, size.of(1_000, 20_000), 0.03)
    contract = agreed(1, cover=4)
    later = contract if same_key else agreed(2, cover=4)
    with telco() as node:
        first = align(contract, node.table(people, contract).tags, numbers(people[own]), roster_cap=4 * len(people))
        second = align(later, node.table(people, later).tags, numbers(people), roster_cap=4 * len(people), chance=b"later")
    unknown = fattening.tags_of_cover(first.bank)
    return rate("people of the cover whose tag gets a number", len(unknown & fattening.opened(second.bank).keys()), len(unknown))
