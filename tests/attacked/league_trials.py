"""Trials of telco and coordinator that cheat, or lay together what they have, and of a coordinator alone (T2, T6, T7, T9, C1)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
from attacks import c01_rows, t02_single_rows, t03_canaries, t06_mixed_rows, t07_reaction, t09_many_totals

from attacked.label_trials import SMALL_KEY, sentence, watched
from attacked.results import Result, Size, area, gain, rate
from attacked.trainings import HOLD_OUT, TRAINING, Training, made, with_codes
from attacked.views import View
from attacked.weak.any_number_of_totals import never_refused
from attacked.weak.key_holding_coordinator import holds_the_key, its_view
from attacked.weak.unchecked_totals import unchecked
from attacked.weak.visible_abort import stops
from tandem.arguments import Seeded
from tandem.errors import CheckFailed, InputError
from tandem.sums.shapes import LEAST_ROWS_A_TOTAL
from tandem.train.pooled import fit
from tandem.wire.messages import Key as SaidKey
from tandem.wire.messages import Masks, Opened, Own, Pairs, Sealed, Shapes, Wish


def league(study: Training) -> View:
    """Return what telco and coordinator have together. Each frame between them is in it twice, once from either end."""
    return study.telco.with_(study.coordinator)


# T2


def rows_in_place_of_sums(size: Size) -> Result:
    """T2: both cheat, and rows are opened in place of sums."""
    study = made(800, size.key_bits, 21, passes=1)
    targets = np.flatnonzero(study.status == TRAINING)[: sum(study.coded.table.bins)].tolist()

    def played(name: str, _: Any, role: Any) -> Any:
        return t02_single_rows.rows_for_sums(role, targets, Seeded(b"targets")) if name == "summer" else role

    study.corrupt = played
    study.train()
    read = t02_single_rows.labels(t02_single_rows.rows_read(league(study), study.layout, len(targets)))
    return rate("labels read", int(np.sum(read == study.labels[targets])), len(targets))


def _differing(size: Size, view: Callable[[Training], View]) -> Result:
    """Return how many targets' labels are read by difference of two variables' totals, from the view of whoever reads."""
    base = made(1200, SMALL_KEY, 22, bins=(3,), passes=1)
    targets = np.flatnonzero(base.status == TRAINING)[: size.of(20, 40)].tolist()
    codes = t03_canaries.twins(base.coded.table.codes[:, 0], targets)
    study = with_codes(codes, (3,) * codes.shape[1], base.rows, SMALL_KEY, 22, passes=1)
    study.train()
    read = t02_single_rows.labels(t02_single_rows.rows_by_difference(view(study), study.layout, 3, [(1, 0)] * len(targets)))
    return rate("labels read", int(np.sum(read == study.labels[targets])), len(targets))


@cache
def rows_by_difference(size: Size) -> Result:
    """T2 as printed: both follow the protocol, and variables differ in one person each."""
    return _differing(size, league)


def rows_by_the_telco_alone(size: Size) -> Result:
    """T2: the telco's own view of the same session."""
    return _differing(size, lambda study: study.telco)


def sentence_on_single_rows() -> str:
    """Return what every contract with a coordinator says."""
    return sentence("Telco and coordinator together can open single rows")


# T6


def _mixed(size: Size) -> Result:
    """Return how many of the altered passes the bank trained on; whatever is not among them was found."""
    accepted = trials = 0
    for seed in range(size.of(1, 20)):
        for change in _changes(seed):
            study = made(400, SMALL_KEY, 61 + seed, passes=2, min_bin=20, min_class=5)
            study.corrupt = partial(change, study)
            progress, known = study.train()
            trials += 1
            accepted += not (known.failed or progress.failed)
    return rate("altered passes accepted", accepted, trials)


def _changes(seed: int) -> list[Callable[[Training, str, Any, Any], Any]]:
    other = made(400, SMALL_KEY, 900 + seed, passes=1, min_bin=20, min_class=5)
    other.train()
    rng = np.random.default_rng(seed)

    def hearing(change: Callable[[Training, Any], Any], *stages: int) -> Callable[[Training, str, Any, Any], Any]:
        def played(study: Training, name: str, here: Any, role: Any) -> Any:
            if name != "summer" or here.stage not in stages:
                return role
            return t06_mixed_rows.heard_otherwise(role, lambda m: change(study, m) if isinstance(m, Sealed) else m)

        return played

    def row_for_row(kind: int) -> Callable[[Training, Any], Any]:
        draw = rng.random(2)

        def change(study: Training, message: Sealed) -> Sealed:
            kept, doubled = np.flatnonzero(study.status == TRAINING), np.flatnonzero(study.status == kind)
            to, take = kept[int(draw[0] * len(kept))], doubled[int(draw[1] * len(doubled))]
            take = doubled[0] if take == to else take
            return t06_mixed_rows.in_place_of(message, study.secret.public.width, int(to), int(take))

        return change

    def exchanging(study: Training, name: str, here: Any, role: Any) -> Any:
        def said(role: Any) -> Any:
            answer = None
            while True:
                try:
                    wanted = role.send(answer)
                except StopIteration as stop:
                    return stop.value
                answer = yield wanted if isinstance(wanted, type) else t06_mixed_rows.exchanged(wanted, study.secret.public, 0, 6)

        return said(role) if name == "summer" else role

    return [
        hearing(row_for_row(TRAINING), 1, 2), hearing(row_for_row(TRAINING), 2), hearing(row_for_row(HOLD_OUT), 1, 2),
        hearing(lambda study, message: t06_mixed_rows.sealed_of(study.telco, 1)[message.first], 2),
        hearing(lambda _, message: t06_mixed_rows.sealed_of(other.telco, 1)[message.first], 1),
        exchanging,
    ]


def mixed_and_not_checked(size: Size) -> Result:
    """T6 where totals are not checked."""
    with unchecked():
        return _mixed(size)


def mixed(size: Size) -> Result:
    """T6 on shipped code."""
    return _mixed(size)


# T7


def _reactions(size: Size, *, visible: bool) -> Result:
    """Return how many comparisons of a known customer with others the telco gets right: half of them like it, the rest not, some decoys."""
    count = 160
    honest = _looked_at(count, lambda role: role, lambda role: role)
    labels, status = honest.labels, honest.status
    one = int(np.flatnonzero(status == TRAINING)[0])
    like = np.flatnonzero((status == TRAINING) & (labels == labels[one]))[1:]
    unlike = np.flatnonzero((status != TRAINING) | (labels != labels[one]))
    half, rng = size.of(15, 100), np.random.default_rng(7)
    hits = 0
    for true, others in ((True, rng.choice(like, half)), (False, rng.choice(unlike, half))):
        for other in others:
            def folded(role: Any, other: int = int(other)) -> Any:
                width = honest.secret.public.width
                return t06_mixed_rows.heard_otherwise(
                    role, lambda m: t06_mixed_rows.in_place_of(m, width, other, one) if isinstance(m, Sealed) else m,
                )

            study = _looked_at(count, folded, stops if visible else lambda role: role)
            hits += t07_reaction.alike(study.telco, honest.telco) == true
    return rate("comparisons right", hits, 2 * half, baseline=0.5)


def _looked_at(count: int, telco: Callable[[Any], Any], coordinator: Callable[[Any], Any]) -> Training:
    study = made(count, SMALL_KEY, 71, bins=(2,), decoys=0.2, min_bin=2, min_class=1)
    parts = {"summer": telco, "solver": coordinator}
    study.corrupt = lambda name, _here, role: parts.get(name, lambda same: same)(role)
    with suppress(CheckFailed):  # what the fixture shows: the session is over, and the telco's view ends there
        study.describe()
    return study


def reactions_to_an_abort(size: Size) -> Result:
    """T7 where a failed check stops the session."""
    return _reactions(size, visible=True)


def reactions(size: Size) -> Result:
    """T7 on shipped code."""
    return _reactions(size, visible=False)


def _failures(size: Size, *, open_weights: bool) -> Result:
    """Return in how many studies, half of them with a row counted twice in place of another, the points say which it is."""
    trials, right = size.of(6, 20), 0
    for number in range(trials):
        study = made(400, SMALL_KEY, 75 + number, passes=1, open_weights=open_weights)
        bent = number % 2 == 1
        if bent:
            rows = np.flatnonzero(study.status == TRAINING)
            change = partial(t06_mixed_rows.in_place_of, width=study.secret.public.width, to=int(rows[0]), take=int(rows[1]))
            study.corrupt = partial(_folding, change)
        study.train()
        right += t07_reaction.zeros_told(study.telco) == bent
    return rate("failed checks told from honest ones", right, trials, baseline=0.5)


def _folding(change: Callable[[Sealed], Sealed], name: str, _: Any, role: Any) -> Any:
    return t06_mixed_rows.heard_otherwise(role, lambda m: change(m) if isinstance(m, Sealed) else m) if name == "summer" else role


@cache
def failures_under_open_weights(size: Size) -> Result:
    """T7 as printed: with weights in the clear."""
    return _failures(size, open_weights=True)


def failures_under_hidden_weights(size: Size) -> Result:
    """T7: with weights hidden."""
    return _failures(size, open_weights=False)


def sentence_on_visible_failures() -> str:
    """Return what a contract with open weights says."""
    return sentence("It also sees when a check fails", layout={"weights": "open"})


# T9


def _collecting(role: Any) -> Any:
    """Play a coordinator that hears one pass's totals and goes away."""
    role.close()
    yield SaidKey
    yield Shapes
    while (yield Pairs):
        pass
    yield Wish
    yield Own
    while (yield Opened):
        yield Masks
    raise CheckFailed("it has what it wanted")


def _crowded(rows: int, variables: int, bins: int) -> tuple[View, Training, bool]:
    """Return the league's view of a pass of so many training rows and totals, and whether the bank sealed any row for it."""
    study = made(rows, SMALL_KEY, 91, bins=(bins,) * variables, strength=0.5 / variables**0.5, hold_out=0.0, passes=1)
    study.corrupt = lambda name, _, role: _collecting(role) if name == "solver" else role
    with suppress(CheckFailed, InputError):  # the coordinator went away, or the bank refused
        study.train()
    return league(study), study, any(study.telco.frames("Sealed", sent=False))


def _solved(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Return the residuals that the league has of every row, and the true ones."""
    view, study, _ = _crowded(size.of(200, 1000), size.of(50, 250), 8)
    p = 1 / (1 + np.exp(-study.rows.x @ fit(study.rows.x, study.rows.y, 1.0).theta))
    return t09_many_totals.residuals(view, study.layout), np.rint((p - study.rows.y) * study.terms.largest)


def residuals_solved(size: Size) -> Result:
    """T9 where the bank refuses nothing: 1.75 totals a row."""
    with never_refused():
        found, true = _solved(size)
    return rate("residuals exact", int(np.sum(np.abs(found - true) < 0.5)), len(true))


def residuals_refused(size: Size) -> Result:
    """T9 on shipped code."""
    found, true = _solved(size)
    return rate("residuals exact", int(np.sum(np.abs(found - true) < 0.5)), len(true))


def jobs_refused(size: Size) -> Result:
    """T9: studies of just under the bank's limit that it seals rows for; one at the limit it does take."""
    bins, sealed, trials = 5, 0, 0
    for variables in range(1, size.of(4, 12)):
        least = LEAST_ROWS_A_TOTAL * variables * (bins - 1)
        if not _crowded(least, variables, bins)[2]:
            raise RuntimeError(f"{least} rows were refused, and they are enough")
        sealed += _crowded(least - 1, variables, bins)[2]
        trials += 1
    return rate("jobs sealed with too few rows", sealed, trials)


def jobs_never_refused(size: Size) -> Result:
    """T9 with the refusal taken out."""
    with never_refused():
        return jobs_refused(size)


def near_rows(size: Size, rows_a_total: int = LEAST_ROWS_A_TOTAL) -> Result:
    """T9 as printed: at the fewest rows a total that the bank takes, what the league's least squares adds to the telco's own model."""
    scores, own, truth = [], [], []
    variables, bins = 20, 2
    for seed in range(size.of(4, 20)):
        study = made(rows_a_total * variables * (bins - 1), SMALL_KEY, 92 + seed, bins=(bins,) * variables, hold_out=0.0, passes=1)
        study.train()
        codes = study.coded.table.codes
        scores.append(-t09_many_totals.residuals(league(study), study.layout))
        own.append(codes @ np.where(np.arange(variables) % 2, -0.4, 0.4))
        truth.append(study.labels)
    best, mine, labels = (np.concatenate(each) for each in (scores, own, truth))
    found = gain("AUC gained over its own model", best, mine, labels)
    return replace(found, note=f"AUC {area('', best, labels).value:.2f} against {area('', mine, labels).value:.2f}")


def nearer_rows(size: Size) -> Result:
    """T9 where the bank refuses nothing: 3 rows a total."""
    with never_refused():
        return near_rows(size, 3)


def sentence_on_many_totals() -> str:
    """Return the warning of a contract with few rows a total."""
    return sentence("come near to single rows", layout={"min_matched": 1000, "bins": 8}, telco={"variables": 12})


# C1


def rows_with_the_key(size: Size) -> Result:
    """C1 where the coordinator holds the key and rows pass through it."""
    study = holds_the_key(made(size.of(400, 2000), SMALL_KEY, 111, hold_out=0.0, passes=1))
    study.train()
    found = c01_rows.residuals(its_view(study), study.layout, study.rows.count)
    return rate("labels read", int(np.sum((found < 0) == (study.labels == 1))), len(found))


def rows_from_totals(size: Size) -> Result:
    """C1 on shipped code: labels of training rows by least squares."""
    hits = trials = 0
    base = 0.0
    for seed in size.seeds:
        study = watched(size, seed)
        rows = np.flatnonzero(study.status == TRAINING)
        found = c01_rows.residuals(study.coordinator, study.layout, study.rows.count)[rows]
        bad = study.labels[rows] == 1
        said = found < np.quantile(found, bad.mean())
        hits += int(np.sum(said == bad))
        trials += len(rows)
        base += len(rows) * (bad.mean() ** 2 + (1 - bad.mean()) ** 2)
    return rate("labels right", hits, trials, baseline=base / trials)


