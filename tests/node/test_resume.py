"""A study that breaks off goes on: the same model, no randomness twice, no price twice. Real gRPC, three parties in one process."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager

import pytest
from three_parties import CUSTOMERS, Cut, dies_at, make_site, run_study, serving, until

from bank_party import jobs
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import InputError, PeerLost, PeerRefused
from tandem.wire.codec import Frame

PASSES = 2


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Return model and roster of a study that nothing disturbed; `site` anew has the same keys, contract window aside."""
    caps = {"identifiers": 20 * CUSTOMERS, "trainings": 20, "disclosure_bits": 20 * 37}
    site = make_site(tmp_path_factory.mktemp("reference"), layout={"passes": PASSES, "ridge": "auto"}, caps=caps)
    return site, asyncio.run(undisturbed(site))


async def undisturbed(site):
    async with serving(site) as nodes, nodes.bank() as conductor:
        trained = await run_study(site, conductor)
        conductor.job.end()
        return trained


@asynccontextmanager
async def going_on(site, **how):
    """Start all three parties anew on their folders, with fresh chance."""
    going_on.number += 1
    seed = b"again%d" % going_on.number
    async with serving(site, seed=seed) as nodes, nodes.bank(seed=seed, afresh=False, **how) as conductor:
        yield nodes, conductor


going_on.number = 0


def sealed_frames(frames):
    return [Frame.from_bytes(seen.frame).payload for party, seen in frames if party == BANK and seen.kind in {"Sealed", "Shares", "Opened"}]


POINTS = [
    ("align", 0, "Answer", False), ("align", 0, "Closing", False), ("train", 1, "Sealed", True), ("train", 1, "Closing", False),
    ("train", 2, "Polish", True), ("card", 3, "Closing", False),
]


def test_wherever_the_bank_dies_the_model_is_the_same_and_nothing_is_paid_or_sealed_twice(reference):
    site, expected = reference

    async def run():
        frames, before = [], None
        async with serving(site) as nodes:
            used = {counter: amount for _, counter, amount in nodes.ledgers[TELCO].usage()}
        for number, point in enumerate(POINTS):
            async with going_on(site) as (nodes, conductor):
                dies_at(conductor, *point[:3], sent=point[3])
                with pytest.raises(Cut):
                    await run_study(site, conductor)
                before = conductor.job.id if number == 0 else before
                assert conductor.job.id == before
                frames += nodes.frames
        async with going_on(site) as (nodes, conductor):
            assert conductor.job.resumed == ("align", "pass_1", "pass_2")
            trained = await run_study(site, conductor)
            frames += nodes.frames
            conductor.job.end()
            now = {counter: amount for _, counter, amount in nodes.ledgers[TELCO].usage()}
        return trained, frames, used, now

    trained, frames, used, now = asyncio.run(run())
    assert trained.model == expected.model
    assert trained.rows.tolist() == expected.rows.tolist()
    assert trained.points.tolist() == expected.points.tolist()
    assert {one: now[one] - used[one] for one in used} == used  # exactly one job more
    sealed = sealed_frames(frames)
    assert len(set(sealed)) == len(sealed) > 6
    queries = Counter(Frame.from_bytes(seen.frame).payload for party, seen in frames if party == BANK and seen.kind == "Query")
    assert list(queries.values()) == [3]  # blinds of the job: asked again, the same bytes


def test_a_node_that_dies_is_waited_for_and_the_study_goes_on(reference, monkeypatch):
    """Both nodes stop amid a pass and come back at the same addresses, from what they kept."""
    site, expected = reference
    monkeypatch.setattr(jobs, "LONGEST_PAUSE", 0.3)
    told = []

    async def run():
        async with serving(site) as first, first.bank(seed=b"waits", reconnect=30.0, tell=told.append) as conductor:
            study = asyncio.create_task(run_study(site, conductor))
            await until(lambda: any(seen.kind == "Sealed" for _, seen in first.frames))
            ports = dict(first.ports)
            for one in first.servers.values():
                await one.stop()
            await asyncio.sleep(0.5)
            assert not study.done()
            async with serving(site, ports=ports) as second:
                trained = await study
                conductor.job.end()
                return trained, {seen.stage for _, seen in second.frames}, second.told

    trained, stages, told_there = asyncio.run(run())
    assert trained.model == expected.model
    assert {2, 3} <= stages <= {1, 2, 3}
    assert any("goes on, roster of" in line for line in told_there[TELCO])
    assert len(told) == 1
    assert "calling again until" in told[0]


def test_who_stays_away_for_too_long_ends_the_study_and_it_can_be_gone_on_with(reference):
    site, expected = reference

    async def run():
        async with serving(site) as nodes, nodes.bank(seed=b"too long", reconnect=0.2) as conductor:
            await nodes.servers[COORDINATOR].stop()
            with pytest.raises(PeerLost, match="what is done is kept: run the same command again") as lost:
                await run_study(site, conductor)
            assert not isinstance(lost.value, PeerRefused)
        async with going_on(site) as (_, conductor):
            assert conductor.job.resumed == ("align",)
            trained = await run_study(site, conductor)
            conductor.job.end()
            return trained

    assert asyncio.run(run()).model == expected.model


def test_a_refusal_is_not_tried_again(reference):
    site, _ = reference

    async def run():
        async with serving(site) as nodes, nodes.bank(seed=b"refused", reconnect=60.0) as conductor:
            nodes.telco._store.begin(site.contract, conductor.job.id, nodes.telco._store._kind(5))  # of another size
            with pytest.raises(PeerRefused, match="the telco refused or failed"):
                await run_study(site, conductor)
            assert sum(line.startswith("OutOfTurn") for line in nodes.told[TELCO]) == 1

    asyncio.run(run())


def test_other_inputs_are_no_way_to_go_on(reference):
    site, _ = reference

    async def run():
        async with serving(site) as nodes, nodes.bank(seed=b"inputs") as conductor:
            dies_at(conductor, "train", 1, "Sealed", sent=True)
            with pytest.raises(Cut):
                await run_study(site, conductor)
            job = conductor.job
            store, purpose = job._store, job._kept.purpose
            with pytest.raises(InputError, match=r"not those that job .* was begun with: .* --afresh"):
                jobs.Job.open(store, site.contract, purpose, b"other", conductor.chance, 0.0, print)
            assert jobs.Job.open(store, site.contract, purpose, b"inputs", conductor.chance, 0.0, print).id == job.id
            assert jobs.Job.open(store, site.contract, "describe", b"inputs", conductor.chance, 0.0, print).resumed == ()

    asyncio.run(run())
