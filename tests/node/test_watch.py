"""What a whole study and its refusals tell, at all outlets, and the list of jobs: all of one run."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import socket
import subprocess
import sys
from contextlib import redirect_stderr

import pytest
import typer
from prometheus_client import generate_latest
from scraping import asked, value
from three_parties import CUSTOMERS, SHARED, make_site, paillier_key, run_study, serving
from typer.testing import CliRunner

from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.errors import REFUSED, InputError, PeerRefused
from tandem.jobs_command import jobs
from tandem.node import watch as watches
from tandem.node.events import FIELDS
from tandem.node.ledger_store import Ledger
from tandem.node.metrics import Metrics
from tandem.node.watch import Watch

JOBS = typer.Typer()
JOBS.command()(jobs)
YES, NO = "label-geheim-ja", "label-geheim-nein"


class Secrets:
    """What must never be told: in plain, hex, base64, and hashed."""

    def __init__(self, site):
        self.words = set()
        keys = [site.parties[role].keys for role in ROLES]
        raw = [each.seed for each in keys] + [each.signing.private_bytes_raw() for each in keys]
        raw += [paillier_key().to_bytes()[at:at + 16] for at in range(0, len(paillier_key().to_bytes()) - 16, 16)]
        people = [f"p{i:04}".encode() for i in range(CUSTOMERS)]
        for one in [*raw, *people]:
            self.words |= {one.hex(), base64.b64encode(one).decode(), hashlib.sha256(one).hexdigest(), hashlib.md5(one).hexdigest()}  # noqa: S324 - a planted form
        self.words |= {each.decode() for each in people} | {YES, NO}

    def found_in(self, text):
        return sorted(word for word in self.words if word in text)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Run a study over TLS, then refusals, with every outlet on. Returns site, stderr, sentences, events and pages by party, job, lists."""
    site = make_site(tmp_path_factory.mktemp("watch"))
    site.keep_key()
    head, *rows = (site.folder(BANK) / "bank.csv").read_text().splitlines()
    named = [row[:-1] + (YES if row.endswith("1") else NO) for row in rows]
    (site.folder(BANK) / "bank.csv").write_text("\n".join([head, *named]) + "\n")
    site.study.write_text(f'positive = "{YES}"\n' + site.study.read_text())
    heard = io.StringIO()
    metrics, lists = {}, {}

    async def run():
        async with serving(site) as nodes:
            ledgers = {**nodes.ledgers, BANK: None}
            for role in (TELCO, COORDINATOR):
                metrics[role] = Metrics(ledgers[role], lambda: [site.contract])
                nodes.servers[role]._watch = Watch(
                    role, nodes.told[role].append, (watches.write_event, metrics[role].event), (metrics[role].tap,)
                )
            outlet = Watch(BANK, sinks=(watches.write_event,))
            async with nodes.bank() as conductor:
                conductor.watch = outlet
                await run_study(site, conductor)
                job = conductor.job.id
                lists.update({role: listed(site, role) for role in ROLES})
                conductor.job.end()
                lists["after"] = listed(site, BANK)
            await refusals(site, nodes, outlet)
            pages = {role: generate_latest(each.registry).decode() for role, each in metrics.items()}
            return job, nodes.told, pages

    with redirect_stderr(heard):
        job, sentences, pages = asyncio.run(run())
    events = [json.loads(line) for line in heard.getvalue().splitlines()]
    return {
        "site": site, "events": events, "raw": heard.getvalue(), "sentences": sentences, "metrics": metrics, "job": job, "lists": lists,
        "pages": pages,
    }


async def refusals(site, nodes, outlet):
    """Have the telco refuse, with a caller who plants customers where it can, and have a fault quote one."""
    async with nodes.bank(seed=b"other") as conductor:
        conductor.watch = outlet
        with pytest.raises(PeerRefused):
            await conductor.align([f"p{i:04}".encode() for i in range(2 * 3 * CUSTOMERS)])
    cast = nodes.telco.cast

    def broken(*_):
        raise ValueError("p0007 is no number")

    nodes.telco.cast = broken
    try:
        async with nodes.bank(seed=b"third") as conductor:
            conductor.watch = outlet
            with pytest.raises(PeerRefused):
                await conductor.align([b"p0001"])
    finally:
        nodes.telco.cast = cast


def listed(site, role):
    name = "study.toml" if role == BANK else "node.toml"
    done = CliRunner().invoke(JOBS, [str(site.folder(role) / name), "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_nothing_secret_is_told_in_a_whole_study_and_its_refusals(study):
    secrets = Secrets(study["site"])
    assert len(study["events"]) > 20
    assert secrets.found_in("a line with p0007 in it") == ["p0007"]
    for text in (study["raw"], *study["pages"].values(), *(line for lines in study["sentences"].values() for line in lines)):
        assert secrets.found_in(text) == []
    for event in study["events"]:
        assert set(event) <= set(FIELDS)


def test_the_three_tell_of_the_same_job(study):
    ended = [event for event in study["events"] if event["event"] == "session_ended"]
    assert {event["job"] for event in ended} == {study["job"].hex()[:8]}
    seen = {role: [event["script"] for event in ended if event["party"] == role] for role in ROLES}
    assert sorted(seen[BANK]) == ["align", "card", "train"]
    assert sorted(seen[TELCO]) == ["align", "card", "train"]
    assert sorted(seen[COORDINATOR]) == ["card", "train"]
    train = {event["party"]: event for event in ended if event["script"] == "train"}
    assert {event["rows"] for event in train.values()} == {SHARED}
    assert {event["contract"] for event in ended} == {study["site"].contract.digest.hex()[:8]}
    assert all(event["bytes"] > 10_000 and event["seconds"] > 0 for event in train.values())


def test_a_refusal_and_a_fault_are_told_with_their_class(study):
    failures = [event for event in study["events"] if event["party"] == TELCO and event["level"] != "info"]
    assert [(event["event"], event["error"], event["told"]) for event in failures] == [
        ("session_refused", "Enumeration", REFUSED), ("fault", "ValueError", REFUSED),
    ]
    assert "caps.identifiers" in failures[0]["text"]
    assert "text" not in failures[1]
    own = [event for event in study["events"] if event["party"] == BANK and event["level"] != "info"]
    assert [event["error"] for event in own] == ["PeerRefused", "PeerRefused"]
    metrics = study["metrics"][TELCO]
    assert [value(metrics, "tandem_refusals_total", reason=each) for each in ("Enumeration", "fault")] == [1, 1]


def test_metrics_agree_with_the_ledger(study):
    for role in (TELCO, COORDINATOR):
        with Ledger(study["site"].folder(role) / "ledger.sqlite", read_only=True) as ledger:
            frames, sizes = {}, {}
            for entry in ledger.entries():
                way = (entry.direction, entry.script, entry.message)
                frames[way], sizes[way] = frames.get(way, 0) + 1, sizes.get(way, 0) + entry.size
        assert len(frames) > 10
        for way, count in frames.items():
            labels = dict(zip(("direction", "script", "message"), way, strict=True))
            assert value(study["metrics"][role], "tandem_frames_total", **labels) == count
            assert value(study["metrics"][role], "tandem_bytes_total", **labels) == sizes[way]
    assert value(study["metrics"][TELCO], "tandem_rows_total", script="train") == SHARED
    place = f'contract="{study["site"].contract.digest.hex()[:8]}",counter="identifiers"'
    assert f"tandem_budget_used{{{place}}} {float(CUSTOMERS)}" in study["pages"][TELCO]
    assert f"tandem_budget_cap{{{place}}} {float(3 * CUSTOMERS)}" in study["pages"][TELCO]


def test_a_node_of_its_own_tells_events_and_serves_metrics_as_configured(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = make_site(tmp_path, coordinator_address="127.0.0.1:0")
    config = site.folder(COORDINATOR) / "node.toml"
    config.write_text(f'log = "json"\nmetrics = "127.0.0.1:{port}"\n' + config.read_text())
    command = [sys.executable, "-m", "tandem.cli", "coordinator", "serve", "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as node:
        try:
            first = node.stderr.readline()
            page = asked(port)[1]
        finally:
            node.terminate()
        rest = node.stderr.read().splitlines()
    assert [json.loads(line)["event"] for line in (first, *rest)] == ["listening", "stopped"]
    assert f'tandem_budget_cap{{contract="{site.contract.digest.hex()[:8]}",counter="jobs"}} 3.0' in page


# -- tandem jobs -------------------------------------------------------------------------------------------------------------------------


def test_the_job_id_is_the_same_at_all_three(study):
    (bank,), (telco,), (coordinator,) = (study["lists"][role] for role in ROLES)
    for one in (bank, telco, coordinator):
        assert (one["contract"], one["job"], one["sealed"]) == (study["site"].contract.digest.hex(), study["job"].hex(), True)
    assert min(telco["frames"], coordinator["frames"]) > 10
    assert telco["last"] > "2026"
    assert bank["steps"] == {"align": 1, "pass_1": 1, "score": 1}
    assert telco["steps"] == {"align-0": 1, "train-1": 1, "card-2": 1}
    assert coordinator["steps"] == {"train-1": 1, "card-2": 1}
    assert telco["used"]["identifiers"] == [CUSTOMERS, 3 * CUSTOMERS]
    assert telco["used"]["jobs"][0] == 1
    (after,) = study["lists"]["after"]
    assert (after["job"], after["sealed"], after["steps"]) == ("", False, {})


@pytest.mark.parametrize("role", ROLES)
def test_the_table_fits_eighty_columns(study, role, monkeypatch):
    monkeypatch.chdir(study["site"].folder(role))
    shown = CliRunner().invoke(JOBS, []).output
    assert max(map(len, shown.splitlines())) <= 80
    assert study["site"].contract.digest.hex()[:8] in shown
    if role == TELCO:
        assert "jobs 1 of 3" in shown
        assert " of " not in CliRunner().invoke(JOBS, ["ledger.sqlite"]).output


def test_a_ledger_without_jobs_and_a_folder_without_ledger(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"none of node\.toml"):
        CliRunner().invoke(JOBS, [], catch_exceptions=False)
    with Ledger(tmp_path / "ledger.sqlite"):
        pass
    assert "no job was begun here" in CliRunner().invoke(JOBS, []).output
