"""S5 and S6: what scores say of the telco's codes, one by one and added up."""

from __future__ import annotations

import tempfile
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from attacks import s05_score_decoding, s06_score_accumulation
from three_parties import make_site, make_telco

from attacked.catalogue import Line
from attacked.results import ALL, NONE, Result, Size, at_least, at_most, rate
from attacked.scorings import Scored, played, public, sets_here, trait_codes
from attacked.signing import Draft
from attacked.weak.exact_scores import exact_scores
from attacked.weak.no_budget import no_budget
from tandem.arguments import Seeded
from tandem.contract import TELCO, Contract
from tandem.errors import Replayed, TandemError
from tandem.node.casting import VERSION
from tandem.node.ledger_store import Ledger
from tandem.score.statement import roster_digest
from tandem.train.exposure import Told, predict
from tandem.wire.messages import Opening
from telco_party.casting import Telco

CLOSE = 0.03
"""How far what is found may lie above what was predicted."""
LIMITS = ("1/20", "1/10", "3/20")
"""Of rows found, each below what a table of six variables exposes."""
MODELS, VARIABLES = 12, 12
SQUARED = {1: 0.077, 3: 0.064, 6: 0.042, 12: 0.0}
"""Mean squared error of values uniform in 0 to 1 after so many models (security, part 2, S6); a guess has 1/12."""
KNOWN = 8
"""Customers whose values the bank knows anyway, such as its own people."""


def _found(one: Scored) -> tuple[int, int]:
    """Return rows whose bins are all found, and rows: the better of both ways to break ties."""
    hits = max(int((s05_score_decoding.rows(one.heard, one.bins, one.others, whole=whole) == one.codes).all(axis=1).sum())
               for whole in (False, True))
    return hits, len(one.codes)


def _in_the_clear(size: Size) -> Result:
    with exact_scores():
        return rate("whole rows read", *_found(played(size.of(1500, 4000), size.key_bits, noise=False)))


def _as_predicted(one: Scored, size: Size) -> Result:
    hits, count = _found(one)
    predicted = predict(one.table, one.told, Seeded(b"S5").fork(*size.seeds)).share
    return rate("whole rows read", hits, count, predicted, note=f"{one.name}: the telco's node predicted {predicted:.3f}")


def _sealed(size: Size) -> Result:
    return _as_predicted(played(size.of(1500, 4000), size.key_bits, noise=True), size)


def _public(size: Size) -> Result:
    """Return of all public sets and seeds, cards of step 1 and 4, the one that lies highest above its prediction."""
    tried = [
        _as_predicted(public(name, Told(3, card_step=step), seed), size)
        for name in sets_here() for step in (1, 4) for seed in size.seeds
    ]
    if not tried:
        return replace(_sealed(size), note="no public set lies beside this checkout: made-up rows")
    return max(tried, key=lambda one: one.advantage)


def _public_in_the_clear(size: Size) -> Result:
    """Decode sums to 32 bits of the rows of the public sets, under points drawn so that no two bins of a variable have the same."""
    hits = count = 0
    for name in sets_here() or ("",):
        one = public(name, Told(1), size.seeds[0]) if name else played(size.of(1500, 4000), size.key_bits, noise=True)
        points = np.random.default_rng(5).integers(-(1 << 27), 1 << 27, sum(one.bins))
        scores = s05_score_decoding.sums(points, one.codes, one.bins)
        clear = replace(one, heard=(s05_score_decoding.Heard(points, scores),))
        some, of = _found(clear)
        hits, count = hits + some, count + of
    return rate("whole rows read", hits, count)


def _signatures(limits: tuple[str, ...]) -> Result:
    signed = 0
    with tempfile.TemporaryDirectory() as folder:
        draft = Draft(Path(folder), trait_codes(3000, 3))
        for limit in limits:
            draft.new("--max-exposure", limit)
            draft.signed()
            signed += draft.holds
    return rate("contracts signed that expose more rows", signed, len(limits))


def _signed_without_limit(_: Size) -> Result:
    return _signatures(("1",) * len(LIMITS))


def _signed_with_limit(_: Size) -> Result:
    return _signatures(LIMITS)


def _scorings(*, weak: bool) -> tuple[int, int]:
    """Ask one telco's node for MODELS scorings where one is allowed; return those beyond it that it admits, and tries.

    Each is a job of its own after a restart. On shipped code each is tried once more as a replay of the one that was allowed.
    """
    roster = np.arange(5, 305)
    with tempfile.TemporaryDirectory() as folder, no_budget() if weak else nullcontext():
        site = make_site(Path(folder), caps={"disclosure_bits": 16, "trainings": 1})
        admitted, first = 0, None
        for number in range(MODELS):
            with closing(Ledger(site.folder(TELCO) / "ledger.sqlite")) as ledger:
                telco = make_telco(site, ledger, lambda _: None)
                job, attempt = (number + 1).to_bytes(16, "big"), 1
                align = Opening(VERSION, "align", 0, ("ids",), (len(roster),), b"", job=job, attempt=attempt)
                train = Opening(VERSION, "train", 1, ("rows",), (len(roster),), roster_digest(roster), job=job, attempt=attempt + 1)
                try:
                    telco.cast(site.contract, bytes(16), align).finish(roster)
                    telco.cast(site.contract, bytes(16), train)
                except TandemError:
                    pass
                else:
                    admitted, first = admitted + 1, first or train
                if not weak and number:
                    admitted += _admitted(telco, site.contract, first)
    return admitted - 1, (MODELS - 1) * (1 if weak else 2)


def _admitted(telco: Telco, contract: Contract, opening: Opening | None) -> bool:
    """Say whether the node plays an attempt again that it has played."""
    if opening is None:
        raise AssertionError("the one scoring that the cap allows was refused")
    try:
        telco.cast(contract, bytes(16), opening)
    except Replayed:
        return False
    return True


def _errors(models: int) -> float:
    """Return the mean squared error of values uniform in 0 to 1 that so many models of VARIABLES variables leave."""
    rng = np.random.default_rng(11)
    values, weights = rng.random((2000, VARIABLES)), rng.normal(size=(models, VARIABLES))
    return float(((s06_score_accumulation.solve(weights, weights @ values.T, 0.5) - values) ** 2).mean())


def _added_up(*, weak: bool) -> Result:
    beyond, tries = _scorings(weak=weak)
    left = {models: round(_errors(models), 3) for models in SQUARED if models <= beyond + 1}
    if any(abs(left[models] - SQUARED[models]) > 0.002 for models in left):
        raise AssertionError(f"squared errors {left}, where {SQUARED} were measured")
    said = ", ".join(f"{error:.3f} after {models}" for models, error in left.items())
    return rate("scorings beyond the cap", beyond, tries, note=f"squared error {said} of {VARIABLES}; guess {1 / 12:.3f}")


def _without_budget(_: Size) -> Result:
    return _added_up(weak=True)


def _with_budget(_: Size) -> Result:
    return _added_up(weak=False)


def _others(values: np.ndarray, scores: np.ndarray) -> Result:
    """Return for how many customers all values are found to a thousandth, from KNOWN ones."""
    guessed = s06_score_accumulation.complete(values[:KNOWN], scores)[KNOWN:]
    near = (np.abs(guessed - values[KNOWN:]) < 1e-3).all(axis=1)
    error = float(((guessed - values[KNOWN:]) ** 2).mean())
    return rate(f"customers read from {KNOWN} known ones", int(near.sum()), len(near), note=f"squared error {error:.1g}")


def _logits(_: Size) -> Result:
    rng = np.random.default_rng(12)
    values, steps = rng.random((500, 7)), np.cumsum(rng.normal(scale=0.1, size=(60, 7)), axis=0)
    return _others(values, steps @ values.T)


def _told(size: Size) -> Result:
    one = played(size.of(1500, 4000), size.key_bits, noise=True)
    return _others(one.values[:500], np.stack([heard.scores[:500] / heard.width for heard in one.heard]))


LINES = (
    Line(
        "S5a", "Score decoding", "bank, curious", "bounded", "scores to 32 bits", _in_the_clear, at_least(0.97),
        _sealed, at_most(CLOSE),
    ),
    Line(
        "S5b", "Score decoding past the telco's limit", "bank, curious", "bounded", "no max_exposure", _signed_without_limit, ALL,
        _signed_with_limit, NONE,
    ),
    Line(
        "S5c", "Score decoding on public sets", "bank, curious", "bounded", "logits in the clear", _public_in_the_clear, at_least(0.97),
        _public, at_most(CLOSE), nightly=True,
    ),
    Line(
        "S6a", "Scores added up over jobs", "bank", "bounded", "no budget", _without_budget, ALL,
        _with_budget, NONE,
    ),
    Line(
        "S6b", "Logits of many steps and a few known customers", "bank", "bounded", "logits in the clear", _logits, ALL,
        _told, NONE,
    ),
)
