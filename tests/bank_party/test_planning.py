"""`tandem plan` against real nodes over TLS: what is asked, what is spent, what is said when somebody is missing."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest
from rich.console import Console
from three_parties import CUSTOMERS, SHARED, SUBSCRIBERS, make_site, paillier_key, run_study, serving

from bank_party import planning, studies
from bank_party.conduct import Caller
from bank_party.config import StudyConfig
from bank_party.main import traffic
from tandem import cli
from tandem.arguments import Seeded
from tandem.contract import BANK, COORDINATOR, TELCO, dumps
from tandem.engine.serial import Serial
from tandem.errors import InputError
from tandem.node import disk, machine
from tandem.node.client import Stage
from tandem.node.config import read
from tandem.plan import kernels, sealing, watch
from tandem.plan.script import PLANNING
from tandem.wire.messages import Speed

SPEED = Speed(2, 1, 0.0, 1e-5, 3e-5, 5e-6, 2e-2, 4e-6, 3e-6, 1e-6, 1e-6, 6e-8, 4e-9, 0, 0, 0, 0)
SEALING = sealing.Sealing(seal=5e-4, open=1e-2, remember=2e-6, fit=5e-8, shelve=1e-7, framing=4e-9, start=1.0, tables=1.0)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def quick(monkeypatch):
    """Kernels that are not timed: what they say is known."""
    monkeypatch.setattr(kernels, "measure", lambda *_: SPEED)
    monkeypatch.setattr(kernels, "measure_solver", lambda *_: replace(SPEED, workers=1))
    monkeypatch.setattr(sealing, "measure", lambda *_: SEALING)


async def plan(site, conductor, matched=0, told=lambda _: None, lang="en"):
    config = read(site.study, StudyConfig)
    prepared = studies.prepare(config, conductor.contract)
    return await planning.ask(
        conductor, conductor.contract, prepared, matched, Serial(), 1, paillier_key(), (config.telco, config.coordinator), told, lang
    )


def planned(site, **options):
    async def run():
        async with serving(site) as nodes:
            async with nodes.bank() as conductor:
                made = await plan(site, conductor, **options)
            return made, nodes.frames, {role: (list(ledger.entries()), ledger.usage()) for role, ledger in nodes.ledgers.items()}

    return asyncio.run(run())


def test_a_plan_of_two_parties_asks_the_telco_alone_and_says_what_it_leaves_out(tmp_path, quick):
    layout = {"solver": "bank", "weights": "open", "se": "exact", "cover": 2}
    made, frames, ledgers = planned(make_site(tmp_path, layout=layout, coordinator=None, caps={"roster": SUBSCRIBERS}))
    assert {party for party, _ in frames} == {BANK, TELCO}
    assert ledgers[COORDINATOR] == ([], [])
    assert {entry.script for entry in ledgers[TELCO][0]} <= PLANNING
    assert set(made.memory) == {"sealer", "sealer worker", "summer", "summer worker"}
    three = planned(make_site(tmp_path / "three"))[0]
    assert {way for stage in made.stages for way in stage.traffic} == {
        ("seeker", "holder"), ("holder", "seeker"), ("sealer", "summer"), ("summer", "sealer"),
    }
    with_solver = sum(size for way, size in three.stages[2].traffic.items() if way in {("summer", "sealer"), ("summer", "solver")})
    assert made.stages[2].traffic["summer", "sealer"] == pytest.approx(with_solver, rel=0.01)
    said = " ".join(made.assumed)
    for words in ("there is no coordinator", "scores are counted as if", "exact standard errors is left out", "cover groups are left out"):
        assert words in said
    page = Console(file=io.StringIO(), width=80, force_terminal=False)
    planning.show(page, made, "en")
    assert "coordinator " not in page.file.getvalue().partition("Assumed")[0]
    assert "both parties" in planning.spent(make_site(tmp_path / "again", layout={"solver": "bank"}, coordinator=None).contract, "en")


def test_a_plan_asks_both_nodes_and_spends_nothing(site, quick):
    made, frames, ledgers = planned(site)
    assert (made.job.asked, made.job.table, made.job.matched) == (CUSTOMERS, SUBSCRIBERS, CUSTOMERS)
    assert made.machines.summer.product == SPEED.product
    assert all(1 < bins <= 4 for bins in made.job.bins)
    assert made.seconds > 0
    told = {}
    for role, (entries, used) in ledgers.items():
        assert used == []
        assert {entry.script for entry in entries} <= PLANNING
        told[role] = {(one.to, one.what) for entry in entries for one in entry.disclosed} - {(BANK, "digests"), (role, "digests")}
    assert told == {
        TELCO: {(TELCO, "sizes"), (BANK, "offer"), (BANK, "speed")}, COORDINATOR: {(COORDINATOR, "sizes"), (BANK, "speed")},
    }
    assert {seen.kind for _, seen in frames} == {"Opening", "Offer", "Probe", "Speed", "End", "Closing"}


def test_no_identifier_label_column_or_key_leaves_with_a_plan(site, quick):
    _, frames, _ = planned(site)
    said = b"".join(seen.frame for _, seen in frames if seen.kind != "Probe")
    secret = paillier_key()
    assert not any(word in said for word in (b"p0001", b"age", b"limit", b"label", b"calls", b"days", secret.public.to_bytes()))
    assert int(secret._p).to_bytes(128, "little") not in said


def test_real_kernels_are_timed_on_every_side(site, monkeypatch):
    monkeypatch.setattr(watch, "SECONDS", 0.01)
    monkeypatch.setattr(kernels.Watch.time, "__defaults__", (0.01,))
    made, _, _ = planned(site)
    assert made.machines.sealing.seal > 0
    assert made.machines.summer.power > 0
    assert made.machines.solver.power > 0
    assert made.memory["sealer"] > machine.resident() // 2
    assert made.machines.transfer > 0


def test_the_bytes_planned_are_those_of_the_study(site, quick):
    """Over the network, from the ledgers; --matched is what will match."""
    async def run():
        async with serving(site) as nodes, nodes.bank() as conductor:
            made = await plan(site, conductor, matched=SHARED)
            nodes.frames.clear()
            trained = await run_study(site, conductor)
            assert tuple(len(one.group) for one in trained.model.described) == made.job.bins
            return made, nodes.frames, {role: traffic(ledger, role, site.contract) for role, ledger in nodes.ledgers.items()}

    made, frames, ledgers = asyncio.run(run())
    ways = planning.facts(made)["bytes"]
    for role, sizes in ledgers.items():
        for sender, receiver, size in sizes:
            assert ways[f"{sender} to {receiver}"] == pytest.approx(size, rel=0.02, abs=150), (role, sender, receiver)
    assert ways["bank to telco"] == pytest.approx(sum(len(s.frame) for who, s in frames if who == BANK and s.sent and s.peer in {
        "holder", "summer"}), rel=0.001)


def test_a_missing_telco_is_named_and_this_machine_stands_in(site, quick):
    async def run():
        async with serving(site) as nodes:
            await nodes.servers[TELCO].stop()
            async with nodes.bank() as conductor:
                return await plan(site, conductor)

    made = asyncio.run(run())
    assert made.machines.summer == made.machines.sealer
    assert (made.job.table, made.job.bins) == (site.contract.caps.table, (4, 4, 4))
    assert any("the telco did not answer" in text for text in made.assumed)
    assert not any("coordinator" in text for text in made.assumed)


def test_a_missing_coordinator_is_named(site, quick):
    async def run():
        async with serving(site) as nodes:
            await nodes.servers[COORDINATOR].stop()
            async with nodes.bank() as conductor:
                return await plan(site, conductor)

    made = asyncio.run(run())
    assert [text for text in made.assumed if "the coordinator did not answer" in text]
    assert made.job.table == SUBSCRIBERS


def test_a_node_that_did_not_approve_the_contract_tells_nothing(site, quick):
    other = site.sign(type(site.contract).read(site.contract.model_dump(exclude={"signatures"})).amended({"description": "another"}))

    async def run():
        async with serving(site) as nodes:
            dialler = nodes.dialler(other)
            try:
                made = await plan(site, Caller(Stage(other, dialler), other, Serial(), Seeded(b"bank"), lambda _: nodes.tap(BANK)))
            finally:
                await dialler.close()
            return made, nodes.told

    made, told = asyncio.run(run())
    assert any("the telco did not answer" in text and "refused" in text for text in made.assumed)
    assert any("it was not approved here" in line for line in told[TELCO])
    assert made.job.table == other.caps.table


def test_more_matches_than_can_be_are_refused(site, quick):
    with pytest.raises(InputError, match=f"--matched {CUSTOMERS + 1}: at most {CUSTOMERS}"):
        planned(site, matched=CUSTOMERS + 1)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_screen_fits_eighty_columns(site, quick, lang):
    made, _, _ = planned(site, lang=lang)
    console = Console(width=80, record=True, file=io.StringIO())
    planning.show(console, made, lang)
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert ("minutes" if lang == "en" else "分钟") in text


def test_a_machine_with_too_little_memory_is_warned_of(site, quick):
    made, _, _ = planned(site)
    small = replace(made.machines.summer, free=10**6)
    poor = replace(made, machines=replace(made.machines, summer=small))
    assert [text for text in planning._warnings(poor, "en") if "the telco has 1 MB free" in text]
    assert planning._warnings(replace(made, machines=replace(made.machines, summer=replace(small, free=10**12))), "en") == []


def test_a_speed_is_measured_once_a_minute_at_most():
    moments, calls = iter([0.0, 0.0, 1.0, 2.0, 2.0, 3.0, 99.0, 99.0, 99.0, 100.0]), []
    gauge = machine.Gauge(moments.__next__)

    def measure():
        calls.append(1)
        return SPEED

    assert [gauge.speed(2048, measure).took for _ in range(2)] == [1.0, 1.0]
    assert len(calls) == 1
    gauge.speed(2048, measure)
    assert len(calls) == 2


def command(monkeypatch, *arguments):
    found = [EntryPoint("plan", "bank_party.main:plan_command", cli.GROUP)]
    monkeypatch.setattr(cli, "entry_points", lambda group: found if group == cli.GROUP else [])
    with pytest.raises(SystemExit) as ended:
        cli.main(["plan", *arguments])
    return ended.value.code or 0


def test_the_command_plans_with_nobody_there_and_writes_json(site, quick, monkeypatch, capsys, tmp_path):
    site.keep_key()
    monkeypatch.setattr("bank_party.main.Pool", lambda _: _NoPool())
    assert command(monkeypatch, str(site.study), "--json", str(tmp_path / "plan.json")) == 0
    out = capsys.readouterr().out
    assert "the telco did not answer" in " ".join(out.split())
    assert "Who learns what" in out
    assert "This plan used up none" in out
    facts = json.loads((tmp_path / "plan.json").read_text())
    assert facts["asked"] == CUSTOMERS
    assert [stage["name"] for stage in facts["stages"]] == ["align", "start", "pass_1", "score"]
    assert "p0001" not in json.dumps(facts)


class _NoPool(Serial):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_without_a_live_contract_nobody_is_called(site, quick, monkeypatch, capsys):
    path = site.root / BANK / "contract.toml"
    kept = path.read_bytes()
    bare = type(site.contract).read(site.contract.model_dump(exclude={"signatures"}))
    disk.write(path, dumps(bare).encode())
    try:
        assert command(monkeypatch, str(site.study)) == 2
    finally:
        disk.write(path, kept)
    assert "has not signed" in capsys.readouterr().err


def test_what_planning_weighed_is_not_told_as_the_studys(site, quick, tmp_path):
    async def run():
        async with serving(site) as nodes:
            async with nodes.bank() as conductor:
                before = traffic(nodes.ledgers[TELCO], TELCO, site.contract)
                await plan(site, conductor)
            return before, traffic(nodes.ledgers[TELCO], TELCO, site.contract), len(nodes.ledgers[TELCO])

    before, after, entries = asyncio.run(run())
    assert before == after
    assert entries > 0
