"""Group A: the oblivious alignment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial, wraps
from typing import Any

from attacked import asking, rosters
from attacked.alignments import agreed
from attacked.catalogue import Line, Trial
from attacked.results import ALL, NONE, Gate, Result, Size, at_guess, at_least, rate
from attacked.weak.one_key import one_key
from attacked.weak.salted_hash import salted
from attacked.weak.uncounted import uncounted
from attacked.weak.unproved import unproved
from attacked.weak.unshuffled import unshuffled
from tandem.contract import words


def _printed(cover: int, *parts: str) -> Callable[[], str]:
    """Return who finds the sentence with these words under "What this does not prevent" of a contract with this cover."""

    def sentence() -> str:
        contract = agreed(cover=cover)
        (limits,) = (page for page in words.pages(contract) if page.heading == "What this does not prevent")
        for number, (_, text) in enumerate(limits.rows):
            if all(part in text for part in parts):
                return f"{text} {words.pages(contract, 'zh')[3].rows[number][1]}"
        raise LookupError(f"no sentence of the contract says {parts}")

    return sentence


def _over_seeds(trial: Callable[..., Result], **fixed: Any) -> Trial:
    """Return the trial, a count, summed over the seeds of a run; the note is the first one's."""

    @wraps(trial)
    def summed(size: Size) -> Result:
        found = [trial(replace(size, seeds=(seed,)), **fixed) for seed in size.seeds]
        trials = sum(one.trials for one in found)
        baseline = sum(one.baseline * one.trials for one in found) / trials
        return rate(found[0].what, sum(one.hits or 0 for one in found), trials, baseline, found[0].note)

    return summed


AT_CHANCE = Gate("95 % interval contains guessing", lambda found: found.low <= found.baseline <= found.high)

LINES: tuple[Line, ...] = (
    Line(
        "A1", "reverse the tags", "bank, or a thief of the telco's disk", "blocked", "salted-hash set intersection",
        lambda size: asking.tags_reversed(size, salted=salted, candidates=size.of(100_000, 1_000_000)), ALL, asking.tags_reversed, NONE,
    ),
    Line(
        "A2", "ask for everyone", "bank", "bounded", "a telco that keeps no count",
        partial(asking.range_asked, uncounted=uncounted), ALL, asking.range_asked, NONE,
    ),
    Line(
        "A3a", "put everyone into the table", "telco", "bounded", "no cap on the table, f = 1",
        _over_seeds(rosters.everyone_offered, capped=False), ALL, _over_seeds(rosters.everyone_offered, capped=True), NONE,
    ),
    Line(
        "A3b", "read the roster", "telco", "printed", "f = 1", _over_seeds(rosters.one_in_f, cover=1), ALL,
        _over_seeds(rosters.one_in_f, cover=4), at_guess(),
        _printed(4, "hides a customer among 4 people, on average", "can put numbers into its table that it does not serve"),
    ),
    Line(
        "A4a", "guess whom a query asks about", "telco", "blocked", "blinds of 1", asking.ones, ALL, asking.query_guessed, NONE,
    ),
    Line(
        "A4b", "compare queries of two jobs", "telco", "blocked", "blinds reused", asking.stale_jobs, ALL, asking.query_repeated, NONE,
    ),
    Line(
        "A5", "answer part of a query under another key", "telco", "blocked", "no proof",
        _over_seeds(asking.order_recovered, unproved=unproved), ALL, asking.switched_unrefused, NONE,
    ),
    Line(
        "A6", "bad points", "either", "blocked", "plain X25519, unclamped, unchecked", _over_seeds(asking.residues_read), ALL,
        asking.bad_elements_admitted, NONE,
    ),
    Line(
        "A7a", "the telco's file order from tags", "bank", "blocked", "no shuffle",
        partial(rosters.order_read, by="bank", unshuffled=unshuffled), at_least(0.99), partial(rosters.order_read, by="bank"), AT_CHANCE,
    ),
    Line(
        "A7b", "the bank's file order from the roster", "telco", "blocked", "no shuffle",
        partial(rosters.order_read, by="telco", unshuffled=unshuffled), at_least(0.99), partial(rosters.order_read, by="telco"), AT_CHANCE,
    ),
    Line(
        "A8", "link contracts, epochs or purposes", "bank", "blocked", "one key for all",
        partial(rosters.tables_linked, one_key=one_key), ALL, rosters.tables_linked, NONE,
    ),
    Line(
        "A9a", "lay rosters over each other, 10 % customers", "telco", "blocked", "decoys drawn afresh, f = 4, 3 contracts",
        _over_seeds(rosters.laid_over, share=0.1, contracts=3, fresh=True), at_least(0.65),
        _over_seeds(rosters.laid_over, share=0.1, contracts=5, fresh=False), at_guess(),
    ),
    Line(
        "A9b", "lay rosters over each other, 1 % customers", "telco", "blocked", "decoys drawn afresh, f = 4, 3 contracts",
        _over_seeds(rosters.laid_over, share=0.01, contracts=3, fresh=True), at_least(0.9),
        _over_seeds(rosters.laid_over, share=0.01, contracts=5, fresh=False), at_guess(),
    ),
    Line(
        "A10a", "who looks like a customer", "telco", "printed", "customers 1 sd apart in one variable",
        partial(rosters.lookalikes, apart=1.0), at_least(0.65), partial(rosters.lookalikes, apart=0.0), AT_CHANCE,
        _printed(1, "compare the roster with its other subscribers and guess who else looks like a customer"),
    ),
    Line(
        "A10b", "a target and invented strings in one group", "telco", "printed", "a telco that forges its groups",
        _over_seeds(rosters.forged, forging=True), ALL, _over_seeds(rosters.forged, forging=False), at_guess(),
        _printed(4, "not row by row", "not from a telco that forges its groups"),
    ),
    Line(
        "A11a", "halve the table, and halve it again", "telco", "bounded", "decoys drawn afresh, no record of tables",
        _over_seeds(rosters.bisected, remembers=False), ALL, _over_seeds(rosters.bisected, remembers=True), NONE,
    ),
    Line(
        "A11b", "leave single people out of later tables", "telco", "printed", "no record of tables",
        _over_seeds(rosters.left_out, remembers=False), at_least(0.7), _over_seeds(rosters.left_out, remembers=True), at_least(0.7),
        _printed(4, "leaves people out of later tables"),
    ),
    Line(
        "A12a", "name who does not match", "bank", "blocked", "no cap on the roster",
        _over_seeds(rosters.strangers_named, capped=False), ALL, _over_seeds(rosters.strangers_named, capped=True), NONE,
    ),
    Line(
        "A12b", "name the cover by a later query", "bank", "printed", "the same key",
        _over_seeds(rosters.cover_named, same_key=True), ALL, _over_seeds(rosters.cover_named, same_key=False), NONE,
        _printed(4, "scores come back to the bank, under tags that a later query with the same key would name"),
    ),
)
