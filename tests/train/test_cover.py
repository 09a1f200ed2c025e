"""Cover = 4 against cover = 1 on the same rows: what passes through sealed sums is the same, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from loopback_study import Wire, make_study

from tandem.arguments import Seeded, below
from tandem.crypto.slots import ScoreSlots
from tandem.tables import CodedTable
from tandem.train import sealer, summer
from tandem.train.pairs import pair_counts
from tandem.train.script import SERVE
from tandem.wire.messages import Own, Polish, Sealed, Statistics, Step

F = 4
COUNT = 800
SMALL = {"min_bin": 20, "min_class": 10}
"""With these no pair of bins is blanked in either roster."""


def covered(study, alike, seed=3):
    """Return the study with three decoys a row, anywhere in the roster. `alike`: each has the codes of the row that it covers.

    The own rows keep their order, since sums of floats hang on it.
    """
    rng = np.random.default_rng(seed)
    codes, table = study.coded.table.codes, study.coded.table
    places = np.sort(rng.permutation(F * COUNT)[:COUNT])
    roster = np.empty((F * COUNT, codes.shape[1]), np.uint8)
    strangers = np.delete(np.arange(F * COUNT), places)
    roster[places] = codes
    if alike:
        roster[strangers] = np.repeat(codes, F - 1, axis=0)
    else:
        other = [np.minimum(rng.integers(0, bins, len(strangers)), rng.integers(0, bins, len(strangers))) for bins in table.bins]
        roster[strangers] = np.column_stack(other)
    coded = summer.Coded(
        CodedTable(roster, table.bins, table.aliases), study.coded.outlines,
        summer.fit_to_tell(pair_counts(roster, table.bins), study.terms.min_bin),
    )
    rows = replace(study.rows, places=places, roster=F * COUNT)
    return replace(study, rows=rows, coded=coded, terms=replace(study.terms, rows=1 << 14), alter=Wire())


@pytest.fixture
def noise_by_person(monkeypatch):
    """Let the dither of a row hang on whose row it is, not on where it stands: so that two rosters can be compared.

    `people[0]` names who stands in each row of the roster being scored; by default number i in row i.
    """
    people = [None]

    class Numbered:
        """Chance of one scoring that remembers which pack it was forked for."""

        def __init__(self, chance, pack=None):
            self.chance, self.pack = chance, pack

        def fork(self, _, pack):
            return Numbered(self.chance, pack)

    def mask(slots, numbered, used):
        first = numbered.pack * slots.slots
        who = people[0] if people[0] is not None else np.arange(first + used)
        low = (below(numbered.chance.fork("person", int(who[first + s])), 1 << slots.noise) << (slots.width * s) for s in range(used))
        return sum(low) + (1 << (slots.width * used))  # above the last score, so that the whole stays positive

    monkeypatch.setattr(ScoreSlots, "mask", mask)
    monkeypatch.setattr(summer, "dither", lambda _kept, here, _table: Numbered(Seeded(b"noise").fork(here.stage)))
    return people


@cache
def alone():
    """Return the study without cover after three passes. Its rows are numbered as they stand, so every test's dither is the same."""
    one = make_study(COUNT, passes=3, **SMALL)
    one.alter = Wire()
    progress, known = one.train()
    return one, progress, known


@cache
def among_strangers():
    """Return the study with cover from all over after one pass, its rows numbered as they stand."""
    four = covered(make_study(COUNT, passes=1, **SMALL), alike=False)
    return four, *four.train()


def seat(people, study):
    who = np.full(study.rows.count, -1)
    who[study.rows.places] = np.arange(COUNT)
    who[who < 0] = np.arange(COUNT, study.rows.count)
    people[0] = who


def test_theta_is_the_same_bit_for_bit_after_removing_decoys(noise_by_person):
    """The same customers, cuts and dither, and decoys who lie in the bins as the customers do: the whole study is the same to the last bit.

    Pair counts are then four times as large, and the telco's block, which is scaled by its bins' counts, the same.
    """
    one, progress, known = alone()
    card = one.card(known)["sealer"]
    four = covered(one, alike=True)
    seat(noise_by_person, four)
    progress_4, known_4 = four.train()
    card_4 = four.card(known_4)["sealer"]
    assert known_4.final == known.final
    assert progress_4.theta.tobytes() == progress.theta.tobytes()
    assert progress_4.scores.tobytes() == progress.scores.tobytes()
    assert known_4.newton.se.tobytes() == known.newton.se.tobytes()
    assert (progress_4.loss, progress_4.accepted, progress_4.taus) == (progress.loss, progress.accepted, progress.taus)
    assert progress_4.described == progress.described
    assert card_4.row_points.tobytes() == card.row_points.tobytes()
    assert (card_4.theta, card_4.se, card_4.points) == (card.theta, card.se, card.points)
    for kind in (Own, Step, Polish, Statistics):
        assert four.alter.messages(kind) == one.alter.messages(kind)


def test_totals_and_gradient_are_the_same_bit_for_bit_whoever_the_decoys_are():
    """Decoys in other bins than the customers bend the telco's block of the Hessian, hence the way, and nothing else."""
    one = make_study(COUNT, passes=1, **SMALL)
    one.alter = Wire()
    progress, known = one.train()
    four, progress_4, known_4 = among_strangers()
    assert four.alter.messages(Own) == one.alter.messages(Own)
    assert four.alter.messages(Statistics) == one.alter.messages(Statistics)
    assert known_4.counts.tobytes() == known.counts.tobytes()
    assert progress_4.described == progress.described
    assert known_4.newton.theta.tolist() != known.newton.theta.tolist()


def test_with_strangers_for_decoys_three_passes_end_at_the_same_place_all_but(noise_by_person):
    """Nearer than the 0.05 standard errors to which a coefficient is rounded on release."""
    one, _, known = alone()
    four = covered(one, alike=False)
    seat(noise_by_person, four)
    known_4 = four.train()[1]
    assert np.max(np.abs(known_4.newton.theta - known.newton.theta) / known.newton.se) < 0.05


def test_statistics_before_training_know_nothing_of_decoys():
    one = make_study(COUNT, **SMALL)
    four = covered(one, alike=False)
    assert four.describe()["sealer"] == one.describe()["sealer"]


def test_a_sealed_decoy_is_as_long_as_any_row_and_none_is_left_out():
    four = among_strangers()[0]
    width = four.secret.public.width * four.terms.layout(four.secret.public).ciphertexts
    sent = four.alter.messages(Sealed)
    assert sum(len(part.rows.data) for part in sent) == F * COUNT * width
    cells = {part.rows.data[at : at + width] for part in sent for at in range(0, len(part.rows.data), width)}
    assert len(cells) == F * COUNT


def test_a_control_with_decoys_that_train_is_another_model():
    four, _, known = among_strangers()
    four = replace(four)
    rows = four.rows
    x, y, train = (np.zeros((F * COUNT, *part.shape[1:]), part.dtype) for part in (rows.x, rows.y, rows.train))
    x[rows.places], y[rows.places], train[:] = rows.x, rows.y, True
    four.rows = sealer.Rows(x, y, train)
    assert np.max(np.abs(four.train()[1].newton.theta - known.newton.theta) / known.newton.se) > 1.0


def test_served_scores_of_own_rows_are_those_at_their_places():
    four, _, known = among_strangers()
    results = four.card(known)
    key, table = results["summer"]
    here = four.here(0, "serve")
    secrets = summer.Secrets(Seeded(b"fresh"), Seeded(b"kept"))
    points = four.play(SERVE, here, {
        "sealer": sealer.serve(four.secret, four.rows.count, four.terms.card_step, four.engine),
        "summer": summer.serve(key, table.data, four.terms.card_step, four.coded.table, here, four.engine, secrets),
    })["sealer"]
    assert len(points) == F * COUNT
    assert np.array_equal(points[four.rows.places], results["sealer"].row_points)
    by_bin = np.split(np.array(results["sealer"].points) * four.terms.card_step, np.cumsum(four.coded.table.bins)[:-1])
    codes = four.coded.table.codes[four.rows.places]
    assert np.array_equal(results["sealer"].row_points, sum(p[codes[:, j]] for j, p in enumerate(by_bin)))
