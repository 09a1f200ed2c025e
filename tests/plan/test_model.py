"""The prediction follows the counts: more of anything takes no less time, sharing a machine saves none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.crypto.paillier import PublicKey
from tandem.plan import memory, model, work
from tandem.plan.job import Job
from tandem.plan.model import Machines
from tandem.plan.sealing import Sealing
from tandem.score.summer import FillSlots
from tandem.sums.cells import best_groups
from tandem.sums.terms import Terms
from tandem.wire.messages import Speed

SPEED = Speed(
    cores=2, workers=2, took=1.0, hash=1e-5, point=3e-5, sum=5e-6, power=2e-2, admission=4e-6, product=3e-6, squaring=1e-6, noise=1e-6,
    cutting=6e-8, pairing=4e-9, resident=10**8, peak=10**8, worker=7 * 10**7, free=10**9,
)
SEALING = Sealing(seal=5e-4, open=1e-2, remember=2e-6, fit=5e-8, shelve=1e-7, framing=4e-9, start=1.0, tables=1.0)
APART = Machines(SPEED, SEALING, SPEED, replace(SPEED, workers=1), transfer=1e-8, shared=False)
SHARED = replace(APART, shared=True)


def make_job(matched=10_000, bins=(8,) * 6, columns=6, bits=2048, passes=2, asked=None, table=20_000, *, ready=True):
    terms = Terms(bytes(32), columns, len(bins), 1 << 20, bits, passes=passes)
    return Job(asked or matched, max(table, matched), ready, matched, bins, terms)


def seconds(job, machines=APART):
    return sum(stage.total for stage in model.stages(job, machines))


def size(job):
    return sum(sum(stage.traffic.values()) for stage in model.stages(job, APART))


MACHINES = st.sampled_from([APART, SHARED])
ROWS = st.integers(100, 300_000)


@settings(deadline=None, max_examples=60)
@given(MACHINES, ROWS, st.integers(1, 300_000))
def test_more_matched_rows_take_more_of_everything(machines, rows, more):
    one, other = make_job(rows, asked=700_000, table=700_000), make_job(rows + more, asked=700_000, table=700_000)
    assert seconds(one, machines) <= seconds(other, machines) * 1.02  # a wider regrouping of variables may save a few products
    assert size(one) <= size(other)  # a few rows more may fill up the same frame
    for name, peak in memory.peaks(one, machines).items():
        if name != "summer worker":  # groups of variables, hence cells, may be smaller where rows are more
            assert peak <= memory.peaks(other, machines)[name]


@settings(deadline=None, max_examples=60)
@given(MACHINES, ROWS, st.sampled_from([2048, 2304, 3072]), st.sampled_from([1024, 2048]))
def test_a_longer_key_at_its_own_speed_takes_more(machines, rows, bits, more):
    """Time an operation grows at least with the square of the length; slots a pack grow with its length alone."""
    factor = ((bits + more) / bits) ** 2
    slower = replace(
        machines, summer=_scaled(machines.summer, factor), solver=_scaled(machines.solver, factor),
        sealing=replace(machines.sealing, seal=SEALING.seal * factor, open=SEALING.open * factor),
    )
    one, other = make_job(rows, bits=bits), make_job(rows, bits=bits + more)
    assert seconds(one, machines) < seconds(other, slower)
    if one.layout.ciphertexts == other.layout.ciphertexts:
        assert sum(model.stages(one, machines)[2].traffic.values()) < sum(model.stages(other, machines)[2].traffic.values())


def _scaled(speed, factor):
    return replace(speed, power=speed.power * factor, admission=speed.admission * factor, product=speed.product * factor,
                   squaring=speed.squaring * factor)


@settings(deadline=None, max_examples=40)
@given(ROWS, st.integers(1, 30), st.integers(1, 64), st.integers(1, 4))
def test_one_machine_for_all_is_never_quicker_than_three(rows, variables, cores, passes):
    job = make_job(rows, (8,) * variables, passes=passes)
    speed = replace(SPEED, cores=cores)
    one = replace(SHARED, sealer=speed, summer=speed)
    assert seconds(job, one) >= seconds(job, replace(one, shared=False)) * 0.999


def test_variables_columns_passes_and_tags_add_up():
    base = seconds(make_job())
    assert seconds(make_job(bins=(8,) * 7)) > base
    assert seconds(make_job(columns=80)) > base
    assert seconds(make_job(passes=3)) == pytest.approx(base + model.stages(make_job(), APART)[3].total)
    untagged = model.stages(make_job(ready=False), APART)[0].seconds["tags"] - model.stages(make_job(), APART)[0].seconds["tags"]
    assert untagged == pytest.approx(20_000 * (SPEED.hash + SPEED.point))


def test_values_made_in_pauses_are_not_waited_for():
    """A summer whose workers idle while rows are sealed makes its r^n then; one as slow as that must be waited for."""
    idle = replace(APART, sealing=replace(SEALING, seal=1e-2))
    quick = model.stages(make_job(), idle)[2].seconds["scoring"]
    busy = model.stages(make_job(), replace(idle, summer=replace(SPEED, power=1.0)))[2].seconds["scoring"]
    without = model.stages(make_job(), replace(idle, summer=replace(SPEED, power=0.0)))[2].seconds["scoring"]
    assert quick == pytest.approx(without)
    assert busy > 10 * quick


def test_stages_are_those_of_a_study_in_its_order():
    assert [stage.name for stage in model.stages(make_job(), APART)] == ["align", "start", "pass_1", "pass_2", "score"]


class Counted:
    """A number that counts the products made of it."""

    made = 0

    def __mul__(self, _):
        Counted.made += 1
        return self

    def __mod__(self, _):
        return self


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 32), min_size=1, max_size=12), st.integers(1, 3000))
def test_products_of_scoring_are_counted_as_they_are_made(bins, rows):
    Counted.made = 0
    fill = FillSlots(PublicKey(3 * 5), tuple(bins), rows)
    made = list(fill._joint([Counted() for _ in range(sum(bins))], np.zeros((rows, len(bins)), dtype=np.uint8)))
    assert work.joint(bins, rows) == (len(made), Counted.made)


@given(st.lists(st.integers(2, 32), min_size=1, max_size=20), st.integers(100, 10**6), st.integers(1, 8))
@settings(deadline=None, max_examples=60)
def test_folding_counts_a_product_for_each_row_and_group(bins, rows, workers):
    job = make_job(rows, tuple(bins))
    fold = work.folding(job, job.layout, workers)
    groups = best_groups(rows, bins, job.layout.ciphertexts)
    assert fold.admitted == rows * job.layout.ciphertexts
    assert fold.products == fold.admitted * len(groups)
    assert fold.halved >= 0


def test_a_study_that_cannot_be_is_refused():
    for matched, asked in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="matched"):
            Job(asked, 10, True, matched, (8,), Terms(bytes(32), 1, 1, 10))
