"""Metrics: what is counted, and where it is had."""

from __future__ import annotations

import json
import socket
import sys
import urllib.error

import pytest
from contracts import signed
from scraping import asked, value

from tandem.contract import TELCO
from tandem.errors import ContractError, Enumeration, InputError, OutOfTurn
from tandem.node import casting
from tandem.node.config import NodeConfig
from tandem.node.ledger_store import Ledger
from tandem.node.metrics import Metrics
from tandem.node.watch import Watch, outlets
from tandem.session.tap import Tapped
from tandem.wire.messages import Opening

TERMS = signed()
OPENING = Opening(casting.VERSION, "align", 0, ("ids",), (360,), b"", bytes(range(16)), 3)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


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
