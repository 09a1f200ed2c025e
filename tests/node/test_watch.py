"""Events, metrics and the list of jobs: what they tell, and that nothing else can get in."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import itertools
import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import typer
import yaml
from contracts import signed
from prometheus_client import generate_latest
from three_parties import CUSTOMERS, SHARED, make_site, paillier_key, run_study, serving
from typer.testing import CliRunner

from coordinator.casting import Coordinator
from tandem.contract import BANK, COORDINATOR, ROLES, TELCO
from tandem.errors import LOST, REFUSED, ContractError, Enumeration, InputError, OutOfTurn, PeerLost, PeerRefused
from tandem.jobs_command import jobs
from tandem.node import casting
from tandem.node import watch as watches
from tandem.node.config import NodeConfig
from tandem.node.events import FIELDS, Event, Name, ours, text_of
from tandem.node.ledger_store import Ledger
from tandem.node.metrics import Metrics
from tandem.node.probing import probes_of
from tandem.node.watch import Watch, outlets
from tandem.session.tap import Tapped
from tandem.wire.messages import Opening
from telco_party.casting import Telco

PAGE = (Path(__file__).parents[2] / "docs" / "observability.md").read_text(encoding="utf-8")
TERMS = signed()
JOBS = typer.Typer()
JOBS.command()(jobs)
OPENING = Opening(casting.VERSION, "align", 0, ("ids",), (360,), b"", bytes(range(16)), 3)
PHONE = "13800138000"
YES, NO = "label-geheim-ja", "label-geheim-nein"
BASE = {"time": "2027-02-01T09:30:00.000+00:00", "level": "info", "party": TELCO, "event": "session_ended"}


# -- the allow-list ----------------------------------------------------------------------------------------------------------------------


def test_an_event_holds_the_fields_of_the_list_and_no_other():
    assert FIELDS == (
        "time", "level", "party", "event", "contract", "job", "script", "stage", "attempt", "rows", "bytes", "seconds", "error", "told",
        "text",
    )
    with pytest.raises(TypeError):
        Event(**BASE, phone=PHONE)
    with pytest.raises(TypeError):
        Watch(TELCO).note("session_ended", phone=PHONE)


PLANTED = (PHONE, int(PHONE), PHONE.encode(), [PHONE], hashlib.sha256(b"x").hexdigest(), -1, float("nan"), True)


@pytest.mark.parametrize(("field", "planted"), [
    (field, planted) for field in FIELDS for planted in PLANTED
    if (field, planted) != ("bytes", int(PHONE))  # a session may weigh that many
])
def test_no_field_takes_an_identifier_or_a_hash(field, planted):
    with pytest.raises(ValueError, match=f"an event's {field} may not hold that") as refused:
        Event(**{**BASE, field: planted})
    assert PHONE not in str(refused.value)


def test_text_stands_beside_an_error_of_ours_only():
    assert Event(**BASE, error="Enumeration", text="cap").text == "cap"
    for error in ("", "ValueError"):
        with pytest.raises(ValueError, match="text"):
            Event(**BASE, error=error, text="cap")


def test_what_an_error_should_not_have_held_is_blanked():
    key = bytes(range(200, 232))
    for secret in (PHONE, key.hex(), base64.b64encode(key).decode()):
        assert secret not in text_of(InputError(f"column 'age' holds {secret}: mend it"))
        assert text_of(ValueError(secret)) == ""
    path = "/etc/tandem/telco/contracts/signed/by/all/three/contract.toml"
    assert text_of(ContractError(f"{path} is void")) == f"{path} is void"
    assert text_of(Enumeration("360 identifiers, caps.identifiers is 100")) == "360 identifiers, caps.identifiers is 100"


def test_a_line_is_json_with_what_is_known_and_no_more():
    line = Event(**BASE, script="align", rows=0, seconds=0.0).to_json()
    assert json.loads(line) == {**BASE, "script": "align", "rows": 0, "seconds": 0.0}
    assert "\n" not in Event(**BASE, error="Enumeration", text="two\nlines").to_json()


def test_every_script_there_is_can_be_told():
    names = {*Telco.scripts, *Coordinator.scripts, *probes_of(TELCO), *probes_of(COORDINATOR)}
    assert len(names) > 8
    for name in names:
        assert Event(**BASE, script=name).script == name


# -- sessions ----------------------------------------------------------------------------------------------------------------------------


def told(play, opening=OPENING, **how):
    """Return what is told of a session in which `play` runs."""
    events, clock = [], iter([10.0, 12.5])
    with Watch(TELCO, sinks=(events.append,), clock=lambda: next(clock)).session(TERMS, opening, **how) as weight:
        play(weight)
    return events


def failed(failure, **how):
    events, clock = [], iter([10.0, 12.5])

    def run():
        with Watch(TELCO, sinks=(events.append,), clock=lambda: next(clock)).session(TERMS, OPENING, **how):
            raise failure

    with pytest.raises(type(failure)):
        run()
    assert events[0].event == "session_begun"
    return events[-1]


def test_a_session_is_told_with_its_job_duration_and_weight():
    begun, ended = told(lambda weight: [weight.tap(Tapped(True, "seeker", "align", 0, "Tags", 0, bytes(size))) for size in (100, 23)])
    assert (begun.event, ended.event) == ("session_begun", "session_ended")
    assert (ended.contract, ended.job) == (TERMS.digest.hex()[:8], "00010203")
    assert (ended.script, ended.stage, ended.attempt, ended.rows, ended.bytes, ended.seconds) == ("align", 0, 3, 360, 123, 2.5)


@pytest.mark.parametrize(("failure", "name", "word", "level"), [
    (Enumeration("too many"), "session_refused", REFUSED, "warning"), (PeerRefused("they did"), "session_refused", REFUSED, "warning"),
    (PeerLost("gone"), "session_lost", LOST, "warning"), (asyncio.CancelledError(), "session_lost", LOST, "warning"),
    (ValueError(PHONE), "fault", REFUSED, "error"),
])
def test_how_a_session_failed_and_what_the_peer_heard(failure, name, word, level):
    event = failed(failure, answers=True)
    assert (event.event, event.told, event.level, event.error, event.seconds) == (name, word, level, type(failure).__name__, 2.5)
    assert PHONE not in event.to_json()
    assert failed(failure).told == ""


def test_numbers_that_a_peer_declares_beyond_any_count_are_left_out():
    wild = replace(OPENING, stage=1 << 40, attempt=1 << 60, sizes=(int(PHONE),), job=b"13800138000")
    (_, ended) = told(lambda _: None, wild)
    assert (ended.stage, ended.attempt, ended.rows, ended.job) == (None, None, None, "")


# -- metrics -----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_frames_sessions_and_refusals_are_counted(ledger):
    metrics = Metrics(ledger, list)
    watch = Watch(TELCO, sinks=(metrics.event,), taps=(metrics.tap,))
    for _ in range(2):
        with watch.session(TERMS, OPENING) as weight:
            weight.tap(Tapped(False, "seeker", "align", 0, "Query", 0, bytes(50)))
    for failure in (Enumeration("x"), OutOfTurn("x"), ValueError("x")):
        with pytest.raises(type(failure)), watch.session(TERMS, OPENING):
            raise failure
    with pytest.raises(ContractError), watch.call():
        raise ContractError("none such")
    watch.note("check_failed", contract=TERMS)
    way = {"direction": "received", "script": "align", "message": "Query"}
    assert (value(metrics, "tandem_frames_total", **way), value(metrics, "tandem_bytes_total", **way)) == (2, 100)
    assert value(metrics, "tandem_rows_total", script="align") == 2 * 360
    outcomes = [value(metrics, "tandem_sessions_total", script="align", outcome=one) for one in ("ended", "refused", "lost", "fault")]
    assert outcomes == [2, 2, None, 1]
    assert value(metrics, "tandem_session_seconds_count", script="align") == 5
    reasons = [value(metrics, "tandem_refusals_total", reason=one) for one in ("Enumeration", "OutOfTurn", "ContractError", "fault")]
    assert reasons == [1, 1, 1, 1]
    assert value(metrics, "tandem_failed_checks_total") == 1


def test_budgets_stand_beside_their_caps(ledger):
    metrics, digest = Metrics(ledger, lambda: [TERMS]), TERMS.digest.hex()
    ledger.use(digest, "bits", 14, TERMS.caps.disclosure_bits)
    place = {"contract": digest[:8], "counter": "bits"}
    assert (value(metrics, "tandem_budget_used", **place), value(metrics, "tandem_budget_cap", **place)) == (14, TERMS.caps.disclosure_bits)
    assert value(metrics, "tandem_budget_used", contract=digest[:8], counter="identifiers") == 0


def asked(port, path="/metrics", **how):
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", **how), timeout=5) as answer:  # noqa: S310 - ours
        return answer.headers, answer.read().decode()


def test_metrics_are_had_by_get_at_one_path_and_nothing_else(ledger, capfd):
    with Metrics(ledger, lambda: [TERMS]).served("127.0.0.1:0") as port:
        headers, page = asked(port)
        assert headers["Content-Type"].startswith("text/plain; version=")
        assert "Python" not in headers["Server"]
        assert f'tandem_budget_cap{{contract="{TERMS.digest.hex()[:8]}",counter="bits"}}' in page
        for path, how, status in (("/", {}, 404), ("/metrics?x=1", {}, 404), ("/metrics", {"method": "POST", "data": b"x"}, 501)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                asked(port, path, **how)
            assert refused.value.code == status
            refused.value.close()
        with socket.create_connection(("127.0.0.1", port)) as rude:
            rude.sendall(b"GET /metr")
        assert "tandem_budget_cap" in asked(port)[1]
    assert capfd.readouterr().err == ""
    with pytest.raises(urllib.error.URLError):
        asked(port)


def test_a_contract_that_cannot_be_read_spoils_one_answer_and_prints_nothing(ledger, capfd):
    def contracts():
        raise ContractError("a bad file")

    metrics = Metrics(ledger, list)
    metrics.registry.register(Metrics(ledger, contracts).registry)
    with metrics.served("127.0.0.1:0") as port, pytest.raises(urllib.error.HTTPError) as refused:
        asked(port)
    assert refused.value.code == 503
    refused.value.close()
    assert capfd.readouterr().err == ""


def test_a_port_that_is_taken_is_said_in_words(ledger):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=r"metrics: cannot listen at 127\.0\.0\.1:"), Metrics(ledger, list).served(address):
            pass


def test_without_the_extra_the_node_says_what_to_install(ledger, monkeypatch):
    monkeypatch.delitem(sys.modules, "tandem.node.metrics")
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(InputError, match=r"tandem-fusion\[metrics\]"), outlets(NodeConfig(metrics="127.0.0.1:0"), TELCO, ledger, list):
        pass


def test_the_configuration_chooses_between_sentences_and_events(ledger, capsys):
    for log in ("text", "json"):
        with outlets(NodeConfig(log=log), TELCO, ledger, list) as watch:
            watch.report("a sentence")
            watch.note("table_read", rows=7)
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(" a sentence")
    assert json.loads(second)["rows"] == 7


# -- a whole study -----------------------------------------------------------------------------------------------------------------------


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


# -- what the docs say -------------------------------------------------------------------------------------------------------------------


def rows_of(table):
    """Return the names in the first column of the table that begins with this head."""
    lines = PAGE.split(f"\n| {table} |")[1].splitlines()[2:]
    cells = [line.split("|")[1] for line in itertools.takewhile(lambda line: line.startswith("|"), lines)]
    return re.findall(r"`(\w+)`", " ".join(cells))


def test_the_page_names_every_field_event_and_metric(ledger):
    assert rows_of("field") == list(FIELDS)
    assert sorted(rows_of("event")) == sorted(get_args(Name))
    page = generate_latest(Metrics(ledger, lambda: [TERMS]).registry).decode()
    assert set(rows_of("metric")) == set(re.findall(r"^# TYPE (\w+) ", page, re.MULTILINE))


def test_the_alerts_on_the_page_ask_for_metrics_that_there_are():
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    (rules,) = (group["rules"] for block in blocks for group in block.get("groups", []))
    assert len(rules) == 4
    for rule in rules:
        assert set(re.findall(r"tandem_\w+", rule["expr"])) <= set(rows_of("metric"))
        assert set(re.findall(r'reason="(\w+)"', rule["expr"])) <= {*ours(), "fault"}


def test_the_event_on_the_page_is_one():
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert json.loads(Event(**json.loads(text)).to_json()) == json.loads(text)
