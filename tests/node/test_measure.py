"""A campaign measured by three nodes over TLS: equal to the clear count, the same frames in both drivers, and what ledgers say of it."""

from __future__ import annotations

import asyncio
from itertools import combinations

import pytest
from both_drivers import by_link, in_one_process, over_grpc
from ledgers import held
from measured_site import in_the_clear, make_measured, outcomes, prepare, run_measurement, write_results
from three_parties import SUBSCRIBERS, Cut, dies_at, make_site, run_study, serving

from bank_party import measuring
from tandem.contract import BANK, COORDINATOR, TELCO
from tandem.errors import CheckFailed, ContractError, InputError, PeerLost
from tandem.sums import solver as sums
from tandem.wire.codec import Frame, decode
from tandem.wire.messages import Opening


def told(site, prepared, measured):
    """Return the numbers of measured.json that are told: (level, group, outcome) -> people; joined levels by their names."""
    found = measuring.facts(site.contract, prepared, measured)
    (segment,) = found["segments"]
    names = {"rest": tuple(segment["merged"])}
    return {
        (names.get(level["level"], (level["level"],)), group["group"], name): people
        for level in segment["levels"] for group in level["groups"] for name, people in group.items() if name != "group"
    }


def equal_where_told(site, prepared, measured, rows):
    clear, numbers = in_the_clear(site, rows), told(site, prepared, measured)
    summed = {key: sum(clear[level, *key[1:]] for level in key[0]) for key in numbers}
    assert {key: people for key, people in numbers.items() if people is not None} == {
        key: summed[key] for key, people in numbers.items() if people is not None
    }
    return numbers


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    site = make_measured(tmp_path_factory.mktemp("measured"))
    return site, *asyncio.run(over_grpc(site, run_measurement))


def test_the_nodes_measure_what_the_two_files_say(played):
    site, (prepared, measured), *_ = played
    numbers = equal_where_told(site, prepared, measured, outcomes())
    assert sum(people is not None for people in numbers.values()) > 12
    assert numbers[("a",), "high", "activated"] > 0
    assert (measured.matched, measured.people, prepared.unknown) == (320, 300, 0)


def test_the_same_seeds_give_the_same_frames_over_loopback_and_over_grpc(played, tmp_path):
    site, (_, two), outside, ledgers = played
    (_, one), inside = asyncio.run(in_one_process(site, tmp_path, run_measurement))
    assert [part.counts.tolist() for part in one.told] == [part.counts.tolist() for part in two.told]
    assert by_link(inside) == by_link(outside)
    for some, other in combinations(ledgers, 2):
        compared = held(some, other, ledgers)
        assert (compared.findings, compared.unreceived) == ((), ())


def test_the_telcos_ledger_shows_sealed_rows_and_nothing_else_of_the_campaign(played):
    _, _, frames, ledgers = played
    heard = [entry for entry in ledgers[TELCO] if entry.script == "measure" and entry.direction == "received"]
    assert {entry.message for entry in heard} == {"Opening", "Key", "Sealed", "End", "Closing"}
    learnt = {one.what for entry in ledgers[TELCO] for one in entry.disclosed if one.to == TELCO}
    assert learnt == {"sizes", "digests", "asked", "roster", "modulus", "ran"}
    assert {one.what for entry in ledgers[COORDINATOR] for one in entry.disclosed if one.to == COORDINATOR} == {
        "sizes", "digests", "modulus", "shapes-rows", "campaign", "totals",
    }
    for _, seen in frames:
        payload = Frame.from_bytes(seen.frame).payload
        assert not any(word in payload for word in (b"high", b"low", b"plan", b"activated"))


def test_cover_measures_the_same_people(tmp_path):
    site = make_measured(tmp_path, layout={"cover": 2})
    (prepared, measured), frames, _ = asyncio.run(over_grpc(site, run_measurement))
    equal_where_told(site, prepared, measured, outcomes())
    (opening,) = {Frame.from_bytes(seen.frame).payload for party, seen in frames
                  if (party, seen.script, seen.kind) == (COORDINATOR, "measure", "Opening") and not seen.sent}
    assert measured.matched < decode(Opening, opening).sizes[0] <= SUBSCRIBERS


def test_a_bank_that_solves_measures_too(tmp_path):
    site = make_measured(tmp_path, layout={"solver": "bank"}, coordinator=None)
    (prepared, measured), frames, ledgers = asyncio.run(over_grpc(site, run_measurement))
    equal_where_told(site, prepared, measured, outcomes())
    assert {party for party, _ in frames} == {BANK, "bank's solver", TELCO}
    assert ledgers[COORDINATOR] == []
    assert (BANK, "totals") in {(one.to, one.what) for entry in ledgers[TELCO] for one in entry.disclosed}


def test_a_measurement_that_is_cut_off_goes_on_to_the_same_numbers_and_is_one_job(tmp_path):
    site = make_measured(tmp_path)

    async def run():
        async with serving(site) as nodes:
            for point in (("align", 0, "Roster"), ("measure", 0, "Sealed"), ("measure", 0, "Measured")):
                async with nodes.bank(purpose="measure", afresh=point[0] == "align") as conductor:
                    dies_at(conductor, *point, sent=point[2] != "Measured")
                    with pytest.raises(Cut):
                        await run_measurement(site, conductor)
            async with nodes.bank(purpose="measure", afresh=False) as conductor:
                assert conductor.job.resumed == ("align",)
                found = await run_measurement(site, conductor)
            return found, nodes.ledgers[TELCO].used(site.contract.digest.hex(), "jobs")

    (prepared, measured), jobs = asyncio.run(run())
    equal_where_told(site, prepared, measured, outcomes())
    assert jobs == 1


def test_other_results_in_the_same_job_are_refused_by_the_coordinator(tmp_path):
    site = make_measured(tmp_path)

    async def run():
        async with serving(site) as nodes:
            async with nodes.bank(purpose="measure") as conductor:
                dies_at(conductor, "measure", 0, "Measured", sent=False)
                with pytest.raises(Cut):
                    await run_measurement(site, conductor)
            write_results(site, outcomes(seed=2))
            async with nodes.bank(purpose="measure", afresh=False) as conductor:
                with pytest.raises(CheckFailed, match="step measure-0 was played before with other content"):
                    await run_measurement(site, conductor)
            return nodes.told

    told = asyncio.run(run())
    assert any("CHECK FAILED: step measure-0 was played before" in line for line in told[COORDINATOR])
    assert not any("other content" in line or "CHECK" in line for line in told[TELCO])


def test_jobs_are_counted_and_no_score_bits(tmp_path):
    site = make_measured(tmp_path, caps={"trainings": 1})

    async def run():
        async with serving(site) as nodes:
            async with nodes.bank(purpose="measure") as conductor:
                await run_measurement(site, conductor)
            with pytest.raises(PeerLost):
                async with nodes.bank(purpose="measure", seed=b"again") as conductor:
                    await run_measurement(site, conductor)
            used = nodes.ledgers[TELCO].used
            return [used(site.contract.digest.hex(), counter) for counter in ("jobs", "bits")], nodes.told[TELCO]

    (jobs, bits), told_by_telco = asyncio.run(run())
    assert (jobs, bits) == (1, 0)
    assert any("jobs" in line for line in told_by_telco)


def test_a_check_that_fails_is_told_to_bank_and_coordinator_alone(tmp_path, monkeypatch):
    site = make_measured(tmp_path)
    honest = sums.totals

    def more(layout, plain, rows):
        found = honest(layout, plain, rows)
        found[0, 0] += 1
        return found

    async def run():
        async with serving(site) as nodes, nodes.bank(purpose="measure") as conductor:
            with pytest.raises(CheckFailed, match="do not add up"):
                await run_measurement(site, conductor)
            return nodes.told

    monkeypatch.setattr(sums, "totals", more)
    said = asyncio.run(run())
    assert any("CHECK FAILED" in line for line in said[COORDINATOR])
    assert not any("CHECK" in line for line in said[TELCO])


def test_nothing_else_is_done_under_a_measurement_contract_nor_a_measurement_under_another(tmp_path):
    site = make_measured(tmp_path)
    with pytest.raises(ContractError, match="is for measurement: use `tandem bank measure`"):
        asyncio.run(run_study(site, type("Nobody", (), {"contract": site.contract})()))
    training = make_site(tmp_path / "other")
    with pytest.raises(ContractError, match="is for training: use `tandem bank train`"):
        prepare(training)


def test_a_table_without_the_segments_column_is_refused(tmp_path):
    site = make_measured(tmp_path, measurement={"segments": [{"name": "benefit", "levels": ["eat", "play"]}]})

    async def run():
        async with serving(site) as nodes, nodes.bank(purpose="measure") as conductor:
            with pytest.raises(PeerLost):
                await run_measurement(site, conductor)
            return nodes.told[TELCO]

    assert any("there is no column 'benefit'" in line for line in asyncio.run(run()))


def test_too_few_contacted_people_end_the_job_before_anything_is_sealed(tmp_path):
    site = make_measured(tmp_path)
    write_results(site, outcomes()[:18])

    async def run():
        async with serving(site) as nodes, nodes.bank(purpose="measure") as conductor:
            with pytest.raises(InputError, match="at least 10 a total are needed"):
                await run_measurement(site, conductor)
            return nodes.frames

    assert not any(seen.kind == "Sealed" for _, seen in asyncio.run(run()))
